"""How the clocks of a case are shown, in words and as JSON. Changes nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.table import Column, Table

from gateway.cli.journal_view import shown, written
from gateway.model.clock import CaseClock, Clock, Ending

WAITS_FOR = {
    Clock.FIRST_ANSWER: "an answer",
    Clock.CALL_BACK: "the call-back",
    Clock.PRESERVATION_END: "end of preservation",
    Clock.EXTENSION: "a decision on the extension",
    Clock.MLA_FOLLOW_UP: "the mutual assistance request",
}
ENDED = {
    Ending.ANSWERED: "answered",
    Ending.CONFIRMED: "confirmed",
    Ending.DENIED: "denied",
    Ending.EXTENDED: "extended",
    Ending.MLA_RECEIVED: "mutual assistance request received: preserve until it is decided",
    Ending.CLOSED: "case closed",
}


def clocks_json(clocks: Iterable[CaseClock], now: datetime) -> dict[str, Any]:
    """The keys that a case has for its clocks."""
    known = tuple(clocks)
    due = _next(known)
    return {
        "due_at": None if due is None else written(due.until),
        "overdue": [one.clock.value for one in known if one.overdue(now)],
        "clocks": [
            {
                "clock": one.clock.value,
                "since": written(one.since),
                "until": written(one.until),
                "told": one.told or None,
                "ended_at": None if one.ended_at is None else written(one.ended_at),
                "ended_by": None if one.ended_by is None else one.ended_by.value,
            }
            for one in known
        ],
    }


def due_cell(clocks: Iterable[CaseClock], now: datetime) -> str:
    """What the case waits for next and until when, on one line of a table."""
    found = _next(tuple(clocks))
    if found is None:
        return "-"
    said = f"{shown(found.until)} {found.clock.value}"
    return f"[bold red]OVERDUE {said}[/]" if found.overdue(now) else said


def clock_table(clocks: Iterable[CaseClock], now: datetime) -> Table:
    """All clocks of a case."""
    table = Table("waits for", "since", Column("until", no_wrap=True), "stands", box=None)
    for one in clocks:
        table.add_row(WAITS_FOR[one.clock], shown(one.since), shown(one.until), _stands(one, now))
    return table


def _next(clocks: tuple[CaseClock, ...]) -> CaseClock | None:
    """The running clock that is over first."""
    return min((one for one in clocks if one.running), key=lambda one: one.until, default=None)


def _stands(one: CaseClock, now: datetime) -> str:
    if one.ended_at is not None and one.ended_by is not None:
        return f"{ENDED[one.ended_by]}, {shown(one.ended_at)}"
    return "[bold red]OVERDUE[/]" if one.overdue(now) else "runs"
