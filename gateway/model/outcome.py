"""The inward road's answer: the verdict, the case and everything that must be committed with it."""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.model.case import CaseView
from gateway.model.clock import ClockStart
from gateway.model.history import Appearance, History
from gateway.model.outbox import OutMail, Purpose
from gateway.model.trust import Assurance, AuthResult, DnsAnswer
from gateway.model.verdict import Classification, Disposition, Reason, ReceiptDecision, Signal

SHARED_CARDS_PER_HOUR = 12
"""Cards about mail that nothing proves; more of them would hide the others in the mailbox."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Separate facts about one message, never one green light."""

    classification: Classification
    assurance: Assurance
    disposition: Disposition
    reasons: tuple[Reason, ...]
    """The ground of the disposition first, then every other finding, each once."""
    results: tuple[AuthResult, ...]
    receipt: ReceiptDecision
    contact: str | None = None
    """Folder name of the contact whom From names, proved or not."""
    ruleset: str = ""
    """Digest of the rules that judged."""
    page: bool = False
    signals: tuple[Signal, ...] = ()
    """Details of those reasons that compare the message with earlier mail, or with what intruders do."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the service tells a judge beside the bytes: the only way the past reaches judgement."""

    reference: str
    """Case reference reserved for this arrival."""
    candidates: tuple[CaseView, ...] = ()
    """Cases that the message's thread keys name."""
    repeat_of: str | None = None
    """Reference of the case that the same Message-ID and the same bytes opened before."""
    receipt_due: bool = True
    """False where the same request had its receipt and may not have another yet."""
    final: bool = False
    """Last try: what DNS still does not answer is decided without it."""
    receipt_at: datetime | None = None
    """When a receipt is written, if not as soon as the message is there."""
    id_reused: bool = False
    """Another mail than this bears the same Message-ID (CHANNEL C, resends)."""
    history: History | None = None
    """What earlier mail of the From address was like; None where there is no journal to tell."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one judged arrival causes, committed as one transaction."""

    verdict: Verdict
    case: CaseView
    """The case as it shall stand."""
    opens: bool
    request_key: str
    """Message-ID and body, hashed: what makes a repeat a repeat."""
    prepend: bytes = field(repr=False)
    insertions: tuple[int, ...] = ()
    receipts: tuple[OutMail, ...] = ()
    bounced: Purpose | None = None
    """What of ours came back with this message undelivered: an answer or a receipt."""
    card: OutMail | None = None
    """What the officers are told about it in a second mail; None for most."""
    dns: tuple[DnsAnswer, ...] = ()
    appearance: Appearance | None = None
    """What this message adds to the history of its sender; None where it proves nobody."""
    clocks: tuple[ClockStart, ...] = ()
    """What the case waits for from now on."""
