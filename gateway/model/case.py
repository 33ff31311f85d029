"""A case: one request and its channel; and the reference that names it."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.trust import Assurance, Protection
from gateway.model.verdict import Category, Kind

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE = re.compile(r"247CP-(\d{4})-(\d{6,12})-([0-9A-HJKMNP-TV-Z]{4})", re.IGNORECASE)
"""A case reference anywhere in text; whether its MAC is ours is `is_reference`'s business."""


def make_reference(secret: bytes, year: int, number: int) -> str:
    """Case reference `247CP-2026-000042-K7QA`; the last group is a MAC over year and number (DESIGN section 5)."""
    digest = hmac.new(secret, f"{year}-{number}".encode(), hashlib.sha256).digest()
    bits = int.from_bytes(digest[:3], "big") >> 4
    mac = "".join(CROCKFORD[(bits >> shift) & 31] for shift in (15, 10, 5, 0))
    return f"247CP-{year:04d}-{number:06d}-{mac}"


def is_reference(secret: bytes, text: str) -> bool:
    """Whether the text is a reference this gateway made; compared without case, in constant time."""
    match = REFERENCE.fullmatch(text)
    if match is None:
        return False
    return hmac.compare_digest(make_reference(secret, int(match[1]), int(match[2])).encode(), text.upper().encode())


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ANSWERED = "answered"
    ANSWER_FAILED = "answer-failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as judgement sees it: the channel K, the thread T and the floor F of CHANNEL A1."""

    reference: str
    mailbox: str
    opened_at: datetime
    category: Category = Category.OTHER
    kind: Kind = Kind.UNKNOWN
    """How the message that opened it stands to a request: a test of the network is answered like one, and told apart."""
    urgent: bool = False
    state: CaseState = CaseState.OPEN
    ours: bool = False
    """We asked: the case was opened by a request of our own (row 36)."""
    contact: str | None = None
    """Folder name of the counterpart, when it was proved."""
    origin: str | None = None
    """a0: the address that asked, when it was proved."""
    assurance: Assurance = Assurance.NONE
    """The strongest of its messages; `confirmed` since an officer has recorded the call-back."""
    floor: Protection = Protection()
    thread: tuple[str, ...] = ()
    """Message-IDs with angle brackets: requests of the proved counterpart, our receipts, our answers."""
    thread_indexes: tuple[str, ...] = ()
    request_id: str | None = None
    references: tuple[str, ...] = ()
    """References of the request, for repairing an answer that lost them."""
    reply_to: str | None = None
    """Where the request asks for answers, if that differs from a0."""
    reply_to_proved: bool = False
    """That address is a verified one of the same contact and a signature covered the field."""
    language: str | None = None
