"""Connections to SQLite or PostgreSQL, and their schema.

Every trouble of the database leaves as StoreUnavailable. Knows no table but the migrations' own.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gateway.errors import Complaint, ConfigError, StoreUnavailable

MIGRATIONS = str(Path(__file__).parent / "migrations")
WAIT_SECONDS = 10
READERS = 8
# WAL with synchronous=NORMAL may lose the last commits when the power fails: FULL, on every connection.
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={WAIT_SECONDS * 1000}",
    "trusted_schema=OFF",
)
# A server set to answer before the disk has it would break "250 only after commit"; stronger settings stay.
POSTGRESQL_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
MIGRATION_LOCK = 247_000_001


@dataclass(frozen=True, slots=True)
class Database:
    """The engines of one database: on SQLite one connection writes and several read."""

    writer: Engine
    reader: Engine

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed to the disk at its end; on any error nothing of it remains."""
        with available(), self.writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of what is committed."""
        with available(), self.reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.writer.dispose()
        self.reader.dispose()


@contextlib.contextmanager
def available() -> Iterator[None]:
    """StoreUnavailable in place of whatever the database library raises."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(str(getattr(error, "orig", None) or error)) from error


def open_database(url: str, *, upgrade: bool) -> Database:
    """Database of `sqlite:PATH` or `postgresql://...`, its schema checked, or brought up to date with `upgrade`.

    Raises ConfigError for another kind of address, StoreUnavailable when it does not answer or has another schema.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        _find_file(address.database or "", create=upgrade)
        database = _open_sqlite(address)
    else:
        database = _open_postgresql(address)
    try:
        _settle_schema(database, upgrade=upgrade)
    except BaseException:
        database.close()
        raise
    return database


def insert_new(connection: Connection, table: Table) -> Any:
    """INSERT of that table's dialect which can say `on_conflict_do_...`; both dialects share that vocabulary."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


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


def _open_sqlite(address: URL) -> Database:
    # The pool of one connection is the lock that lets one thread write at a time.
    writer = create_engine(address, pool_size=1, max_overflow=0, pool_timeout=WAIT_SECONDS)
    reader = create_engine(address, pool_size=READERS, pool_timeout=WAIT_SECONDS)
    for engine in (writer, reader):
        event.listen(engine, "connect", _prepare_sqlite)
    # A deferred transaction that begins to write fails at once when another one writes; an immediate one waits.
    event.listen(writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return Database(writer=writer, reader=reader)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


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
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreUnavailable(f"database has schema {current}, unknown to this program: {error}") from error


def slot() -> int:
    """Number of this process among those that share a counter."""
    return os.getpid() % 16
