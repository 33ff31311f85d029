"""A call to the duty officer: what happened and in which case, never what a message contains."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.trust import Assurance

PROVED = frozenset({Assurance.LISTED, Assurance.SIGNED, Assurance.CONFIRMED})
"""Assurances with which an emergency is called for by itself; others share a call (DESIGN section 3)."""


class Why(StrEnum):
    """What somebody is woken for."""

    EMERGENCY = "emergency"
    EMERGENCY_UNCONFIRMED = "emergency-unconfirmed"
    """Nobody has recorded the call-back of one."""
    UNREAD = "unread"
    """A mail that may be an emergency and that no program could read: encrypted to no key of ours, an attachment alone."""
    JUDGE_ERROR = "judge-error"
    ANSWER_FAILED = "answer-failed"
    ANSWER_HELD = "answer-held"
    ANSWER_GIVEN_BACK = "answer-given-back"
    UNREACHABLE = "counterpart-unreachable"
    """Two receipts for one counterpart came back: its mailbox takes nothing."""


EMERGENCIES = frozenset({Why.EMERGENCY, Why.EMERGENCY_UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Call:
    """One reason to wake somebody."""

    why: Why
    cause: str
    """What made it, such as `arrival 7 proved`: the same cause calls once, however often it is told."""
    case: str = ""
    assurance: Assurance = Assurance.NONE
    contact: str | None = None
    """Folder name: the number to call back is in the directory."""

    @property
    def shared(self) -> bool:
        """Whether it shares a call with others like it: an emergency that nothing proves, a mail nobody could read."""
        return self.why is Why.UNREAD or (self.why in EMERGENCIES and self.assurance not in PROVED)


@dataclass(frozen=True, slots=True)
class DueCall:
    """A call as the pager claims it."""

    id: int
    call: Call
    made_at: datetime
    tries: int
