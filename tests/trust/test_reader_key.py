"""The reading half of our key: a real gpg decrypts with it and can neither sign nor certify."""

import subprocess
from pathlib import Path

import pytest

from gateway.errors import GpgUnavailable
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp_packets import Armor, Tag, dearmor, packets
from gateway.trust.reader_key import reader_key


class Client:
    """An officer's gpg, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o700)
        (home / "gpg-agent.conf").write_text("disable-scdaemon\n")

    def gpg(self, *args: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--no-tty", "--trust-model", "always"]
        return subprocess.run([*command, *args], input=data, capture_output=True, check=False)

    def end(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False, capture_output=True)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")


@pytest.fixture(scope="module")
def own(short: Path):
    home = GnupgHome(str(short / "own"))
    yield home, home.make_own_key(name="Us", mailbox="247cp@institution.gov.example")
    home.kill_agent()


@pytest.fixture(scope="module")
def exported(own) -> bytes:
    return reader_key(*own)


@pytest.fixture
def officer(tmp_path_factory: pytest.TempPathFactory, exported: bytes):
    client = Client(tmp_path_factory.mktemp("o") / "h")
    assert client.gpg("--import", data=exported).returncode == 0
    yield client
    client.end()


def encrypted(own, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    home, fingerprint = own
    sender = Client(tmp_path_factory.mktemp("s") / "h")
    sender.gpg("--import", data=home.export(fingerprint))
    made = sender.gpg("--armor", "--encrypt", "--recipient", fingerprint, data=b"please preserve")
    sender.end()
    return made.stdout


def test_it_decrypts_what_was_encrypted_to_us(own, officer: Client, tmp_path_factory) -> None:
    read = officer.gpg("--decrypt", data=encrypted(own, tmp_path_factory))
    assert (read.returncode, read.stdout) == (0, b"please preserve")


@pytest.mark.parametrize("how", ["--sign", "--clearsign", "--detach-sign"])
def test_it_cannot_sign(own, officer: Client, how: str) -> None:
    for key in (own[1], f"{own[1]}!"):
        signed = officer.gpg("--local-user", key, how, data=b"x")
        assert signed.returncode != 0
        assert signed.stdout == b""


def test_it_cannot_certify_another_subkey(own, officer: Client) -> None:
    before = officer.gpg("--with-colons", "--list-keys").stdout
    officer.gpg("--passphrase", "", "--quick-add-key", own[1], "ed25519", "sign")
    assert officer.gpg("--with-colons", "--list-keys").stdout.count(b"\nsub:") == before.count(b"\nsub:")


def test_it_holds_one_secret_and_no_signing_subkey(exported: bytes) -> None:
    found = list(packets(dearmor(exported, Armor.PRIVATE_KEY)))
    assert [one.tag for one in found if one.tag not in {Tag.SIGNATURE, Tag.USER_ID}] == [
        Tag.SECRET_KEY,
        Tag.SECRET_SUBKEY,
    ]
    assert found[0].body.endswith(b"GNU\x01")


def test_the_gateway_still_signs_afterwards(own, exported: bytes) -> None:
    home, fingerprint = own
    assert home.run(("--armor", "--local-user", fingerprint, "--detach-sign"), stdin=b"x", own=True).rc == 0


def test_every_encryption_subkey_is_given_so_that_old_mail_is_read(short: Path) -> None:
    home = GnupgHome(str(short / "two"))
    fingerprint = home.make_own_key(name="Us", mailbox="247cp@institution.gov.example")
    subprocess.run(
        ["gpg", "--homedir", home.path, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "",
         "--quick-add-key", fingerprint, "cv25519", "encr", "never"], check=True, capture_output=True,
    )  # fmt: skip
    tags = [one.tag for one in packets(dearmor(reader_key(home, fingerprint), Armor.PRIVATE_KEY))]
    home.kill_agent()
    assert tags.count(Tag.SECRET_SUBKEY) == 2


def test_a_home_without_our_key_is_said_so(short: Path) -> None:
    home = GnupgHome(str(short / "empty"))
    with pytest.raises(GpgUnavailable, match="holds no secret encryption subkey"):
        reader_key(home, "A" * 40)
    home.kill_agent()
