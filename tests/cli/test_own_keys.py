"""`cp247 keys wkd` and `keys export-reader`: what they write, with which rights, and that they overwrite nothing of others."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.context import Context
from gateway.cli.keys import keys
from gateway.errors import ConfigError
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp_packets import Armor, Tag, dearmor, packets

NAME = "9gkcm6xj1841ufmyfnmm898qxx1qdbxr"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory):
    home = GnupgHome(str(tmp_path_factory.mktemp("k") / "own"))
    yield home, home.make_own_key(name="Us", mailbox="247cp@institution.gov.example")
    home.kill_agent()


@pytest.fixture
def context(tmp_path: Path, own) -> Context:
    home, fingerprint = own
    (tmp_path / "keys").mkdir()
    (tmp_path / "gateway.yaml").write_text(
        "hostname: gw.institution.gov.example\n"
        "contact_point: {name: Contact Point, country: XX, mailbox: 247cp@institution.gov.example, aliases: [desk@institution.gov.example]}\n"
        "dkim: {domain: institution.gov.example}\n"
        f"openpgp: {{home: {home.home}, signing_key: {fingerprint}}}\n"
    )
    return Context(str(tmp_path / "gateway.yaml"))


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(keys, arguments, obj=context)


def test_wkd_writes_our_public_key_under_both_names(context: Context, own, tmp_path: Path) -> None:
    done = run(context, "wkd", str(tmp_path / "web"))
    assert done.exit_code == 0, done.output
    root = tmp_path / "web" / ".well-known" / "openpgpkey"
    advanced, direct = root / "institution.gov.example", root
    public = dearmor(own[0].export(own[1]), Armor.PUBLIC_KEY)
    for layout in (advanced, direct):
        assert (layout / "hu" / NAME).read_bytes() == public
        assert (layout / "policy").read_bytes() == b""
    assert Tag.SECRET_KEY not in [one.tag for one in packets(public)]
    assert "desk@institution.gov.example: left out" in done.output


def test_wkd_renews_the_key_and_leaves_the_rest(context: Context, tmp_path: Path) -> None:
    root = tmp_path / ".well-known" / "openpgpkey"
    (root / "hu").mkdir(parents=True)
    (root / "hu" / NAME).write_bytes(b"an old key")
    (root / "hu" / "another").write_bytes(b"a colleague's")
    (root / "policy").write_text("mailbox-only\n")
    run(context, "wkd", str(tmp_path))
    assert (root / "hu" / NAME).read_bytes() != b"an old key"
    assert (root / "hu" / "another").read_bytes() == b"a colleague's"
    assert (root / "policy").read_text() == "mailbox-only\n"
    assert [one.name for one in root.rglob(".new-*")] == []


def test_wkd_refuses_a_key_that_is_not_the_mailboxs(context: Context, tmp_path: Path) -> None:
    file = Path(str(context.config))
    file.write_text(file.read_text().replace("mailbox: 247cp@", "mailbox: other@"))
    said = run(context, "wkd", str(tmp_path / "web"))
    assert isinstance(said.exception, ConfigError)
    assert "no user ID with other@institution.gov.example" in str(said.exception)
    assert not (tmp_path / "web").exists()


def test_export_reader_writes_a_file_for_its_owner_alone(context: Context, own, tmp_path: Path) -> None:
    file = tmp_path / "reader.asc"
    done = run(context, "export-reader", str(file))
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().startswith(b"-----BEGIN PGP PRIVATE KEY BLOCK-----")
    assert own[1] in done.output
    assert "Hand it over in person" in done.output


def test_export_reader_never_overwrites_and_follows_no_link(context: Context, tmp_path: Path) -> None:
    (tmp_path / "there.asc").write_text("mine")
    (tmp_path / "link.asc").symlink_to(tmp_path / "elsewhere.asc")
    for name in ("there.asc", "link.asc"):
        assert "is there already" in str(run(context, "export-reader", str(tmp_path / name)).exception)
    assert (tmp_path / "there.asc").read_text() == "mine"
    assert not (tmp_path / "elsewhere.asc").exists()


def test_export_reader_names_a_folder_that_is_missing(context: Context, tmp_path: Path) -> None:
    assert "cannot be written" in str(run(context, "export-reader", str(tmp_path / "no" / "r.asc")).exception)
