"""Cases: what ties a message to one, how one grows, and how one is shown. A floor here never sinks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select, update

from gateway.model.case import CaseState, CaseView
from gateway.model.history import History
from gateway.model.message import Arrival, ThreadKeys
from gateway.model.trust import Assurance
from gateway.model.verdict import Category
from gateway.store.codec import codec, key_of, storable
from gateway.store.engine import insert_new
from gateway.store.figures import Changes, Count, case_label
from gateway.store.history import history_of
from gateway.store.receipts import may_repeat
from gateway.store.statement import Statement, among
from gateway.store.tables import KeyKind, cases, events, thread_keys, verdicts

write_view, read_view = codec(CaseView)

MAX_IDS = 200
"""Newest ids of a References field that are looked up."""
MAX_CANDIDATES = 50
CATEGORIES = tuple(Category)
"""Strongest first."""
ASSURANCES = tuple(Assurance)
"""Weakest first."""
ATTENTION = (CaseState.ANSWER_FAILED, CaseState.OPEN, CaseState.ANSWERED, CaseState.CLOSED)
"""States by how much they need a human, most first."""

_NOT_BY = or_(cases.c.arrival_id.is_(None), cases.c.arrival_id != bindparam("arrival_id"))
_NAMED = Statement(
    lambda dialect: (
        select(cases)
        .where(cases.c.mailbox == bindparam("mailbox"), among(dialect, cases.c.reference, "named"), _NOT_BY)
        .order_by(cases.c.opened_at.desc(), cases.c.reference.desc())
        .limit(MAX_CANDIDATES)
    )
)
_FIRST_REQUEST = Statement(
    select(cases.c.reference)
    .where(cases.c.mailbox == bindparam("mailbox"), cases.c.request_key == bindparam("request_key"), _NOT_BY)
    .order_by(cases.c.opened_at)
    .limit(1)
)
_THREADS = Statement(
    lambda dialect: (
        select(thread_keys.c.reference, thread_keys.c.kind, thread_keys.c.key)
        .where(among(dialect, thread_keys.c.reference, "references"))
        .order_by(thread_keys.c.added_at, thread_keys.c.key)
    )
)
_BY_THREAD = Statement(
    lambda dialect: (
        select(thread_keys.c.reference)
        .where(
            thread_keys.c.mailbox == bindparam("mailbox"),
            or_(
                and_(
                    thread_keys.c.kind == KeyKind.MESSAGE_ID.value,
                    among(dialect, thread_keys.c.key, "ids"),
                ),
                and_(
                    thread_keys.c.kind == KeyKind.THREAD_INDEX.value,
                    among(dialect, thread_keys.c.key, "indexes"),
                ),
            ),
        )
        .limit(MAX_CANDIDATES)
    )
)
_BY_ORIGIN = Statement(
    lambda dialect: (
        select(cases.c.reference)
        .where(
            cases.c.mailbox == bindparam("mailbox"),
            among(dialect, cases.c.origin, "origins"),
            cases.c.state != CaseState.CLOSED.value,
        )
        .order_by(cases.c.opened_at.desc())
        .limit(MAX_CANDIDATES)
    )
)
_SAME_REQUEST = Statement(
    select(cases.c.reference)
    .where(
        cases.c.mailbox == bindparam("mailbox"),
        cases.c.request_key == bindparam("request_key"),
        cases.c.arrival_id != bindparam("arrival_id"),
    )
    .limit(1)
)
_OPEN = Statement(lambda dialect: insert_new(dialect, cases).on_conflict_do_nothing().returning(cases.c.reference))
_TIE = Statement(lambda dialect: insert_new(dialect, thread_keys).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Recall:
    """What the past says about a message."""

    candidates: tuple[CaseView, ...] = ()
    """Cases that its thread keys, its tags or its recipients name, newest first."""
    repeat_of: str | None = None
    """Reference of the case that the same request opened before."""
    receipt_due: bool = True
    """False where the same request had its receipt and may not have another yet (CHANNEL C, Resends)."""
    history: History = History()
    """What authenticated mail of the sender's address was like so far."""
    id_reused: bool = False
    """A case knows its Message-ID from another mail than this."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a case, in counters."""

    view: CaseView
    changes: Changes


def recall(
    connection: Connection,
    keys: ThreadKeys,
    *,
    mailbox: str,
    request_key: str | None,
    recipients: tuple[str, ...],
    arrival: Arrival | None,
    sender: str | None,
) -> Recall:
    """Candidates and repeats; a case that the asking arrival itself opened is neither."""
    named = (
        *by_thread(connection, keys, mailbox),
        *keys.tags[:MAX_CANDIDATES],
        *_by_origin(connection, recipients, mailbox),
    )
    asking = {"mailbox": mailbox, "arrival_id": 0 if arrival is None else arrival.id}
    candidates = _named_cases(connection, named, asking)
    if request_key is None:
        return Recall(candidates)
    repeat_of = _FIRST_REQUEST.value(connection, {**asking, "request_key": key_of(request_key)})
    due = may_repeat(connection, mailbox=mailbox, request_key=request_key, arrival=arrival)
    history = History() if sender is None else history_of(connection, mailbox=mailbox, address=sender)
    asker = 0 if arrival is None else arrival.id
    reused = repeat_of is None and _id_reused(connection, keys, candidates, request_key, asker)
    return Recall(candidates, repeat_of, due, history, reused)


def _id_reused(
    connection: Connection, keys: ThreadKeys, candidates: tuple[CaseView, ...], request_key: str, arrival_id: int
) -> bool:
    """Whether its Message-ID stands in the thread of a case in which neither it nor the same request has come before."""
    own = key_of(keys.message_id or "")
    holding = [one.reference for one in candidates if own in one.thread]
    if not holding:
        return False
    came = select(events.c.arrival_id).where(events.c.reference.in_(holding), events.c.arrival_id.is_not(None))
    same = verdicts.c.outcome.contains(f'"request_key":"{request_key}"', autoescape=True)
    itself = select(verdicts.c.arrival_id).where(
        verdicts.c.arrival_id.in_(came), or_(verdicts.c.arrival_id == arrival_id, same)
    )
    return connection.execute(itself.limit(1)).one_or_none() is None


def _named_cases(connection: Connection, named: Iterable[str], asking: dict[str, Any]) -> tuple[CaseView, ...]:
    references = tuple(dict.fromkeys(named))
    return views_of(connection, _NAMED.rows(connection, {**asking, "named": references})) if references else ()


def same_request(connection: Connection, *, mailbox: str, request_key: str, arrival_id: int) -> str | None:
    """Reference of the case that another arrival opened with the same request."""
    parameters = {"mailbox": mailbox, "request_key": key_of(request_key), "arrival_id": arrival_id}
    return _SAME_REQUEST.value(connection, parameters)


def keep_case(
    connection: Connection,
    view: CaseView,
    *,
    now: datetime,
    state: CaseState | None = None,
    arrival_id: int | None = None,
    request_key: str | None = None,
) -> Kept:
    """Open the case, or join the view to what is stored; `state` is what it shall be, whatever it was."""
    row = {
        "reference": view.reference,
        "mailbox": view.mailbox,
        "opened_at": view.opened_at,
        "arrival_id": arrival_id,
        "request_key": None if request_key is None else key_of(request_key),
        **_columns(view),
    }
    if _OPEN.rows(connection, row):
        _add_keys(connection, view, now)
        return Kept(view, {_counted(view): 1})
    stored = connection.execute(select(cases).where(cases.c.reference == view.reference).with_for_update()).one()
    before = views_of(connection, [stored])[0]
    after = joined(before, view, state=state)
    connection.execute(update(cases).where(cases.c.reference == view.reference).values(_columns(after)))
    _add_keys(connection, after, now)
    return Kept(after, {} if _counted(before) == _counted(after) else {_counted(before): -1, _counted(after): 1})


def set_state(connection: Connection, reference: str, state: CaseState, *, now: datetime) -> Changes:
    """Counters after a change of state alone."""
    stored = connection.execute(select(cases).where(cases.c.reference == reference)).one()
    return keep_case(connection, views_of(connection, [stored])[0], now=now, state=state).changes


def joined(stored: CaseView, view: CaseView, *, state: CaseState | None = None) -> CaseView:
    """The stored case with what is new: channel and origin stay, floor, assurance, urgency and category only rise.

    Two messages of one case are judged at the same time, each with an older view: joining has no order.
    """
    return replace(
        stored,
        category=min(stored.category, view.category, key=CATEGORIES.index),
        urgent=stored.urgent or view.urgent,
        state=state or min(stored.state, view.state, key=ATTENTION.index),
        contact=stored.contact or view.contact,
        origin=stored.origin or view.origin,
        assurance=max(stored.assurance, view.assurance, key=ASSURANCES.index),
        floor=stored.floor.join(view.floor),
        thread=tuple(dict.fromkeys(stored.thread + view.thread)),
        thread_indexes=tuple(dict.fromkeys(stored.thread_indexes + view.thread_indexes)),
        request_id=stored.request_id or view.request_id,
        references=stored.references or view.references,
        reply_to=stored.reply_to or view.reply_to,
        reply_to_proved=stored.reply_to_proved or (view.reply_to_proved and stored.reply_to in (None, view.reply_to)),
        language=stored.language or view.language,
    )


def views_of(connection: Connection, rows: Iterable[Row[Any]]) -> tuple[CaseView, ...]:
    """Cases with their threads, in the order of the rows."""
    found = {row.reference: read_view(row.view) for row in rows}
    keys: dict[tuple[str, str], list[str]] = {}
    for row in _THREADS.rows(connection, {"references": tuple(found)}) if found else ():
        keys.setdefault((row.reference, row.kind), []).append(row.key)
    return tuple(
        replace(
            view,
            thread=tuple(keys.get((reference, KeyKind.MESSAGE_ID), ())),
            thread_indexes=tuple(keys.get((reference, KeyKind.THREAD_INDEX), ())),
        )
        for reference, view in found.items()
    )


def tie(connection: Connection, reference: str, message_id: str, *, mailbox: str, now: datetime) -> None:
    """Let an answer to that message be found as one of the case; what is tied already stays so."""
    key = {"kind": KeyKind.MESSAGE_ID.value, "key": key_of(message_id)}
    _TIE.run(connection, {"mailbox": mailbox, "reference": reference, "added_at": now, **key})


def by_thread(connection: Connection, keys: ThreadKeys, mailbox: str) -> Sequence[str]:
    """References of the cases that the ids and the conversation of a message name."""
    own = () if keys.message_id is None else (keys.message_id,)
    ids = tuple(map(key_of, own + keys.in_reply_to[-MAX_IDS:] + keys.references[-MAX_IDS:]))
    index = () if keys.thread_index is None else (key_of(keys.thread_index),)
    wanted = {"mailbox": mailbox, "ids": ids, "indexes": index}
    return [row.reference for row in _BY_THREAD.rows(connection, wanted)]


def _by_origin(connection: Connection, recipients: tuple[str, ...], mailbox: str) -> Sequence[str]:
    """Newest cases that are not closed and began with one of these addresses."""
    if not recipients:
        return ()
    origins = tuple(storable(one).lower() for one in recipients)
    return [row.reference for row in _BY_ORIGIN.rows(connection, {"mailbox": mailbox, "origins": origins})]


def _columns(view: CaseView) -> dict[str, Any]:
    """Columns that follow the view; thread keys have a table of their own."""
    return {
        "category": view.category.value,
        "state": view.state.value,
        "origin": None if view.origin is None else storable(view.origin).lower(),
        "view": write_view(replace(view, thread=(), thread_indexes=())),
    }


def _counted(view: CaseView) -> tuple[str, Count, str]:
    return view.mailbox, Count.CASES, case_label(view.category, view.state)


def _add_keys(connection: Connection, view: CaseView, now: datetime) -> None:
    keys = [(KeyKind.MESSAGE_ID, one) for one in view.thread]
    keys += [(KeyKind.THREAD_INDEX, one) for one in view.thread_indexes]
    common = {"mailbox": view.mailbox, "reference": view.reference, "added_at": now}
    _TIE.run(connection, *({**common, "kind": kind.value, "key": key_of(key)} for kind, key in keys))
