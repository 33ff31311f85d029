"""Which receipts left, and whether one more may: resends and rate windows. Never keeps a request from delivery."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from gateway.model.message import Arrival
from gateway.model.outcome import Outcome
from gateway.model.verdict import Category, Withheld
from gateway.store.codec import key_of, storable
from gateway.store.engine import insert_new
from gateway.store.receipt_tables import receipts
from gateway.store.statement import Statement

WINDOW = timedelta(hours=1)
MAX_PER_REQUEST = 3
REPEAT_AFTER = timedelta(minutes=60)
REPEAT_AFTER_EMERGENCY = timedelta(minutes=10)
LOCK = 247_000_002

_SENT = Statement(
    select(receipts)
    .where(receipts.c.mailbox == bindparam("mailbox"), receipts.c.request_key == bindparam("request_key"))
    .order_by(receipts.c.at.desc())
    .limit(MAX_PER_REQUEST)
)
_IN_WINDOW = (
    select(receipts.c.contact)
    .where(
        receipts.c.mailbox == bindparam("mailbox"),
        receipts.c.emergency == bindparam("emergency"),
        receipts.c.at > bindparam("since"),
    )
    .limit(bindparam("limit"))
    .subquery()
)
_WINDOW = Statement(
    select(
        func.count().label("in_all"),
        func.count().filter(_IN_WINDOW.c.contact == bindparam("contact")).label("by_contact"),
    ).select_from(_IN_WINDOW)
)
_ADD = Statement(lambda dialect: insert_new(dialect, receipts).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Rates:
    """How many receipts may leave within one hour; emergencies are counted apart (CHANNEL C)."""

    per_contact_hour: int
    all_hour: int


def may_repeat(connection: Connection, *, mailbox: str, request_key: str, arrival: Arrival | None) -> bool:
    """Whether a request that came again may have a receipt: none yet, the last one failed, or it is long enough ago."""
    sent = _SENT.rows(connection, {"mailbox": mailbox, "request_key": key_of(request_key)})
    if not sent:
        return True
    if len(sent) == MAX_PER_REQUEST:
        return False
    wait = REPEAT_AFTER_EMERGENCY if sent[0].emergency else REPEAT_AFTER
    if arrival is not None and arrival.received_at >= sent[0].at + wait:
        return True
    return sent[0].failed_at is not None


def withheld(
    connection: Connection, outcome: Outcome, *, arrival: Arrival, rates: Rates, now: datetime
) -> Withheld | None:
    """Why the receipt that judgement wants to send may not leave."""
    if connection.dialect.name == "postgresql":
        # Two records would otherwise each count without the other's receipt; SQLite has one writer anyway.
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    if not may_repeat(connection, mailbox=arrival.mailbox, request_key=outcome.request_key, arrival=arrival):
        return Withheld.REPEATED
    window = {
        "mailbox": arrival.mailbox,
        "emergency": _is_emergency(outcome),
        "since": now - WINDOW,
        "contact": _contact_of(outcome),
        # more rows than these need not be read to know the answer
        "limit": rates.all_hour,
    }
    (sent,) = _WINDOW.rows(connection, window)
    if sent.by_contact >= rates.per_contact_hour:
        return Withheld.RATE_CONTACT
    return Withheld.RATE_ALL if sent.in_all >= rates.all_hour else None


def add_receipt(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> None:
    """Count a receipt that leaves."""
    row = {
        "arrival_id": arrival.id,
        "mailbox": arrival.mailbox,
        "contact": _contact_of(outcome),
        "emergency": _is_emergency(outcome),
        "request_key": key_of(outcome.request_key),
        "at": now,
        "failed_at": None,
    }
    _ADD.run(connection, row)


def _contact_of(outcome: Outcome) -> str:
    """The counterpart by whom receipts are counted: the contact, else the address written to."""
    return outcome.verdict.contact or storable(outcome.receipts[0].rcpt_tos[0]).lower()


def _is_emergency(outcome: Outcome) -> bool:
    return outcome.verdict.classification.category is Category.EMERGENCY
