"""What authenticated mail of an address has looked like. Judges nothing; who may be remembered is judgement's business."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, select

from gateway.model.history import Appearance, History, Sighting, Trait
from gateway.store.codec import key_of
from gateway.store.engine import insert_new
from gateway.store.statement import Statement
from gateway.store.tables import sightings

MAX_SIGHTINGS = 200
"""The newest so many values of an address are told: a domain that changes its selector each day fills no judge."""

_OF_ADDRESS = Statement(
    select(sightings)
    .where(sightings.c.mailbox == bindparam("mailbox"), sightings.c.address == bindparam("address"))
    # each signed mail has an id of its own: they come last, so that they crowd nothing out
    .order_by(sightings.c.trait == Trait.SIGNATURE_ID.value, sightings.c.last_seen.desc())
    .limit(MAX_SIGHTINGS)
)


def history_of(connection: Connection, *, mailbox: str, address: str) -> History:
    """What is remembered of an address."""
    rows = _OF_ADDRESS.rows(connection, {"mailbox": mailbox, "address": key_of(address)})
    return History(
        tuple(Sighting(Trait(row.trait), row.value, row.first_seen, row.last_seen, row.messages) for row in rows)
    )


def learn(connection: Connection, shown: Appearance, *, mailbox: str, at: datetime) -> None:
    """Count one more message with these traits; whoever learns of the same address at once waits, and loses nothing."""
    common = {"mailbox": mailbox, "address": key_of(shown.address), "first_seen": at, "last_seen": at, "messages": 1}
    # in one order everywhere: two transactions that took the same rows crosswise would stop each other
    traits = sorted({(trait.value, key_of(value)) for trait, value in shown.traits})
    _COUNT.run(connection, *({**common, "trait": trait, "value": value} for trait, value in traits))


def _count(dialect: str) -> Any:
    statement = insert_new(dialect, sightings)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=list(sightings.primary_key.columns),
        set_={
            "first_seen": case((new.first_seen < sightings.c.first_seen, new.first_seen), else_=sightings.c.first_seen),
            "last_seen": case((new.last_seen > sightings.c.last_seen, new.last_seen), else_=sightings.c.last_seen),
            "messages": sightings.c.messages + 1,
        },
    )


_COUNT = Statement(_count)
