"""Keys shared by the tests of this room: made once, by gpg, in homes that end with the run."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gnupg_keys import Correspondent, make_correspondent, pinned

from gateway.model.trust import Contact
from gateway.trust.gnupg_home import GnupgHome


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Short: an agent's socket has room for 108 characters."""
    path = Path(tempfile.mkdtemp(prefix="pgp-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def police(folder: Path) -> Iterator[Correspondent]:
    person = make_correspondent(folder, "24/7 Borduria <247cp@police.gov.b.example>")
    yield person
    person.end()


@pytest.fixture(scope="session")
def impostor(folder: Path) -> Iterator[Correspondent]:
    """Another key with the very same user ID."""
    person = make_correspondent(folder, "24/7 Borduria <247cp@police.gov.b.example>")
    yield person
    person.end()


@pytest.fixture(scope="session")
def neighbour(folder: Path) -> Iterator[Correspondent]:
    person = make_correspondent(folder, "24/7 Syldavia <247cp@police.gov.s.example>")
    yield person
    person.end()


@pytest.fixture(scope="session")
def home(folder: Path) -> Iterator[GnupgHome]:
    ours = GnupgHome(str(folder / "ours"))
    yield ours
    ours.kill_agent()


@pytest.fixture(scope="session")
def own_fingerprint(home: GnupgHome) -> str:
    return home.make_own_key(name="Contact Point", mailbox="247cp@institution.gov.example")


@pytest.fixture(scope="session")
def own_armored(home: GnupgHome, own_fingerprint: str) -> bytes:
    return home.export(own_fingerprint)


@pytest.fixture(scope="session")
def rsa(folder: Path) -> Iterator[Correspondent]:
    """A key whose signatures may carry any hash."""
    person = make_correspondent(folder, "RSA <rsa@police.gov.b.example>", algorithm="rsa2048", cipher="")
    yield person
    person.end()


@pytest.fixture(scope="session")
def borduria(home: GnupgHome, police: Correspondent) -> Contact:
    return Contact(id="bx-police", name="Borduria", country="BX", addresses=(), keys=(pinned(home, police.armored),))


@pytest.fixture(scope="session")
def syldavia(home: GnupgHome, neighbour: Correspondent) -> Contact:
    return Contact(id="sy-police", name="Syldavia", country="SY", addresses=(), keys=(pinned(home, neighbour.armored),))
