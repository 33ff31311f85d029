"""What judgement found, committed with all it causes: case, verdict, event, mails. Judges nothing itself."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from gateway.model.call import PROVED
from gateway.model.case import CaseState, CaseView
from gateway.model.message import Arrival, ThreadKeys
from gateway.model.outbox import OutboxRow, Purpose
from gateway.model.outcome import SHARED_CARDS_PER_HOUR, Outcome
from gateway.model.verdict import Disposition, ReceiptDecision
from gateway.store import withheld as withheld_receipts
from gateway.store.cards import may_leave
from gateway.store.cases import Kept, by_thread, keep_case, same_request
from gateway.store.clocks import resume, start
from gateway.store.codec import codec, key_of
from gateway.store.content import read_contents
from gateway.store.engine import insert_new
from gateway.store.events import add_event
from gateway.store.failures import answer_failed, has_failed, receipt_failed
from gateway.store.figures import SENT_LABEL, Changes, Count, change
from gateway.store.history import learn
from gateway.store.intake import arrival_of, arrivals_of_case, locked, recipients_of, seen
from gateway.store.outbox import Delivery, Lease, add_delivery, add_new_mails, name_delivery
from gateway.store.receipts import Rates, add_receipt, withheld
from gateway.store.statement import Statement
from gateway.store.tables import ArrivalState, Happening, arrivals, cases, verdicts

write_outcome, read_outcome = codec(Outcome)
write_facts, _ = codec(dict[str, str])

_CLOSE = Statement(
    update(arrivals)
    .where(arrivals.c.id == bindparam("row_id"))
    .values(
        {
            "owner": None,
            "reference": bindparam("of_case"),
            "state": bindparam("becomes"),
            "due_at": bindparam("due", type_=arrivals.c.due_at.type),
        }
    )
)

DEFER_RETRY = timedelta(minutes=1)
FIRST = 1
"""Number of the verdict that the road of a message ends with."""
LOCK = 247
"""First half of PostgreSQL's advisory lock on a request."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be committed about one arrival."""

    arrival_id: int
    outcome: Outcome
    rates: Rates
    retry: timedelta = DEFER_RETRY
    """After so long a deferred one is due again."""
    keys: ThreadKeys = ThreadKeys()
    """What its thread names."""
    known: frozenset[str] = frozenset()
    """References of the cases it was judged by."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was committed."""

    outcome: Outcome
    """As committed: a receipt over the rate is withheld here; without the receipts' bytes when it was recorded before."""
    leased: tuple[OutboxRow, ...] = ()
    """Its mails, where a courier had asked to send them at once."""
    again: bool = False
    """Nothing was: a mail that it repeats or answers was recorded meanwhile, and it is due at once to be judged knowing that."""


@dataclass(frozen=True, slots=True)
class Queued:
    """Mails that were queued just now, and what that changes in the counters."""

    mails: tuple[OutboxRow, ...]
    changes: Changes


def record(connection: Connection, judgement: Judgement, *, now: datetime, lease: Lease | None = None) -> Recorded:
    """Commit a verdict with all it causes; what was recorded for good before stays as it is."""
    arrival_id, outcome = judgement.arrival_id, judgement.outcome
    row = locked(connection, arrival_id)
    if row.state == ArrivalState.JUDGED:
        return Recorded(stored_outcome(connection, arrival_id))
    if row.tries <= 1 and outcome.opens and _overtaken(connection, row, judgement):
        connection.execute(update(arrivals).where(arrivals.c.id == arrival_id).values(owner=None, due_at=now))
        return Recorded(outcome, again=True)
    arrival = arrival_of(row, b"")
    final = outcome.verdict.disposition is not Disposition.DEFER
    if final:
        outcome = _with_allowed_receipts(connection, outcome, arrival=arrival, rates=judgement.rates, now=now)
    else:
        outcome = replace(outcome, receipts=())
    outcome = _with_allowed_card(connection, outcome, mailbox=arrival.mailbox, now=now)
    kept = keep_case(
        connection,
        _with_thread(outcome),
        now=now,
        arrival_id=arrival_id if outcome.opens else None,
        request_key=outcome.request_key if outcome.opens else None,
    )
    wind(connection, outcome, kept)
    outcome = replace(outcome, case=kept.view)
    delivered = deliver(
        connection, arrival, content_id=row.content_id, prepend=outcome.prepend, insertions=outcome.insertions,
        reference=kept.view.reference, now=now, lease=lease,
    )  # fmt: skip
    sent = _send_receipts(connection, outcome, arrival=arrival, now=now, lease=lease)
    if final:
        withheld_receipts.keep(connection, outcome, arrival=arrival, now=now)
    told = _send_card(connection, outcome, arrival=arrival, now=now, lease=lease)
    _keep_verdict(connection, outcome, arrival=arrival, now=now)
    _keep_event(connection, outcome, arrival=arrival, now=now)
    if outcome.appearance is not None:
        learn(connection, outcome.appearance, mailbox=arrival.mailbox, at=arrival.received_at)
    settled = _close_arrival(connection, row, outcome.case.reference, due_at=None if final else now + judgement.retry)
    failed = _fail(connection, outcome, arrival=arrival, now=now)
    change(connection, kept.changes, delivered.changes, sent.changes, told.changes, failed, settled)
    return Recorded(outcome, leased=delivered.mails + sent.mails + told.mails if lease else ())


def deliver(
    connection: Connection,
    arrival: Arrival,
    *,
    content_id: int,
    prepend: bytes,
    insertions: tuple[int, ...],
    reference: str | None,
    now: datetime,
    lease: Lease | None = None,
) -> Queued:
    """Delivery rows of the arrival, one per recipient; those there already stay as they are."""
    rcpt_tos = recipients_of(arrival.envelope)
    delivery = Delivery(
        content_id=content_id,
        mail_from=arrival.envelope.mail_from or "",
        rcpt_tos=rcpt_tos,
        prepend=prepend,
        insertions=insertions,
    )
    added = add_delivery(
        connection,
        delivery,
        mailbox=arrival.mailbox,
        arrival_id=arrival.id,
        reference=reference,
        now=now,
        lease=lease,
    )
    if len(added) < len(rcpt_tos) and reference is not None:
        name_delivery(connection, mailbox=arrival.mailbox, arrival_id=arrival.id, reference=reference)
    changes = {
        (arrival.mailbox, Count.PROMISED, ""): -len(added),
        (arrival.mailbox, Count.QUEUED, Purpose.DELIVERY.value): len(added),
    }
    return Queued(added, changes)


def stored_outcome(connection: Connection, arrival_id: int) -> Outcome:
    """The latest outcome as it was recorded, without the receipts' bytes."""
    latest = select(verdicts.c.outcome).where(verdicts.c.arrival_id == arrival_id).order_by(verdicts.c.number.desc())
    outcome: Outcome = read_outcome(connection.execute(latest.limit(1)).scalar_one())
    return outcome


def verdict_of(connection: Connection, reference: str) -> tuple[Arrival, Outcome] | None:
    """The arrival that opened the case, else the first that joined it, with its verdict."""
    opener = connection.scalar(select(cases.c.arrival_id).where(cases.c.reference == reference))
    row = connection.execute(
        seen()
        .join(verdicts, verdicts.c.arrival_id == arrivals.c.id)
        .where(arrivals.c.id.in_(arrivals_of_case(reference)))
        .order_by(arrivals.c.id != (opener or 0), arrivals.c.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    content = read_contents(connection, [row.content_id]).get(row.content_id, b"")
    return arrival_of(row, content), stored_outcome(connection, row.id)


def verdict_on(connection: Connection, arrival_id: int) -> tuple[Arrival, Outcome] | None:
    """That arrival with its verdict, None where it has none yet."""
    judged = connection.scalar(select(verdicts.c.number).where(verdicts.c.arrival_id == arrival_id).limit(1))
    if judged is None:
        return None
    row = connection.execute(seen().where(arrivals.c.id == arrival_id)).one()
    content = read_contents(connection, [row.content_id]).get(row.content_id, b"")
    return arrival_of(row, content), stored_outcome(connection, arrival_id)


def _overtaken(connection: Connection, row: Any, judgement: Judgement) -> bool:
    """Whether a copy of the same request, or a mail that it answers, judged at the same time, has opened a case before it."""
    request_key, keys = judgement.outcome.request_key, judgement.keys
    if connection.dialect.name == "postgresql":
        # Until this transaction ends, the record of another copy waits here.
        connection.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(key_of(request_key)))))
    if same_request(connection, mailbox=row.mailbox, request_key=request_key, arrival_id=row.id) is not None:
        return True
    answers = keys.in_reply_to or keys.references or keys.thread_index
    return bool(answers) and not judgement.known.issuperset(by_thread(connection, keys, row.mailbox))


def _with_allowed_receipts(
    connection: Connection, outcome: Outcome, *, arrival: Arrival, rates: Rates, now: datetime
) -> Outcome:
    if not outcome.receipts:
        return outcome
    reason = withheld(connection, outcome, arrival=arrival, rates=rates, now=now)
    if reason is None:
        return outcome
    decision = ReceiptDecision(send=False, level=outcome.verdict.receipt.level, reason=reason)
    # The case must not be tied to an id that never leaves.
    unsent = {mail.message_id for mail in outcome.receipts}
    case = replace(outcome.case, thread=tuple(one for one in outcome.case.thread if one not in unsent))
    return replace(outcome, receipts=(), case=case, verdict=replace(outcome.verdict, receipt=decision))


def _with_allowed_card(connection: Connection, outcome: Outcome, *, mailbox: str, now: datetime) -> Outcome:
    if outcome.bounced is not None:
        return replace(outcome, card=None) if has_failed(connection, outcome.case.reference) else outcome
    if outcome.card is None or may_leave(
        connection,
        mailbox=mailbox,
        request_key=outcome.request_key,
        proved=outcome.verdict.assurance in PROVED,
        shared_per_hour=SHARED_CARDS_PER_HOUR,
        now=now,
    ):
        return outcome
    return replace(outcome, card=None)


def _with_thread(outcome: Outcome) -> CaseView:
    """The case tied to what leaves about it, so that an answer to the receipt, or to the card, finds it."""
    about = (*outcome.receipts, *((outcome.card,) if outcome.card and outcome.case.origin else ()))
    ids: Iterable[str] = (mail.message_id for mail in about)
    return replace(outcome.case, thread=tuple(dict.fromkeys((*outcome.case.thread, *ids))))


def _send_receipts(
    connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime, lease: Lease | None
) -> Queued:
    decision = outcome.verdict.receipt
    if not outcome.receipts:
        return Queued((), {(arrival.mailbox, Count.RECEIPTS, decision.reason.value): 1} if decision.reason else {})
    add_receipt(connection, outcome, arrival=arrival, now=now)
    added = add_new_mails(
        connection,
        outcome.receipts,
        mailbox=arrival.mailbox,
        cause=f"arrival {arrival.id}",
        reference=outcome.case.reference,
        arrival_id=arrival.id,
        now=now,
        lease=lease,
    )
    changes = {
        (arrival.mailbox, Count.QUEUED, Purpose.RECEIPT.value): len(added),
        (arrival.mailbox, Count.RECEIPTS, SENT_LABEL): 1,
    }
    return Queued(added, changes)


def _send_card(
    connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime, lease: Lease | None
) -> Queued:
    if outcome.card is None:
        return Queued((), {})
    added = add_new_mails(
        connection,
        (outcome.card,),
        mailbox=arrival.mailbox,
        cause=f"arrival {arrival.id} {'proved' if outcome.verdict.assurance in PROVED else 'unproved'}",
        reference=outcome.case.reference,
        arrival_id=arrival.id,
        now=now,
        lease=lease,
    )
    return Queued(added, {(arrival.mailbox, Count.QUEUED, Purpose.NOTICE.value): len(added)})


def wind(connection: Connection, outcome: Outcome, kept: Kept) -> None:
    """Set the clocks going that the message starts; one that joins a case answered or closed since starts none."""
    if outcome.opens:
        start(connection, kept.view, outcome.clocks)
    elif kept.view.state is CaseState.OPEN:
        resume(connection, kept.view, outcome.clocks)


def _fail(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> Changes:
    """What the return of a mail of ours changes: a case fails once, however many reports come back."""
    reference = outcome.case.reference
    if outcome.bounced is Purpose.RECEIPT:
        receipt_failed(connection, reference, mailbox=arrival.mailbox, now=now)
    if outcome.bounced is not Purpose.ANSWER or has_failed(connection, reference):
        return {}
    cause, facts = f"arrival {arrival.id} brings it back", write_facts({"came_back": str(arrival.id)})
    return answer_failed(
        connection, reference, mailbox=arrival.mailbox, cause=cause, facts=facts, now=now, arrival_id=arrival.id
    )


def _keep_verdict(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> None:
    row = {
        "arrival_id": arrival.id,
        "number": FIRST,
        "mailbox": arrival.mailbox,
        "judged_at": now,
        "ruleset": outcome.verdict.ruleset,
        "outcome": write_outcome(replace(outcome, receipts=(), card=None, clocks=())),
    }
    _KEEP.run(connection, row)


def _keep(dialect: str) -> Any:
    """The later verdict of a deferred arrival takes the place of the first; the events tell of both."""
    statement = insert_new(dialect, verdicts)
    later = {name: statement.excluded[name] for name in ("judged_at", "ruleset", "outcome")}
    return statement.on_conflict_do_update(index_elements=[verdicts.c.arrival_id, verdicts.c.number], set_=later)


_KEEP = Statement(_keep)


def _keep_event(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> None:
    add_event(
        connection,
        Happening.DEFERRED if outcome.verdict.disposition is Disposition.DEFER else Happening.JUDGED,
        mailbox=arrival.mailbox,
        at=now,
        reference=outcome.case.reference,
        arrival_id=arrival.id,
        facts=write_facts(event_facts(outcome)),
    )


def event_facts(outcome: Outcome) -> dict[str, str]:
    """What the event of a verdict tells."""
    verdict = outcome.verdict
    return {
        "category": verdict.classification.category.value,
        "kind": verdict.classification.kind.value,
        "assurance": verdict.assurance.value,
        "disposition": verdict.disposition.value,
        "reasons": ",".join(verdict.reasons),
        "receipt": SENT_LABEL if verdict.receipt.send else verdict.receipt.reason or "",
    }


def _close_arrival(connection: Connection, row: Any, reference: str, *, due_at: datetime | None) -> Changes:
    """The arrival's row after the verdict; with `due_at` it stays to be judged again then."""
    state = ArrivalState.JUDGED.value if due_at is None else row.state
    _CLOSE.run(connection, {"row_id": row.id, "of_case": reference, "becomes": state, "due": due_at or row.due_at})
    return {(row.mailbox, Count.WAITING, ""): -1} if due_at is None else {}
