"""Institutions with real servers, one with SQLite and LMTP, one with PostgreSQL and SMTP; a missing server is named with its package."""

from collections.abc import Iterator

import postgres
import psycopg
import pytest
from institution import Institution, institution
from mail_servers import Dovecot, Postfix, Sink


def _needs_servers() -> None:
    for server, remedy in (
        (Postfix, "Postfix: Debian package postfix, and to be root"),
        (Sink, "smtp-sink: Debian package postfix"),
        (Dovecot, "Dovecot: Debian packages dovecot-imapd dovecot-lmtpd dovecot-sieve"),
    ):
        if not server.available():
            pytest.skip(f"needs {remedy}")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    _needs_servers()
    with institution(tmp_path_factory.mktemp("sqlite"), inbound="inbound-lmtp") as found:
        yield found


@pytest.fixture(scope="session")
def site_on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    _needs_servers()
    if not postgres.PROGRAMS:
        pytest.skip(postgres.MISSING)
    with postgres.cluster() as socket:
        with psycopg.connect(host=socket, user="gateway", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE gateway")
        url = f"postgresql://gateway@/gateway?host={socket}"
        with institution(tmp_path_factory.mktemp("postgresql"), inbound="inbound-smtp", database=url) as found:
            yield found


@pytest.fixture(params=["site", "site_on_postgresql"], ids=["sqlite-lmtp", "postgresql-smtp"])
def each_site(request: pytest.FixtureRequest) -> Institution:
    """The institution on one database after the other."""
    return request.getfixturevalue(request.param)
