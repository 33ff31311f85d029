"""The bytes of a mail of the set (RFC 5322, 2045, 2047) as a mail program would send them; invents no words."""

import html
from email.charset import Charset
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from itertools import groupby

from .entries import Entry, Format

MAILBOX = "247cp@institution.gov.example"
DATE = "Sat, 14 Nov 2026 22:17:05 +0000"
OUTLOOK = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal '
    '{{margin:0cm;font-size:11.0pt;font-family:"Calibri",sans-serif;}} --></style></head>'
    '<body lang="{lang}" link="#0563C1"><div class="WordSection1">{body}</div></body></html>'
)
WEBMAIL = '<div dir="ltr">{body}</div>'


def mail(entry: Entry) -> bytes:
    """The whole message, CRLF line ends."""
    name, _, address = entry.sender.removesuffix(">").rpartition(" <")
    fields = {
        "From": formataddr((_encoded(name, entry.charset), address)),
        "To": MAILBOX,
        "Subject": _encoded(entry.subject, entry.charset),
        "Date": DATE,
        "Message-ID": f"<{entry.id}.20261114@{address.rpartition('@')[2]}>",
        **entry.header,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode("ascii") + _content(entry).as_bytes()


def _encoded(text: str, charset: str) -> str:
    """The text as it may stand in a header field: in encoded words where it is not ASCII (RFC 2047)."""
    return text if text.isascii() else Header(text, Charset(charset), maxlinelen=75).encode(linesep="\r\n")


def _content(entry: Entry) -> EmailMessage:
    whole = EmailMessage(policy=SMTP)
    encoding = entry.encoding or _encoding(entry)
    if entry.format is Format.HTML:
        shown = OUTLOOK.format(lang=entry.language.upper(), body=_marked_up(entry.body))
        whole.set_content(shown, "html", charset=entry.charset, cte=encoding)
    else:
        whole.set_content(entry.body, charset=entry.charset, cte=encoding)
    if entry.format is Format.ALTERNATIVE:
        shown = WEBMAIL.format(body=_marked_up(entry.body))
        whole.add_alternative(shown, subtype="html", charset=entry.charset, cte=encoding)
    for name, text in entry.attachments.items():
        whole.add_attachment(text, subtype="csv" if name.endswith(".csv") else "plain", filename=name)
    if entry.forwarded:
        whole.add_attachment(_forwarded(entry.forwarded))
    return whole


def _encoding(entry: Entry) -> str:
    if entry.charset == "iso-2022-jp" or (entry.body.isascii() and entry.format is not Format.HTML):
        return "7bit"
    return "quoted-printable"


def _forwarded(text: str) -> EmailMessage:
    """The message attached: the lines before the first empty one are its header."""
    head, _, body = text.partition("\n\n")
    inner = EmailMessage(policy=SMTP)
    for line in head.splitlines():
        name, _, value = line.partition(": ")
        inner[name] = value
    inner.set_content(body)
    return inner


def _marked_up(text: str) -> str:
    """Paragraphs, tables (lines of cells parted by ' | ') and quotations ('> ') as mail programs mark them up."""
    blocks = []
    for paragraph in text.strip().split("\n\n"):
        for form, lines in groupby(paragraph.split("\n"), key=_form):
            blocks.append(_MARKUP[form](list(lines)))
    return "\n".join(blocks)


def _form(line: str) -> str:
    if line.startswith(">"):
        return "quotation"
    return "table" if " | " in line else "text"


def _paragraph(lines: list[str]) -> str:
    return f'<p class="MsoNormal">{"<br>".join(html.escape(line) for line in lines)}</p>'


def _table(lines: list[str]) -> str:
    rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in line.split(" | ")) for line in lines)
    return f'<table border="1" cellspacing="0">{"".join(f"<tr>{row}</tr>" for row in rows)}</table>'


def _quotation(lines: list[str]) -> str:
    return f'<blockquote type="cite">{_paragraph([line.removeprefix(">").strip() for line in lines])}</blockquote>'


_MARKUP = {"text": _paragraph, "table": _table, "quotation": _quotation}
