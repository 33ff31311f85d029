"""What must leave: mails of our own, deliveries of foreign ones, and what a hop answered."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """Why a mail leaves."""

    DELIVERY = "delivery"
    RECEIPT = "receipt"
    ANSWER = "answer"
    NOTICE = "notice"


class Hop(StrEnum):
    """Which configured next hop takes it: `mailbox.deliver_to`, or the relay of `outbound` that promises enough TLS."""

    MAILBOX = "mailbox"
    RELAY = "relay"
    RELAY_ENCRYPTED = "relay-encrypted"
    RELAY_VERIFIED = "relay-verified"


@dataclass(frozen=True, slots=True)
class OutMail:
    """A mail of our own making, complete: nothing is edited after this."""

    purpose: Purpose
    hop: Hop
    mail_from: str
    rcpt_tos: tuple[str, ...]
    message_id: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One mail to one recipient, as the courier claims it; the bytes are fetched by `content_id`."""

    id: int
    purpose: Purpose
    hop: Hop
    mail_from: str
    rcpt_to: str
    content_id: int
    size: int
    sha256: str
    created_at: datetime
    tries: int
    message_id: str = ""
    case: str | None = None
    arrival_id: int | None = None
    prepend: bytes = field(default=b"", repr=False)
    insertions: tuple[int, ...] = ()
    """Offsets in the stored bytes where `X-Foreign-` is inserted, ascending."""


class Fate(StrEnum):
    """What one hop made of one recipient."""

    SENT = "sent"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class HopReply:
    """The hop's answer for one recipient; `text` is its last reply line, cut at 500 characters."""

    fate: Fate
    text: str
