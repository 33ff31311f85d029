"""Which clocks a message sets going, and the steps at which the officer is told of one (Convention, Article 29; DOMAIN 2 and 7).

Times in, times out: the moment is always an argument. Nothing here releases, closes or sends anything.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.model.case import CaseView
from gateway.model.clock import CaseClock, Clock, ClockStart, Ending
from gateway.model.verdict import Category, Classification, Kind

CALL_BACK = timedelta(minutes=15)
CALL_BACK_AGAIN = timedelta(minutes=60)
LEAST_PRESERVATION = timedelta(days=60)
"""Budapest Convention, Article 29(7)."""
MLA_EXPECTED = timedelta(days=60)

ASKS_NOTHING = frozenset({Kind.ACKNOWLEDGEMENT, Kind.ANSWER, Kind.CIRCULAR, Kind.AUTO_REPLY, Kind.BOUNCE})
"""Kinds of mail that nobody owes an answer."""
KEEPS_NOTHING = ASKS_NOTHING | {Kind.WITHDRAWAL, Kind.STATUS_QUERY, Kind.NETWORK_TEST}

Moment = Callable[[datetime, datetime], datetime]
"""When a step is due, by the beginning and the end of its clock."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment at which the officer is told."""

    name: str
    at: Moment
    pages: bool = False


def _half(since: datetime, until: datetime) -> datetime:
    return since + (until - since) / 2


def _end(_since: datetime, until: datetime) -> datetime:
    return until


def _before(time: timedelta) -> Moment:
    return lambda _since, until: until - time


def _after(time: timedelta) -> Moment:
    return lambda since, _until: since + time


STEPS: Mapping[Clock, tuple[Step, ...]] = {
    Clock.FIRST_ANSWER: (Step("half", _half), Step("due", _end)),
    Clock.CALL_BACK: (Step("due", _end, pages=True), Step("again", _after(CALL_BACK_AGAIN), pages=True)),
    Clock.PRESERVATION_END: (
        *(Step(f"{days}-days", _before(timedelta(days=days))) for days in (21, 14, 7, 2)),
        Step("due", _end),
    ),
    Clock.EXTENSION: (Step("half", _half), Step("due", _end)),
    Clock.MLA_FOLLOW_UP: (
        Step("ask", _after(timedelta(days=7))),
        Step("45-days", _after(timedelta(days=45))),
        Step("due", _end),
    ),
}
"""The steps of each clock in the order of time. `ask`: the request did not say that mutual assistance will be asked for."""


def clocks_of(
    case: CaseView,
    found: Classification,
    *,
    at: datetime,
    first_answer_minutes: Mapping[Category, int],
    preservation_days: int,
) -> tuple[ClockStart, ...]:
    """The clocks that a message of the case received at that moment sets going; those that run already go on."""
    return tuple(_started(case, found, at, first_answer_minutes, timedelta(days=preservation_days)))


def _started(
    case: CaseView, found: Classification, at: datetime, minutes: Mapping[Category, int], national: timedelta
) -> Iterator[ClockStart]:
    if found.kind in ASKS_NOTHING or case.ours:
        return
    if case.category is not Category.OTHER or case.origin is not None:
        yield ClockStart(Clock.FIRST_ANSWER, at, at + timedelta(minutes=minutes[case.category]))
    if case.category is Category.EMERGENCY:
        yield ClockStart(Clock.CALL_BACK, at, at + CALL_BACK)
    if Category.PRESERVATION in (found.category, *found.secondary) and found.kind not in KEEPS_NOTHING:
        yield ClockStart(Clock.PRESERVATION_END, at, at + max(LEAST_PRESERVATION, national))
        yield ClockStart(Clock.MLA_FOLLOW_UP, at, at + MLA_EXPECTED, told="ask" if found.mla_intended else "")
        if found.kind is Kind.EXTENSION:
            yield ClockStart(Clock.EXTENSION, at, at + timedelta(minutes=minutes[Category.PRESERVATION]))


def steps_left(clock: Clock, since: datetime, until: datetime, told: str) -> tuple[tuple[Step, datetime], ...]:
    """Steps after the one that was told, with their moments; one before the clock began is none."""
    steps = STEPS[clock]
    first = next((place for place, one in enumerate(steps, start=1) if one.name == told), 0)
    timed = ((one, one.at(since, until)) for one in steps[first:])
    return tuple((one, moment) for one, moment in timed if moment > since)


def next_moment(clock: Clock, since: datetime, until: datetime, told: str) -> datetime | None:
    """When the officer is told next; None where no step is left."""
    left = steps_left(clock, since, until, told)
    return left[0][1] if left else None


def due_step(clock: CaseClock, now: datetime) -> Step | None:
    """The step to tell of now, the last that is due: after a pause nobody wants those that it overtook."""
    due = [one for one, moment in steps_left(clock.clock, clock.since, clock.until, clock.told) if moment <= now]
    return due[-1] if due and clock.running else None


def passed_step(clock: Clock, since: datetime, until: datetime, now: datetime) -> str:
    """Name of the last step before that moment, '' where there is none: whoever sets the clock knows of those."""
    passed = [one.name for one, moment in steps_left(clock, since, until, "") if moment <= now]
    return passed[-1] if passed else ""


def resumed(stored: tuple[CaseClock, ...], wanted: tuple[ClockStart, ...]) -> tuple[ClockStart, ...]:
    """What runs from now on that did not, when a message joins its case: new clocks, and those that had ended."""
    named, kept = {one.clock: one for one in wanted}, {one.clock: one for one in stored}
    again = (_again(one, named.get(one.clock)) for one in stored if not one.running)
    return (*(one for one in wanted if one.clock not in kept), *(one for one in again if one is not None))


def _again(ended: CaseClock, wanted: ClockStart | None) -> ClockStart | None:
    """A waiting begins anew; the periods of a case that was closed go on as they were."""
    if ended.clock in (Clock.PRESERVATION_END, Clock.MLA_FOLLOW_UP):
        closed = ended.ended_by is Ending.CLOSED
        return ClockStart(ended.clock, ended.since, ended.until, ended.told) if closed else None
    return None if ended.ended_by is Ending.CONFIRMED else wanted
