"""Frames between the service and its judges: a short text and any number of byte strings, which travel by file descriptor.

The child is where hostile input lives, so what comes back from it is data (JSON), never code; bytes of megabytes never go through a pipe.
"""

import os
import socket
import struct
import time
from collections.abc import Sequence

_HEAD = struct.Struct("!IH")
_MAX_TEXT = 64 << 20
_FDS_AT_ONCE = 64


def send(link: socket.socket, text: bytes, blobs: Sequence[bytes] = ()) -> None:
    """Write one frame; raises OSError when the other side is gone."""
    link.sendall(_HEAD.pack(len(text), len(blobs)))
    descriptors = [_memory_file(blob) for blob in blobs]
    try:
        for start in range(0, len(descriptors), _FDS_AT_ONCE):
            socket.send_fds(link, [b"F"], descriptors[start : start + _FDS_AT_ONCE])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    link.sendall(text)


def receive(link: socket.socket, *, deadline: float | None = None) -> tuple[bytes, tuple[bytes, ...]]:
    """Read one frame until that moment of the monotonic clock; raises EOFError when the other side closed, TimeoutError after it."""
    size, count = _HEAD.unpack(_exactly(link, _HEAD.size, deadline))
    if size > _MAX_TEXT:
        raise EOFError
    descriptors: list[int] = []
    try:
        while len(descriptors) < count:
            _hurry(link, deadline)
            _, more, _, _ = socket.recv_fds(link, 1, _FDS_AT_ONCE)
            if not more:
                raise EOFError
            descriptors += more
        blobs = tuple(_read_all(descriptor) for descriptor in descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return _exactly(link, size, deadline), blobs


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
