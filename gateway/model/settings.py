"""gateway.yaml as a frozen value; every default stands here and in deploy/gateway.yaml, and a test compares the two."""

from dataclasses import dataclass, field
from enum import StrEnum


class Protocol(StrEnum):
    """What the inward listener speaks."""

    SMTP = "smtp"
    LMTP = "lmtp"


class Mode(StrEnum):
    """How the outward rule is applied; observe and warn decide, say so, and let pass."""

    ENFORCE = "enforce"
    WARN = "warn"
    OBSERVE = "observe"


class UnknownReceipts(StrEnum):
    """Who gets a receipt beside known contacts."""

    NEVER = "never"
    DOMAIN = "domain"


STRICT = {"extra": "forbid", "strict": False}
"""How config.py has pydantic read these classes: an unknown key is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """Who we are."""

    __pydantic_config__ = STRICT
    name: str
    country: str
    mailbox: str
    aliases: tuple[str, ...] = ()
    phone: str = ""
    timezone: str = "UTC"
    languages: tuple[str, ...] = ("en",)
    preservation_days: int = 90
    internal_domains: tuple[str, ...] = ()
    partner_domains: tuple[str, ...] = ()
    """Domestic partners such as the prosecution: forwards to them leave encrypted or over a verified hop."""
    delegates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """STARTTLS of the inward listener; without a certificate it is not offered."""

    __pydantic_config__ = STRICT
    certificate: str | None = None
    key: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """The inward listener."""

    __pydantic_config__ = STRICT
    listen: tuple[str, ...] = ("127.0.0.1:10023",)
    protocol: Protocol = Protocol.SMTP
    max_message_bytes: int = 36_700_160
    tls: Tls = field(default_factory=Tls)
    trusted_peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The mailbox behind: maildir:PATH, lmtp://HOST:PORT or smtp://HOST:PORT."""

    __pydantic_config__ = STRICT
    deliver_to: str = "maildir:state/mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """The outward listener and the relay behind it."""

    __pydantic_config__ = STRICT
    listen: tuple[str, ...] = ("127.0.0.1:10025",)
    allow_from: tuple[str, ...] = ("127.0.0.0/8",)
    relay: str = "maildir:state/relay"
    relay_encrypted: str | None = None
    """A relay that sends over TLS or not at all; without it such mail takes `relay`."""
    relay_verified: str | None = None
    """A relay that sends to authenticated servers or not at all; without it such mail is held."""
    mode: Mode = Mode.ENFORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Openpgp:
    """Our own key, and how signatures of others are checked."""

    __pydantic_config__ = STRICT
    home: str = "state/gnupg"
    signing_key: str = ""
    in_process: bool = True
    """Whether a plainly good signature may be found good without starting gpg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dkim:
    """Our own DKIM key."""

    __pydantic_config__ = STRICT
    domain: str
    selector: str = "cp247"
    key: str = "state/dkim.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Resolvers as IP:PORT, empty = the system's; timeout in seconds for one question."""

    __pydantic_config__ = STRICT
    nameservers: tuple[str, ...] = ()
    timeout: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """Forwarders, by the d= of their seals, whose sealed word for a DMARC pass is believed; none by default."""

    __pydantic_config__ = STRICT
    trusted_sealers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Automatic receipts."""

    __pydantic_config__ = STRICT
    enabled: bool = True
    unknown: UnknownReceipts = UnknownReceipts.NEVER
    per_contact_hour: int = 30
    all_hour: int = 300
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminders:
    """Whom beside the officers the gateway reminds before a period ends."""

    __pydantic_config__ = STRICT
    counterpart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How the duty officer is woken."""

    __pydantic_config__ = STRICT
    command: str | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """Where /metrics, /livez and /readyz are served."""

    __pydantic_config__ = STRICT
    listen: str = "127.0.0.1:9247"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of gateway.yaml; paths are absolute after reading."""

    __pydantic_config__ = STRICT
    hostname: str
    contact_point: ContactPoint
    dkim: Dkim
    inbound: Inbound = field(default_factory=Inbound)
    mailbox: Mailbox = field(default_factory=Mailbox)
    outbound: Outbound = field(default_factory=Outbound)
    database: str = "sqlite:state/gateway.db"
    state: str = "state"
    secret: str = "state/secret"  # noqa: S105 a path, never the value
    rules: str = "rules"
    keys: str = "keys"
    openpgp: Openpgp = field(default_factory=Openpgp)
    dns: Dns = field(default_factory=Dns)
    arc: Arc = field(default_factory=Arc)
    receipts: Receipts = field(default_factory=Receipts)
    reminders: Reminders = field(default_factory=Reminders)
    page: Page = field(default_factory=Page)
    officers: tuple[str, ...] = ()
    monitoring: Monitoring = field(default_factory=Monitoring)
    judges: int = 2

    @property
    def mailboxes(self) -> tuple[str, ...]:
        """The contact point's own addresses, first the mailbox itself."""
        return (self.contact_point.mailbox, *self.contact_point.aliases)
