"""What the service asks of a judge, and the shape of what comes back."""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from gateway.model.case import CaseView
from gateway.model.channel import Dispatch
from gateway.model.message import Arrival, Envelope
from gateway.model.outbox import OutMail
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.trust import DnsAnswer

OUTCOME = TypeAdapter(Outcome)
DISPATCH = TypeAdapter(Dispatch)
VERDICT = TypeAdapter(Verdict)


@dataclass(frozen=True, slots=True)
class JudgeArrival:
    """Request: judge this arrival; its content travels beside."""

    arrival: Arrival
    facts: Facts
    dns: tuple[DnsAnswer, ...] | None = None
    """Answers kept with its first verdict, instead of asking anybody now; None for mail that has just come."""


@dataclass(frozen=True, slots=True)
class AssessArrival:
    """Request: only the verdict of this arrival, and nothing that follows from it."""

    arrival: Arrival
    facts: Facts
    dns: tuple[DnsAnswer, ...] | None = None
    """As with `JudgeArrival`."""
    reveal: bool = True
    """Whether words of encrypted mail may come back: for eyes, never for the journal."""
    trace: bool = False
    """Whether rules that nearly hit are named too."""


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """Request: decide over this officer's mail; its content travels beside."""

    envelope: Envelope
    candidates: tuple[CaseView, ...]
    reference: str | None
    at: datetime
    waived: frozenset[str] = frozenset()
    """Numbers of decisions that living exceptions name."""


Request = JudgeArrival | AssessArrival | JudgeAnswer


def pack(mails: tuple[OutMail, ...]) -> tuple[tuple[OutMail, ...], tuple[bytes, ...]]:
    """Mails without their bytes, and the bytes."""
    return tuple(replace(mail, content=b"") for mail in mails), tuple(mail.content for mail in mails)


def unpack(mails: tuple[OutMail, ...], blobs: tuple[bytes, ...]) -> tuple[OutMail, ...]:
    """The reverse of `pack`; raises ValueError when they do not belong together."""
    return tuple(replace(mail, content=blob) for mail, blob in zip(mails, blobs, strict=True))
