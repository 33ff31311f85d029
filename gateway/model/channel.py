"""Where an answer may go: what the outward road is told and what it decides (CHANNEL A)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.model.case import CaseView
from gateway.model.outbox import OutMail
from gateway.model.trust import Protection


class Act(StrEnum):
    """Outcome of the table."""

    ALLOW = "allow"
    UPGRADE = "upgrade"
    REJECT = "reject"
    HOLD = "hold"
    DISCARD = "discard"
    DEFER = "defer"


class Waiver(StrEnum):
    """Who may let one mail pass in spite of a row (CHANNEL A3, column W)."""

    NOBODY = "nobody"
    ONE = "one"
    TWO = "two"
    """Two people, neither of them the officer who sends."""


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What the rule file leaves to the institution; the defaults are the strict side except for a colleague in copy."""

    colleague_in_copy: bool = True
    """A colleague may stand in copy of an answer in clear (row 21)."""
    reply_all: bool = False
    """An answer may also reach other contact points, for joint circulars (row 23)."""
    encrypted_without_tls: bool = False
    """What is encrypted may take a hop without the TLS asked for (row 31)."""
    provider_domains: tuple[str, ...] = ()
    """Service providers outside the directory whom the contact point may write to (row 37)."""
    mla_first: tuple[str, ...] = ()
    """Phrases that send a requester away with a preservation: told of, never a ground to refuse."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which case an outgoing message belongs to; first way that hits wins, two different hits are never a choice."""

    case: CaseView | None = None
    by: str = ""
    """thread | tag | thread-index | address | '' """
    conflict: tuple[str, ...] = ()
    """References of two or more cases it names at once (row 30)."""
    several: tuple[str, ...] = ()
    """References of open cases among which nothing decides (row 29)."""
    bad_tag: bool = False
    """A case tag is there whose MAC is not ours."""
    unbound: tuple[str, ...] = ()
    """References of cases named by tag only, with none of whose addresses the message has to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the table says, with the refusal line where there is one."""

    act: Act
    rule: str
    """Row name: R1..R23, H1..H3, A1.., M1, D0."""
    row: int = 0
    """Row of CHANNEL A3."""
    reply: str = ""
    """Complete SMTP reply, one line, ASCII, at most 500 octets; '' when the message may pass."""
    number: str = ""
    """D-7K3QX2: the same for the same rule, case, From and recipients."""
    case: str | None = None
    opens: bool = False
    """A request of our own: opens a case (row 36)."""
    sign: bool = False
    encrypt_to: tuple[str, ...] = ()
    """Contact folder names whose pinned keys it is encrypted to, besides our own; empty = not encrypted."""
    recipients: tuple[str, ...] = ()
    """Envelope recipients it may leave to."""
    internal: bool = False
    """Only internal recipients: not an answer (row 18)."""
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    """Threading to write where the client lost it (row 28)."""
    protection: Protection = field(default_factory=Protection)
    """What it leaves with; `tls` is what the hop must offer."""
    waiver: Waiver = Waiver.NOBODY
    """Who may let it pass, where it may not."""
    waived: tuple[str, ...] = ()
    """Numbers of the decisions that exceptions let it pass; each is used once more by sending it."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The outward road's answer: the decision, and the mails it causes."""

    decision: Decision
    decided_at: datetime
    message_id: str | None
    mails: tuple[OutMail, ...] = ()
    case: CaseView | None = None
    """The case as it shall stand afterwards."""
    sender: str = ""
    """Address of From."""
    login: str | None = None
    """Who wrote it, as the submission server says."""
    note: str | None = None
    """What is kept in the case and sent to nobody; None for any other mail (row 22)."""
    again: OutMail | None = None
    """What the mailbox is told once, when this very mail is refused again later: a program tries it, nobody reads the reply."""
