"""What officers record in a case: notes, telephone calls, its end, longer periods, the mutual assistance request.

Each is one transaction with its event, which names who did it. Sends nothing; judges no mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, select

from gateway.errors import NotPermitted
from gateway.model.case import CaseState, CaseView
from gateway.model.clock import CallOutcome, CaseClock, Clock, Ending
from gateway.model.trust import Assurance
from gateway.store.cases import keep_case, views_of
from gateway.store.clocks import move, of_case, stop
from gateway.store.codec import codec, storable
from gateway.store.engine import Database
from gateway.store.events import add_event
from gateway.store.figures import change
from gateway.store.tables import Happening, cases

write_facts, _ = codec(dict[str, str])

ENDS_CALL_BACK = {CallOutcome.CONFIRMED: Ending.CONFIRMED, CallOutcome.DENIED: Ending.DENIED}


@dataclass(frozen=True, slots=True)
class Acts:
    """Raises NotPermitted where there is no such case or the act does not fit it, StoreUnavailable when nothing answers."""

    database: Database

    def note(self, reference: str, text: str, *, by: str, number: str, now: datetime) -> None:
        """A note, with the number of the call it is about if it is about one; the case goes on waiting for its answer."""
        facts = {"by": by, "phone": number, "text": text}
        self.database.write(
            lambda connection: _tell(connection, _found(connection, reference), Happening.NOTED, facts, now)
        )

    def call(
        self, reference: str, outcome: CallOutcome, *, number: str, spoke_with: str, by: str, now: datetime
    ) -> None:
        """A call-back; `confirmed` gives the case that assurance, and like `denied` it ends the waiting for the call."""

        def work(connection: Connection) -> None:
            view = _found(connection, reference)
            if outcome is CallOutcome.CONFIRMED:
                _keep(connection, replace(view, assurance=Assurance.CONFIRMED), view.state, now)
            if outcome in ENDS_CALL_BACK:
                stop(connection, view.reference, (Clock.CALL_BACK,), ENDS_CALL_BACK[outcome], now=now)
            facts = {"by": by, "outcome": outcome.value, "number": number, "spoke_with": spoke_with}
            _tell(connection, view, Happening.CALLED, facts, now)

        self.database.write(work)

    def close(self, reference: str, *, reason: str, by: str, now: datetime) -> None:
        """The case waits for nothing any more; a new message of its counterpart opens it again."""

        def work(connection: Connection) -> None:
            view = _found(connection, reference)
            if view.state is CaseState.CLOSED:
                raise NotPermitted(f"{view.reference} is closed already")
            _keep(connection, view, CaseState.CLOSED, now)
            stop(connection, view.reference, Clock, Ending.CLOSED, now=now)
            _tell(connection, view, Happening.CLOSED, {"by": by, "reason": reason}, now)

        self.database.write(work)

    def extend(self, reference: str, *, until: datetime, by: str, now: datetime) -> datetime:
        """The end of preservation before this one; reminders go by the new end, and the request to extend is dealt with."""

        def work(connection: Connection) -> datetime:
            view = _found(connection, reference)
            preserved = _preservation(connection, view)
            if until <= preserved.until:
                raise NotPermitted(
                    f"{view.reference} is preserved until {preserved.until:%Y-%m-%d} already; name a later day"
                )
            move(connection, preserved, until=until, now=now)
            stop(connection, view.reference, (Clock.EXTENSION,), Ending.EXTENDED, now=now)
            facts = {"by": by, "from": f"{preserved.until:%Y-%m-%d}", "until": f"{until:%Y-%m-%d}"}
            _tell(connection, view, Happening.EXTENDED, facts, now)
            return preserved.until

        return self.database.write(work)

    def mla_received(self, reference: str, *, received: date, by: str, now: datetime) -> None:
        """The request for mutual assistance is there: the data stay preserved until it is decided (Article 29(7))."""

        def work(connection: Connection) -> None:
            view = _found(connection, reference)
            _preservation(connection, view)
            ended = (Clock.MLA_FOLLOW_UP, Clock.PRESERVATION_END, Clock.EXTENSION)
            stop(connection, view.reference, ended, Ending.MLA_RECEIVED, now=now)
            _tell(connection, view, Happening.MLA_RECEIVED, {"by": by, "received": f"{received:%Y-%m-%d}"}, now)

        self.database.write(work)


def _found(connection: Connection, reference: str) -> CaseView:
    """The case, locked until the end of the transaction."""
    wanted = select(cases).where(cases.c.reference == storable(reference).upper()).with_for_update()
    views = views_of(connection, connection.execute(wanted).all())
    if not views:
        raise NotPermitted(f"there is no case {reference}; see `cp247 cases list`")
    return views[0]


def _keep(connection: Connection, view: CaseView, state: CaseState, now: datetime) -> None:
    change(connection, keep_case(connection, view, now=now, state=state).changes)


def _preservation(connection: Connection, view: CaseView) -> CaseClock:
    found = next((one for one in of_case(connection, view.reference) if one.clock is Clock.PRESERVATION_END), None)
    if found is None:
        raise NotPermitted(f"nothing is preserved in {view.reference}, as far as the gateway knows")
    return found


def _tell(
    connection: Connection, view: CaseView, happening: Happening, facts: Mapping[str, str], now: datetime
) -> None:
    said = write_facts({key: storable(value) for key, value in facts.items()})
    add_event(connection, happening, mailbox=view.mailbox, at=now, reference=view.reference, facts=said)
