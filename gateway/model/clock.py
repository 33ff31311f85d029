"""The clocks of a case: what somebody has to do, and by when. No clock sends an answer, releases or closes anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.case import CaseView
from gateway.model.verdict import Category


class Clock(StrEnum):
    """What is waited for."""

    FIRST_ANSWER = "first-answer"
    """A human's answer, within the minutes of rules/channel.yaml."""
    CALL_BACK = "call-back"
    """The telephone call that confirms an emergency (2017 report, measure 8)."""
    PRESERVATION_END = "preservation-end"
    """The day until which data are preserved (Budapest Convention, Article 29(7))."""
    EXTENSION = "extension"
    """An extension was asked for and nobody has said until when."""
    MLA_FOLLOW_UP = "mla-follow-up"
    """The request for mutual assistance that a preservation is made for (Article 29(2)f)."""


class Ending(StrEnum):
    """Why a clock stands still."""

    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    EXTENDED = "extended"
    MLA_RECEIVED = "mla-received"
    """The data stay preserved until that request is decided; nobody needs to be reminded of an end."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ClockStart:
    """A clock that a message sets going."""

    clock: Clock
    since: datetime
    until: datetime
    told: str = ""
    """The last step that nobody need be told of any more."""


@dataclass(frozen=True, slots=True)
class CaseClock:
    """One clock of one case as it stands; each case has at most one of a kind."""

    reference: str
    mailbox: str
    clock: Clock
    category: Category
    since: datetime
    until: datetime
    told: str = ""
    """The last step that was told of."""
    next_at: datetime | None = None
    """When the next step is due; None where none is left."""
    ended_at: datetime | None = None
    ended_by: Ending | None = None

    @property
    def running(self) -> bool:
        """Whether it still waits."""
        return self.ended_at is None

    def overdue(self, now: datetime) -> bool:
        """Whether what it waits for should have happened."""
        return self.running and self.until <= now


@dataclass(frozen=True, slots=True)
class DueClock:
    """A clock with a step to tell, and its case."""

    clock: CaseClock
    case: CaseView


class CallOutcome(StrEnum):
    """What a call-back to the directory's number came to."""

    CONFIRMED = "confirmed"
    NOT_REACHED = "not-reached"
    DENIED = "denied"
    """They did not send it."""
