"""Messages whose structure hides words, or is more than a reader should walk (ATTACKS 3 and 8)."""

import base64
from collections.abc import Callable

from letters import PRESERVE, THANKS, crlf, dkim, mail, multipart, part, text

HTML = "text/html; charset=utf-8"
REQUEST = (
    "<p>We request the expedited preservation of stored computer data under Article 29 of the Budapest Convention: please \
preserve all log files of the account r.finch@mailbridge.example.</p>"
)


def honest(entity: bytes, **fields: str) -> bytes:
    return dkim(mail(entity, **fields))


def encoded(words: str, *, encoding: str = "base64", change: Callable[[bytes], bytes] = lambda octets: octets) -> bytes:
    octets = change(base64.encodebytes(crlf(words.encode())))
    return part("text/plain; charset=utf-8", crlf(octets), more=f"Content-Transfer-Encoding: {encoding}\r\n")


def nested(depth: int) -> bytes:
    entity = text(PRESERVE)
    for number in range(depth):
        entity = multipart("mixed", entity, boundary=f"b{number}")
    return entity


def attached(kind: str, name: str, content: bytes = b"PK\x03\x04\r\n") -> bytes:
    more = f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
    return part(kind, crlf(base64.encodebytes(content)), more=more)


MESSAGES: dict[str, Callable[[], bytes]] = {
    # two readings of one structure
    "structure-plain": lambda: honest(multipart("mixed", text(PRESERVE), text(THANKS))),
    "structure-two-boundaries": lambda: honest(
        multipart("mixed", text(THANKS)).replace(b'boundary="=-b-="', b'boundary="=-b-="; boundary="other"')
        + b"--other\r\n"
        + text(PRESERVE)
        + b"\r\n--other--\r\n"
    ),
    "structure-boundary-prefix": lambda: honest(
        multipart("mixed", text(PRESERVE)).replace(b"\r\n--=-b-=\r\n", b"\r\n--=-b-=more\r\n")
    ),
    "structure-no-boundary": lambda: honest(multipart("mixed", text(PRESERVE)).replace(b'; boundary="=-b-="', b"")),
    "structure-never-closed": lambda: honest(multipart("mixed", text(PRESERVE), close=False)),
    "structure-two-encodings": lambda: honest(
        part(
            "text/plain",
            crlf(PRESERVE.encode()),
            more="Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n",
        )
    ),
    "structure-too-deep": lambda: honest(nested(51)),
    "structure-deep": lambda: honest(nested(49)),
    "structure-too-many-parts": lambda: honest(multipart("mixed", text(PRESERVE), *[part("text/plain")] * 1000)),
    # transfer encodings and character sets
    "encoding-base64": lambda: honest(encoded(PRESERVE)),
    "encoding-base64-with-junk": lambda: honest(
        encoded(PRESERVE, change=lambda octets: octets.replace(b"\n", b"!*\n"))
    ),
    "encoding-base64-padded-inside": lambda: honest(
        part(
            "text/plain",
            base64.b64encode(b"Hi,\r\n") + b"\r\n" + crlf(base64.encodebytes(crlf(PRESERVE.encode()))),
            more="Content-Transfer-Encoding: base64\r\n",
        )
    ),
    "encoding-quoted-printable": lambda: honest(
        part(
            "text/plain",
            crlf(PRESERVE.replace("preserv", "=70reser=\nv").encode()),
            more="Content-Transfer-Encoding: quoted-printable\r\n",
        )
    ),
    "encoding-unknown": lambda: honest(encoded(PRESERVE, encoding="x-base65")),
    "charset-codec-hex": lambda: honest(text(PRESERVE, kind="text/plain; charset=hex")),
    "charset-unicode-escape": lambda: honest(text(PRESERVE, kind="text/plain; charset=unicode_escape")),
    "charset-utf-16": lambda: honest(
        part(
            "text/plain; charset=utf-16",
            base64.encodebytes(PRESERVE.encode("utf-16")).replace(b"\n", b"\r\n"),
            more="Content-Transfer-Encoding: base64\r\n",
        )
    ),
    # what is attached
    "attached-text": lambda: honest(
        multipart(
            "mixed",
            text(THANKS),
            part('text/plain; name="request.txt"', crlf(PRESERVE.encode()), more="Content-Disposition: attachment\r\n"),
        )
    ),
    "attached-zip-only": lambda: honest(attached("application/zip", "request.zip")),
    "attached-path": lambda: honest(
        multipart("mixed", text(PRESERVE), attached("application/pdf", "../../etc/cron.d/x"))
    ),
    "attached-right-to-left": lambda: honest(
        multipart("mixed", text(PRESERVE), attached("application/pdf", "letter\u202efdp.exe"))
    ),
    "attached-message": lambda: honest(multipart("mixed", text(THANKS), part("message/rfc822", mail(text(PRESERVE))))),
    "attached-tnef": lambda: honest(
        multipart("mixed", text(THANKS), attached("application/ms-tnef", "winmail.dat", b"\x78\x9f\x3e\x22"))
    ),
    "attached-uuencoded": lambda: honest(text(THANKS + "\nbegin 644 request.doc\n#0V%T\n`\nend\n")),
    "attached-partial": lambda: honest(part('message/partial; id="a@b"; number=1; total=2', crlf(PRESERVE.encode()))),
    "attached-external": lambda: honest(
        part(
            'message/external-body; access-type=URL; URL="https://attacker.test/x"', b"Content-Type: text/plain\r\n\r\n"
        )
    ),
    # what a reader sees
    "visible-html": lambda: honest(text(REQUEST, kind=HTML)),
    "visible-html-in-pieces": lambda: honest(
        text(
            REQUEST.replace("preservation", "preser<!-- x -->vat<wbr>ion").replace("preserve", "pre&#115;er<b></b>ve"),
            kind=HTML,
        )
    ),
    "visible-hidden-request": lambda: honest(
        text(f"<p>Thank you for the conversation.</p><div style='display:none'>{REQUEST}</div>", kind=HTML)
    ),
    "visible-hidden-thanks": lambda: honest(
        text(f"<div style='display:none'>This is a newsletter about a webinar.</div>{REQUEST}", kind=HTML)
    ),
    "visible-alternatives-agree": lambda: honest(
        multipart("alternative", text(PRESERVE), text("<p>" + PRESERVE.replace("\n\n", "</p><p>") + "</p>", kind=HTML))
    ),
    "visible-alternatives-disagree": lambda: honest(multipart("alternative", text(THANKS), text(REQUEST, kind=HTML))),
}
