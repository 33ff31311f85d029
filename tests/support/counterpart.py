"""A foreign contact point as its own programs make it: gpg in a home of its own, DKIM and MIME by the tests, nothing of the gateway."""

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from pathlib import Path

import dkim
from dkim_signer import record, rsa_key, sign
from gnupg_keys import Correspondent, make_correspondent
from sealed_mail import crlf, encrypted_entity, signed_entity

COVERS = "from:from:to:subject:date:message-id:mime-version:content-type"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"


@dataclass
class Counterpart:
    """Its mailbox, its one address on the network, its key, and what its DNS says."""

    mailbox: str
    peer: str
    folder: Path
    written: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir()

    @cached_property
    def key(self) -> Correspondent:
        return make_correspondent(self.folder, f"Duty officer <{self.mailbox}>")

    @property
    def domain(self) -> str:
        return self.mailbox.rpartition("@")[2]

    @property
    def zone(self) -> dict[str, list[dict[str, str]]]:
        return {
            self.domain: [{"TXT": f"v=spf1 ip4:{self.peer} -all"}],
            f"mail._domainkey.{self.domain}": [{"TXT": record(rsa_key())}],
            f"_dmarc.{self.domain}": [{"TXT": "v=DMARC1; p=reject"}],
        }

    def plain(self, to: str, subject: str, body: str) -> bytes:
        return self._complete(to, subject, TEXT + crlf(body.encode()))

    def signed(self, to: str, subject: str, body: str) -> bytes:
        payload = TEXT + crlf(body.encode())
        return self._complete(to, subject, signed_entity(self.key.sign(payload), payload))

    def encrypted(self, to: str, subject: str, body: str, *, key: bytes) -> bytes:
        """Signed and encrypted to that armored key."""
        return self._complete(to, subject, encrypted_entity(self.key.encrypt(TEXT + crlf(body.encode()), key)))

    def forged(self, to: str, subject: str, body: str) -> bytes:
        """What a stranger writes in its name."""
        return self._fields(to, subject) + TEXT + crlf(body.encode())

    def verifies(self, signature: bytes, payload: bytes, *, key: bytes) -> str:
        """Fingerprint of the key, among those of `key`, whose signature over the payload its gpg calls good, '' for none."""
        self.key.gpg("--import", data=key)
        path = self.folder / "signature.asc"
        path.write_bytes(signature)
        done = self._status("--verify", str(path), "-", data=payload)
        return _signer(done.stdout)

    def decrypts(self, armored: bytes, *, key: bytes) -> tuple[bytes, str]:
        """What is inside, and the fingerprint of the key that signed it, '' for none."""
        self.key.gpg("--import", data=key)
        path = self.folder / "inside"
        path.unlink(missing_ok=True)
        done = self._status("--output", str(path), "--decrypt", data=armored)
        assert done.returncode == 0, done.stdout
        return path.read_bytes(), _signer(done.stdout)

    def _status(self, *arguments: str, data: bytes) -> subprocess.CompletedProcess:
        command = ["gpg", "--homedir", str(self.key.home), "--batch", "--quiet", "--trust-model", "always"]
        command += ["--pinentry-mode", "loopback", "--passphrase", "", "--status-fd", "1", *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=False)

    def _complete(self, to: str, subject: str, entity: bytes) -> bytes:
        content = self._fields(to, subject) + entity
        return sign(content, d=self.domain, s="mail", h=COVERS)

    def _fields(self, to: str, subject: str) -> bytes:
        self.written += 1
        now = datetime.now(UTC)
        fields = {
            "From": f"Police of Borduria <{self.mailbox}>",
            "To": to,
            "Subject": subject,
            "Date": format_datetime(now),
            "Message-ID": f"<{now:%H%M%S%f}.{self.written}@mail.{self.domain}>",
            "MIME-Version": "1.0",
        }
        return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()


def _signer(status: bytes) -> str:
    """Primary fingerprint of the one good signature gpg reports (its doc/DETAILS, VALIDSIG)."""
    lines = status.decode("utf-8", "replace").splitlines()
    bad = [line for line in lines if line.startswith(("[GNUPG:] BADSIG", "[GNUPG:] ERRSIG"))]
    good = [line.split()[-1] for line in lines if line.startswith("[GNUPG:] VALIDSIG")]
    return good[0] if len(good) == 1 and not bad else ""


def pieces(content: bytes) -> list[bytes]:
    """The parts of a multipart message, cut where RFC 2046 section 5.1.1 says, byte for byte."""
    boundary = re.search(rb'boundary="?([^";\r\n]+)"?', content)[1]
    return [one.removeprefix(b"\r\n") for one in content.split(b"\r\n--" + boundary)[1:-1]]


def body_of(part: bytes) -> bytes:
    return part.partition(b"\r\n\r\n")[2]


def field(content: bytes, name: str) -> str:
    """Value of the topmost field of that name, unfolded, '' for none."""
    header = (
        content.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").decode("utf-8", "replace")
    )
    wanted = name.lower() + ":"
    return next((line[len(wanted) :].strip() for line in header.split("\r\n") if line.lower().startswith(wanted)), "")


def dkim_verifies(content: bytes, zone: dict[str, list[dict[str, str]]]) -> bool:
    """What dkimpy says of the topmost DKIM-Signature, with that zone for DNS."""

    def dnsfunc(name: bytes, **_: object) -> bytes:
        records = zone.get(name.decode().removesuffix("."), [])
        return next((one["TXT"].encode() for one in records if "TXT" in one), b"")

    return bool(dkim.verify(content, dnsfunc=dnsfunc))
