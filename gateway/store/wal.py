"""SQLite's write-ahead log as a file: has commits reach the disk when the turn to write is another's again.

With `synchronous=FULL` SQLite makes the same one call after each commit, and everybody who writes waits for it; deploy/decisions/0007
says why this is as safe. Knows no table, reads and changes no byte of the log.
"""

import os
import threading
from collections.abc import Callable

from gateway.errors import StoreUnavailable

Sync = Callable[[int], None]
"""Returns when all that any process wrote to that descriptor's file is on the disk; raises OSError."""


class WriteAheadLog:
    """The log of one database, as one process sees it."""

    def __init__(self, database: str, sync: Sync) -> None:
        self._path = f"{os.path.realpath(database)}-wal"
        self._sync = sync
        self._syncing = threading.Lock()
        self._file: int | None = None
        self._committed = 0
        self._on_disk = 0
        self._failed = 0

    @property
    def doubtful(self) -> bool:
        """Whether a sync failed: the kernel may have thrown away what it could not write, and would not say so twice."""
        return self._failed > self._on_disk

    def committed(self) -> int:
        """Number of the commit just made; called by whoever has the turn, on a connection that keeps the log in its place."""
        self._open()
        self._committed += 1
        return self._committed

    def reach_disk(self, number: int) -> None:
        """Return when that commit would survive a loss of power; one sync serves all who committed before it began.

        Raises StoreUnavailable when the disk fails, and then for every commit until `begun_anew`.
        """
        with self._syncing:
            if self._on_disk >= number:
                return
            if self.doubtful or self._file is None:
                self._failed = self._committed
                raise StoreUnavailable("an earlier commit did not reach the disk")
            made = self._committed
            try:
                self._sync(self._file)
            except OSError as error:
                self._failed = self._committed
                raise StoreUnavailable(f"the disk did not take the commit: {error.strerror}") from error
            self._on_disk = made

    def begun_anew(self) -> None:
        """Note, in a turn, that all of it stands in the database's own file, which has reached the disk."""
        with self._syncing:
            self._on_disk = self._committed

    def close(self) -> None:
        """Give the descriptor back."""
        with self._syncing:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _open(self) -> None:
        """Hold the file that SQLite writes to: it makes a new one when nobody was connected any more."""
        try:
            if self._file is not None and os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                return
            # closing a descriptor drops SQLite's locks on that file: it locks its database and its index, never its log
            self.close()
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise StoreUnavailable(f"cannot open {self._path}: {error.strerror}") from error
