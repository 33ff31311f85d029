"""Throw-away OpenPGP keys and what can be made with them: the strangers and counterparts of the tests.

A correspondent has a GnuPG home of its own, driven here by gpg itself and never by the code under test.
"""

import base64
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.model.trust import PinnedKey
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.in_process import InProcess

NOW = datetime.now(UTC).replace(microsecond=0)
"""When the tests began: to count days from, the run may be long since; keys of correspondents are a day older."""
BIRTH = int(NOW.timestamp()) - 86_400


@dataclass(frozen=True)
class Correspondent:
    """One key pair in a home of its own."""

    home: Path
    fingerprint: str
    user_id: str

    def gpg(self, *args: str, data: bytes = b"", at: datetime | None = None) -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--no-tty", "--trust-model", "always",
                   "--pinentry-mode", "loopback", "--passphrase", ""]  # fmt: skip
        command += ["--faked-system-time", f"{int(at.timestamp())}!"] if at else []
        return subprocess.run([*command, *args], input=data, capture_output=True, check=True).stdout

    @property
    def armored(self) -> bytes:
        return self.gpg("--armor", "--export", self.fingerprint)

    def sign(self, payload: bytes, *more: str, at: datetime | None = None) -> bytes:
        """Armored detached signature."""
        return self.gpg("--armor", *more, "--detach-sign", data=payload, at=at)

    def encrypt(
        self, payload: bytes, *to: bytes, sign: bool = True, more: tuple[str, ...] = (), at: datetime | None = None
    ) -> bytes:
        """Armored message to these armored public keys."""
        for key in to:
            self.gpg("--import", data=key)
        recipients = [word for key in to for word in ("--recipient", primary_of(key))]
        return self.gpg("--armor", *more, *(["--sign"] if sign else []), "--encrypt", *recipients, data=payload, at=at)

    def revoked(self) -> bytes:
        """Its public key after revocation, armored."""
        certificate = (
            (self.home / "openpgp-revocs.d" / f"{self.fingerprint}.rev").read_text().replace("\n:---", "\n---")
        )
        self.gpg("--import", data=certificate.encode())
        return self.armored

    def end(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False, capture_output=True)


def armored(octets: bytes, kind: str) -> bytes:
    """Octets in ASCII armor, without a checksum."""
    text = base64.encodebytes(octets)
    return f"-----BEGIN PGP {kind}-----\n\n".encode() + text + f"-----END PGP {kind}-----\n".encode()


def pinned(home: GnupgHome, key_file: bytes) -> PinnedKey:
    """The key of a file as the directory would pin it."""
    key = home.inspect_keys((key_file,))[0]
    assert isinstance(key, PinnedKey), key
    return key


def confident(at: datetime) -> InProcess:
    """Verification in process at that moment, past its first good signature: gpg is not asked about the next 99."""
    found = InProcess(now=lambda: at)
    assert found.doubted()
    return found


def primary_of(armored: bytes) -> str:
    """Fingerprint of the key in a file, as gpg names it."""
    listed = subprocess.run(
        ["gpg", "--no-default-keyring", "--with-colons", "--show-keys"], input=armored, capture_output=True, check=True
    ).stdout.decode()
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))


def make_correspondent(
    folder: Path,
    user_id: str,
    *,
    expires: str = "never",
    algorithm: str = "ed25519",
    at: int = BIRTH,
    cipher: str = "cv25519",
) -> Correspondent:
    """A new key that signs and, unless `cipher` is empty, decrypts; `expires` as gpg takes it: never, 1y, seconds=5."""
    home = folder / f"{len(os.listdir(folder))}"
    home.mkdir(mode=0o700)
    (home / "gpg-agent.conf").write_text("disable-scdaemon\n")
    # The clock stands still ("!"): when gpg is slow, a moving one makes the subkey older than its key, and gpg refuses.
    common = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "",
              "--faked-system-time", f"{at}!"]  # fmt: skip
    subprocess.run(
        [*common, "--quick-gen-key", user_id, algorithm, "sign,cert", expires], check=True, capture_output=True
    )
    listed = subprocess.run([*common, "--with-colons", "--list-keys"], check=True, capture_output=True).stdout.decode()
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    if cipher:
        subprocess.run(
            [*common, "--quick-add-key", fingerprint, cipher, "encr", expires], check=True, capture_output=True
        )
    return Correspondent(home, fingerprint, user_id)
