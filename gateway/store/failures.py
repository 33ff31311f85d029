"""What of ours did not arrive: an answer that failed, receipts that came back; each in the transaction that learns of it.

A case fails once for an answer, however many reports come back about it; whoever must be woken is called for here, so that a
killed process forgets nobody.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update

from gateway.model.call import Call, Why
from gateway.model.case import CaseState
from gateway.model.clock import Clock
from gateway.store.calls import add_call
from gateway.store.cases import set_state
from gateway.store.clocks import wait_again
from gateway.store.events import add_event
from gateway.store.figures import Changes
from gateway.store.receipt_tables import receipts
from gateway.store.tables import Happening, cases, events

FAILURES = 2
"""Receipts that must come back before somebody is woken."""
WITHIN = timedelta(days=14)
"""As long as a return path of ours is read."""

_OF_CASE = select(events.c.arrival_id).where(
    events.c.reference == bindparam("reference"), events.c.arrival_id.is_not(None)
)


def answer_failed(
    connection: Connection, reference: str, *, mailbox: str, cause: str, facts: str, now: datetime,
    arrival_id: int | None = None,
) -> Changes:  # fmt: skip
    """Counters after the case of an answer that did not arrive has failed; somebody is called once for that cause."""
    changes = set_state(connection, reference, CaseState.ANSWER_FAILED, now=now)
    wait_again(connection, reference, Clock.FIRST_ANSWER)
    add_event(
        connection, Happening.RETURNED, mailbox=mailbox, at=now, reference=reference, arrival_id=arrival_id, facts=facts
    )
    add_call(connection, Call(Why.ANSWER_FAILED, cause=cause, case=reference), mailbox=mailbox, now=now)
    return changes


def has_failed(connection: Connection, reference: str) -> bool:
    """Whether the case is known to have an answer that did not arrive."""
    state = connection.scalar(select(cases.c.state).where(cases.c.reference == reference))
    return bool(state == CaseState.ANSWER_FAILED)


def receipt_failed(connection: Connection, reference: str, *, mailbox: str, now: datetime) -> None:
    """The newest receipt of a case did not arrive; when two of one contact did not, somebody is called, once a day."""
    newest = (
        select(receipts.c.arrival_id, receipts.c.contact, receipts.c.failed_at)
        .where(receipts.c.arrival_id.in_(_OF_CASE))
        .order_by(receipts.c.at.desc(), receipts.c.arrival_id.desc())
        .limit(1)
    )
    row = connection.execute(newest, {"reference": reference}).one_or_none()
    if row is None or row.failed_at is not None:
        return
    connection.execute(update(receipts).where(receipts.c.arrival_id == row.arrival_id).values(failed_at=now))
    # An address beside the directory is nobody's counterpart: there is no number to call.
    if "@" not in row.contact and _failures(connection, row.contact, mailbox, since=now - WITHIN) >= FAILURES:
        cause = f"unreachable {row.contact} {now:%Y-%m-%d}"
        call = Call(Why.UNREACHABLE, cause=cause, case=reference, contact=row.contact)
        add_call(connection, call, mailbox=mailbox, now=now)


def _failures(connection: Connection, contact: str, mailbox: str, *, since: datetime) -> int:
    found = select(func.count()).where(
        receipts.c.mailbox == mailbox, receipts.c.contact == contact, receipts.c.failed_at > since
    )
    return int(connection.scalar(found) or 0)
