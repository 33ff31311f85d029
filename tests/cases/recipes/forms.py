"""Messages whose request is a form in a file, and character sets that hide words (ATTACKS 8, rows C5, C7, C8)."""

import base64
from collections.abc import Callable

import docx
from documents import docx_bytes, pdf_bytes, saved
from letters import PRESERVE, THANKS, crlf, dkim, mail, multipart, part, text

COVER = """\
Dear colleagues,

please find attached our form.

Duty officer, National Police of Borduria
"""
EMPTY, TICKED = "\u2610", "\u2612"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def file(data: bytes, kind: str, name: str) -> bytes:
    """The file as an attachment in base64."""
    more = f'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    return part(kind, crlf(base64.encodebytes(data)), more=more)


def sent(data: bytes, *, kind: str = DOCX, name: str = "form.docx", cover: str = COVER) -> bytes:
    """A letter that only says that something is attached, and the file."""
    return dkim(mail(multipart("mixed", text(cover), file(data, kind, name))))


def preservation_form(*, new: str, extension: str) -> bytes:
    """T-CY(2018)11 in English and Turkish, as ministries fill it in."""
    return docx_bytes(
        "T-CY(2018)11",
        "DATA PRESERVATION REQUEST / VERİ MUHAFAZA TALEBİ",
        "under Articles 29 and 30 of the Budapest Convention on Cybercrime",
        ("DATE / TARİH", "15/06/2026"),
        ("REFERENCE / CASE NUMBER / DOSYA NO", "BX-2026/4471"),
        (
            "REQUEST STATUS / TALEBİN DURUMU",
            f"{new} new request / yeni talep\n{extension} extension of previous request / önceki talebin uzatılması",
        ),
        ("REQUESTING AUTHORITY / TALEP EDEN MAKAM", "National Police of Borduria\nTelephone: +000 1 555 0100"),
        ("OFFENCE", "Fraud; summary of facts: accounts were opened with stolen identities."),
        ("DATA TO BE PRESERVED", "all stored computer data of the account r.finch@mailbridge.example"),
        ("NECESSITY OF THE PRESERVATION", "the data are volatile"),
        header="National Police of Borduria",
    )


def subscriber_form(*, locked: bool = False) -> bytes:
    """T-CY(2018)10 in English and French as a PDF whose boxes are fields."""
    words = (
        "T-CY(2018)10\nMutual Legal Assistance Request for subscriber information under Article 31\n"
        "Budapest Convention on Cybercrime / Demande d'entraide pour l'obtention d'informations relatives aux abonnés\n"
        "Reference / case number: BX-2026/4471\nPrevious preservation request: none\n"
        "Subscriber information sought: name, address, telephone, registration IP of the account r.finch@mailbridge.example"
    )
    return pdf_bytes(
        words, fields={"new_request": True, "follow-up_to_previous_preservation_request": False}, locked=locked
    )


def hidden_request(*, hidden: bool) -> bytes:
    """A Word file with a request in it, formatted as hidden or not."""
    document = docx.Document()
    document.add_paragraph("Thank you for the conversation.")
    document.add_paragraph().add_run(PRESERVE).font.hidden = hidden
    return saved(document)


def charset(name: str, codec: str) -> bytes:
    """The request in that codec under that name."""
    return dkim(
        mail(
            part(
                f"text/plain; charset={name}",
                crlf(base64.encodebytes(PRESERVE.replace("\n", "\r\n").encode(codec))),
                more="Content-Transfer-Encoding: base64\r\n",
            )
        )
    )


MESSAGES: dict[str, Callable[[], bytes]] = {
    "form-docx-new": lambda: sent(preservation_form(new=TICKED, extension=EMPTY)),
    "form-docx-extension": lambda: sent(preservation_form(new=EMPTY, extension=TICKED)),
    "form-docx-no-tick": lambda: sent(preservation_form(new=EMPTY, extension=EMPTY)),
    "form-docx-cut-off": lambda: sent(preservation_form(new=TICKED, extension=EMPTY)[:4000]),
    "form-docx-hidden": lambda: sent(hidden_request(hidden=True), cover=THANKS),
    "form-docx-shown": lambda: sent(hidden_request(hidden=False), cover=THANKS),
    "form-docx-named-pdf": lambda: sent(
        preservation_form(new=TICKED, extension=EMPTY), kind="application/pdf", name="form.pdf"
    ),
    "form-pdf": lambda: sent(subscriber_form(), kind="application/pdf", name="form.pdf"),
    "form-pdf-password": lambda: sent(subscriber_form(locked=True), kind="application/pdf", name="form.pdf"),
    "form-pdf-scan": lambda: sent(pdf_bytes(""), kind="application/pdf", name="scan.pdf"),
    "form-csv": lambda: sent(
        b"ip;moment\r\n203.0.113.7:51234;2026-06-14 22:10:05 UTC\r\n", kind="application/octet-stream", name="list.csv"
    ),
    "charset-utf-7": lambda: charset("utf-7", "utf-7"),
    "charset-utf-16-big": lambda: charset("utf-16be", "utf-16-be"),
    "charset-ebcdic": lambda: charset("cp037", "cp037"),
}
