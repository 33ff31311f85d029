"""SQLite's write-ahead log as a file: has commits reach the disk when the turn to write is another's again.

With `synchronous=FULL` SQLite makes the same one call after each commit, and everybody who writes waits for it; deploy/decisions/0007
says why this is as safe. Knows no table, reads no byte of the log and changes none that SQLite wrote.
"""

import os
import threading
from collections.abc import Callable

from gateway.errors import StoreUnavailable

Sync = Callable[[int], None]
"""Returns when all that any process wrote to that descriptor's file is on the disk; raises OSError."""


ROOM_BYTES = 64 << 20
"""So long the log's file is made while a gateway runs. A file system that gives a file blocks as it grows takes several steps more
for each sync, and each waits for a processor: SQLite writes over what is there, and takes zeros for the end of its log."""
SPARE = 16
"""So many times that must be free on the disk."""


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

    @property
    def roomy(self) -> bool:
        """Whether the file is as long as it will need to be, or the disk has too little room for that."""
        try:
            size, disk = os.stat(self._path).st_size, os.statvfs(self._path)
        except OSError as error:
            raise StoreUnavailable(f"cannot see {self._path}: {error.strerror}") from error
        return size >= ROOM_BYTES or disk.f_bavail * disk.f_frsize < SPARE * ROOM_BYTES

    def make_room(self) -> None:
        """Have the file be that long; called by whoever has the turn, so that SQLite writes nothing there meanwhile."""
        if self.roomy:
            return
        self._open()
        try:
            if self._file is not None:
                size = os.fstat(self._file).st_size
                os.pwrite(self._file, bytes(ROOM_BYTES - size), size)
                # else the next commit would wait for all of it
                os.fdatasync(self._file)
        except OSError as error:
            raise StoreUnavailable(f"cannot write {self._path}: {error.strerror}") from error

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
