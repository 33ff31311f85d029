"""Builds mail of our own: header fields, MIME entities, the wrappers of OpenPGP; 7-bit, CRLF, checked.

Never touches foreign bytes, never signs. A control character in a header value is a ValueError: nothing is repaired in silence.
"""

import quopri
import re
from email.header import Header
from email.utils import formataddr

Fields = tuple[tuple[str, str], ...]
"""Header fields in order, names as written, values as text without folds."""

MAX_LINE_OCTETS = 998
"""RFC 5322 section 2.1.1."""
FOLD_AT = 78
MAX_ENCODED_WORD = 75
"""RFC 2047 section 2."""

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")
_CHUNK = re.compile(r" *[^ ]+")
_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,./:=?-]{1,70}")
_MICALG = re.compile(r"pgp-[a-z0-9]{3,12}")
# RFC 3156 section 5: blanks at line ends and "From " at a line's start do not survive every relay, so they are encoded.
_FRAGILE = re.compile(rb"[ \t]\r?$|^From ", re.MULTILINE)
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def mailbox(name: str, spec: str) -> str:
    """A mailbox as a field value: display name quoted or encoded as needed, then the address (RFC 5322 section 3.4)."""
    _check_text(name)
    _check_text(spec)
    # The angle brackets keep an address field foldable and unambiguous even without a name.
    if not name:
        return f"<{spec}>"
    if name.isascii():
        return formataddr((name, spec))
    # The blanks between encoded words are left out again by readers (RFC 2047 section 6.2).
    words = Header(name.strip(" "), "utf-8", maxlinelen=MAX_ENCODED_WORD).encode(linesep="")
    return f"{words} <{spec}>"


def field_line(name: str, value: str) -> bytes:
    """One header field, folded at blanks to 78 columns, with its CRLF; text beyond ASCII as encoded words (RFC 2047).

    Raises ValueError for a name that is none, a control character in the value, or a word no line can hold.
    """
    if _FIELD_NAME.fullmatch(name) is None:
        raise ValueError(f"not a field name: {name!r}")
    _check_text(value)
    if not value.isascii():
        encoded = Header(value.strip(" "), "utf-8", header_name=name, maxlinelen=FOLD_AT - 2).encode(linesep="\r\n")
        return f"{name}: {encoded}\r\n".encode("ascii")
    folded = _folded(f"{name}: {value.strip(' ')}")
    if any(len(one) > MAX_LINE_OCTETS for one in folded.split("\r\n")):
        raise ValueError(f"a word of {name} is too long for a line")
    return folded.encode("ascii") + b"\r\n"


def text_entity(body: str, *, fields: Fields = (), cipher: bool = False, outer: Fields = ()) -> bytes:
    """A text/plain entity in 7 bits, the payload of a signature, with protected header fields (RFC 9788).

    `fields` are copied inside. With `cipher` the payload will be encrypted and `outer` are the fields as they stand outside.
    """
    encoding, octets = encoded_text(body.encode("utf-8"))
    return (
        field_line("Content-Type", f"text/plain; charset=utf-8; {protected_parameters(cipher=cipher)}")
        + field_line("Content-Transfer-Encoding", encoding)
        + protected_fields(fields, cipher=cipher, outer=outer)
        + b"\r\n"
        + octets
    )


def protected_parameters(*, cipher: bool) -> str:
    """Parameters that mark an entity's own header fields as protected."""
    # Thunderbird 153 does not know RFC 9788 and reads only the older parameter.
    return f'hp="{"cipher" if cipher else "clear"}"; protected-headers="v1"'


def protected_fields(fields: Fields, *, cipher: bool, outer: Fields) -> bytes:
    """Header fields as they stand inside the payload; of an encrypted one also what stands outside (RFC 9788 section 4.2)."""
    inside = b"".join(field_line(name, value) for name, value in fields)
    outside = (field_line("HP-Outer", f"{name}: {value}") for name, value in outer)
    return inside + (b"".join(outside) if cipher else b"")


def encoded_text(data: bytes) -> tuple[str, bytes]:
    """Text octets with CRLF line ends that survive every relay, and the transfer encoding that makes it so."""
    lines = b"\r\n".join(data.splitlines()) + b"\r\n"
    if is_robust(lines):
        return "7bit", lines
    coded = quopri.encodestring(lines.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return "quoted-printable", re.sub(rb"^From ", b"=46rom ", coded, flags=re.MULTILINE)


def is_robust(data: bytes) -> bool:
    """Whether these octets arrive as they are: 7 bits, CRLF, short lines, nothing a relay would strip or quote."""
    return (
        data.isascii()
        and b"\0" not in data
        and _FRAGILE.search(data) is None
        and _BARE_LINE_END.search(data) is None
        and max(map(len, data.split(b"\r\n"))) <= MAX_LINE_OCTETS
    )


def multipart_signed(payload: bytes, signature: bytes, *, micalg: str, boundary: str) -> bytes:
    """The entity of a signed payload (RFC 3156 section 5); the signature is over exactly the payload's bytes."""
    if _MICALG.fullmatch(micalg) is None:
        raise ValueError(f"not a hash name: {micalg!r}")
    start = _delimiter(boundary, payload, signature)
    return (
        field_line(
            "Content-Type",
            f'multipart/signed; micalg={micalg}; protocol="application/pgp-signature"; boundary="{boundary}"',
        )
        + b"\r\n"
        + (start + b"\r\n" + payload + b"\r\n")
        + (start + b'\r\nContent-Type: application/pgp-signature; name="signature.asc"\r\n\r\n')
        + (with_crlf(signature) + b"\r\n" + start + b"--\r\n")
    )


def multipart_encrypted(ciphertext: bytes, *, boundary: str) -> bytes:
    """The entity of an armored ciphertext (RFC 3156 section 4)."""
    start = _delimiter(boundary, ciphertext)
    return (
        field_line("Content-Type", f'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="{boundary}"')
        + b"\r\n"
        + (start + b"\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n")
        + (start + b'\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n')
        + (with_crlf(ciphertext) + b"\r\n" + start + b"--\r\n")
    )


def message(fields: Fields, entity: bytes) -> bytes:
    """A whole message: these fields above an entity that brings its own Content fields; no field name twice."""
    names = [name.lower() for name, _ in fields]
    if len(names) != len(set(names)):
        raise ValueError("a field is given twice")
    if any(name.startswith("content-") for name in names):
        raise ValueError("Content fields are the entity's")
    return b"".join(field_line(name, value) for name, value in fields) + entity


def with_crlf(data: bytes) -> bytes:
    """The same lines ended by CRLF, the last one too."""
    return b"".join(line + b"\r\n" for line in data.splitlines())


def _folded(text: str) -> str:
    lines = [""]
    for chunk in _CHUNK.findall(text):
        fits = len(lines[-1]) + len(chunk) <= FOLD_AT
        # A line of the name alone would be an empty first line, which some readers take for the end of the header.
        if fits or not chunk.startswith(" ") or lines[-1].endswith(":"):
            lines[-1] += chunk
        else:
            lines.append(chunk)
    return "\r\n".join(lines)


def _check_text(text: str) -> None:
    if _CONTROL.search(text):
        raise ValueError("a header value holds a control character")


def _delimiter(boundary: str, *contents: bytes) -> bytes:
    """The delimiter line; refuses contents it occurs in, and those that are not 7-bit."""
    if _BOUNDARY.fullmatch(boundary) is None:
        raise ValueError(f"not a boundary: {boundary!r}")
    start = b"--" + boundary.encode("ascii")
    for content in contents:
        if not content.isascii():
            raise ValueError("what is signed or encrypted must be 7-bit (RFC 3156 section 3)")
        if start in content:
            raise ValueError("the boundary occurs in what it bounds")
    return start
