"""Arrivals: taken in before their 250, handed to judgement by lease, put back. Decides nothing about a message."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from gateway.model.message import Arrival, Envelope, Incoming, Source
from gateway.store.codec import codec, storable
from gateway.store.content import add_bodies, read_contents
from gateway.store.engine import insert_new
from gateway.store.figures import Changes, Count, change
from gateway.store.statement import Statement, among
from gateway.store.tables import WAITING, ArrivalState, arrivals, contents, events, running_numbers

write_envelope, read_envelope = codec(Envelope)

_ADD = Statement(insert(arrivals).returning(arrivals.c.id))
_SEEN = select(arrivals, contents.c.sha256).join(contents, contents.c.id == arrivals.c.content_id)
_LOCKED = Statement(_SEEN.where(arrivals.c.id == bindparam("arrival_id")).with_for_update(of=arrivals))
_DUE = (
    select(arrivals.c.id)
    .where(WAITING, arrivals.c.due_at <= bindparam("now"))
    .order_by(arrivals.c.due_at, arrivals.c.id)
    .limit(bindparam("limit"))
)
_IS_DUE = Statement(_DUE)
_LEASE = Statement(
    update(arrivals)
    .where(arrivals.c.id.in_(select(_DUE.with_for_update(skip_locked=True).cte("due").c.id)))
    .values(
        {
            "owner": bindparam("by"),
            "due_at": bindparam("until", type_=arrivals.c.due_at.type),
            "tries": arrivals.c.tries + 1,
        }
    )
    .returning(arrivals.c.id)
)
_CLAIMED = Statement(lambda dialect: _SEEN.where(among(dialect, arrivals.c.id, "ids")).order_by(arrivals.c.id))


@dataclass(frozen=True, slots=True)
class Claim:
    """An arrival leased to one judge loop; `tries` counts this one."""

    arrival: Arrival
    tries: int


def recipients_of(envelope: Envelope) -> tuple[str, ...]:
    """Recipients, each once: what accepted, delivered and queued are counted by."""
    return tuple(dict.fromkeys(storable(one) for one in envelope.rcpt_tos))


def take_in(connection: Connection, batch: Sequence[Incoming]) -> tuple[int, ...]:
    """Arrival ids in the order of the batch."""
    content_ids = add_bodies(connection, [(one.mailbox, one.body) for one in batch])
    numbers = _reserve_numbers(connection, batch)
    rows = [
        {
            "mailbox": one.mailbox,
            "received_at": one.received_at,
            "source": one.source.value,
            "envelope": write_envelope(one.envelope),
            "content_id": content_id,
            "year": one.received_at.astimezone(UTC).year,
            "number": number,
            "state": ArrivalState.WAITING.value,
            "due_at": one.received_at,
            "owner": None,
            "tries": 0,
            "reference": None,
        }
        for one, content_id, number in zip(batch, content_ids, numbers, strict=True)
    ]
    ids = tuple(_ADD.one(connection, row).id for row in rows)
    change(connection, *map(_promises, batch))
    return ids


def claim(connection: Connection, *, limit: int, owner: str, now: datetime, lease: timedelta) -> list[Any]:
    """Rows of arrivals that are due, the longest due first, leased to the owner, for `claims_of`."""
    leased = _LEASE.rows(connection, {"now": now, "until": now + lease, "by": owner, "limit": limit})
    return _CLAIMED.rows(connection, {"ids": [row.id for row in leased]}) if leased else []


def claims_of(connection: Connection, rows: Sequence[Any]) -> tuple[Claim, ...]:
    """The same with their bytes, which never change: they are read when the turn to write is another's again."""
    found = read_contents(connection, [row.content_id for row in rows]) if rows else {}
    return tuple(Claim(arrival_of(row, found.get(row.content_id, b"")), row.tries) for row in rows)


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether a claim would find something; asked without taking the write lock."""
    return bool(_IS_DUE.rows(connection, {"now": now, "limit": 1}))


def postpone(connection: Connection, arrival_id: int, *, until: datetime, tries: int) -> None:
    """Give the lease back; the arrival is due again at that time."""
    again = {"due_at": until, "owner": None, "tries": tries}
    connection.execute(update(arrivals).where(arrivals.c.id == arrival_id, WAITING).values(again))


def hurry(connection: Connection, arrival_id: int, *, now: datetime) -> bool:
    """Whether an arrival that waits for its verdict is due now; one that is being judged, or was, is left alone."""
    waiting = update(arrivals).where(arrivals.c.id == arrival_id, WAITING, arrivals.c.owner.is_(None))
    return connection.execute(waiting.values(due_at=now)).rowcount == 1


def release(connection: Connection, owner: str, now: datetime) -> None:
    """End every lease of an owner that is no more."""
    connection.execute(
        update(arrivals).where(WAITING, arrivals.c.owner == owner).values({"owner": None, "due_at": now})
    )


def locked(connection: Connection, arrival_id: int) -> Any:
    """The arrival's row with the digest of its content, held until the transaction ends."""
    return _LOCKED.one(connection, {"arrival_id": arrival_id})


def seen() -> Select[Any]:
    """Query for arrivals with the digest of their content, for `arrival_of`."""
    return _SEEN


def arrivals_of_case(reference: str) -> Select[Any]:
    """Query for the ids of arrivals that were judged to belong to a case; events name them all."""
    return select(events.c.arrival_id).where(events.c.reference == reference)


def arrival_of(row: Any, content: bytes) -> Arrival:
    """The arrival as a value."""
    return Arrival(
        id=row.id,
        mailbox=row.mailbox,
        received_at=row.received_at,
        envelope=read_envelope(row.envelope),
        content=content,
        sha256=row.sha256,
        source=Source(row.source),
        number=row.number,
    )


def _promises(incoming: Incoming) -> Changes:
    pairs = len(recipients_of(incoming.envelope))
    mailbox = incoming.mailbox
    return {
        (mailbox, Count.ACCEPTED, ""): pairs,
        (mailbox, Count.PROMISED, ""): pairs,
        (mailbox, Count.WAITING, ""): 1,
    }


def reserve_number(connection: Connection, mailbox: str, *, now: datetime) -> int:
    """The next running number of that UTC year."""
    return _advance(connection, mailbox, now.astimezone(UTC).year, by=1)


def _reserve_numbers(connection: Connection, batch: Sequence[Incoming]) -> list[int]:
    """One running number each, counted per mailbox and UTC year of arrival; one that is not committed leaves a gap."""
    groups = Counter((one.mailbox, one.received_at.astimezone(UTC).year) for one in batch)
    following = {group: _advance(connection, *group, by=size) - size for group, size in sorted(groups.items())}
    numbers = []
    for one in batch:
        group = (one.mailbox, one.received_at.astimezone(UTC).year)
        following[group] += 1
        numbers.append(following[group])
    return numbers


def _advance(connection: Connection, mailbox: str, year: int, *, by: int) -> int:
    return int(_ADVANCE.one(connection, {"mailbox": mailbox, "year": year, "last": by}).last)


def _advance_by(dialect: str) -> Any:
    statement = insert_new(dialect, running_numbers)
    return statement.on_conflict_do_update(
        index_elements=[running_numbers.c.mailbox, running_numbers.c.year],
        set_={"last": running_numbers.c.last + statement.excluded.last},
    ).returning(running_numbers.c.last)


_ADVANCE = Statement(_advance_by)
