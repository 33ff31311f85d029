"""Calls to the duty officer, kept until somebody was reached; a killed process forgets none. Rings nobody itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from gateway.model.call import Call, DueCall, Why
from gateway.model.trust import Assurance
from gateway.store.codec import key_of
from gateway.store.engine import insert_new
from gateway.store.tables import EPOCH, CallState, calls

_WAITING = calls.c.state == CallState.WAITING.value


def add_call(connection: Connection, call: Call, *, mailbox: str, now: datetime) -> bool:
    """Whether it is new; the same cause is called for once."""
    row = {
        "mailbox": mailbox,
        "cause": key_of(call.cause),
        "why": call.why.value,
        "reference": call.case or None,
        "assurance": call.assurance.value,
        "contact": call.contact,
        "shared": call.shared,
        "made_at": now,
        "due_at": now,
        "tries": 0,
        "state": CallState.WAITING.value,
    }
    added = insert_new(connection.dialect.name, calls).on_conflict_do_nothing().returning(calls.c.id)
    return connection.execute(added, [row]).one_or_none() is not None


def claim_calls(
    connection: Connection, *, limit: int, owner: str, now: datetime, lease: timedelta
) -> tuple[DueCall, ...]:
    """Calls that are due, the oldest first, leased to the owner."""
    due = select(calls.c.id).where(_WAITING, calls.c.due_at <= now).order_by(calls.c.id).limit(limit)
    claimed = due.with_for_update(skip_locked=True).cte("due")
    leased = update(calls).where(calls.c.id.in_(select(claimed.c.id)))
    leased = leased.values(owner=owner, due_at=now + lease, tries=calls.c.tries + 1)
    return tuple(sorted(map(_due_call, connection.execute(leased.returning(calls))), key=lambda one: one.id))


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether a claim would find something; asked without taking the write lock."""
    return connection.scalar(select(calls.c.id).where(_WAITING, calls.c.due_at <= now).limit(1)) is not None


def reached(connection: Connection, ids: Sequence[int], *, now: datetime) -> None:
    """Somebody was reached, or nobody is named who could be."""
    done = update(calls).where(calls.c.id.in_(ids), _WAITING)
    connection.execute(done.values(state=CallState.REACHED.value, settled_at=now, owner=None))


def put_off(connection: Connection, ids: Sequence[int], *, until: datetime) -> None:
    """Ring again then."""
    connection.execute(update(calls).where(calls.c.id.in_(ids), _WAITING).values(due_at=until, owner=None))


def last_shared(connection: Connection, why: Why) -> datetime:
    """When the last shared call of that kind reached somebody; the epoch if none did."""
    shared = calls.c.shared.is_(True), calls.c.why == why.value
    found: datetime | None = connection.scalar(select(func.max(calls.c.settled_at)).where(*shared))
    return found or EPOCH


def release(connection: Connection, owner: str, now: datetime) -> None:
    """End every lease of an owner that is no more."""
    connection.execute(update(calls).where(_WAITING, calls.c.owner == owner).values(owner=None, due_at=now))


def _due_call(row: Row[Any]) -> DueCall:
    call = Call(
        why=Why(row.why),
        cause=row.cause,
        case=row.reference or "",
        assurance=Assurance(row.assurance),
        contact=row.contact,
    )
    return DueCall(row.id, call, row.made_at, row.tries)
