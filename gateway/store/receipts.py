"""Which receipts left, and whether one more may: resends and rate windows. Never keeps a request from delivery."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from gateway.model.message import Arrival
from gateway.model.outbox import Purpose
from gateway.model.outcome import Outcome
from gateway.model.verdict import Category, Withheld
from gateway.store.codec import key_of, storable
from gateway.store.engine import insert_new
from gateway.store.tables import MailState, outbox, receipts

WINDOW = timedelta(hours=1)
MAX_PER_REQUEST = 3
REPEAT_AFTER = timedelta(minutes=60)
REPEAT_AFTER_EMERGENCY = timedelta(minutes=10)
LOCK = 247_000_002

# Built once: putting a statement together costs more than running it.
_SENT = (
    select(receipts)
    .where(receipts.c.mailbox == bindparam("mailbox"), receipts.c.request_key == bindparam("request_key"))
    .order_by(receipts.c.at.desc())
    .limit(MAX_PER_REQUEST)
)
_WINDOW = (
    select(receipts.c.arrival_id)
    .where(
        receipts.c.mailbox == bindparam("mailbox"),
        receipts.c.emergency == bindparam("emergency"),
        receipts.c.at > bindparam("since"),
    )
    .limit(bindparam("limit"))
)
_IN_ALL = select(func.count()).select_from(_WINDOW.subquery())
_BY_CONTACT = select(func.count()).select_from(_WINDOW.where(receipts.c.contact == bindparam("contact")).subquery())


@dataclass(frozen=True, slots=True)
class Rates:
    """How many receipts may leave within one hour; emergencies are counted apart (CHANNEL C)."""

    per_contact_hour: int
    all_hour: int


def may_repeat(connection: Connection, *, mailbox: str, request_key: str, arrival: Arrival | None) -> bool:
    """Whether a request that came again may have a receipt: none yet, the last one failed, or it is long enough ago."""
    sent = connection.execute(_SENT, {"mailbox": mailbox, "request_key": key_of(request_key)}).all()
    if not sent:
        return True
    if len(sent) == MAX_PER_REQUEST:
        return False
    wait = REPEAT_AFTER_EMERGENCY if sent[0].emergency else REPEAT_AFTER
    if arrival is not None and arrival.received_at >= sent[0].at + wait:
        return True
    return _failed(connection, sent[0].arrival_id)


def withheld(
    connection: Connection, outcome: Outcome, *, arrival: Arrival, rates: Rates, now: datetime
) -> Withheld | None:
    """Why the receipt that judgement wants to send may not leave."""
    if connection.dialect.name == "postgresql":
        # Two records would otherwise each count without the other's receipt; SQLite has one writer anyway.
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    window = {
        "mailbox": arrival.mailbox,
        "emergency": _is_emergency(outcome),
        "since": now - WINDOW,
        "contact": _contact_of(outcome),
    }
    grounds: tuple[tuple[Withheld, Callable[[], bool]], ...] = (
        (
            Withheld.REPEATED,
            lambda: (
                not may_repeat(connection, mailbox=arrival.mailbox, request_key=outcome.request_key, arrival=arrival)
            ),
        ),
        (Withheld.RATE_CONTACT, lambda: _reached(connection, _BY_CONTACT, window, rates.per_contact_hour)),
        (Withheld.RATE_ALL, lambda: _reached(connection, _IN_ALL, window, rates.all_hour)),
    )
    return next((reason for reason, applies in grounds if applies()), None)


def add_receipt(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> None:
    """Count a receipt that leaves."""
    row = {
        "arrival_id": arrival.id,
        "mailbox": arrival.mailbox,
        "contact": _contact_of(outcome),
        "emergency": _is_emergency(outcome),
        "request_key": key_of(outcome.request_key),
        "at": now,
    }
    connection.execute(_add(connection.dialect.name), [row])


@cache
def _add(dialect: str) -> Any:
    return insert_new(dialect, receipts).on_conflict_do_nothing()


def _contact_of(outcome: Outcome) -> str:
    """The counterpart by whom receipts are counted: the contact, else the address written to."""
    return outcome.verdict.contact or storable(outcome.receipts[0].rcpt_tos[0]).lower()


def _is_emergency(outcome: Outcome) -> bool:
    return outcome.verdict.classification.category is Category.EMERGENCY


def _reached(connection: Connection, count: Select[Any], window: dict[str, object], limit: int) -> bool:
    """Whether so many receipts stand in the window; reads at most that many rows."""
    return int(connection.execute(count, {**window, "limit": limit}).scalar_one()) == limit


def _failed(connection: Connection, arrival_id: int) -> bool:
    returned = select(outbox.c.id).where(
        outbox.c.arrival_id == arrival_id,
        outbox.c.purpose == Purpose.RECEIPT.value,
        outbox.c.state == MailState.RETURNED.value,
    )
    return connection.scalar(returned.limit(1)) is not None
