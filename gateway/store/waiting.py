"""What waits: arrivals for their verdict, mails for their hop, held answers for a human. Changes nothing but when one is due."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, select

from gateway.channel.patience import patience_with
from gateway.model.hold import Hold, HoldState
from gateway.model.outbox import Hop, Purpose
from gateway.store import intake, outbox
from gateway.store.holds import hold_of
from gateway.store.intake import read_envelope, recipients_of
from gateway.store.tables import QUEUED, WAITING, arrivals, contents, holds, hop_replies
from gateway.store.tables import outbox as mails


class Queue(StrEnum):
    """Where something waits."""

    ARRIVAL = "arrival"
    MAIL = "mail"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Something that waits: an arrival for its verdict, a mail for its hop, a held answer for a human."""

    queue: Queue
    id: int
    since: datetime
    due_at: datetime
    """When it is looked at again; of a held answer when it is given back."""
    tries: int
    recipients: tuple[str, ...]
    case: str | None
    purpose: Purpose | None = None
    """Of a mail."""
    reply: str = ""
    """The hop's last answer; of a held answer the line that says why."""
    number: str = ""
    """Of a held answer: the decision that an exception names."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a hop answered when it did not take the mail."""

    at: datetime
    reply: str


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One waiting thing whole, without its bytes."""

    line: QueueLine
    mail_from: str | None
    message_id: str
    size: int
    sha256: str
    hop: Hop | None = None
    """Of a mail."""
    attempts: tuple[Attempt, ...] = ()
    """Of a mail, oldest first."""
    hold: Hold | None = None
    """Of a held answer."""


def queue(connection: Connection, *, limit: int) -> tuple[QueueLine, ...]:
    """All that waits, oldest first."""
    lines = [
        line
        for waits, wanted in _WAITING.items()
        for line in (_line(waits, row) for row in connection.execute(wanted.limit(limit)))
    ]
    return tuple(sorted(lines, key=lambda line: (line.since, line.queue, line.id))[:limit])


def entry(connection: Connection, waits: Queue, row_id: int) -> QueueEntry | None:
    """One of them, None when it does not wait (any more)."""
    table = _TABLES[waits]
    row = connection.execute(_WAITING[waits].where(table.c.id == row_id)).one_or_none()
    if row is None:
        return None
    content = connection.execute(select(contents).where(contents.c.id == row.content_id)).one()
    line = _line(waits, row)
    if waits is Queue.MAIL:
        return QueueEntry(
            line,
            row.mail_from,
            row.message_id,
            content.size,
            content.sha256,
            Hop(row.hop),
            _attempts(connection, row_id),
        )
    mail_from = read_envelope(row.envelope).mail_from
    if waits is Queue.HOLD:
        return QueueEntry(line, mail_from, row.message_id, content.size, content.sha256, hold=hold_of(row))
    return QueueEntry(line, mail_from, "", content.size, content.sha256)


def hurry(connection: Connection, waits: Queue, row_id: int, *, now: datetime) -> bool:
    """Whether it is due now; what is being worked on is left alone, and a held answer waits for no clock."""
    if waits is Queue.HOLD:
        return False
    work = intake.hurry if waits is Queue.ARRIVAL else outbox.hurry
    return work(connection, row_id, now=now)


_TABLES = {Queue.ARRIVAL: arrivals, Queue.MAIL: mails, Queue.HOLD: holds}
_WAITING: dict[Queue, Select[tuple[object, ...]]] = {
    Queue.ARRIVAL: select(arrivals).where(WAITING).order_by(arrivals.c.received_at),
    Queue.MAIL: select(mails).where(QUEUED).order_by(mails.c.due_at),
    Queue.HOLD: select(holds).where(holds.c.state == HoldState.HELD.value).order_by(holds.c.held_at),
}


def _attempts(connection: Connection, row_id: int) -> tuple[Attempt, ...]:
    made = select(hop_replies).where(hop_replies.c.outbox_id == row_id).order_by(hop_replies.c.id)
    return tuple(Attempt(row.at, row.reply) for row in connection.execute(made))


def _line(waits: Queue, row: Row[tuple[object, ...]]) -> QueueLine:
    made = {Queue.ARRIVAL: _arrival_line, Queue.MAIL: _mail_line, Queue.HOLD: _hold_line}
    return made[waits](row)


def _arrival_line(row: Row[tuple[object, ...]]) -> QueueLine:
    recipients = recipients_of(read_envelope(row.envelope))
    return QueueLine(Queue.ARRIVAL, row.id, row.received_at, row.due_at, row.tries, recipients, row.reference)


def _mail_line(row: Row[tuple[object, ...]]) -> QueueLine:
    purpose = Purpose(row.purpose)
    return QueueLine(
        Queue.MAIL, row.id, row.created_at, row.due_at, row.tries, (row.rcpt_to,), row.reference, purpose, row.reply
    )


def _hold_line(row: Row[tuple[object, ...]]) -> QueueLine:
    hold = hold_of(row)
    given_back = hold.held_at + patience_with(hold.category, hold.rule).give_back
    return QueueLine(
        Queue.HOLD,
        hold.id,
        hold.held_at,
        given_back,
        tries=0,
        recipients=hold.envelope.rcpt_tos,
        case=hold.case,
        reply=hold.reply,
        number=hold.number,
    )
