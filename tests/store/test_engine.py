"""What the database does when it is missing, old, locked, full or gone; and many threads at once."""

import sqlite3
import stat
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from journal_samples import NOW, incoming, outcome
from journal_steps import record
from sqlalchemy import Connection, text
from traced import traced

from gateway.errors import ConfigError, StoreUnavailable
from gateway.model.outbox import Fate, HopReply, Purpose
from gateway.store.engine import SQLITE_PRAGMAS
from gateway.store.intake import take_in
from gateway.store.journal import Journal, open_journal
from gateway.store.tables import metadata

LEASE = timedelta(minutes=5)


def pragma(name: str):
    return lambda connection: connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_migrations_make_exactly_the_tables(journal: Journal) -> None:
    with journal.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_again_changes_nothing(journal: Journal, url: str) -> None:
    journal.take_in([incoming()])
    for upgrade in (True, False):
        again = open_journal(url, upgrade=upgrade)
        assert again.figures().accepted == 1
        again.close()


def test_many_processes_may_upgrade_at_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        journals = list(pool.map(lambda _: open_journal(url, upgrade=True), range(4)))
    for one in journals:
        one.ping()
        one.close()


def test_who_opens_a_new_file_while_others_do_and_leave_is_not_told_that_it_is_locked(tmp_path: Path) -> None:
    for number in range(12):
        file = f"sqlite:{tmp_path}/{number}.db"
        with ThreadPoolExecutor(8) as pool:
            opening = [pool.submit(open_journal, file, upgrade=True) for _ in range(8)]
            for one in opening:
                one.result().close()


def test_an_empty_database_is_named_as_such(url: str, sqlite_file: Path) -> None:
    sqlite_file.touch()
    with pytest.raises(StoreUnavailable, match=r"has schema none, this program needs 0001"):
        open_journal(url, upgrade=False)


@pytest.mark.parametrize("upgrade", [True, False])
def test_a_newer_schema_is_refused_and_left_alone(url: str, upgrade: bool) -> None:
    journal = open_journal(url, upgrade=True)
    journal.database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9'")))
    with pytest.raises(StoreUnavailable, match="schema"):
        open_journal(url, upgrade=upgrade)
    with journal.database.reading() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9"
    journal.close()


@pytest.mark.parametrize("address", ["mysql://db.example/gateway", "gateway.db", "sqlite3:gateway.db", "", "://"])
def test_another_kind_of_address_is_a_configuration_error(address: str) -> None:
    with pytest.raises(ConfigError, match=r"database: unknown kind of address; sqlite:PATH or postgresql://HOST/NAME"):
        open_journal(address, upgrade=False)


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_journal(f"postgresql://gateway@/none?host={tmp_path}", upgrade=True)


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"cannot make the database .*: No such file or directory"):
        open_journal(f"sqlite:{tmp_path}/none/gateway.db", upgrade=True)


def test_a_file_that_is_no_database_is_unavailable_and_kept(sqlite_file: Path) -> None:
    sqlite_file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        open_journal(f"sqlite:{sqlite_file}", upgrade=True)
    assert sqlite_file.read_bytes().startswith(b"not a database")


@pytest.mark.usefixtures("sqlite_journal")
def test_the_file_is_its_owners_alone(sqlite_file: Path) -> None:
    found = {one.name: stat.S_IMODE(one.stat().st_mode) for one in sqlite_file.parent.iterdir()}
    assert found == dict.fromkeys(("gateway.db", "gateway.db-wal", "gateway.db-shm", "gateway.db.turn"), 0o600)


def test_every_sqlite_connection_is_set_up_alike(sqlite_journal: Journal) -> None:
    wanted = {
        "synchronous": 1,
        "foreign_keys": 1,
        "journal_mode": "wal",
        "busy_timeout": 10_000,
        "trusted_schema": 0,
        "wal_autocheckpoint": 100_000,
        "cache_size": -32_768,
        "temp_store": 2,
    }
    assert len(wanted) == len(SQLITE_PRAGMAS)
    for name, value in wanted.items():
        assert sqlite_journal.database.write(pragma(name)) == value
        with sqlite_journal.database.reading() as connection:
            assert pragma(name)(connection) == value


def test_a_checkpoint_copies_the_log_into_the_file(sqlite_journal: Journal, sqlite_file: Path) -> None:
    sqlite_journal.take_in([incoming(b"canary" * 1000)])
    assert b"canary" not in sqlite_file.read_bytes()
    sqlite_journal.database.checkpoint()
    assert b"canarycanary" in sqlite_file.read_bytes()


def test_postgresql_commits_to_the_disk_even_where_the_server_would_not(postgres_url: str) -> None:
    journal = open_journal(postgres_url, upgrade=True)
    name = postgres_url.partition("@/")[2].partition("?")[0]
    journal.database.write(
        lambda connection: connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    )
    journal.close()
    again = open_journal(postgres_url, upgrade=False)
    with again.database.reading() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    again.close()


def test_a_locked_database_is_unavailable_and_then_works_again(sqlite_journal: Journal, sqlite_file: Path) -> None:
    sqlite_journal.database.write(pragma("busy_timeout = 50"))
    other = sqlite3.connect(sqlite_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="database is locked"):
        sqlite_journal.take_in([incoming()])
    assert sqlite_journal.figures().accepted == 0  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert sqlite_journal.take_in([incoming()])


def fill(journal: Journal, ids: list[int]) -> None:
    for _ in range(100):
        ids += journal.take_in([incoming(b"x" * 9000), incoming(b"y" * 9000)])


def test_a_full_disk_takes_nothing_half(sqlite_journal: Journal) -> None:
    pages = sqlite_journal.database.write(pragma("page_count"))
    sqlite_journal.database.write(pragma(f"max_page_count = {pages + 40}"))
    ids: list[int] = []
    with pytest.raises(StoreUnavailable, match="full"):
        fill(sqlite_journal, ids)
    assert sqlite_journal.figures().accepted == len(ids) > 0
    sqlite_journal.database.write(pragma("max_page_count = 100000"))
    sqlite_journal.take_in([incoming()])
    assert len(sqlite_journal.claim(limit=99, owner="judge", now=NOW, lease=LEASE)) == len(ids) + 1


def test_lost_connections_are_made_anew(postgres_journal: Journal, postgres_url: str) -> None:
    postgres_journal.take_in([incoming()])
    other = open_journal(postgres_url, upgrade=False)
    with other.database.reading() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.close()
    assert postgres_journal.take_in([incoming()])
    assert postgres_journal.figures().accepted == 2


def test_each_arrival_and_mail_is_claimed_once_by_many_threads(journal: Journal) -> None:
    for _ in range(10):
        journal.take_in([incoming() for _ in range(12)])
    judged: Counter[int] = Counter()
    sent: Counter[int] = Counter()

    def work(name: str) -> None:
        while claims := journal.claim(limit=5, owner=name, now=NOW, lease=LEASE):
            for one in claims:
                judged[one.arrival.id] += 1
                number = one.arrival.number
                record(journal, one.arrival.id, outcome(number), per_contact=10**6, all_=10**6)
            for mail in journal.claim_mails(limit=7, owner=name, now=NOW, lease=LEASE):
                sent[mail.id] += 1
                journal.settle(mail.id, HopReply(Fate.SENT, "250"), now=NOW)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, [f"worker {number}" for number in range(6)]))
    assert set(judged.values()) == {1}
    assert len(judged) == 120
    assert set(sent.values()) == {1}
    figures = journal.figures()
    assert (figures.waiting, figures.promised, figures.unaccounted) == (0, 0, 0)
    assert figures.sent[Purpose.DELIVERY] + figures.queued[Purpose.DELIVERY] == 120
    assert figures.sent[Purpose.RECEIPT] + figures.queued[Purpose.RECEIPT] == figures.receipts == 120


def test_numbers_stay_unique_when_many_take_in(journal: Journal) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: journal.take_in([incoming() for _ in range(5)]), range(20)))
        reserved = set(pool.map(lambda _: journal.reserve_number(incoming().mailbox, now=NOW), range(20)))
    taken = {one.arrival.number for one in journal.claim(limit=200, owner="judge", now=NOW, lease=LEASE)}
    assert len(taken) == 100
    assert len(reserved) == 20
    assert not taken & reserved


def test_the_rate_holds_when_many_record_at_once(journal: Journal) -> None:
    ids = journal.take_in([incoming() for _ in range(24)])

    def receipted(arrival_id: int) -> bool:
        done = record(journal, arrival_id, outcome(arrival_id), per_contact=10, all_=300)
        return done.outcome.verdict.receipt.send

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(receipted, ids)) == 10


def test_operations_that_share_a_commit_fail_alone(journal: Journal) -> None:
    """One holds the writer while the others gather; the broken ones among them are undone, the others stay."""
    holding, gathered = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        holding.set()
        gathered.wait(5)

    def attempt(number: int) -> str:
        if number % 3:
            return str(len(journal.take_in([incoming()])))
        try:
            if number % 2:
                record(journal, 10**9, outcome(1), per_contact=1, all_=1)
            else:
                journal.database.write(lambda _: 1 // 0)
        except (StoreUnavailable, ZeroDivisionError) as error:
            return type(error).__name__
        return "no error"

    with ThreadPoolExecutor(13) as pool:
        first = pool.submit(journal.database.write, hold)
        holding.wait(5)
        others = [pool.submit(attempt, number) for number in range(12)]
        gathered.set()
        first.result()
        found = Counter(one.result() for one in others)
    assert found == {"1": 8, "StoreUnavailable": 2, "ZeroDivisionError": 2}
    assert journal.figures().accepted == 8


def test_urgent_work_goes_before_what_waits_and_starves_none(sqlite_journal: Journal) -> None:
    database, order = sqlite_journal.database, []
    begun, go_on = threading.Event(), threading.Event()

    def first(_: Connection) -> None:
        begun.set()
        go_on.wait(10)

    with ThreadPoolExecutor(7) as pool:
        running = [pool.submit(database.write, first)]
        begun.wait(10)
        running += [pool.submit(database.write, lambda _, n=number: order.append(n)) for number in range(3)]
        running += [pool.submit(database.write, lambda _: order.append("urgent"), urgent=True) for _ in range(2)]
        time.sleep(0.2)
        go_on.set()
        for one in running:
            one.result(10)
    assert order[:2] == ["urgent", "urgent"]
    assert sorted(order[2:]) == [0, 1, 2]


def test_what_shares_a_commit_that_fails_is_told_so(sqlite_journal: Journal) -> None:
    pages = sqlite_journal.database.write(pragma("page_count"))
    sqlite_journal.database.write(pragma(f"max_page_count = {pages + 8}"))

    def attempt(size: int) -> int:
        try:
            return len(sqlite_journal.take_in([incoming(b"x" * size)]))
        except StoreUnavailable:
            return 0

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(attempt, [100, 60_000] * 8))
    sqlite_journal.database.write(pragma("max_page_count = 100000"))
    assert sqlite_journal.figures().accepted == taken
    assert len(sqlite_journal.claim(limit=99, owner="judge", now=NOW, lease=LEASE)) == taken


def test_copies_of_one_request_recorded_at_once_open_one_case(journal: Journal) -> None:
    ids = journal.take_in([incoming() for _ in range(8)])
    journal.claim(limit=9, owner="judge", now=NOW, lease=LEASE)

    def overtaken(arrival_id: int) -> bool:
        same = outcome(arrival_id, request_key="same")
        return record(journal, arrival_id, same, per_contact=99, all_=99).again

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(overtaken, ids)) == 7
    assert len(journal.cases(limit=9)) == 1
    assert len(journal.claim(limit=9, owner="judge", now=NOW, lease=LEASE)) == 7


def test_a_large_message_is_stored_in_little_memory(sqlite_journal: Journal) -> None:
    size = 24 * 2**20

    class Streamed:
        """25 MB that never are in memory at once, as the listener spools them."""

        def __init__(self) -> None:
            self.size = size
            self.sha256 = "0" * 64

        def chunks(self) -> Iterator[bytes]:
            return (bytes([number % 256]) * 2**18 for number in range(size // 2**18))

    tracemalloc.start()
    sqlite_journal.take_in([replace(incoming(), body=Streamed())])
    total = sum(len(chunk) for chunk in sqlite_journal.chunks(1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == size
    assert peak < 6 * 2**20


def test_works_that_are_written_together_fail_alone(journal: Journal) -> None:
    def fails(_connection) -> None:
        raise LookupError

    batch = [incoming()]
    works = [partial(take_in, batch=batch), fails, partial(take_in, batch=batch)]
    first, failed, last = journal.database.write_each(works)
    assert {first.outcome(), last.outcome()} == {(1,), (2,)}
    with pytest.raises(LookupError):
        failed.outcome()
    assert journal.figures().accepted == 2


def test_works_that_are_written_together_share_a_commit(sqlite_journal: Journal) -> None:
    with traced(sqlite_journal) as told:
        sqlite_journal.database.write_each([partial(take_in, batch=[incoming()])] * 3)
    assert told.count("COMMIT") == 1
