"""The clocks of cases: set going, stopped and told of, each in the transaction that changes its case.

Releases and closes nothing. What is told is told once, however many processes look.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from gateway.channel.clocks import next_moment, passed_step, resumed
from gateway.model.call import Call
from gateway.model.case import CaseView
from gateway.model.clock import CaseClock, Clock, ClockStart, DueClock, Ending
from gateway.model.outbox import OutMail
from gateway.model.verdict import Category
from gateway.store.calls import add_call
from gateway.store.cases import tie, views_of
from gateway.store.clock_table import RUNNING, STEPPING, clocks
from gateway.store.codec import codec
from gateway.store.engine import insert_new
from gateway.store.events import add_event
from gateway.store.figures import change
from gateway.store.outbox import add_mails
from gateway.store.statement import Statement
from gateway.store.tables import Happening, cases

write_facts, _ = codec(dict[str, str])

_START = Statement(lambda dialect: insert_new(dialect, clocks).on_conflict_do_nothing())
_OF_CASE = Statement(select(clocks).where(clocks.c.reference == bindparam("of_case")))
_IS_DUE = Statement(select(clocks.c.clock).where(STEPPING, clocks.c.next_at <= bindparam("now")).limit(1))


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of one due step: a notice to the mailbox, and a call where somebody must be woken."""

    due: CaseClock
    step: str
    mails: tuple[OutMail, ...]
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """How the clocks stand at one moment, over all mailboxes."""

    oldest_unanswered: Mapping[Category, datetime]
    """Since when the oldest case of a category has waited for a human's answer; absent where none waits."""
    overdue: Mapping[Clock, int]
    first_end: datetime | None
    """When the preservation that ends first ends; it may be over."""


def start(connection: Connection, view: CaseView, wanted: Iterable[ClockStart]) -> None:
    """Set clocks of a case going; one that was set before stays as it is."""
    _START.run(connection, *(_row(view, one) for one in wanted))


def resume(connection: Connection, view: CaseView, wanted: tuple[ClockStart, ...]) -> None:
    """Set going what a message that joined the case, or opened it again, sets going."""
    stored = of_case(connection, view.reference)
    for one in resumed(stored, wanted):
        if any(one.clock is other.clock for other in stored):
            connection.execute(update(clocks).where(*_is(view.reference, one.clock)).values(_row(view, one)))
        else:
            start(connection, view, (one,))


def of_case(connection: Connection, reference: str) -> tuple[CaseClock, ...]:
    """All clocks of a case, running or not."""
    return _in_order(map(_clock_of, _OF_CASE.rows(connection, {"of_case": reference})))


def of_cases(connection: Connection, references: Iterable[str]) -> Mapping[str, tuple[CaseClock, ...]]:
    """Clocks by reference; none for a case that has none."""
    found: dict[str, list[CaseClock]] = {}
    named = tuple(references)
    for start_at in range(0, len(named), MAX_NAMED):
        wanted = clocks.c.reference.in_(named[start_at : start_at + MAX_NAMED])
        for row in connection.execute(select(clocks).where(wanted)):
            found.setdefault(row.reference, []).append(_clock_of(row))
    return {reference: _in_order(ones) for reference, ones in found.items()}


MAX_NAMED = 500
"""References in one statement."""


def stop(
    connection: Connection, reference: str, ended: Iterable[Clock], ending: Ending, *, now: datetime
) -> tuple[CaseClock, ...]:
    """The clocks that stand still from now on, as they were; those that stood still already are not among them."""
    named = [one.value for one in ended]
    wanted = (clocks.c.reference == reference, clocks.c.clock.in_(named), RUNNING)
    stopped = update(clocks).where(*wanted).values(ended_at=now, ended_by=ending.value)
    return _in_order(map(_clock_of, connection.execute(stopped.returning(clocks))))


def wait_again(connection: Connection, reference: str, clock: Clock) -> None:
    """Let a clock go on as if it had not ended: what ended it did not happen after all."""
    stopped = (*_is(reference, clock), clocks.c.ended_at.is_not(None))
    connection.execute(update(clocks).where(*stopped).values(ended_at=None, ended_by=None))


def move(connection: Connection, found: CaseClock, *, until: datetime, now: datetime) -> None:
    """Give a clock another end; steps that lie before now are not told of."""
    told = passed_step(found.clock, found.since, until, now)
    values = {
        "until": until,
        "told": told,
        "next_at": next_moment(found.clock, found.since, until, told),
        "ended_at": None,
        "ended_by": None,
    }
    connection.execute(update(clocks).where(*_is(found.reference, found.clock)).values(values))


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether `due` would find something; one look into an index, however many cases there are."""
    return bool(_IS_DUE.rows(connection, {"now": now}))


def due(connection: Connection, *, mailbox: str, now: datetime, limit: int) -> tuple[DueClock, ...]:
    """Clocks of that mailbox with a step to tell, the longest due first, each with its case."""
    waiting = select(clocks).where(STEPPING, clocks.c.next_at <= now, clocks.c.mailbox == mailbox)
    ordered = waiting.order_by(clocks.c.next_at, clocks.c.reference, clocks.c.clock).limit(limit)
    found = tuple(map(_clock_of, connection.execute(ordered)))
    rows = connection.execute(select(cases).where(cases.c.reference.in_({one.reference for one in found})))
    views = {view.reference: view for view in views_of(connection, rows.all())}
    return tuple(DueClock(one, views[one.reference]) for one in found)


def tell(connection: Connection, tellings: Iterable[Telling], *, now: datetime) -> int:
    """How many of the steps were still due: each is written down with its notice, its call and its event."""
    told = [one for one in tellings if _take(connection, one)]
    queued = []
    for one in told:
        for mail in one.mails:
            tie(connection, one.due.reference, mail.message_id, mailbox=one.due.mailbox, now=now)
        queued.append(
            add_mails(
                connection,
                one.mails,
                mailbox=one.due.mailbox,
                cause=f"clock {one.due.reference} {one.due.clock.value} {one.step} {one.due.until.isoformat()}",
                reference=one.due.reference,
                arrival_id=None,
                now=now,
            )
        )
        if one.call is not None:
            add_call(connection, one.call, mailbox=one.due.mailbox, now=now)
        facts = write_facts({"clock": one.due.clock.value, "step": one.step, "until": one.due.until.isoformat()})
        add_event(
            connection, Happening.REMINDED, mailbox=one.due.mailbox, at=now, reference=one.due.reference, facts=facts
        )
    change(connection, *queued)
    return len(told)


def overdue(connection: Connection, now: datetime) -> tuple[str, ...]:
    """References of the cases with a clock that is over, the longest over first."""
    over = select(clocks.c.reference, func.min(clocks.c.until).label("since")).where(
        RUNNING, clocks.c.clock.in_([one.value for one in Clock]), clocks.c.until <= now
    )
    rows = connection.execute(over.group_by(clocks.c.reference).order_by("since", clocks.c.reference))
    return tuple(row.reference for row in rows)


def read_clock_figures(connection: Connection, now: datetime) -> ClockFigures:
    """Figures over the running clocks alone."""
    waiting = RUNNING, clocks.c.clock == Clock.FIRST_ANSWER.value
    oldest = (
        (category, connection.scalar(select(func.min(clocks.c.since)).where(*waiting, _of(category))))
        for category in Category
    )
    over = (RUNNING, clocks.c.until <= now)
    preserved = RUNNING, clocks.c.clock == Clock.PRESERVATION_END.value
    return ClockFigures(
        first_end=connection.scalar(select(func.min(clocks.c.until)).where(*preserved)),
        oldest_unanswered={category: since for category, since in oldest if since is not None},
        overdue={
            clock: connection.scalar(select(func.count()).where(*over, clocks.c.clock == clock.value)) or 0
            for clock in Clock
        },
    )


def waited(stopped: Iterable[CaseClock], now: datetime) -> timedelta | None:
    """How long the answer that stopped these clocks was waited for; None where none was."""
    since = [one.since for one in stopped if one.clock is Clock.FIRST_ANSWER]
    return now - since[0] if since else None


def _take(connection: Connection, telling: Telling) -> bool:
    """Whether the step is ours to tell: another process that tells it, or an end that moves, changes the row first."""
    found = telling.due
    same = (clocks.c.told == found.told, clocks.c.until == found.until, clocks.c.since == found.since, RUNNING)
    values = {"told": telling.step, "next_at": next_moment(found.clock, found.since, found.until, telling.step)}
    return (
        connection.execute(update(clocks).where(*_is(found.reference, found.clock), *same).values(values)).rowcount == 1
    )


def _row(view: CaseView, one: ClockStart) -> dict[str, Any]:
    return {
        "reference": view.reference,
        "clock": one.clock.value,
        "mailbox": view.mailbox,
        "category": view.category.value,
        "since": one.since,
        "until": one.until,
        "told": one.told,
        "next_at": next_moment(one.clock, one.since, one.until, one.told),
        "ended_at": None,
        "ended_by": None,
    }


def _is(reference: str, clock: Clock) -> tuple[Any, Any]:
    return clocks.c.reference == reference, clocks.c.clock == clock.value


def _of(category: Category) -> Any:
    return clocks.c.category == category.value


def _in_order(found: Iterable[CaseClock]) -> tuple[CaseClock, ...]:
    order = tuple(Clock)
    return tuple(sorted(found, key=lambda one: order.index(one.clock)))


def _clock_of(row: Any) -> CaseClock:
    return CaseClock(
        reference=row.reference,
        mailbox=row.mailbox,
        clock=Clock(row.clock),
        category=Category(row.category),
        since=row.since,
        until=row.until,
        told=row.told,
        next_at=row.next_at,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else Ending(row.ended_by),
    )
