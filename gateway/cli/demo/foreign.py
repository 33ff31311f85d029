"""An invented foreign contact point: its own OpenPGP key, its own DKIM key, its own mail program."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from gateway.cli.demo.stub_dns import Zone
from gateway.cli.init import make_dkim_key
from gateway.mail.compose import mailbox, message, multipart_encrypted, multipart_signed, text_entity
from gateway.mail.parse import parse
from gateway.model.message import Message
from gateway.model.settings import Dkim
from gateway.model.trust import Contact, PinnedKey, Unsealed
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp import unseal
from gateway.trust.seal import Sealer


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an invented contact point is."""

    id: str
    name: str
    country: str
    mailbox: str
    address: str
    """IP address its mail comes from, of a documentation range."""
    phone: str
    languages: tuple[str, ...] = ("en",)

    @property
    def domain(self) -> str:
        """Domain of the mailbox."""
        return self.mailbox.rpartition("@")[2]


class Foreign:
    """A contact point that writes to ours and reads what comes back."""

    def __init__(self, identity: Identity, folder: Path) -> None:
        self.identity = identity
        folder.mkdir(parents=True)
        self._record = make_dkim_key(folder / "dkim.pem")
        self._home = GnupgHome(str(folder / "gnupg"))
        self.fingerprint = self._home.make_own_key(name=identity.name, mailbox=identity.mailbox)
        dkim = Dkim(domain=identity.domain, selector="mail", key=str(folder / "dkim.pem"))
        self._sealer = Sealer(home=self._home, signing_key=self.fingerprint, dkim=dkim)
        self._sent = 0

    @property
    def public_key(self) -> bytes:
        """Armored public key, as it would be exchanged."""
        return self._home.export(self.fingerprint)

    @property
    def zone(self) -> Zone:
        """What its DNS says: SPF for its one address, its DKIM key, a strict DMARC policy."""
        domain = self.identity.domain
        return {
            domain: [{"TXT": f"v=spf1 ip4:{self.identity.address} -all"}, {"MX": [10, f"mail.{domain}"]}],
            f"mail._domainkey.{domain}": [{"TXT": self._record}],
            f"_dmarc.{domain}": [{"TXT": "v=DMARC1; p=reject"}],
        }

    def close(self) -> None:
        """End its gpg-agent."""
        self._home.kill_agent()

    def plain(self, to: str, subject: str, body: str, *, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
        """A mail that only DKIM signs."""
        return self._complete(self._fields(to, subject, extra), text_entity(body))

    def signed(self, to: str, subject: str, body: str) -> bytes:
        """A PGP/MIME signed mail."""
        fields = self._fields(to, subject)
        payload = text_entity(body, fields=fields)
        signature, micalg = self._sealer.sign(payload)
        return self._complete(
            fields, multipart_signed(payload, signature, micalg=micalg, boundary=f"=-signed-{self._sent}")
        )

    def encrypted(self, to: str, subject: str, body: str, *, key: PinnedKey) -> bytes:
        """A PGP/MIME encrypted and signed mail; the subject is inside."""
        inner = self._fields(to, subject)
        outer = tuple((name, "..." if name == "Subject" else value) for name, value in inner)
        payload = text_entity(body, fields=inner, cipher=True, outer=outer)
        sealed = self._sealer.encrypt(payload, keys=(key,))
        return self._complete(outer, multipart_encrypted(sealed, boundary=f"=-encrypted-{self._sent}"))

    def forged(self, to: str, subject: str, body: str) -> bytes:
        """What a stranger writes in this contact point's name: neither DKIM nor OpenPGP."""
        return message(self._fields(to, subject), text_entity(body))

    def opened(self, content: bytes, *, by: PinnedKey) -> tuple[Message, Unsealed]:
        """A mail it received, and what its own gpg says of signature and encryption."""
        found = parse(content)
        sender = Contact(id="us", name="us", country="XX", addresses=(), keys=(by,))
        unsealed = unseal(
            found, contact=sender, signers={by.fingerprint: sender}, home=self._home, at=datetime.now(UTC)
        )
        return found, unsealed

    def _fields(self, to: str, subject: str, extra: tuple[tuple[str, str], ...] = ()) -> tuple[tuple[str, str], ...]:
        self._sent += 1
        now = datetime.now(UTC)
        return (
            ("From", mailbox(self.identity.name, self.identity.mailbox)),
            ("To", to),
            ("Subject", subject),
            ("Date", format_datetime(now)),
            ("Message-ID", f"<{now:%Y%m%d%H%M%S}.{self._sent}@mail.{self.identity.domain}>"),
            *extra,
        )

    def _complete(self, fields: tuple[tuple[str, str], ...], entity: bytes) -> bytes:
        content = message(fields, entity)
        return self._sealer.dkim_field(content, at=datetime.now(UTC)) + content
