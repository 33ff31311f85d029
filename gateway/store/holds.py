"""Answers that are held: kept with their bytes, reminded of, released or given back. Releases none by itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.channel.patience import Step
from gateway.model.channel import Dispatch
from gateway.model.hold import Hold, HoldState
from gateway.model.message import Envelope
from gateway.model.outbox import OutMail, Purpose
from gateway.model.verdict import Category
from gateway.store.cases import tie
from gateway.store.codec import codec, key_of
from gateway.store.content import add_content
from gateway.store.events import add_event
from gateway.store.figures import Changes, Count, change
from gateway.store.intake import read_envelope, recipients_of, write_envelope
from gateway.store.outbox import add_mails
from gateway.store.tables import Happening, cases, holds

write_facts, _ = codec(dict[str, str])


def keep_hold(
    connection: Connection,
    dispatch: Dispatch,
    *,
    mailbox: str,
    envelope: Envelope,
    content: bytes,
    sha256: str,
    now: datetime,
) -> None:
    """Keep the answer with its bytes and queue its notice; what is held already is neither kept nor told of again."""
    if _held(connection, mailbox, sha256) is not None:
        return
    decision, pairs = dispatch.decision, len(recipients_of(envelope))
    row = {
        "mailbox": mailbox,
        "number": decision.number,
        "rule": decision.rule,
        "reference": decision.case,
        "category": _category(connection, decision.case).value,
        "message_id": key_of(dispatch.message_id or ""),
        "envelope": write_envelope(envelope),
        "content_id": add_content(connection, mailbox, content),
        "sha256": sha256,
        "reply": decision.reply,
        "pairs": pairs,
        "held_at": now,
        "state": HoldState.HELD.value,
    }
    kept = connection.execute(insert(holds).returning(holds), [row]).one()
    noticed = [_notify(connection, kept, one, cause=f"hold {kept.id}", now=now) for one in dispatch.mails]
    change(connection, *noticed, {(mailbox, Count.DISPATCHED, ""): pairs, (mailbox, Count.HELD, ""): pairs})
    _tell(connection, Happening.HELD, kept, now=now)


def open_holds(connection: Connection, *, limit: int) -> tuple[Hold, ...]:
    """Held answers, the oldest first."""
    held = select(holds).where(holds.c.state == HoldState.HELD.value).order_by(holds.c.held_at, holds.c.id)
    return tuple(map(hold_of, connection.execute(held.limit(limit))))


def find_hold(connection: Connection, hold_id: int) -> Hold | None:
    """One held answer, whatever became of it."""
    row = connection.execute(select(holds).where(holds.c.id == hold_id)).one_or_none()
    return None if row is None else hold_of(row)


def mark(connection: Connection, hold_id: int, *, step: Step, notice: OutMail, now: datetime) -> bool:
    """Whether the step was due and is written down now, its notice queued."""
    row = _locked(connection, hold_id)
    done = {Step.REMIND: row.reminded_at, Step.PAGE: row.paged_at}.get(step)
    if row.state != HoldState.HELD.value or done is not None:
        return False
    if step is Step.RETURN:
        changes = _give_back(connection, row, now=now)
    else:
        changes = {}
        at = {"reminded_at": now} if step is Step.REMIND else {"paged_at": now}
        connection.execute(update(holds).where(holds.c.id == hold_id).values(at))
    change(connection, changes, _notify(connection, row, notice, cause=f"hold {hold_id} {step.value}", now=now))
    _tell(connection, Happening.GIVEN_BACK if step is Step.RETURN else Happening.REMINDED, row, now=now)
    return True


def release(connection: Connection, *, mailbox: str, sha256: str, now: datetime) -> Changes:
    """What changes in the counters when this mail leaves: it is held no more, and counted as dispatched where it is queued."""
    hold_id = _held(connection, mailbox, sha256)
    if hold_id is None:
        return {}
    row = _locked(connection, hold_id)
    _settle(connection, hold_id, HoldState.RELEASED, now=now)
    _tell(connection, Happening.RELEASED, row, now=now)
    return {(row.mailbox, Count.HELD, ""): -row.pairs, (row.mailbox, Count.DISPATCHED, ""): -row.pairs}


def hold_of(row: Row[Any]) -> Hold:
    """The value of a row."""
    return Hold(
        id=row.id,
        number=row.number,
        rule=row.rule,
        case=row.reference,
        category=Category(row.category),
        message_id=row.message_id,
        envelope=read_envelope(row.envelope),
        content_id=row.content_id,
        reply=row.reply,
        held_at=row.held_at,
        reminded_at=row.reminded_at,
        paged_at=row.paged_at,
        state=HoldState(row.state),
        settled_at=row.settled_at,
    )


def _held(connection: Connection, mailbox: str, sha256: str) -> int | None:
    same = (holds.c.mailbox == mailbox, holds.c.sha256 == sha256, holds.c.state == HoldState.HELD.value)
    found: int | None = connection.scalar(select(holds.c.id).where(*same))
    return found


def _category(connection: Connection, reference: str | None) -> Category:
    """Category of the case: an emergency waits less long."""
    found = connection.scalar(select(cases.c.category).where(cases.c.reference == reference)) if reference else None
    return Category(found) if found else Category.OTHER


def _give_back(connection: Connection, row: Row[Any], *, now: datetime) -> Changes:
    _settle(connection, row.id, HoldState.RETURNED, now=now)
    returned = (row.mailbox, Count.RETURNED, Purpose.ANSWER.value)
    return {(row.mailbox, Count.HELD, ""): -row.pairs, returned: row.pairs}


def _locked(connection: Connection, hold_id: int) -> Row[Any]:
    return connection.execute(select(holds).where(holds.c.id == hold_id).with_for_update()).one()


def _settle(connection: Connection, hold_id: int, state: HoldState, *, now: datetime) -> None:
    connection.execute(update(holds).where(holds.c.id == hold_id).values(state=state.value, settled_at=now))


def _notify(connection: Connection, row: Row[Any], notice: OutMail, *, cause: str, now: datetime) -> Changes:
    if row.reference is not None:
        # CHANNEL A2: who replies to the notice means the case.
        tie(connection, row.reference, notice.message_id, mailbox=row.mailbox, now=now)
    return add_mails(
        connection, (notice,), mailbox=row.mailbox, cause=cause, reference=row.reference, arrival_id=None, now=now
    )


def _tell(connection: Connection, happening: Happening, row: Row[Any], *, now: datetime) -> None:
    facts = write_facts({"number": row.number, "hold": str(row.id), "rule": row.rule})
    add_event(connection, happening, mailbox=row.mailbox, at=now, reference=row.reference, facts=facts)
