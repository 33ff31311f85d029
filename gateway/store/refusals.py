"""Refusals that officers were given, by their number, and the mails that come again by themselves. Decides nothing."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.model.channel import Dispatch, Waiver
from gateway.model.hold import Refusal
from gateway.store.codec import codec, key_of, storable
from gateway.store.engine import insert_new
from gateway.store.tables import refusals, refused_mails

BY_ITSELF = timedelta(seconds=60)
"""Whoever reads the refusal and presses Send again does so sooner, or with another mail; an outbox tries later (CHANNEL A4)."""

write_names, read_names = codec(tuple[str, ...])


def keep_refusal(
    connection: Connection, dispatch: Dispatch, *, mailbox: str, recipients: tuple[str, ...], now: datetime
) -> None:
    """Remember the number the officer was given; the same number again is the same entry, later."""
    decision, login = dispatch.decision, dispatch.login
    row = {
        "mailbox": mailbox,
        "number": decision.number,
        "rule": decision.rule,
        "row": decision.row,
        "waiver": decision.waiver.value,
        "reference": decision.case,
        "sender": storable(dispatch.sender),
        "login": None if login is None else storable(login),
        "recipients": write_names(recipients),
        "reply": decision.reply,
        "first_at": now,
        "last_at": now,
        "times": 1,
    }
    statement = insert_new(connection.dialect.name, refusals)
    again = {"last_at": now, "times": refusals.c.times + 1, "login": statement.excluded.login}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[refusals.c.mailbox, refusals.c.number], set_=again), [row]
    )


def find_refusal(connection: Connection, mailbox: str, number: str) -> Refusal | None:
    """What a number stands for."""
    wanted = (refusals.c.mailbox == mailbox, refusals.c.number == number.upper())
    row = connection.execute(select(refusals).where(*wanted)).one_or_none()
    return None if row is None else _refusal_of(row)


def comes_by_itself(connection: Connection, message_id: str, *, mailbox: str, now: datetime) -> bool:
    """Whether this mail was refused before and is now told of, the first time."""
    key = key_of(message_id)
    added = insert_new(connection.dialect.name, refused_mails).on_conflict_do_nothing()
    connection.execute(added, [{"mailbox": mailbox, "message_id": key, "first_at": now}])
    due = update(refused_mails).where(
        refused_mails.c.mailbox == mailbox,
        refused_mails.c.message_id == key,
        refused_mails.c.first_at < now - BY_ITSELF,
        refused_mails.c.told_at.is_(None),
    )
    return connection.execute(due.values(told_at=now)).rowcount == 1


def _refusal_of(row: Row[Any]) -> Refusal:
    return Refusal(
        number=row.number,
        rule=row.rule,
        row=row.row,
        waiver=Waiver(row.waiver),
        case=row.reference,
        sender=row.sender,
        login=row.login,
        recipients=read_names(row.recipients),
        reply=row.reply,
        first_at=row.first_at,
        last_at=row.last_at,
        times=row.times,
    )
