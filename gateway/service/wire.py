"""Frames between the service and its judges: a text and any number of byte strings, of which the long ones travel by file descriptor.

The child is where hostile input lives, so what comes back from it is data (JSON), never code; bytes of megabytes never go through a pipe.
"""

import os
import socket
import struct
import time
from collections.abc import Sequence

_HEAD = struct.Struct("!IH")
"""Octets of the body, and how many byte strings there are. The body: a length for each, the short ones, the text."""
_LENGTH = struct.Struct("!I")
_BESIDE = 0xFFFFFFFF
"""In place of a length: it comes by file descriptor, after the body."""
_MAX_BODY = 64 << 20
_MAX_SHORT = 64 << 10
_FDS_AT_ONCE = 64


def send(link: socket.socket, text: bytes, blobs: Sequence[bytes] = ()) -> None:
    """Write one frame; raises OSError when the other side is gone."""
    lengths = [len(blob) if len(blob) <= _MAX_SHORT else _BESIDE for blob in blobs]
    short = [blob for blob, length in zip(blobs, lengths, strict=True) if length != _BESIDE]
    body = b"".join((*map(_LENGTH.pack, lengths), *short, text))
    link.sendall(_HEAD.pack(len(body), len(blobs)) + body)
    descriptors = [_memory_file(blob) for blob, length in zip(blobs, lengths, strict=True) if length == _BESIDE]
    try:
        for start in range(0, len(descriptors), _FDS_AT_ONCE):
            socket.send_fds(link, [b"F"], descriptors[start : start + _FDS_AT_ONCE])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def receive(link: socket.socket, *, deadline: float | None = None) -> tuple[bytes, tuple[bytes, ...]]:
    """Read one frame until that moment of the monotonic clock; raises EOFError when the other side closed, TimeoutError after it."""
    size, count = _HEAD.unpack(_exactly(link, _HEAD.size, deadline))
    if size > _MAX_BODY or size < count * _LENGTH.size:
        raise EOFError
    body = _exactly(link, size, deadline)
    lengths = [length for (length,) in _LENGTH.iter_unpack(body[: count * _LENGTH.size])]
    beside = iter(_received_beside(link, lengths.count(_BESIDE), deadline))
    blobs: list[bytes] = []
    at = count * _LENGTH.size
    for length in lengths:
        blobs.append(next(beside) if length == _BESIDE else body[at : at + length])
        at += 0 if length == _BESIDE else length
    if at > size:
        raise EOFError
    return body[at:], tuple(blobs)


def _received_beside(link: socket.socket, count: int, deadline: float | None) -> tuple[bytes, ...]:
    """What comes by file descriptor."""
    descriptors: list[int] = []
    try:
        while len(descriptors) < count:
            _hurry(link, deadline)
            _, more, _, _ = socket.recv_fds(link, 1, _FDS_AT_ONCE)
            if not more:
                raise EOFError
            descriptors += more
        return tuple(map(_read_all, descriptors[:count]))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _memory_file(blob: bytes) -> int:
    descriptor = os.memfd_create("cp247", os.MFD_CLOEXEC)
    view = memoryview(blob)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor


def _read_all(descriptor: int) -> bytes:
    """The whole content: the descriptor is shared with the sender, so its offset is not ours to trust."""
    wanted = os.fstat(descriptor).st_size
    pieces: list[bytes] = []
    offset = 0
    while offset < wanted:
        piece = os.pread(descriptor, wanted - offset, offset)
        if not piece:
            raise EOFError
        pieces.append(piece)
        offset += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _hurry(link: socket.socket, deadline: float | None) -> None:
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        link.settimeout(left)


def _exactly(link: socket.socket, size: int, deadline: float | None) -> bytes:
    pieces: list[bytes] = []
    while size:
        _hurry(link, deadline)
        piece = link.recv(min(size, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
