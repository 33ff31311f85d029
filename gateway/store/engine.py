"""Connections to SQLite or PostgreSQL, and their schema.

Every trouble of the database leaves as StoreUnavailable. Knows no table but the migrations' own.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gateway.errors import Complaint, ConfigError, StoreUnavailable
from gateway.store.turn import Turn
from gateway.store.wal import Sync, WriteAheadLog

MIGRATIONS = str(Path(__file__).parent / "migrations")
WAIT_SECONDS = 10
PAUSE_SECONDS = 0.01
READERS = 8
SQLITE_PRAGMAS = (
    # first: the next one waits for whoever opens the same new file
    f"busy_timeout={WAIT_SECONDS * 1000}",
    "journal_mode=WAL",
    # what FULL adds, a sync after each commit, `write_each` does when the turn is another's again (deploy/decisions/0007)
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    # SQLite would let somebody's commit wait for a checkpoint. 400 MB of log: only where nobody calls `checkpoint`
    "wal_autocheckpoint=100000",
    "cache_size=-32768",
    # in memory: what a savepoint may have to undo would be written into a file of its own
    "temp_store=2",
)
# A server set to answer before the disk has it would break "250 only after commit"; stronger settings stay.
POSTGRESQL_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
MIGRATION_LOCK = 247_000_001
LONG_LOG = 8192
"""Pages (32 MiB) of a log that is made to begin anew, which those who write wait for; a shorter one does when they pause."""
MAX_GROUP = 8
"""So many operations share one commit at most: what is urgent waits for one commit that began before it."""

Result = TypeVar("Result")


class Database:
    """The engines of one database: on SQLite one connection writes and several read."""

    def __init__(
        self, *, writer: Engine, reader: Engine, turn: Turn | None = None, log: WriteAheadLog | None = None
    ) -> None:
        """With `turn` one operation writes at a time, in this process and in all others of this machine; `log` is SQLite's."""
        self._writer = writer
        self._reader = reader
        self._turn = turn
        self._log = log
        self._alone = threading.Lock()
        self._urgent: deque[Operation[Any]] = deque()
        self._waiting: deque[Operation[Any]] = deque()

    @property
    def local(self) -> bool:
        """Whether a commit waits for this machine's disk alone, and for no network."""
        return self._turn is not None

    def write(self, work: Callable[[Connection], Result], *, urgent: bool = False, lasting: bool = True) -> Result:
        """Result of the work, committed to the disk; when it raises, nothing of it remains.

        Urgent work, for which somebody on the wire waits, goes before what else is waiting. Work that need not be `lasting`
        is committed as well, but on SQLite a loss of power may undo it before the next that is: a lease, which is then taken again.
        """
        (operation,) = self.write_each((work,), urgent=urgent, lasting=lasting)
        return operation.outcome()

    def write_each(
        self, works: Sequence[Callable[[Connection], Result]], *, urgent: bool = False, lasting: bool = True
    ) -> "list[Operation[Result]]":
        """The same of several works, each of which fails alone; where one connection writes they share a commit."""
        operations = [Operation(work, urgent=urgent) for work in works]
        if self._turn is None or self._log is None:
            # PostgreSQL writes through several connections and groups their commits itself.
            for operation in operations:
                self._write_alone(operation)
            return operations
        (self._urgent if urgent else self._waiting).extend(operations)
        with self._alone:
            while not all(operation.done for operation in operations):
                self._write_waiting(self._turn, self._log)
        if lasting:
            _keep(operations, self._log)
        return operations

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of what is committed."""
        with available(), self._reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def glancing(self) -> Iterator[Connection]:
        """What is committed, for a single statement, which needs no transaction around it."""
        with available(), self._reader.connect() as connection:
            yield connection

    def checkpoint(self) -> None:
        """Copy SQLite's log into its file while others write; of a long log the rest in a turn, so that it begins anew."""
        if self._turn is None or self._log is None:
            return
        if self._copy_log() > LONG_LOG or not self._log.roomy:
            with self._alone, self._turn.taken():
                self._copy_log()
                self._log.make_room()

    def _copy_log(self) -> int:
        """Pages of the log where somebody wrote meanwhile; 0 where the log begins anew with the next write."""
        connection = self._reader.raw_connection()
        try:
            driver = cast("sqlite3.Connection", connection.driver_connection)
            ((_, pages, copied),) = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            connection.close()
        return 0 if copied == pages else int(pages)

    def close(self) -> None:
        """Give all connections back."""
        self._writer.dispose()
        self._reader.dispose()
        for one in (self._turn, self._log):
            if one is not None:
                one.close()

    def _write_alone(self, operation: "Operation[Any]") -> None:
        try:
            with available(), self._writer.begin() as connection:
                operation.run(connection, alone=True)
        except Exception as error:  # noqa: BLE001 it is raised where the outcome is asked for
            operation.error = error

    def _write_waiting(self, turn: Turn, log: WriteAheadLog) -> None:
        """One transaction for all that waits: each within a savepoint, so that it fails alone."""
        group = self._group()
        ran: list[Operation[Any]] = []
        try:
            with turn.taken(), available(), self._writer.connect() as connection:
                if log.doubtful:
                    _begin_anew(connection, log)
                with connection.begin():
                    for operation in group:
                        # the other process may have somebody on the wire: it waits for one operation of ours, not for all
                        if ran and turn.wanted():
                            break
                        ran.append(operation)
                        operation.run(connection, alone=len(group) == 1)
                commit = log.committed()
                for operation in ran:
                    operation.commit = commit
        except BaseException as error:  # noqa: BLE001 it is raised in every thread whose work is undone
            ran = ran or group
            for operation in ran:
                operation.error = operation.error or error
        for operation in ran:
            operation.done = True
        for operation in reversed(group[len(ran) :]):
            (self._urgent if operation.urgent else self._waiting).appendleft(operation)

    def _group(self) -> "list[Operation[Any]]":
        """What shares the next commit: all that waits, or, where something is urgent, that and one other so that none starves."""
        urgent = [self._urgent.popleft() for _ in range(min(len(self._urgent), MAX_GROUP))]
        room = 1 if urgent else MAX_GROUP
        return urgent + [self._waiting.popleft() for _ in range(min(len(self._waiting), room))]


class Operation(Generic[Result]):
    """Work that a thread waits for, and what came of it."""

    def __init__(self, work: Callable[[Connection], Result], *, urgent: bool) -> None:
        self.work = work
        self.urgent = urgent
        self.commit = 0
        """Number of its commit in SQLite's log."""
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.done = False

    def outcome(self) -> Result:
        """Its result, which is on the disk; raises what kept it from being so."""
        if self.error is not None:
            raise self.error
        return cast("Result", self.result)

    def run(self, connection: Connection, *, alone: bool) -> None:
        """Do the work, within a savepoint unless nothing else shares its transaction."""
        if alone:
            self.result = self.work(connection)
            return
        _say(connection, "SAVEPOINT operation")
        try:
            with available():
                self.result = self.work(connection)
        except Exception as error:  # noqa: BLE001 it is raised in the thread whose work it was
            self.error = error
            _say(connection, "ROLLBACK TO operation")
        _say(connection, "RELEASE operation")


def _say(connection: Connection, words: str) -> None:
    """The words of a transaction straight to SQLite: SQLAlchemy's own would cost as much as a third of the work between them.

    Raises StoreUnavailable when SQLite has undone the whole transaction, as it does when the disk is full.
    """
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    try:
        driver.execute(words).close()
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error


def _keep(operations: Sequence[Operation[Any]], log: WriteAheadLog) -> None:
    """Return when what they wrote is on the disk; where it cannot be, each says so."""
    written = [operation for operation in operations if operation.error is None]
    try:
        log.reach_disk(max((operation.commit for operation in written), default=0))
    except StoreUnavailable as error:
        for operation in written:
            operation.error = error


def _begin_anew(connection: Connection, log: WriteAheadLog) -> None:
    """Have all of a log that failed stand in the database's file, and its next commit at the beginning of an empty one."""
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    try:
        ((busy, *_),) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error
    if busy:
        raise StoreUnavailable("a commit did not reach the disk, and somebody still reads what was before it")
    log.begun_anew()


@contextlib.contextmanager
def available() -> Iterator[None]:
    """StoreUnavailable in place of whatever the database library raises."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(str(getattr(error, "orig", None) or error)) from error


def open_database(url: str, *, upgrade: bool, sync: Sync = os.fdatasync) -> Database:
    """Database of `sqlite:PATH` or `postgresql://...`, its schema checked, or brought up to date with `upgrade`.

    `sync` is how commits to SQLite reach the disk. Raises ConfigError for another kind of address, StoreUnavailable when it does not answer or has another schema.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        _find_file(address.database or "", create=upgrade)
        database = _open_sqlite(address, sync)
    else:
        database = _open_postgresql(address)
    try:
        _settle_schema(database, upgrade=upgrade)
    except BaseException:
        database.close()
        raise
    return database


def insert_new(dialect: str, table: Table) -> Any:
    """INSERT of that dialect which can say `on_conflict_do_...`; both dialects share that vocabulary."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _address(url: str) -> URL:
    if url.startswith("sqlite:"):
        return URL.create("sqlite", database=url.removeprefix("sqlite:").removeprefix("///"))
    with contextlib.suppress(ArgumentError):
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            return address.set(drivername="postgresql+psycopg")
    raise ConfigError(
        Complaint("gateway.yaml", 0, 0, "database", "unknown kind of address", "sqlite:PATH or postgresql://HOST/NAME")
    )


def _find_file(path: str, *, create: bool) -> None:
    """SQLite would make a missing file by itself, for everybody to read; it holds the mail."""
    if os.path.exists(path):
        return
    if not create:
        raise StoreUnavailable(f"no database at {path}: `cp247 serve` makes it")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"cannot make the database {path}: {error.strerror}") from error


def _open_sqlite(address: URL, sync: Sync) -> Database:
    # The pool of one connection is the lock that lets one thread write at a time.
    writer = create_engine(address, pool_size=1, max_overflow=0, pool_timeout=WAIT_SECONDS)
    reader = create_engine(address, pool_size=READERS, pool_timeout=WAIT_SECONDS)
    for engine in (writer, reader):
        event.listen(engine, "connect", _prepare_sqlite)
    # A deferred transaction that begins to write fails at once when another one writes; an immediate one waits.
    event.listen(writer, "begin", lambda connection: _say(connection, "BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda connection: _say(connection, "BEGIN"))
    place = address.database or ""
    return Database(writer=writer, reader=reader, turn=Turn(place), log=WriteAheadLog(place, sync))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    end = time.monotonic() + WAIT_SECONDS
    for pragma in SQLITE_PRAGMAS:
        while not _set(connection, pragma, last=time.monotonic() > end):
            time.sleep(PAUSE_SECONDS)


def _set(connection: Any, pragma: str, *, last: bool) -> bool:
    """Whether it could be set now: SQLite waits for no other process, whatever its timeout, where both make a new file one with a log."""
    try:
        connection.execute(f"PRAGMA {pragma}").close()
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _open_postgresql(address: URL) -> Database:
    engine = create_engine(
        address,
        pool_size=READERS,
        max_overflow=READERS,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args={"connect_timeout": WAIT_SECONDS},
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return Database(writer=engine, reader=engine)


def _prepare_postgresql(connection: Any, _record: object) -> None:
    connection.execute(POSTGRESQL_DURABLE)
    connection.commit()


def _settle_schema(database: Database, *, upgrade: bool) -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.reading() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return
    if not upgrade:
        raise StoreUnavailable(
            f"database has schema {current or 'none'}, this program needs {head}: `cp247 serve` upgrades it"
        )
    database.write(lambda connection: _upgrade(connection, config))


def _upgrade(connection: Connection, config: Config) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(f"the database has a schema unknown to this program: {error}") from error


def slot() -> int:
    """Number of this process among those that share a counter."""
    return os.getpid() % 16
