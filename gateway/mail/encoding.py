"""Encodes a MIME entity of our own anew so that it is 7-bit and no relay changes it (RFC 3156 section 3, RFC 2045 section 6).

Parts that already survive every relay keep their bytes. Never used on foreign mail: that would break its signatures.
"""

import base64
import re
from collections.abc import Iterator
from email.header import Header as EncodedHeader

from gateway.mail.compose import encoded_text, field_line, is_robust
from gateway.mail.scan import body_of
from gateway.model.message import Field, Message, Part

OURS = frozenset({"hp", "protected-headers"})
"""Content-Type parameters that we write ourselves."""
IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
"""Transfer encodings that change nothing (RFC 2045 section 6.2)."""
MAX_FIELD_LINE = 998

_BLANKS_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_NOT_FOR_RELAYS = re.compile(rb"[\x00\x80-\xff]|\r(?!\n)|(?<!\r)\n")
_QUOTED = re.compile(r'"([^"]*)"')


def entity(message: Message, root: Part, *, parameters: str, fields: bytes) -> bytes:
    """The entity of `root` with these Content-Type parameters and header fields added, everything in it 7-bit.

    Of the root's own fields only Content-Type, Content-Disposition and Content-Language stay. Raises ValueError for a part
    that may not be encoded (RFC 2046 section 5.2.1).
    """
    encoding, body = _body(message, root)
    kept = (one for name in ("content-disposition", "content-language") for one in root.header.all(name)[:1])
    return (
        field_line("Content-Type", f"{_content_type(message, root)}; {parameters}")
        + (field_line("Content-Transfer-Encoding", encoding) if encoding else b"")
        + b"".join(map(_seven_bit, kept))
        + fields
        + b"\r\n"
        + body
    )


def _part(message: Message, part: Part) -> bytes:
    encoding, body = _body(message, part)
    kept = (one for one in part.header.fields if one.name and one.name.lower() != "content-transfer-encoding")
    header = b"".join(map(_seven_bit, kept))
    return header + (field_line("Content-Transfer-Encoding", encoding) if encoding else b"") + b"\r\n" + body


def _body(message: Message, part: Part) -> tuple[str, bytes]:
    """Transfer encoding and body; a composite part has none (RFC 2045 section 6.4)."""
    if part.children:
        return "", b"".join(_pieces(message, part))
    raw = message.body(part)
    if is_robust(raw):
        return "7bit" if part.encoding in IDENTITY else part.encoding, raw
    if part.content_type.startswith(("message/", "multipart/")):
        raise ValueError(f"{part.content_type} is not 7-bit and may not be encoded")
    data = body_of(message, part)
    if part.content_type.startswith("text/") and b"\0" not in data:
        encoding, body = encoded_text(data)
        return encoding, body if raw.endswith(b"\r\n") else body.removesuffix(b"\r\n")
    return "base64", base64.encodebytes(data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _pieces(message: Message, part: Part) -> Iterator[bytes]:
    """Children encoded anew between the delimiters as they stand."""
    position = part.body_start
    for child in part.children:
        yield _between(message.content[position : child.start])
        yield _part(message, child)
        position = child.end
    yield _between(message.content[position : part.end])


def _between(octets: bytes) -> bytes:
    return _NOT_FOR_RELAYS.sub(b"?", _BLANKS_AT_END.sub(b"", octets))


def _content_type(message: Message, part: Part) -> str:
    written = [(name, value) for name, value in part.parameters if name not in OURS]
    if part.content_type.startswith("text/") and "charset" not in dict(written):
        written.append(("charset", "us-ascii" if message.body(part).isascii() else "utf-8"))
    return "; ".join((part.content_type, *(f"{name}={_quoted(value)}" for name, value in written)))


def _seven_bit(field: Field) -> bytes:
    """The field as it stands, or written anew where it is not 7-bit or its lines are too long."""
    raw = field.raw
    if not _NOT_FOR_RELAYS.search(raw) and raw.endswith(b"\r\n") and _longest_line(raw) <= MAX_FIELD_LINE:
        return _BLANKS_AT_END.sub(b"", raw)
    value = _printable(field.value)
    if field.name.lower() in ("content-type", "content-disposition"):
        value = _QUOTED.sub(lambda found: _quoted(found[1]), value).encode("ascii", "replace").decode("ascii")
    return field_line(field.name, value)


def _longest_line(raw: bytes) -> int:
    return max(map(len, raw.split(b"\r\n")))


def _quoted(value: str) -> str:
    """A parameter value in quotes; beyond ASCII as an encoded word, which readers understand there though no RFC allows it."""
    shown = "".join(char if char.isprintable() else "?" for char in value)
    if not shown.isascii():
        shown = EncodedHeader(shown, "utf-8", maxlinelen=0).encode()
    escaped = re.sub(r'(["\\])', r"\\\1", shown)
    return f'"{escaped}"'


def _printable(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return "".join(char if char.isprintable() else " " for char in text)
