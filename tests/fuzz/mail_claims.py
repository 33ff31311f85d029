"""What must hold for any bytes in the room `mail`, asserted; nothing is read by the reader under test to check itself."""

from gateway.errors import SealFailed
from gateway.mail import compose
from gateway.mail.addresses import parse_address, parse_address_list
from gateway.mail.automatic import automatic, suppressed
from gateway.mail.html import visible
from gateway.mail.outgoing import login_of, outer_fields, payload
from gateway.mail.parse import parse
from gateway.mail.scan import MAX_DEPTH, MAX_FIELDS, MAX_PARTS, body_of, scan, scan_header
from gateway.mail.text import MAX_TEXT_CHARACTERS, read
from gateway.mail.thread import keys_of
from gateway.model.message import Envelope, Message, Part
from gateway.model.verdict import Reason

from .simple_slicer import CRLF, field_count, header_end, parts_between

UNCUT = frozenset({Reason.MIME_TOO_DEEP, Reason.MIME_TOO_MANY_PARTS})
FROM_A_STRANGER = Envelope("a@b.example", ("247cp@institution.gov.example",))


def parts_of(part: Part, depth: int = 0) -> list[tuple[Part, int]]:
    """The part and all below it, each with its depth."""
    return [(part, depth), *(found for child in part.children for found in parts_of(child, depth + 1))]


def scanned(content: bytes) -> None:
    """Slices nest, header and body are the content, and a second slicer sees the same raw bytes."""
    message = scan(content)
    assert message.content == content or Reason.LINE_ENDS_REPAIRED in message.defects
    assert len(set(message.defects)) == len(message.defects)
    parts = parts_of(message.root)
    assert len(parts) <= MAX_PARTS
    for part, depth in parts:
        assert depth <= MAX_DEPTH
        _sliced(message, part, is_root=depth == 0)
        assert len(body_of(message, part)) <= len(message.body(part))


def _sliced(message: Message, part: Part, *, is_root: bool) -> None:
    raw, body = message.raw(part), message.body(part)
    fields = b"".join(one.raw for one in part.header.fields)
    assert raw in (fields + body, fields + CRLF + body)
    assert 0 <= part.start <= part.body_start <= part.end <= len(message.content)
    ends = [part.body_start]
    for child in part.children:
        assert ends[-1] <= child.start <= child.end <= part.end
        ends.append(child.end)
    well_formed = len(part.header.fields) < MAX_FIELDS and (is_root or all(one.name for one in part.header.fields))
    if well_formed and (is_root or raw != fields + body):
        assert part.body_start - part.start == header_end(raw)
        assert len(part.header.fields) == field_count(raw[: header_end(raw)].removesuffix(CRLF))
    if part.children and part.content_type.startswith("multipart/"):
        expected = parts_between(body, (part.parameter("boundary") or "").encode("ascii"))
        found = [message.raw(child) for child in part.children]
        assert found == expected[: len(found)]
        assert len(found) == len(expected) or UNCUT.intersection(message.defects)


def parsed(content: bytes) -> None:
    """Parsing adds one doubt at most; who asks the header gets answers."""
    message, scan_only = parse(content), scan(content)
    assert message.defects in (scan_only.defects, (*scan_only.defects, Reason.READERS_DISAGREE))
    assert (message.header, message.root, message.sender) == (scan_only.header, scan_only.root, scan_only.sender)
    automatic(message, FROM_A_STRANGER)
    suppressed(message)
    keys = keys_of(message.header, FROM_A_STRANGER.rcpt_tos)
    assert all(one.startswith("<") and one.endswith(">") for one in (*keys.in_reply_to, *keys.references))


def text_read(content: bytes) -> None:
    """Words are printable and bounded."""
    text = read(scan(content))
    words = (text.subject, text.body, text.quoted, *text.attachments, *text.filenames)
    assert sum(map(len, words)) <= 2 * MAX_TEXT_CHARACTERS
    assert not any(char < " " and char not in "\n\t\x0b\x0c" for one in words for char in one)
    assert "\n" not in text.subject


def html_read(content: bytes) -> None:
    """Text without markup is read whole, and no markup makes more of it than it is."""
    html = content.decode("utf-8", "replace")
    seen = visible(html)
    if not set("<&\x00") & set(html):
        assert seen.text.split() == html.split()
        assert not seen.hidden
    assert len(seen.text) <= 3 * len(html) + 2


def addresses_read(content: bytes) -> None:
    """An address that is read is one address, and reads the same again."""
    address = parse_address(content)
    several = parse_address_list(content)
    if address is None:
        return
    assert address.spec.isprintable()
    assert address.domain == address.domain.lower()
    assert address.domain.isascii()
    assert not set("<>()[],;:\r\n \t") & set(address.domain)
    again = parse_address(address.spec.encode())
    assert again is not None
    assert again.spec == address.spec
    assert several is None or [one.spec for one in several] == [address.spec]


def sent_out(content: bytes) -> None:
    """An officer's mail of any kind becomes 7-bit mail of short lines, or is refused."""
    message = scan(content)
    login_of(message.header)
    for cipher in (False, True):
        try:
            outer = outer_fields(message, case="247CP-2026-000042-K7QA", cipher=cipher)
            entity = payload(message, cipher=cipher, case="247CP-2026-000042-K7QA", outer=outer)
        except SealFailed:
            continue
        sealed = compose.multipart_signed(entity, b"", micalg="pgp-sha256", boundary="=-fuzz")
        left = compose.message(outer, sealed)
        assert left.isascii()
        assert b"\0" not in left
        assert left.count(b"\r") == left.count(b"\n") == left.count(CRLF)
        assert max(map(len, left.split(CRLF))) <= 998
        header, _, defects = scan_header(left)
        assert not defects
        assert len(header.all("from")) <= 1
