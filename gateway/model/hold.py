"""What waits for a human: refusals that may be waived, exceptions that waive them, answers that are held."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.channel import Waiver
from gateway.model.message import Envelope
from gateway.model.verdict import Category


class ExceptionState(StrEnum):
    """Where an exception stands."""

    PROPOSED = "proposed"
    """One of two people has granted it."""
    ACTIVE = "active"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class HoldState(StrEnum):
    """Where a held answer stands; nothing but a human or the cause's end releases it."""

    HELD = "held"
    RELEASED = "released"
    RETURNED = "returned"
    """Given back to the officer when nobody released it in time."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One number an officer was given, with what it stands for."""

    number: str
    rule: str
    row: int
    waiver: Waiver
    case: str | None
    sender: str
    """Address of From."""
    login: str | None
    recipients: tuple[str, ...]
    reply: str
    """The line the officer read."""
    first_at: datetime
    last_at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class ChannelException:
    """Permission for one decision: exactly that rule, case, sender and set of recipients (CHANNEL A5)."""

    id: int
    number: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    until: datetime
    uses: int
    used: int = 0
    granted_by: str | None = None
    """The second person, or the first where one is enough."""
    granted_at: datetime | None = None
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> ExceptionState:
        """What it is worth at that moment."""
        if self.revoked_at is not None:
            return ExceptionState.REVOKED
        if self.used >= self.uses:
            return ExceptionState.USED
        if now >= self.until:
            return ExceptionState.EXPIRED
        return ExceptionState.PROPOSED if self.granted_at is None else ExceptionState.ACTIVE


@dataclass(frozen=True, slots=True)
class Hold:
    """One answer that is kept until its cause is gone or a human lets it go."""

    id: int
    number: str
    rule: str
    case: str | None
    category: Category
    message_id: str
    envelope: Envelope
    content_id: int
    reply: str
    """The line that says why."""
    held_at: datetime
    reminded_at: datetime | None = None
    paged_at: datetime | None = None
    state: HoldState = HoldState.HELD
    settled_at: datetime | None = None
