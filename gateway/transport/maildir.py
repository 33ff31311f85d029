"""Delivers into a Maildir: one file per message and recipient, durable before it is visible; CR LF is kept.

Never reads, renames or removes what lies there already.
"""

import itertools
import os
import socket
import time
from collections.abc import Iterator

from gateway.errors import HopUnavailable
from gateway.model.outbox import Fate, HopReply

_COUNTER = itertools.count()


def deliver_to_maildir(path: str, *, mail_from: str, chunks: Iterator[bytes]) -> HopReply:
    """SENT when the message lies in `new/` and file and folder are on disk; `Return-Path` stands first (RFC 5321 4.4).

    Folders that are missing are made. Raises HopUnavailable where the disk does not take it.
    """
    name = _unique_name()
    waiting, there = os.path.join(path, "tmp", name), os.path.join(path, "new", name)
    try:
        for folder in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(path, folder), mode=0o700, exist_ok=True)
        try:
            _write(waiting, itertools.chain((f"Return-Path: <{mail_from}>\r\n".encode(),), chunks))
            os.rename(waiting, there)
        except BaseException:
            _remove(waiting)
            raise
        _sync(os.path.join(path, "new"))
    except OSError as error:
        raise HopUnavailable(f"maildir {path}: {error.strerror or error}") from error
    return HopReply(Fate.SENT, f"250 2.0.0 stored as {name}")


def _unique_name() -> str:
    """A name no other delivery uses: time, process, counter, host (https://cr.yp.to/proto/maildir.html)."""
    nanoseconds = time.time_ns()
    host = socket.gethostname().replace("/", r"\057").replace(":", r"\072")
    micros = nanoseconds // 1000 % 1_000_000
    return f"{nanoseconds // 1_000_000_000}.M{micros:06d}P{os.getpid()}Q{next(_COUNTER)}.{host}"


def _write(path: str, pieces: Iterator[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _sync(folder: str) -> None:
    """Make the new name durable, not only the bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
