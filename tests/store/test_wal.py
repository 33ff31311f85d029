"""Commits reach the disk before anybody hears of them: what a loss of power leaves is what was last synced."""

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from journal_samples import incoming
from ports import wait_until
from sqlalchemy import Connection

from gateway.errors import StoreUnavailable
from gateway.store.engine import open_database
from gateway.store.journal import Journal, open_journal
from gateway.store.wal import ROOM_BYTES


class Disk:
    """What would be left if the power failed now: the files as they were when the last sync began."""

    def __init__(self, database: Path, left: Path) -> None:
        self._database, self._left = database, left
        self._log = Path(f"{database}-wal")
        self.syncs = 0
        self.broken = False
        self.turning = threading.Event()
        self.turning.set()

    def sync(self, descriptor: int) -> None:
        """Stand for fdatasync(2) of the log; SQLite itself syncs what it copies from the log into its file."""
        self.syncs += 1
        assert os.path.samestat(os.fstat(descriptor), self._log.stat())
        taken = self._left / str(self.syncs)
        taken.mkdir(parents=True, exist_ok=True)
        # by another process: closing a file of the database here would end the locks SQLite has on it
        subprocess.run(["cp", self._database, self._log, taken], check=True)
        assert self.turning.wait(10)
        if self.broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._synced = taken

    def arrivals(self) -> int:
        """Arrivals in the database that is opened behind the loss of power."""
        journal = open_journal(f"sqlite:{self._synced / self._database.name}", upgrade=False)
        try:
            return journal.figures().accepted
        finally:
            journal.close()


@pytest.fixture
def disk(sqlite_file: Path, tmp_path: Path) -> Disk:
    return Disk(sqlite_file, tmp_path / "left")


@pytest.fixture
def journal(disk: Disk, sqlite_file: Path) -> Iterator[Journal]:
    made = Journal(open_database(f"sqlite:{sqlite_file}", upgrade=True, sync=disk.sync))
    disk.syncs = 0
    yield made
    made.close()


def nothing(_: Connection) -> None:
    pass


def test_what_was_answered_is_there_after_a_loss_of_power(journal: Journal, disk: Disk) -> None:
    for number in range(1, 13):
        journal.take_in([incoming(b"x" * 3000 * number)])
        assert (disk.syncs, disk.arrivals()) == (number, number)
        if number % 4 == 0:
            journal.database.checkpoint()


def test_what_need_not_last_waits_for_no_disk(journal: Journal, disk: Disk) -> None:
    journal.database.write(nothing, lasting=False)
    assert disk.syncs == 0


def test_what_need_not_last_is_there_with_the_next_that_must(journal: Journal, disk: Disk) -> None:
    moved = "UPDATE counters SET value = value + 7 WHERE name = 'accepted'"
    journal.take_in([incoming()])
    journal.database.write(lambda connection: connection.exec_driver_sql(moved), lasting=False)
    assert disk.arrivals() == 1
    journal.database.write(nothing)
    assert disk.arrivals() == 8


def test_others_write_while_a_commit_reaches_the_disk(journal: Journal, disk: Disk) -> None:
    disk.turning.clear()
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(journal.take_in, [incoming()])
        wait_until(lambda: disk.syncs == 1)
        journal.database.write(nothing, lasting=False)
        assert not taken.done()
        disk.turning.set()
        assert taken.result(10) == (1,)


def test_one_sync_serves_all_who_committed_before_it(journal: Journal, disk: Disk) -> None:
    disk.turning.clear()
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(journal.take_in, [incoming()])
        wait_until(lambda: disk.syncs == 1)
        others = [pool.submit(journal.take_in, [incoming()]) for _ in range(4)]
        wait_until(lambda: journal.figures().accepted == 5)
        disk.turning.set()
        assert all(one.result(10) for one in (first, *others))
    assert (disk.syncs, disk.arrivals()) == (2, 5)


def test_a_commit_that_did_not_reach_the_disk_is_not_answered(journal: Journal, disk: Disk) -> None:
    disk.broken = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the disk did not take the commit: Input/output error"):
            journal.take_in([incoming()])


def test_a_log_that_failed_once_is_begun_anew(journal: Journal, disk: Disk, sqlite_file: Path) -> None:
    """The kernel reports a page that it could not write once; what stands behind it in the log would not be found again."""
    journal.take_in([incoming()])
    disk.broken = True
    with pytest.raises(StoreUnavailable):
        journal.take_in([incoming(b"canary" * 1000)])
    disk.broken = False
    journal.take_in([incoming()])
    assert b"canarycanary" in sqlite_file.read_bytes()
    assert disk.arrivals() == 3


def test_nothing_is_written_behind_a_failed_commit_while_somebody_reads_before_it(journal: Journal, disk: Disk) -> None:
    journal.database.write(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 50"))
    disk.broken = True
    with journal.database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM arrivals")
        with pytest.raises(StoreUnavailable, match="Input/output error"):
            journal.take_in([incoming()])
        disk.broken = False
        with pytest.raises(StoreUnavailable, match="somebody still reads what was before it"):
            journal.take_in([incoming()])
    assert journal.take_in([incoming()])
    assert disk.arrivals() == 2


def test_the_log_is_found_again_where_all_had_gone(disk: Disk, sqlite_file: Path) -> None:
    """SQLite deletes the log with the last connection and makes a new one for the next."""
    database = open_database(f"sqlite:{sqlite_file}", upgrade=True, sync=disk.sync)
    database._writer.dispose()
    database._reader.dispose()
    assert not Path(f"{sqlite_file}-wal").exists()
    assert Journal(database).take_in([incoming()]) == (1,)
    assert disk.arrivals() == 1
    database.close()


def test_room_made_in_the_log_changes_nothing_in_the_database(journal: Journal, disk: Disk, sqlite_file: Path) -> None:
    journal.take_in([incoming()])
    journal.database.checkpoint()
    log = Path(f"{sqlite_file}-wal")
    assert log.stat().st_size == ROOM_BYTES
    assert journal.take_in([incoming(), incoming(b"y" * 300_000)]) == (2, 3)
    assert (disk.arrivals(), log.stat().st_size) == (3, ROOM_BYTES)
    journal.database.checkpoint()
    journal.take_in([incoming()])
    assert disk.arrivals() == 4
