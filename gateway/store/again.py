"""Verdicts given again when keys have changed: beside those there are, never in their place.

Nothing is delivered again, and no verdict, event or mail that is there is changed. A receipt leaves only if none ever did.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, or_, select

from gateway.model.case import CaseState, CaseView
from gateway.model.message import Arrival
from gateway.model.outcome import Outcome
from gateway.model.trust import AuthResult, Method
from gateway.model.verdict import ReceiptDecision, Withheld
from gateway.store.cases import keep_case, views_of
from gateway.store.codec import storable
from gateway.store.content import read_contents
from gateway.store.engine import Database
from gateway.store.events import add_event
from gateway.store.figures import SENT_LABEL, Changes, Count, change
from gateway.store.history import learn
from gateway.store.intake import arrival_of, locked, seen
from gateway.store.outbox import add_mails
from gateway.store.receipt_tables import receipts
from gateway.store.receipts import Rates, add_receipt, withheld
from gateway.store.tables import ArrivalState, Happening, arrivals, cases, events, verdicts
from gateway.store.verdicts import event_facts, read_outcome, stored_outcome, wind, write_facts, write_outcome
from gateway.store.withheld import settle as settle_withheld

RECEIPT_WITHIN = timedelta(days=14)
"""As long as a return path of ours is good; after that a receipt would only puzzle its reader."""
MAX_FOUND = 500


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict of a message."""

    number: int
    """1, then one more each time it was judged again."""
    judged_at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it was judged last."""

    arrival: Arrival
    case: CaseView
    opened: bool
    """It opened its case."""
    latest: Outcome


@dataclass(frozen=True, slots=True)
class Signed:
    """A stored message in which a key had a part, as its latest verdict says."""

    arrival_id: int
    reference: str
    received_at: datetime
    result: AuthResult


@dataclass(frozen=True, slots=True)
class Again:
    """What the journal does for whoever judges stored messages again."""

    database: Database

    def judgements(self, arrival_id: int) -> tuple[Judgement, ...]:
        """All verdicts of a message in order."""
        with self.database.reading() as connection:
            return judgements(connection, arrival_id)

    def stored(self, reference: str) -> tuple[Stored, ...]:
        """The judged messages of a case with their bytes, oldest first; none where there is no such case."""
        with self.database.reading() as connection:
            return stored(connection, reference)

    def signed_by(self, names: Iterable[str]) -> tuple[Signed, ...]:
        """Messages whose latest verdict names one of these fingerprints or key ids, oldest first."""
        with self.database.reading() as connection:
            return signed_by(connection, names)

    def record(
        self, arrival_id: int, outcome: Outcome, *, now: datetime, per_contact_hour: int, all_hour: int, by: str
    ) -> Judgement:
        """Commit one more verdict beside those there are; a receipt leaves if none did and it is not too late for it."""
        rates = Rates(per_contact_hour=per_contact_hour, all_hour=all_hour)
        return self.database.write(
            lambda connection: record_again(connection, arrival_id, outcome, now=now, rates=rates, by=by)
        )


def judgements(connection: Connection, arrival_id: int) -> tuple[Judgement, ...]:
    """All verdicts of a message in order."""
    rows = connection.execute(select(verdicts).where(verdicts.c.arrival_id == arrival_id).order_by(verdicts.c.number))
    return tuple(Judgement(row.number, row.judged_at, read_outcome(row.outcome)) for row in rows)


def stored(connection: Connection, reference: str) -> tuple[Stored, ...]:
    """The messages of a case that have their verdict, with bytes, oldest first."""
    row = connection.execute(select(cases).where(cases.c.reference == storable(reference).upper())).one_or_none()
    if row is None:
        return ()
    view, named = views_of(connection, [row])[0], select(events.c.arrival_id).where(events.c.reference == row.reference)
    judged = arrivals.c.id.in_(named), arrivals.c.state == ArrivalState.JUDGED.value
    found = connection.execute(seen().where(*judged, arrivals.c.reference == view.reference).order_by(arrivals.c.id))
    lines = found.all()
    octets = read_contents(connection, (one.content_id for one in lines))
    return tuple(
        Stored(
            arrival_of(one, octets.get(one.content_id, b"")),
            view,
            one.id == row.arrival_id,
            stored_outcome(connection, one.id),
        )
        for one in lines
    )


def signed_by(connection: Connection, names: Iterable[str]) -> tuple[Signed, ...]:
    """Messages whose latest verdict names one of these fingerprints or key ids, oldest first; at most 500, the newest.

    Reads every verdict: asked by an administrator who changes a key, never on the road.
    """
    wanted = frozenset(names)
    naming = or_(*(verdicts.c.outcome.like(f'%"identity":"{one}"%') for one in sorted(wanted)))
    ids = connection.scalars(
        select(verdicts.c.arrival_id).where(naming).distinct().order_by(verdicts.c.arrival_id.desc()).limit(MAX_FOUND)
    ).all()
    rows = connection.execute(
        select(arrivals.c.id, arrivals.c.reference, arrivals.c.received_at).where(arrivals.c.id.in_(ids))
    )
    latest = ((row, stored_outcome(connection, row.id)) for row in sorted(rows, key=lambda row: row.id))
    return tuple(
        Signed(row.id, row.reference, row.received_at, result)
        for row, outcome in latest
        for result in [
            one for one in outcome.verdict.results if one.method is Method.OPENPGP and one.identity in wanted
        ][:1]
    )


def record_again(
    connection: Connection, arrival_id: int, outcome: Outcome, *, now: datetime, rates: Rates, by: str
) -> Judgement:
    """Commit one more verdict of a message that has one; `by` is the login of whoever asked for it."""
    row = locked(connection, arrival_id)
    before, arrival = stored_outcome(connection, arrival_id), arrival_of(row, b"")
    state = _state(connection, row.reference)
    outcome = _with_receipt_due(connection, outcome, arrival=arrival, state=state, rates=rates, now=now)
    sent = tuple(mail.message_id for mail in outcome.receipts)
    view = replace(outcome.case, thread=tuple(dict.fromkeys((*outcome.case.thread, *sent))))
    kept = keep_case(connection, view, now=now, state=state)
    outcome = replace(outcome, case=kept.view, opens=False)
    wind(connection, outcome, kept)
    change(connection, kept.changes, _send(connection, outcome, arrival=arrival, now=now))
    if before.appearance is None and outcome.appearance is not None:
        learn(connection, outcome.appearance, mailbox=arrival.mailbox, at=arrival.received_at)
    facts = {**event_facts(outcome), "before": before.verdict.assurance.value, "by": by}
    add_event(
        connection, Happening.JUDGED_AGAIN, mailbox=arrival.mailbox, at=now, reference=kept.view.reference,
        arrival_id=arrival_id, facts=write_facts(facts),
    )  # fmt: skip
    return _keep(connection, outcome, arrival=arrival, now=now)


def _state(connection: Connection, reference: str) -> CaseState:
    """An old message that is judged again opens no case that was answered or closed meanwhile."""
    return CaseState(connection.execute(select(cases.c.state).where(cases.c.reference == reference)).scalar_one())


def _with_receipt_due(
    connection: Connection, outcome: Outcome, *, arrival: Arrival, state: CaseState, rates: Rates, now: datetime
) -> Outcome:
    """The outcome without a receipt that left before, comes too late, or is over the rates of the road."""
    if not outcome.receipts:
        return outcome
    had = connection.scalar(select(receipts.c.arrival_id).where(receipts.c.arrival_id == arrival.id))
    late = state is not CaseState.OPEN or now > arrival.received_at + RECEIPT_WITHIN
    if had is not None:
        reason: Withheld | None = Withheld.REPEATED
    elif late:
        reason = Withheld.TOO_LATE
    else:
        reason = withheld(connection, outcome, arrival=arrival, rates=rates, now=now)
    if reason is None:
        return outcome
    decision = ReceiptDecision(send=False, level=outcome.verdict.receipt.level, reason=reason)
    return replace(outcome, receipts=(), verdict=replace(outcome.verdict, receipt=decision))


def _send(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> Changes:
    if not outcome.receipts:
        return {}
    add_receipt(connection, outcome, arrival=arrival, now=now)
    settle_withheld(connection, arrival.id, by="judged again", reason="", now=now)
    added = add_mails(
        connection,
        outcome.receipts,
        mailbox=arrival.mailbox,
        cause=f"arrival {arrival.id}",
        reference=outcome.case.reference,
        arrival_id=arrival.id,
        now=now,
    )
    return {**added, (arrival.mailbox, Count.RECEIPTS, SENT_LABEL): 1}


def _keep(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> Judgement:
    last = connection.scalar(select(func.max(verdicts.c.number)).where(verdicts.c.arrival_id == arrival.id)) or 0
    row = {
        "arrival_id": arrival.id,
        "number": last + 1,
        "mailbox": arrival.mailbox,
        "judged_at": now,
        "ruleset": outcome.verdict.ruleset,
        "outcome": write_outcome(replace(outcome, receipts=(), card=None, clocks=())),
    }
    connection.execute(insert(verdicts), [row])
    return Judgement(last + 1, now, outcome)
