"""What is sent: requests of a known contact point, DKIM and OpenPGP signed, every one with a Message-ID of its own.

The OpenPGP signatures are made beforehand, a few per size; DKIM signs each message anew, because it covers the Message-ID.
"""

import base64
import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count, cycle, islice
from pathlib import Path

from gateway.cli.demo.foreign import Identity
from gateway.cli.demo.letters import PRESERVATION
from gateway.cli.demo.stub_dns import Zone
from gateway.cli.init import make_dkim_key
from gateway.mail.compose import mailbox, message, multipart_signed, text_entity
from gateway.model.settings import Dkim
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.seal import Sealer

from .load import Letter

OURS = "247cp@institution.gov.example"
ASKING = Identity(
    id="bx-police",
    name="24/7 Contact Point, Police of Borduria",
    country="BX",
    mailbox="247cp@police.gov.borduria.example",
    address="192.0.2.10",
    phone="+000 1 111 111",
)
KIB = 1024
PAYLOADS = 8
"""So many different signed payloads per size."""


class Writer:
    """The known contact point: its keys, its zone, its requests."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._record = make_dkim_key(folder / "dkim.pem")
        self._home = GnupgHome(str(folder / "gnupg"))
        key = _usual_key(self._home)
        self.public_key = self._home.export(key)
        dkim = Dkim(domain=ASKING.domain, selector="mail", key=str(folder / "dkim.pem"))
        self._sealer = Sealer(home=self._home, signing_key=key, dkim=dkim)
        self._numbers = count(1)
        self._signed: dict[int, Iterator[bytes]] = {}

    def close(self) -> None:
        """End its gpg-agent."""
        self._home.kill_agent()

    @property
    def dkim_key(self) -> tuple[str, str]:
        """Name and text of its DKIM record."""
        return f"mail._domainkey.{ASKING.domain}", self._record

    @property
    def zone(self) -> Zone:
        """SPF for its address, its DKIM key, a strict DMARC policy."""
        return {
            ASKING.domain: [{"TXT": f"v=spf1 ip4:{ASKING.address} -all"}, {"MX": [10, f"mail.{ASKING.domain}"]}],
            f"mail.{ASKING.domain}": [{"A": ASKING.address}],
            self.dkim_key[0]: [{"TXT": self._record}],
            f"_dmarc.{ASKING.domain}": [{"TXT": "v=DMARC1; p=reject"}],
        }

    def letters(self, number: int, *, size: int) -> list[Letter]:
        """That many new requests of about `size` octets each."""
        if size not in self._signed:
            self._signed[size] = cycle([self._entity(size, seed) for seed in range(PAYLOADS)])
        return [self._letter(entity) for entity in islice(self._signed[size], number)]

    def _letter(self, entity: bytes) -> Letter:
        now = datetime.now(UTC)
        message_id = f"<{now:%Y%m%d%H%M%S}.{next(self._numbers)}@mail.{ASKING.domain}>"
        fields = (
            ("From", mailbox(ASKING.name, ASKING.mailbox)),
            ("To", OURS),
            ("Subject", PRESERVATION[0]),
            ("Date", format_datetime(now)),
            ("Message-ID", message_id),
            ("MIME-Version", "1.0"),
        )
        content = message(fields, entity)
        return Letter(message_id, self._sealer.dkim_field(content, at=now) + content)

    def _entity(self, size: int, seed: int) -> bytes:
        text = text_entity(f"Request number {seed}.\n{PRESERVATION[1]}")
        attached = _attachment(max(size - len(text) - 2 * KIB, KIB) * 3 // 4, seed)
        payload = b"\r\n".join(
            (
                b'Content-Type: multipart/mixed; boundary="part"',
                b"",
                b"--part",
                text + b"--part",
                attached + b"--part--",
                b"",
            )
        )
        signature, micalg = self._sealer.sign(payload)
        return multipart_signed(payload, signature, micalg=micalg, boundary="signed")


def _usual_key(home: GnupgHome) -> str:
    """Fingerprint of a key of the kind that gpg makes unless told otherwise: what most contacts have."""
    options = ("--homedir", home.path, "--batch", "--passphrase", "", "--pinentry-mode", "loopback")
    wanted = ("--quick-gen-key", f"{ASKING.name} <{ASKING.mailbox}>", "default", "default", "never")
    subprocess.run(["gpg", *options, *wanted], check=True, capture_output=True)
    listed = home.run(("--with-colons", "--list-keys"), own=True).stdout.decode().split("\n")
    return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))


def _attachment(octets: int, seed: int) -> bytes:
    """A PDF as far as MIME goes: base64 of noise."""
    lines = base64.encodebytes(random.Random(seed).randbytes(octets)).replace(b"\n", b"\r\n")
    return b'Content-Type: application/pdf; name="request.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + lines
