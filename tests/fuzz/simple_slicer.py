"""A second slicer to doubt the first one: by lines and without limits, as RFC 5322 section 2.1 and RFC 2046 section 5.1.1 tell it."""

CRLF = b"\r\n"


def header_end(entity: bytes) -> int:
    """Where the body begins: behind the first empty line, or nowhere."""
    if entity.startswith(CRLF):
        return 2
    found = entity.find(CRLF + CRLF)
    return found + 4 if found >= 0 else len(entity)


def field_count(header: bytes) -> int:
    """Lines that do not go on with the line before."""
    lines = header.removesuffix(CRLF).split(CRLF) if header.removesuffix(CRLF) else []
    return sum(number == 0 or not line.startswith((b" ", b"\t")) for number, line in enumerate(lines))


def parts_between(body: bytes, boundary: bytes) -> list[bytes]:
    """Raw bytes of the parts of a multipart body, the last one also where nothing closes it."""
    parts: list[bytes] = []
    lines: list[bytes] | None = None
    for line in body.split(CRLF):
        kind = _delimiter(line, b"--" + boundary)
        if kind and lines is not None:
            parts.append(CRLF.join(lines))
        if kind == "close":
            return parts
        if kind:
            lines = []
        elif lines is not None:
            lines.append(line)
    return parts if lines is None else [*parts, CRLF.join(lines)]


def _delimiter(line: bytes, marker: bytes) -> str:
    """`open`, `close` or ''."""
    if not line.startswith(marker):
        return ""
    rest = line.removeprefix(marker).rstrip(b" \t")
    return {b"": "open", b"--": "close"}.get(rest, "")
