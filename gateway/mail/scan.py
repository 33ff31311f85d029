"""Scans header fields and slices MIME parts on raw bytes: the single truth about both, for every room.

Linear in the size of the content and total: any bytes give a message. It never decodes, repairs or drops a byte, except
that a file without CRLF gets its line ends restored first, and says so.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.mail.addresses import parse_address, parse_address_list
from gateway.mail.decode import base64_bytes, decoded_words, quoted_printable_bytes
from gateway.mail.parameters import Parameterized, read_parameters
from gateway.model.message import Address, Field, Header, Message, Part
from gateway.model.verdict import Reason

MAX_HEADER_BYTES = 262_144
MAX_FIELDS = 1000
MAX_LINE_BYTES = 65_536
MAX_RECEIVED = 100
MAX_DEPTH = 50
MAX_PARTS = 1000
MAX_PART_FIELDS = 20_000
"""Header fields of all parts together; each part may have MAX_FIELDS of them."""

SINGLETONS = frozenset(
    {
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "bcc",
        "date",
        "subject",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
    }
)
"""Fields that stand once at most (RFC 5322 section 3.6, RFC 2045 section 3)."""

ENCAPSULATED = frozenset({"message/rfc822", "message/global"})
IDENTITY_ENCODINGS = frozenset({"7bit", "8bit", "binary"})
ENCODINGS = IDENTITY_ENCODINGS | {"base64", "quoted-printable"}

_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_BOUNDARY = re.compile(r"[ -~]{0,199}[!-~]")
_DELIMITER_REST = re.compile(rb"(--)?[ \t]*+(?=\r\n|\Z)")


def scan(content: bytes) -> Message:
    """The message the bytes are, with every oddity as a defect; content without CRLF is scanned as a repaired copy."""
    repaired = _with_crlf(content)
    header, body_start, defects = scan_header(repaired)
    findings = [Reason.LINE_ENDS_REPAIRED] if repaired is not content else []
    sender, sender_findings = sender_of(header)
    names = Counter(one.name.lower() for one in header.fields)
    if any(names[name] > 1 for name in SINGLETONS):
        findings.append(Reason.DUPLICATED_SINGLETON)
    slicer = _Slicer(repaired)
    root = slicer.entity(_Place(path="", start=0, end=len(repaired)), header, body_start)
    found = (*findings, *defects, *sender_findings, *slicer.defects)
    return Message(content=repaired, header=header, root=root, sender=sender, defects=tuple(dict.fromkeys(found)))


def scan_header(content: bytes) -> tuple[Header, int, tuple[Reason, ...]]:
    """The fields, the offset of the body and the defects; fields, the blank line and the body are the whole content.

    A line that is no field stands as a field with the name ''; BAD_FIELD says that there is one, or bare CR, bare LF,
    NUL, a blank before a colon, or more than the limits: what follows one field too many is body.
    """
    fields, body_start = _fields(content, 0, len(content), limit=MAX_FIELDS + 1)
    header_end = fields[-1].start + len(fields[-1].raw) if fields else 0
    bad = (
        header_end > MAX_HEADER_BYTES
        or len(fields) > MAX_FIELDS
        or not all(_FIELD_NAME.fullmatch(one.raw.partition(b":")[0]) and b":" in one.raw for one in fields)
        or b"\0" in content[:header_end]
        or _BARE_CR.search(content, 0, header_end) is not None
        or _BARE_LF.search(content, 0, header_end) is not None
    )
    return Header(fields), body_start, (Reason.BAD_FIELD,) if bad else ()


def sender_of(header: Header) -> tuple[Address | None, tuple[Reason, ...]]:
    """From, if it is one field with one address (RFC 5322 section 3.6.2 and DESIGN section 3)."""
    fields = header.all("from")
    if len(fields) != 1:
        return None, (Reason.FROM_NOT_ONE,)
    value = fields[0].value
    address = parse_address(value)
    if address is not None:
        return address, ()
    several = len(parse_address_list(value) or ()) > 1
    return None, (Reason.FROM_NOT_ONE if several else Reason.FROM_MALFORMED,)


def body_of(message: Message, part: Part) -> bytes:
    """The body of a part with its transfer encoding undone; unknown encodings as they are; never longer than the raw."""
    body = message.body(part)
    if part.encoding == "base64":
        return base64_bytes(body)
    return quoted_printable_bytes(body) if part.encoding == "quoted-printable" else body


def _with_crlf(content: bytes) -> bytes:
    """The very same object when its line ends are CRLF (bare CR among them stays, a defect), else a repaired copy."""
    if b"\n" not in content:
        return content.replace(b"\r", b"\r\n") if b"\r" in content else content
    if content.count(b"\n") == content.count(b"\r\n"):
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _fields(content: bytes, start: int, end: int, *, limit: int | None = None) -> tuple[tuple[Field, ...], int]:
    """The fields of the entity in content[start:end] and where its body starts; behind `limit` fields all is body."""
    fields: list[Field] = []
    while start < end and len(fields) != limit:
        if content.startswith(b"\r\n", start, end):
            return tuple(fields), start + 2
        stop = _line_end(content, start, end)
        while stop < end and content[stop] in b" \t":
            stop = _line_end(content, stop, end)
        raw = content[start:stop]
        fields.append(Field(name=_name_of(raw), raw=raw, start=start))
        start = stop
    return tuple(fields), start


def _line_end(content: bytes, start: int, end: int) -> int:
    found = content.find(b"\r\n", start, end)
    return end if found < 0 else found + 2


def _name_of(raw: bytes) -> str:
    """The field name, blanks before the colon forgiven so that `From :` counts as one more From; '' for no field."""
    name, colon, _ = raw.partition(b":")
    name = name.rstrip(b" \t")
    return name.decode("ascii") if colon and _FIELD_NAME.fullmatch(name) else ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entity lies and what it is when it does not say (RFC 2046 section 5.1.5)."""

    path: str
    start: int
    end: int
    depth: int = 0
    default_type: str = "text/plain"


class _Slicer:
    """Slices one content; it keeps what belongs to the whole message: how many parts and fields, and the defects."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.parts = 0
        self.fields_left = MAX_PART_FIELDS
        self.defects: list[Reason] = []

    def entity(self, place: _Place, header: Header, body_start: int) -> Part:
        """The part at that place with all parts below it."""
        self.parts += 1
        content_type, written = self._media_type(header, place)
        disposition = _parameters_of(header, "content-disposition")
        part = Part(
            path=place.path,
            header=header,
            content_type=content_type,
            parameters=written.parameters,
            start=place.start,
            body_start=body_start,
            end=place.end,
            encoding=self._encoding(header, content_type),
            disposition=disposition.word,
            filename=_filename(disposition, written),
        )
        return replace(part, children=self._children(part, place))

    def _media_type(self, header: Header, place: _Place) -> tuple[str, Parameterized]:
        written = _parameters_of(header, "content-type")
        # Readers are known to take the first or the last of these.
        twice = any(len(header.all(name)) > 1 for name in ("content-type", "content-transfer-encoding"))
        if written.repeated & {"boundary", "charset"} or (place.path and twice):
            self.defects.append(Reason.READERS_DISAGREE)
        if header.first("content-type") is None:
            return place.default_type, written
        if _MEDIA_TYPE.fullmatch(written.word):
            return written.word, written
        self.defects.append(Reason.MIME_MALFORMED)
        return "text/plain", written

    def _encoding(self, header: Header, content_type: str) -> str:
        word = _parameters_of(header, "content-transfer-encoding").word or "7bit"
        # RFC 2045 section 6.4: what is made of entities has no encoding of its own.
        composite = content_type.startswith("multipart/") or content_type in ENCAPSULATED
        if word not in ENCODINGS or (composite and word not in IDENTITY_ENCODINGS):
            self.defects.append(Reason.MIME_MALFORMED)
        return word

    def _children(self, part: Part, place: _Place) -> tuple[Part, ...]:
        spans = self._spans(part)
        if spans and place.depth >= MAX_DEPTH:
            self.defects.append(Reason.MIME_TOO_DEEP)
            return ()
        prefix = f"{place.path}." if place.path else ""
        default_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        children = []
        for number, (start, end) in enumerate(spans, 1):
            if self.parts >= MAX_PARTS:
                self.defects.append(Reason.MIME_TOO_MANY_PARTS)
                break
            children.append(self._child(_Place(f"{prefix}{number}", start, end, place.depth + 1, default_type)))
        return tuple(children)

    def _child(self, place: _Place) -> Part:
        limit = min(MAX_FIELDS, self.fields_left)
        fields, body_start = _fields(self.content, place.start, place.end, limit=limit)
        self.fields_left -= len(fields)
        # Where the blank line is missing, readers show what follows the last field.
        stray = next((number for number, one in enumerate(fields) if not one.name), None)
        if stray is not None:
            fields, body_start = fields[:stray], fields[stray].start
        if stray is not None or len(fields) == limit:
            self.defects.append(Reason.MIME_MALFORMED)
        return self.entity(place, Header(fields), body_start)

    def _spans(self, part: Part) -> list[tuple[int, int]]:
        """Where the entities inside this one lie."""
        if part.content_type in ENCAPSULATED and part.encoding in IDENTITY_ENCODINGS:
            return [(part.body_start, part.end)]
        if not part.content_type.startswith("multipart/"):
            return []
        boundary = part.parameter("boundary") or ""
        spans, whole = _between(self.content, boundary, part) if _BOUNDARY.fullmatch(boundary) else ([], False)
        if not whole:
            self.defects.append(Reason.MIME_MALFORMED)
        return spans


def _between(content: bytes, boundary: str, part: Part) -> tuple[list[tuple[int, int]], bool]:
    """The spans between the delimiter lines (RFC 2046 section 5.1.1), and whether exactly one close delimiter ends them.

    The line end before a delimiter belongs to the delimiter; the first may stand right behind the header's blank line.
    """
    spans: list[tuple[int, int]] = []
    start = None
    found = _delimiters(content, boundary, max(part.start, part.body_start - 2), part.end)
    for before, behind, closes in found:
        if start is not None:
            spans.append((start, max(start, before)))
        start = min(behind + 2, part.end)
        if closes:
            return spans, bool(spans) and next(found, None) is None
        if len(spans) > MAX_PARTS:
            return spans, True
    if start is not None:
        spans.append((start, part.end))
    return spans, False


def _delimiters(content: bytes, boundary: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Where each delimiter line begins with the line end before it, where it ends without its own, whether it closes."""
    # Searched as octets: to compile a pattern for every boundary takes longer than to find it.
    wanted = b"\r\n--" + boundary.encode("ascii")
    at = content.find(wanted, start, end)
    while at >= 0:
        rest = _DELIMITER_REST.match(content, at + len(wanted), end)
        if rest is not None:
            yield at, rest.end(), rest[1] is not None
        at = content.find(wanted, rest.end() if rest else at + 1, end)


def _parameters_of(header: Header, name: str) -> Parameterized:
    field = header.first(name)
    return Parameterized("") if field is None else read_parameters(field.value)


def _filename(disposition: Parameterized, content_type: Parameterized) -> str:
    """The name to show, never to be used as a path; encoded words in it are decoded as readers do."""
    written = dict(content_type.parameters).get("name", "")
    written = dict(disposition.parameters).get("filename", written)
    return decoded_words(written.encode("utf-8", "replace"))
