"""What the command line shows of cases, and of one case whole. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.model.case import CaseState, CaseView
from gateway.model.outbox import Purpose
from gateway.store.cases import views_of
from gateway.store.intake import arrivals_of_case, read_envelope
from gateway.store.tables import (
    ArrivalState,
    Happening,
    MailState,
    arrivals,
    cases,
    contents,
    events,
    outbox,
)

MAX_NAMED = 500
"""References in one statement."""


@dataclass(frozen=True, slots=True)
class ArrivalLine:
    """A message of a case, without its bytes."""

    id: int
    received_at: datetime
    mail_from: str | None
    rcpt_tos: tuple[str, ...]
    size: int
    sha256: str
    state: ArrivalState


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail to one recipient, without its bytes."""

    id: int
    purpose: Purpose
    state: MailState
    rcpt_to: str
    message_id: str
    created_at: datetime
    due_at: datetime
    tries: int
    reply: str
    case: str | None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventLine:
    """One thing that happened; `facts` is JSON as it was written."""

    at: datetime
    happening: Happening
    arrival_id: int | None
    facts: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with everything that came in, went out and happened, oldest first."""

    view: CaseView
    arrivals: tuple[ArrivalLine, ...]
    mails: tuple[MailLine, ...]
    events: tuple[EventLine, ...]


def newest_cases(connection: Connection, *, limit: int, state: CaseState | None) -> tuple[CaseView, ...]:
    """Newest first."""
    newest = select(cases).order_by(cases.c.opened_at.desc(), cases.c.reference.desc()).limit(limit)
    # state by state, as they are indexed: one more index would have to be written for every case
    found = [
        row
        for one in ((state,) if state else CaseState)
        for row in connection.execute(newest.where(cases.c.state == one.value))
    ]
    found.sort(key=lambda row: (row.opened_at, row.reference), reverse=True)
    return views_of(connection, found[:limit])


def cases_named(connection: Connection, references: Sequence[str]) -> tuple[CaseView, ...]:
    """The cases of these references, in that order."""
    rows = [
        row
        for begin in range(0, len(references), MAX_NAMED)
        for row in connection.execute(select(cases).where(cases.c.reference.in_(references[begin : begin + MAX_NAMED])))
    ]
    found = {view.reference: view for view in views_of(connection, rows)}
    return tuple(found[one] for one in references if one in found)


def case_file(connection: Connection, reference: str) -> CaseFile | None:
    """The case of exactly that reference."""
    row = connection.execute(select(cases).where(cases.c.reference == reference)).one_or_none()
    if row is None:
        return None
    return CaseFile(
        view=views_of(connection, [row])[0],
        arrivals=_arrivals_of(connection, reference),
        mails=_mails_of(connection, reference),
        events=_events_of(connection, reference),
    )


def _arrivals_of(connection: Connection, reference: str) -> tuple[ArrivalLine, ...]:
    rows = connection.execute(
        select(arrivals, contents.c.size, contents.c.sha256)
        .join(contents, contents.c.id == arrivals.c.content_id)
        .where(arrivals.c.id.in_(arrivals_of_case(reference)))
        .order_by(arrivals.c.id)
    )
    lines = []
    for row in rows:
        envelope = read_envelope(row.envelope)
        lines.append(
            ArrivalLine(
                row.id,
                row.received_at,
                envelope.mail_from,
                envelope.rcpt_tos,
                row.size,
                row.sha256,
                ArrivalState(row.state),
            )
        )
    return tuple(lines)


def _mails_of(connection: Connection, reference: str) -> tuple[MailLine, ...]:
    rows = connection.execute(select(outbox).where(outbox.c.reference == reference).order_by(outbox.c.id))
    return tuple(
        MailLine(
            id=row.id,
            purpose=Purpose(row.purpose),
            state=MailState(row.state),
            rcpt_to=row.rcpt_to,
            message_id=row.message_id,
            created_at=row.created_at,
            due_at=row.due_at,
            tries=row.tries,
            reply=row.reply,
            case=row.reference,
            settled_at=row.settled_at,
        )
        for row in rows
    )


def _events_of(connection: Connection, reference: str) -> tuple[EventLine, ...]:
    rows = connection.execute(select(events).where(events.c.reference == reference).order_by(events.c.id))
    return tuple(EventLine(row.at, Happening(row.happening), row.arrival_id, row.facts) for row in rows)
