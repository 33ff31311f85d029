"""`cp247 keys wkd`, `export-reader`, `rotate`: what they write, with which rights, and that they overwrite and end nothing of others."""

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.context import Context
from gateway.cli.keys import keys
from gateway.errors import ConfigError, GpgUnavailable
from gateway.model.settings import Dkim
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp_packets import Armor, Tag, dearmor, packets, recipient_ids
from gateway.trust.seal import Sealer

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


PAYLOAD = b"Content-Type: text/plain\r\n\r\nThe data are kept.\r\n"


@pytest.fixture
def renewed(context: Context, tmp_path: Path):
    """A home of its own, configured, with a sealer that knew the key before."""
    home = GnupgHome(str(tmp_path / "home"))
    fingerprint = home.make_own_key(name="Us", mailbox="247cp@institution.gov.example")
    file = Path(context.config or "")
    text = re.sub(r"openpgp: .*", f"openpgp: {{home: {home.home}, signing_key: {fingerprint}}}", file.read_text())
    file.write_text(text)
    yield Sealer(home=home, signing_key=fingerprint, dkim=Dkim(domain="institution.gov.example"))
    home.kill_agent()


def test_rotate_makes_new_subkeys_and_the_old_ones_run_out(context: Context, renewed: Sealer) -> None:
    before = renewed.own_key
    done = run(context, "rotate", "--overlap", "90")
    assert done.exit_code == 0, done.output
    now = renewed.own_key
    assert now.fingerprint == before.fingerprint
    made = set(now.subkeys) - set(before.subkeys)
    assert len(made) == 2
    assert set(re.findall(r"new subkey: ([0-9A-F]{40})", done.output)) == made
    listed = renewed.home.run(("--with-colons", "--list-keys", now.fingerprint), own=True).stdout.decode()
    ends = [line.split(":")[6] for line in listed.split("\n") if line.startswith("sub:")]
    days = [(int(one) - datetime.now(UTC).timestamp()) / 86400 for one in ends if one]
    assert len(ends) == 4
    assert [round(one) for one in days] == [90, 90]


def test_what_was_encrypted_before_the_rotation_is_read_after_it(context: Context, renewed: Sealer) -> None:
    sealed = renewed.encrypt(PAYLOAD, keys=(renewed.own_key,))
    _, reader = re.findall(r"new subkey: ([0-9A-F]{40})", run(context, "rotate").output)
    to_new = renewed.home.run(("--armor", "--encrypt", "--recipient", f"{reader}!"), stdin=PAYLOAD, own=True).stdout
    assert recipient_ids(dearmor(to_new, Armor.MESSAGE)) == (reader[-16:],)
    for one in (sealed, to_new, renewed.encrypt(PAYLOAD, keys=(renewed.own_key,))):
        done = renewed.home.run(("--decrypt",), stdin=one, own=True)
        assert (done.rc, done.stdout) == (0, PAYLOAD)


def test_the_old_subkey_signs_until_counterparts_have_the_new_one(context: Context, renewed: Sealer) -> None:
    before = renewed.home.signing_key(renewed.signing_key)
    run(context, "rotate")
    after = renewed.home.signing_key(renewed.signing_key)
    assert before is not None
    assert after is not None
    assert (after.fingerprint, before.expires) == (before.fingerprint, None)
    assert after.expires is not None
    renewed.sign(PAYLOAD)


def test_rotate_leaves_the_end_of_an_earlier_rotation(context: Context, renewed: Sealer) -> None:
    run(context, "rotate", "--overlap", "40")
    run(context, "rotate", "--overlap", "300")
    listed = renewed.home.run(("--with-colons", "--list-keys", renewed.signing_key), own=True).stdout.decode()
    ends = [line.split(":")[6] for line in listed.split("\n") if line.startswith("sub:")]
    days = [round((int(one) - datetime.now(UTC).timestamp()) / 86400) for one in ends if one]
    assert sorted(days) == [40, 40, 300, 300]


def test_without_the_primary_key_rotate_says_so_and_changes_nothing(context: Context, renewed: Sealer) -> None:
    before = renewed.own_key
    folder = Path(renewed.home.home) / "private-keys-v1.d"
    listed = renewed.home.run(("--with-colons", "--with-keygrip", "--list-keys"), own=True).stdout.decode()
    grip = next(line.split(":")[9] for line in listed.split("\n") if line.startswith("grp:"))
    (folder / f"{grip}.key").unlink()
    renewed.home.kill_agent()
    assert isinstance(run(context, "rotate").exception, GpgUnavailable)
    assert renewed.own_key == before
    renewed.sign(PAYLOAD)


def test_rotate_takes_no_overlap_in_which_nothing_would_sign(context: Context, renewed: Sealer) -> None:
    assert run(context, "rotate", "--overlap", "30").exit_code == 2
