"""The same journal on both databases: an SQLite file, and a schema of a throw-away PostgreSQL cluster."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import postgres
import psycopg
import pytest

from gateway.store.journal import Journal, open_journal
from gateway.store.tables import metadata

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    if not postgres.PROGRAMS:
        pytest.skip(postgres.MISSING)
    with postgres.cluster() as socket:
        yield socket


def make_database(socket: str) -> str:
    name = f"test{next(_numbers)}"
    with psycopg.connect(host=socket, user="gateway", dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://gateway@/{name}?host={socket}"


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


@pytest.fixture
def postgres_url(postgres_socket: str) -> str:
    return make_database(postgres_socket)


@pytest.fixture(scope="session")
def migrated_url(postgres_socket: str) -> str:
    """One database for all tests that begin with an empty journal: making one takes longer than most tests."""
    url = make_database(postgres_socket)
    open_journal(url, upgrade=True).close()
    return url


def emptied(url: str) -> str:
    tables = ", ".join(metadata.tables)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:{request.getfixturevalue('sqlite_file')}"
    if "journal" in request.fixturenames:
        return emptied(request.getfixturevalue("migrated_url"))
    return str(request.getfixturevalue("postgres_url"))


def opened(url: str) -> Iterator[Journal]:
    journal = open_journal(url, upgrade=True)
    yield journal
    journal.close()


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    yield from opened(url)


@pytest.fixture
def sqlite_journal(sqlite_file: Path) -> Iterator[Journal]:
    yield from opened(f"sqlite:{sqlite_file}")


@pytest.fixture
def postgres_journal(postgres_url: str) -> Iterator[Journal]:
    yield from opened(postgres_url)
