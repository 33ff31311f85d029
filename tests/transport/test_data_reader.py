"""The reader of DATA: its end, its dots, its limits, however the octets are cut into pieces."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.data_reader import (
    MAX_FIELDS,
    MAX_HEADER_BYTES,
    MAX_LINE_BYTES,
    MAX_RECEIVED,
    DataReader,
)
from gateway.transport.replies import Reply

FEW = settings(max_examples=200, deadline=None)
ALPHABET = st.sampled_from(
    [b"\r\n", b"\r\n", b".", b"..", b"a", b" ", b"\r", b"\n", b"\0", b"x: y\r\n", b"\r\n.\r\n", b"\xff"]
)


def read(wire: bytes, sizes: tuple[int, ...] = (), *, max_bytes: int = 10_000_000) -> tuple[DataReader, bytes]:
    """The reader after all of `wire`, cut into pieces of these sizes (then one last), and what it wrote."""
    written: list[bytes] = []
    reader = DataReader(written.append, max_bytes=max_bytes)
    at = 0
    for size in (*sizes, len(wire) + 1):
        if reader.done or at >= len(wire):
            break
        reader.feed(wire[at : at + size])
        at += size
    assert not reader.done or reader.rest + wire[at:] == wire[len(wire) - len(reader.rest) - len(wire[at:]) :]
    return reader, b"".join(written)


def stuffed(text: bytes) -> bytes:
    """Text as a correct client sends it, line by line (RFC 5321 section 4.5.2)."""
    lines = text.split(b"\r\n")[:-1]
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"


def plain_end(wire: bytes) -> int:
    """Where the message ends, by the plain rule: the first `CR LF . CR LF`, the text standing behind a CR LF."""
    return (b"\r\n" + wire).find(b"\r\n.\r\n")


@FEW
@given(st.lists(st.binary(max_size=20).map(lambda line: re.sub(rb"[\r\n\0]", b"", line))), st.lists(st.integers(1, 7)))
def test_what_a_client_sends_comes_out_exactly_however_it_is_cut(lines: list[bytes], sizes: list[int]) -> None:
    text = b"".join(line + b"\r\n" for line in lines)
    reader, written = read(stuffed(text) + b"NOOP\r\n", tuple(sizes))
    assert reader.done
    assert reader.refusal is None
    assert written == text
    assert reader.received == len(text)


@FEW
@given(st.lists(ALPHABET, max_size=40).map(b"".join), st.lists(st.integers(1, 5), max_size=100))
def test_pieces_make_no_difference(wire: bytes, sizes: list[int]) -> None:
    whole, one = read(wire)
    cut, other = read(wire, tuple(sizes))
    assert (whole.done, whole.refusal, whole.received) == (cut.done, cut.refusal, cut.received)
    if whole.refusal is None:
        assert one == other


@FEW
@given(st.lists(ALPHABET, max_size=40).map(b"".join))
def test_only_crlf_dot_crlf_ends_a_message(wire: bytes) -> None:
    reader, _ = read(wire)
    end = plain_end(wire)
    assert reader.done == (end >= 0)
    if reader.done:
        assert reader.rest == wire[end + 3 :]


@FEW
@given(st.lists(ALPHABET, max_size=40).map(b"".join))
def test_bare_line_ends_and_nul_are_refused_and_nothing_else(wire: bytes) -> None:
    end = plain_end(wire)
    if end < 0:
        wire, end = wire + b"\r\n.\r\n", plain_end(wire + b"\r\n.\r\n")
    reader, _ = read(wire)
    text = wire[:end]
    bare = re.search(rb"\r(?!\n)|(?<!\r)\n|\0", text) is not None
    assert (reader.refusal is Reply.BARE_LINE_END) == bare


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 65_536, 65_537, 1_000_000])
def test_line_limit_is_exact_for_pieces_of(size: int) -> None:
    for length, refusal in ((MAX_LINE_BYTES, None), (MAX_LINE_BYTES + 1, Reply.LONG_LINE)):
        wire = b"a: b\r\n\r\n" + b"x" * length + b"\r\ny\r\n.\r\n"
        reader, _ = read(wire, (size,) * (len(wire) // size + 1))
        assert reader.refusal is refusal


def test_long_line_between_short_ones_is_found_in_one_piece() -> None:
    short = b"short\r\n" * 30_000
    reader, _ = read(b"\r\n" + short + b"x" * (MAX_LINE_BYTES + 1) + b"\r\n" + short + b".\r\n")
    assert reader.refusal is Reply.LONG_LINE


@FEW
@given(st.lists(st.integers(0, 70_000), max_size=8), st.lists(st.integers(1, 90_000), max_size=8))
def test_line_limit_agrees_with_counting_each_line(lengths: list[int], sizes: list[int]) -> None:
    wire = b"\r\n" + b"".join(b"x" * length + b"\r\n" for length in lengths) + b".\r\n"
    reader, _ = read(wire, tuple(sizes))
    assert (reader.refusal is Reply.LONG_LINE) == any(length > MAX_LINE_BYTES for length in lengths)


@pytest.mark.parametrize("size", [7, 1460, 65_536, 1_000_000])
def test_header_limits_are_exact_for_pieces_of(size: int) -> None:
    line = b"X: " + b"y" * 1019 + b"\r\n"
    most = line * (MAX_HEADER_BYTES // len(line)) + b"X: y\r\n"
    cases = (
        (b"X: y\r\n" * MAX_FIELDS, None),
        (b"X: y\r\n" * (MAX_FIELDS + 1), Reply.HEADER_TOO_LARGE),
        (b"X: y\r\n z\r\n\tz\r\n" * MAX_FIELDS, None),
        (b"Received: x\r\n" * MAX_RECEIVED, None),
        (b"Received: x\r\n" * (MAX_RECEIVED + 1), Reply.TOO_MANY_HOPS),
        (b"rEceived\t:x\r\n" * (MAX_RECEIVED + 1), Reply.TOO_MANY_HOPS),
        (b"X-Received: x\r\n" * (MAX_RECEIVED + 1), None),
        (b"X: y\r\n Received: z\r\n" * (MAX_RECEIVED + 1), None),
        (most[:MAX_HEADER_BYTES], None),
        (most + line * 2, Reply.HEADER_TOO_LARGE),
    )
    for header, refusal in cases:
        for wire in (header + b"\r\nbody\r\n.\r\n", header.removesuffix(b"\r\n") + b"\r\n.\r\n"):
            reader, _ = read(wire, (size,) * (len(wire) // size + 1))
            assert reader.refusal is refusal, (header[:30], len(wire))


def test_fields_after_the_header_are_text() -> None:
    reader, _ = read(b"\r\n" + b"Received: x\r\n" * 5000 + b".\r\n")
    assert reader.refusal is None


def test_size_limit_is_exact_and_counts_no_added_dot() -> None:
    for extra, refusal in ((b"", None), (b"y", Reply.TOO_LARGE)):
        reader, written = read(stuffed(b"..\r\n" * 250 + extra + b"\r\n"), max_bytes=1002)
        assert reader.refusal is refusal
        assert len(written) <= 1002


def test_nothing_is_written_once_a_message_is_refused() -> None:
    reader, written = read(b"a\nb\r\n" + b"c\r\n" * 1000 + b".\r\n", (5,) * 1000)
    assert reader.refusal is Reply.BARE_LINE_END
    assert written == b""


def test_first_reason_stands() -> None:
    reader, _ = read(b"a\nb\r\n" + b"x" * 70_000 + b"\r\n.\r\n", (5, 10))
    assert reader.refusal is Reply.BARE_LINE_END
