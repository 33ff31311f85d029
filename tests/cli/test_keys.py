"""`cp247 keys`: what it shows, what it exits with, and that it writes nothing it was not asked for."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gnupg_keys import Correspondent, make_correspondent

from gateway.cli.context import Context
from gateway.cli.keys import keys
from gateway.errors import ConfigError
from gateway.trust.gnupg_home import GnupgHome

CONTACT = """\
name: 24/7 Contact Point, Police of Borduria
country: BX
addresses:
  - {address: 247cp@police.gov.b.example, verified: true}
"""


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("k")


@pytest.fixture(scope="module")
def police(short: Path):
    person = make_correspondent(short, "Borduria <247cp@police.gov.b.example>")
    yield person
    person.end()


@pytest.fixture(scope="module")
def own(short: Path):
    home = GnupgHome(str(short / "own"))
    yield home, home.make_own_key(name="Us", mailbox="247cp@institution.gov.example")
    home.kill_agent()


@pytest.fixture
def context(tmp_path: Path, own) -> Context:
    home, fingerprint = own
    (tmp_path / "keys").mkdir()
    (tmp_path / "gateway.yaml").write_text(
        "hostname: gw.institution.gov.example\n"
        "contact_point: {name: Contact Point, country: XX, mailbox: 247cp@institution.gov.example}\n"
        "dkim: {domain: institution.gov.example}\n"
        f"openpgp: {{home: {home.home}, signing_key: {fingerprint}}}\n"
    )
    return Context(str(tmp_path / "gateway.yaml"))


@pytest.fixture
def folder(tmp_path: Path, context: Context) -> Path:
    return tmp_path / "keys"


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(keys, arguments, obj=context)


def pin(folder: Path, person: Correspondent, contact: str = CONTACT) -> None:
    (folder / "bx-police").mkdir()
    (folder / "bx-police" / "contact.yaml").write_text(contact)
    (folder / "bx-police" / f"{person.fingerprint}.asc").write_bytes(person.armored)


def test_list_shows_contact_address_and_key(context: Context, folder: Path, police: Correspondent) -> None:
    pin(folder, police)
    shown = run(context, "list")
    assert shown.exit_code == 0
    for word in ("bx-police", "BX", "247cp@police.gov.b.example", f"{police.fingerprint} good"):
        assert word in shown.output


def test_list_as_json_is_one_object_per_contact(context: Context, folder: Path, police: Correspondent) -> None:
    pin(folder, police)
    (line,) = run(context, "list", "--json").output.splitlines()
    found = json.loads(line)
    assert found["contact"] == "bx-police"
    assert found["keys"] == [{"fingerprint": police.fingerprint, "state": "good", "expires": None}]
    assert found["addresses"] == [{"address": "247cp@police.gov.b.example", "verified": True, "joint": False}]


def test_list_of_nobody_says_how_to_begin(context: Context, folder: Path) -> None:
    assert "cp247 keys add" in run(context, "list").output


def test_check_of_a_good_folder_exits_0(context: Context, folder: Path, police: Correspondent) -> None:
    pin(folder, police)
    found = run(context, "check")
    assert (found.exit_code, found.output) == (0, "1 contact points and our own key are in order\n")


def test_check_exits_1_for_a_passed_valid_until(context: Context, folder: Path, police: Correspondent) -> None:
    pin(folder, police, CONTACT + "valid_until: 2026-01-31\n")
    found = run(context, "check")
    assert found.exit_code == 1
    assert "bx-police: valid_until 2026-01-31 has passed" in found.output


@pytest.mark.parametrize(("expires", "code", "words"), [("5d", 1, "expired on"), ("20d", 0, "expires on")])
def test_check_names_what_expired_and_what_soon_will(
    context, folder, short, expires: str, code: int, words: str
) -> None:
    born = int((datetime.now(UTC) - timedelta(days=10)).timestamp())
    person = make_correspondent(short, "Old <old@police.gov.b.example>", expires=expires, at=born)
    pin(folder, person)
    person.end()
    found = run(context, "check")
    assert found.exit_code == code
    assert words in found.output


def test_check_exits_1_for_a_revoked_key(context: Context, folder: Path, short: Path) -> None:
    person = make_correspondent(short, "Gone <gone@police.gov.b.example>")
    (folder / "bx-police").mkdir()
    (folder / "bx-police" / "contact.yaml").write_text(CONTACT)
    (folder / "bx-police" / f"{person.fingerprint}.asc").write_bytes(person.revoked())
    person.end()
    found = run(context, "check", "--json")
    assert found.exit_code == 1
    assert json.loads(found.output)["what"] == f"{person.fingerprint} is revoked"


def test_check_exits_1_without_our_own_key(context: Context, folder: Path, own) -> None:
    file = Path(str(context.config))
    file.write_text(file.read_text().replace(own[1], "F" * 40))
    found = run(context, "check")
    assert found.exit_code == 1
    assert "our own key: the GnuPG home does not hold the key" in found.output


def test_check_of_a_broken_folder_is_a_configuration_error(context: Context, folder: Path) -> None:
    (folder / "bx-police").mkdir()
    (folder / "bx-police" / "contact.yaml").write_text(CONTACT + "secret: x\n")
    found = run(context, "check")
    assert isinstance(found.exception, ConfigError)
    assert "bx-police/contact.yaml:5" in str(found.exception)


def test_add_makes_a_folder_that_check_accepts(
    context: Context, folder: Path, police: Correspondent, tmp_path: Path
) -> None:
    (tmp_path / "b.asc").write_bytes(police.armored)
    said = run(context, "add", "247cp@police.gov.b.example", str(tmp_path / "b.asc"), "--name", "Police: Borduria",
               "--country", "BX", "--phone", "+000 1 234 567", "--language", "fr", "--enrolled-by", "j.doe")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert police.fingerprint[:4] + " " + police.fingerprint[4:8] in said.output
    assert "verified: true" in said.output
    assert sorted(one.name for one in (folder / "bx-police").iterdir()) == sorted(
        [f"{police.fingerprint}.asc", "contact.yaml"]
    )
    checked = run(context, "check")
    assert checked.exit_code == 0
    assert "247cp@police.gov.b.example is not verified" in checked.output


def test_add_with_a_proof_gives_trust_at_once(context, folder: Path, police: Correspondent, tmp_path: Path) -> None:
    (tmp_path / "b.asc").write_bytes(police.armored)
    run(context, "add", "247cp@police.gov.b.example", str(tmp_path / "b.asc"), "--name", "Police", "--country", "BX",
        "--verified-how", "call-back, 2026-05-04")  # fmt: skip
    assert json.loads(run(context, "list", "--json").output)["addresses"][0]["verified"] is True


def test_add_puts_a_new_key_beside_the_old_one(context, folder: Path, police, short: Path, tmp_path: Path) -> None:
    pin(folder, police)
    new = make_correspondent(short, "New <247cp@police.gov.b.example>")
    (tmp_path / "n.asc").write_bytes(new.armored)
    new.end()
    assert run(context, "add", "247cp@police.gov.b.example", str(tmp_path / "n.asc")).exit_code == 0
    assert len(json.loads(run(context, "list", "--json").output)["keys"]) == 2


@pytest.mark.parametrize(
    ("address", "more", "words"),
    [
        ("247cp@police.gov.b.example", (), "say who it is with --name and --country"),
        ("no address", (), "is no address"),
        ("247cp@police.gov.b.example", ("--name", "P", "--country", "Borduria"), "country"),
        ("247cp@police.gov.b.example", ("--name", "P", "--country", "BX", "--folder", "../x"), "--folder"),
        ("247cp@police.gov.b.example", ("--name", "P\x1b[2J", "--country", "BX"), "control characters"),
    ],
)
def test_add_refuses_and_writes_nothing(context, folder, police, tmp_path, address, more, words: str) -> None:
    (tmp_path / "b.asc").write_bytes(police.armored)
    found = run(context, "add", address, str(tmp_path / "b.asc"), *more)
    assert isinstance(found.exception, ConfigError)
    assert words in str(found.exception)
    assert list(folder.iterdir()) == []


def test_add_refuses_a_secret_key(context: Context, folder: Path, police: Correspondent, tmp_path: Path) -> None:
    (tmp_path / "s.asc").write_bytes(police.gpg("--armor", "--export-secret-keys"))
    found = run(context, "add", "247cp@police.gov.b.example", str(tmp_path / "s.asc"), "--name", "P", "--country", "BX")
    assert "SECRET" in str(found.exception)


def test_add_refuses_a_key_that_is_pinned_already(context, folder: Path, police: Correspondent, tmp_path: Path) -> None:
    pin(folder, police)
    (tmp_path / "b.asc").write_bytes(police.armored)
    found = run(context, "add", "other@police.gov.c.example", str(tmp_path / "b.asc"), "--name", "C", "--country", "CX")
    assert "pinned already for bx-police" in str(found.exception)


@pytest.fixture
def two(context: Context, folder: Path, police: Correspondent, short: Path) -> str:
    """Fingerprint of a second key of bx-police."""
    pin(folder, police)
    new = make_correspondent(short, "New <247cp@police.gov.b.example>")
    (folder / "bx-police" / f"{new.fingerprint}.asc").write_bytes(new.armored)
    new.end()
    return new.fingerprint


@pytest.mark.parametrize("whose", ["bx-police", "247cp@police.gov.b.example", "247CP@Police.gov.b.example"])
def test_remove_takes_that_key_and_nothing_else(context, folder: Path, police, two: str, whose: str) -> None:
    spoken = " ".join(two[at : at + 4] for at in range(0, 40, 4)).lower()
    assert run(context, "remove", whose, spoken).exit_code == 0
    assert sorted(one.name for one in (folder / "bx-police").iterdir()) == sorted(
        [f"{police.fingerprint}.asc", "contact.yaml"]
    )
    assert (folder / "bx-police" / "contact.yaml").read_text() == CONTACT


def test_remove_asks_before_the_last_key_goes(context: Context, folder: Path, police: Correspondent) -> None:
    pin(folder, police)
    key = folder / "bx-police" / f"{police.fingerprint}.asc"
    asked = run(context, "remove", "bx-police", police.fingerprint)
    assert isinstance(asked.exception, ConfigError)
    assert "is its last key" in str(asked.exception)
    assert "say --yes" in str(asked.exception)
    assert key.exists()
    assert run(context, "remove", "bx-police", police.fingerprint, "--yes").exit_code == 0
    assert not key.exists()
    assert (folder / "bx-police" / "contact.yaml").exists()


def test_remove_mends_a_folder_that_a_key_has_broken(context: Context, folder: Path, police: Correspondent) -> None:
    pin(folder, police)
    (folder / "bx-police" / f"{'A' * 40}.asc").write_bytes(b"no key")
    assert isinstance(run(context, "check").exception, ConfigError)
    assert run(context, "remove", "bx-police", "A" * 40).exit_code == 0
    assert run(context, "check").exit_code == 0


@pytest.mark.parametrize(
    ("whose", "fingerprint", "words"),
    [
        ("bx-police", "F" * 40, "is no key that is pinned"),
        ("bx-police", "contact.yaml", "is no key that is pinned"),
        ("bx-police", "../../gateway.yaml", "is no key that is pinned"),
        ("../keys/bx-police", "F" * 40, "is no contact point"),
        ("other@police.gov.b.example", "F" * 40, "is no contact point"),
    ],
)
def test_remove_refuses_what_is_no_pinned_key(
    context, folder, police, whose: str, fingerprint: str, words: str
) -> None:
    pin(folder, police)
    found = run(context, "remove", whose, fingerprint, "--yes")
    assert isinstance(found.exception, ConfigError)
    assert words in str(found.exception)
    assert len(list((folder / "bx-police").iterdir())) == 2
