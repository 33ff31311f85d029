"""Reads the text after DATA: finds its end, removes dot-stuffing, counts what is limited; bytes are never changed otherwise.

Works block by block on whole buffers, so that a line costs nothing by itself. Only CR LF . CR LF ends a message
(RFC 5321 section 4.1.1.4); a bare CR, a bare LF or NUL anywhere makes the message refused after its end, as does a limit.
"""

import re
from collections.abc import Callable

from gateway.transport.replies import Reply

MAX_LINE_BYTES = 65_536
MAX_HEADER_BYTES = 262_144
MAX_FIELDS = 1000
MAX_RECEIVED = 100

_END = b"\r\n.\r\n"
_ENDINGS = tuple(_END[:length] for length in (4, 3, 2, 1))
_RECEIVED = re.compile(rb"(?:^|\n)received[ \t]*:", re.IGNORECASE)


class DataReader:
    """State of one DATA command: `feed` it what arrives until `done`; the message goes to `write`."""

    def __init__(self, write: Callable[[bytes], None], *, max_bytes: int) -> None:
        self._write = write
        self._max_bytes = max_bytes
        # The text stands behind a line end (that of the DATA command): so an initial dot is like any other.
        self._held = b"\r\n"
        self._skip = 2
        self._line_bytes = 0
        self._header: bytearray | None = bytearray()
        self.received = 0
        """Octets of text so far, dots removed."""
        self.refusal: Reply | None = None
        """Why the message is refused; the first reason found stands."""
        self.done = False
        self.rest = b""
        """What followed the end: the next commands of a pipelining client."""

    def feed(self, block: bytes) -> None:
        """Take the next octets from the wire, in pieces of any size."""
        text = self._held + block
        end = text.find(_END)
        if end >= 0:
            self.done = True
            self.rest = text[end + len(_END) :]
            keep = end + 2
        else:
            keep = len(text) - _unfinished(text)
            self._held = text[keep:]
        # A piece always ends before or behind a whole CR LF, never within: counting in pieces is exact.
        self._take(text[:keep].replace(b"\r\n.", b"\r\n"))
        if self.done:
            self._close_header()

    def _take(self, text: bytes) -> None:
        if self._skip and text:
            text, self._skip = text[self._skip :], 0
        self.received += len(text)
        if self.refusal is None:
            self.refusal = self._first_fault(text)
        if self.refusal is None and text:
            self._write(text)

    def _first_fault(self, text: bytes) -> Reply | None:
        if self.received > self._max_bytes:
            return Reply.TOO_LARGE
        lines = text.count(b"\r\n")
        if text.count(b"\r") != lines or text.count(b"\n") != lines or b"\0" in text:
            return Reply.BARE_LINE_END
        if self._has_long_line(text):
            return Reply.LONG_LINE
        return self._header_fault(text)

    def _has_long_line(self, text: bytes) -> bool:
        """Whether a line exceeds the limit; leaps from line end to line end as far as one line may reach."""
        start, allowed = 0, MAX_LINE_BYTES - self._line_bytes
        while len(text) - start > allowed:
            end = text.rfind(b"\r\n", start, start + allowed + 2)
            if end < 0:
                return True
            start, allowed = end + 2, MAX_LINE_BYTES
        last = text.rfind(b"\r\n", start)
        self._line_bytes = self._line_bytes + len(text) if last < 0 and start == 0 else len(text) - max(start, last + 2)
        return False

    def _header_fault(self, text: bytes) -> Reply | None:
        if self._header is None:
            return None
        before = len(self._header)
        self._header += text[: MAX_HEADER_BYTES + 4 - before]
        end = 0 if self._header.startswith(b"\r\n") else self._header.find(b"\r\n\r\n", max(0, before - 3))
        if end < 0:
            return Reply.HEADER_TOO_LARGE if len(self._header) > MAX_HEADER_BYTES else None
        header = bytes(self._header[:end])
        self._header = None
        return _count_fields(header)

    def _close_header(self) -> None:
        """Judge a message that ended before its header did."""
        if self.refusal is None and self._header is not None:
            self.refusal = _count_fields(bytes(self._header))
        self._header = None


def _unfinished(text: bytes) -> int:
    """How many octets at the end may be the beginning of the end."""
    return next((len(ending) for ending in _ENDINGS if text.endswith(ending)), 0)


def _count_fields(header: bytes) -> Reply | None:
    if len(header) > MAX_HEADER_BYTES:
        return Reply.HEADER_TOO_LARGE
    lines = header.count(b"\r\n") + (1 if header and not header.endswith(b"\r\n") else 0)
    if lines <= MAX_RECEIVED:
        return None
    if lines - header.count(b"\r\n ") - header.count(b"\r\n\t") > MAX_FIELDS:
        return Reply.HEADER_TOO_LARGE
    if len(_RECEIVED.findall(header)) > MAX_RECEIVED:
        return Reply.TOO_MANY_HOPS
    return None
