"""The same journal on both databases: an SQLite file, and a schema of a throw-away PostgreSQL cluster."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import postgres
import psycopg
import pytest

from gateway.store.journal import Journal, open_journal

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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/gateway.db"
    return make_database(request.getfixturevalue("postgres_socket"))


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = open_journal(url, upgrade=True)
    yield opened
    opened.close()
