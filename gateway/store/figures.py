"""Figures of the store, kept as counters within the transaction that changes them. Counts no rows, ever."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from sqlalchemy import Connection, Executable, func, select

from gateway.model.case import CaseState
from gateway.model.hold import HoldState
from gateway.model.outbox import Purpose
from gateway.model.verdict import Category, Withheld
from gateway.store.engine import insert_new, slot
from gateway.store.statement import Statement
from gateway.store.tables import QUEUED, WAITING, CallState, arrivals, calls, counters, holds, outbox


class Count(StrEnum):
    """What is counted; per (arrival, recipient): accepted = promised + queued deliveries + sent deliveries."""

    ACCEPTED = "accepted"
    PROMISED = "promised"
    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    RETURNED = "returned"
    CASES = "cases"
    RECEIPTS = "receipts"
    DISPATCHED = "dispatched"
    RECORDED = "recorded"
    HELD = "held"


SENT_LABEL = "sent"
Changes = Mapping[tuple[str, Count, str], int]
"""Differences by (mailbox, what, label)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the store at one moment, over all mailboxes."""

    accepted: int
    """(arrival, recipient) pairs that got their 250, ever."""
    promised: int
    """Pairs whose delivery is not yet in the outbox, because the arrival waits for its verdict."""
    waiting: int
    """Arrivals without final verdict."""
    oldest_waiting: datetime | None
    queued: Mapping[Purpose, int]
    oldest_queued: Mapping[Purpose, datetime]
    sent: Mapping[Purpose, int]
    returned: Mapping[Purpose, int]
    cases: Mapping[tuple[Category, CaseState], int]
    receipts: int
    withheld: Mapping[Withheld, int]
    dispatched: int
    """(submitted message, recipient) pairs that got their 250 outward, ever."""
    recorded: int
    """Those of them whose bytes are kept and go nowhere: read receipts."""
    held: int
    """Those of them that wait for a human."""
    oldest_held: datetime | None
    oldest_call: datetime | None
    """Since when somebody should have been woken, and was not."""

    @property
    def unaccounted(self) -> int:
        """Inward pairs that are neither delivered nor queued; anything but 0 is a loss."""
        return self.accepted - self.promised - self.queued[Purpose.DELIVERY] - self.sent[Purpose.DELIVERY]


def change(connection: Connection, *differences: Changes) -> None:
    """Add the differences: once, last in a transaction and in one order, so that two writers never wait crosswise."""
    total: Counter[tuple[str, Count, str]] = Counter()
    for one in differences:
        total.update(one)
    rows = [
        {"mailbox": mailbox, "name": name.value, "label": label, "slot": slot(), "value": value}
        for (mailbox, name, label), value in sorted(total.items())
        if value
    ]
    _ADD.run(connection, *rows)


def _add(dialect: str) -> Executable:
    statement = insert_new(dialect, counters)
    keys = [counters.c.mailbox, counters.c.name, counters.c.label, counters.c.slot]
    added = {"value": counters.c.value + statement.excluded.value}
    return cast("Executable", statement.on_conflict_do_update(index_elements=keys, set_=added))


_ADD = Statement(_add)


def case_label(category: Category, state: CaseState) -> str:
    """Label under which cases of that category and state are counted."""
    return f"{category.value} {state.value}"


def read_figures(connection: Connection) -> Figures:
    """All figures; the cost grows with nothing but what waits."""
    total = func.sum(counters.c.value)
    rows = connection.execute(select(counters.c.name, counters.c.label, total).group_by("name", "label")).all()
    counts = {(name, label): int(value) for name, label, value in rows}

    def plain(name: Count) -> int:
        return counts.get((name.value, ""), 0)

    def by_purpose(name: Count) -> dict[Purpose, int]:
        return {purpose: counts.get((name.value, purpose.value), 0) for purpose in Purpose}

    return Figures(
        accepted=plain(Count.ACCEPTED),
        promised=plain(Count.PROMISED),
        waiting=plain(Count.WAITING),
        oldest_waiting=_oldest_waiting(connection),
        queued=by_purpose(Count.QUEUED),
        oldest_queued=_oldest_queued(connection),
        sent=by_purpose(Count.SENT),
        returned=by_purpose(Count.RETURNED),
        cases={
            (category, state): counts.get((Count.CASES.value, case_label(category, state)), 0)
            for category in Category
            for state in CaseState
        },
        receipts=counts.get((Count.RECEIPTS.value, SENT_LABEL), 0),
        withheld={reason: counts.get((Count.RECEIPTS.value, reason.value), 0) for reason in Withheld},
        dispatched=plain(Count.DISPATCHED),
        recorded=plain(Count.RECORDED),
        held=plain(Count.HELD),
        oldest_held=connection.scalar(_OLDEST_HELD),
        oldest_call=connection.scalar(_OLDEST_CALL),
    )


_OLDEST_HELD = select(func.min(holds.c.held_at)).where(holds.c.state == HoldState.HELD.value)
_OLDEST_CALL = select(func.min(calls.c.made_at)).where(
    calls.c.state == CallState.WAITING.value, calls.c.shared.is_(False)
)


def _oldest_waiting(connection: Connection) -> datetime | None:
    oldest = select(func.min(arrivals.c.received_at)).where(WAITING)
    found: datetime | None = connection.scalar(oldest)
    return found


def _oldest_queued(connection: Connection) -> dict[Purpose, datetime]:
    oldest = select(outbox.c.purpose, func.min(outbox.c.created_at)).where(QUEUED).group_by(outbox.c.purpose)
    return {Purpose(purpose): created_at for purpose, created_at in connection.execute(oldest)}
