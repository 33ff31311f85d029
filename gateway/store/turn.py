"""Whose turn it is to write to a SQLite database that several processes share: blocking locks, no polling.

SQLite's own way is to sleep and try again, and whoever tries at the right moment wins. Here the kernel wakes who is next, and
ends the turn of a process that was killed. SQLite's locks still guard the database; this only says in which order they are tried.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from gateway.errors import StoreUnavailable

_NEXT, _WRITING = 0, 1
"""Bytes of the lock file: to wait for one's turn, one must be the next. So a busy process cannot take turn after turn."""


class Turn:
    """The turns of one process at one database; used by one thread at a time."""

    def __init__(self, database: str) -> None:
        self._path = f"{database}.turn"
        self._file: int | None = None

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """The right to write, waited for; raises StoreUnavailable where the lock file cannot be used."""
        file = self._opened()
        try:
            with _lock(file, _NEXT):
                fcntl.lockf(file, fcntl.LOCK_EX, 1, _WRITING)
        except OSError as error:
            raise StoreUnavailable(f"cannot lock {self._path}: {error.strerror}") from error
        try:
            yield
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _WRITING)

    def wanted(self) -> bool:
        """Whether another process is next: who has the turn now should come to an end."""
        try:
            fcntl.lockf(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _NEXT)
        except BlockingIOError:
            return True
        fcntl.lockf(self._opened(), fcntl.LOCK_UN, 1, _NEXT)
        return False

    def close(self) -> None:
        """Give the lock file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StoreUnavailable(f"cannot make the lock file {self._path}: {error.strerror}") from error
        return self._file


@contextlib.contextmanager
def _lock(file: int, byte: int) -> Iterator[None]:
    fcntl.lockf(file, fcntl.LOCK_EX, 1, byte)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)
