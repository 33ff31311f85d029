"""A message as received and as scanned; bytes are offsets into one immutable content, never re-serialised."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.model.verdict import Reason


class Source(StrEnum):
    """The door through which a message came."""

    SMTP = "smtp"
    LMTP = "lmtp"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What SMTP knows of a message (RFC 5321 section 2.3.1); `mail_from` is '' for the null reverse-path."""

    mail_from: str | None
    rcpt_tos: tuple[str, ...]
    peer: str | None = None
    """Client address as text, from the socket or from a trusted peer's XFORWARD; None when it is not known."""
    helo: str | None = None
    peer_hidden: bool = False
    """A trusted peer handed the message on without XFORWARD: its own address says nothing about the sender."""
    tls: str | None = None
    """Protocol name such as 'TLSv1.3' when the message reached us over TLS."""
    smtputf8: bool = False
    login: str | None = None
    """Authenticated login; only outward, see DESIGN on `outbound.allow_from`."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One accepted message: committed before its 250 and never changed afterwards."""

    id: int
    mailbox: str
    received_at: datetime
    envelope: Envelope
    content: bytes = field(repr=False)
    sha256: str
    source: Source = Source.SMTP
    number: int = 0
    """Running number reserved for the case this arrival may open."""


@dataclass(frozen=True, slots=True)
class Address:
    """One addr-spec (RFC 5322 section 3.4.1), parsed strictly: local part as written, domain as lower-case A-labels."""

    local: str
    domain: str
    display_name: str = ""

    @property
    def spec(self) -> str:
        """The address to compare and to write to, `local@domain`."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The address as the directory compares it: the local part without case."""
        return f"{self.local.lower()}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Field:
    """One header field, exactly as received: `raw` includes name, colon, folds and the final CRLF."""

    name: str
    raw: bytes = field(repr=False)
    start: int = 0

    @property
    def value(self) -> bytes:
        """The bytes behind the colon with folds removed (RFC 5322 section 2.2.3), outer blanks stripped."""
        return self.raw.partition(b":")[2].replace(b"\r\n", b"").strip(b" \t")


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one entity in order of appearance."""

    fields: tuple[Field, ...] = ()

    def all(self, name: str) -> tuple[Field, ...]:
        """Fields of that name, top first, compared without case."""
        wanted = name.lower()
        return tuple([one for one in self.fields if one.name.lower() == wanted])

    def first(self, name: str) -> Field | None:
        """The topmost field of that name."""
        wanted = name.lower()
        return next((one for one in self.fields if one.name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME entity (RFC 2046) as offsets into the content it was sliced from: content[start:end] is the entity."""

    path: str
    """'' for the root, then '1', '1.2' as IMAP numbers parts."""
    header: Header
    content_type: str
    """Lower-case type/subtype; 'text/plain' where the field is absent or unusable."""
    parameters: tuple[tuple[str, str], ...]
    start: int
    body_start: int
    end: int
    encoding: str = "7bit"
    disposition: str = ""
    filename: str = ""
    children: tuple["Part", ...] = ()

    def parameter(self, name: str) -> str | None:
        """Value of a Content-Type parameter, name compared without case."""
        wanted = name.lower()
        return next((value for key, value in self.parameters if key == wanted), None)


@dataclass(frozen=True, slots=True)
class Message:
    """The one byte-level truth every reader uses: fields, parts and what is odd about them."""

    content: bytes = field(repr=False)
    header: Header
    root: Part
    sender: Address | None
    """From, if there is exactly one From field with exactly one address."""
    defects: tuple[Reason, ...] = ()
    """Findings in order of discovery; those in `AMBIGUOUS` take every trust from the message."""

    def raw(self, part: Part) -> bytes:
        """Exact bytes of an entity, header and body."""
        return self.content[part.start : part.end]

    def body(self, part: Part) -> bytes:
        """Exact bytes of an entity's body, transfer encoding untouched."""
        return self.content[part.body_start : part.end]


@dataclass(frozen=True, slots=True)
class Text:
    """The words a reader would see, by place; what the rules score."""

    subject: str = ""
    headings: tuple[str, ...] = ()
    body: str = ""
    """New text only: without quotations, signatures, disclaimers."""
    quoted: str = ""
    attachments: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    template: str = ""
    """Text of a recognised T-CY template title or reference, else ''."""
    findings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Extracted:
    """What an attached document says, and what is odd about it."""

    text: str = ""
    findings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadKeys:
    """What may tie a message to a case: ids, case tags, the Microsoft conversation."""

    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Case references found in Subject and in `247cp+c.` recipients, upper case, MAC not yet checked."""
    thread_index: str | None = None
    """First 22 octets of Thread-Index, hex."""


class Body(Protocol):
    """The bytes of a message while they wait for commit; over 1 MiB they wait in an unlinked file."""

    @property
    def size(self) -> int:
        """Octets in all."""

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of all octets."""

    def chunks(self) -> Iterator[bytes]:
        """All octets in order, at most 256 KiB at a time; may be called again."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message the listener has read whole and nobody has promised anything for yet."""

    mailbox: str
    received_at: datetime
    source: Source
    envelope: Envelope
    body: Body
