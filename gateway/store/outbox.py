"""What must leave: one row per mail and recipient, leased to a courier, settled by the hop's answer.

Never gives up a delivery or a notice; never makes a second row for the same cause.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, literal_column, select, update

from gateway.model.outbox import Fate, Hop, HopReply, OutboxRow, OutMail, Purpose
from gateway.store.codec import codec, key_of, storable
from gateway.store.content import add_content
from gateway.store.engine import insert_new
from gateway.store.figures import Changes, Count, change
from gateway.store.statement import Statement
from gateway.store.tables import NOT_RETURNED, QUEUED, MailState, contents, hop_replies, outbox

SLOW_RETRY = timedelta(hours=1)
"""When a mail that may not be given up is tried again and nobody said when."""
FINAL = frozenset({Purpose.RECEIPT, Purpose.ANSWER})
"""Purposes for which a refusal is the end; foreign mail and notices are tried until a human helps."""
MAX_REPLY_CHARACTERS = 500

write_offsets, read_offsets = codec(tuple[int, ...])

# Said in SQL, because SQLAlchemy names no table within RETURNING, and both have an id.
_CONTENT = "FROM contents WHERE contents.id = outbox.content_id"
_MAIL: tuple[ColumnElement[Any], ...] = (
    *outbox.c,
    literal_column(f"(SELECT contents.size {_CONTENT})", contents.c.size.type).label("size"),
    literal_column(f"(SELECT contents.sha256 {_CONTENT})", contents.c.sha256.type).label("sha256"),
)
"""All that a courier needs: what makes or leases a mail gives it back in the same statement."""
_ADD = Statement(lambda dialect: insert_new(dialect, outbox).on_conflict_do_nothing().returning(*_MAIL))
_MADE = select(outbox.c.rcpt_to).where(
    outbox.c.mailbox == bindparam("mailbox"),
    outbox.c.purpose == bindparam("purpose"),
    outbox.c.cause == bindparam("cause"),
    NOT_RETURNED,
)
_LOCKED = select(outbox).where(outbox.c.id == bindparam("row_id")).with_for_update()
_SENT = Statement(
    update(outbox)
    .where(outbox.c.id == bindparam("row_id"), QUEUED)
    .values(
        state=MailState.SENT.value,
        owner=None,
        reply=bindparam("text"),
        settled_at=bindparam("at", type_=outbox.c.settled_at.type),
    )
    .returning(outbox.c.mailbox, outbox.c.purpose)
)
"""What nearly every mail comes to, as one statement."""
_SETTLE = update(outbox).where(outbox.c.id == bindparam("row_id"))


@dataclass(frozen=True, slots=True)
class Lease:
    """Who sends a new mail first, and until when nobody else may."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a stored foreign message is handed to the mailbox: the block before it, the renamed fields within."""

    content_id: int
    mail_from: str
    rcpt_tos: tuple[str, ...]
    prepend: bytes
    insertions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that its hop has taken: what the hop said, and when."""

    row_id: int
    reply: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement changed."""

    mailbox: str
    state: MailState
    changes: Changes
    failed_answer: str | None = None
    """Reference of the case whose answer the relay refused for good just now."""
    failed_receipt: str | None = None
    """The same of a receipt."""

    @property
    def returned(self) -> bool:
        """Whether this settlement ended the mail unsent."""
        return bool(self.changes) and self.state is MailState.RETURNED


def add_delivery(
    connection: Connection,
    delivery: Delivery,
    *,
    mailbox: str,
    arrival_id: int,
    reference: str | None,
    now: datetime,
    lease: Lease | None = None,
) -> tuple[OutboxRow, ...]:
    """Mails added: one per recipient, none for those that have theirs."""
    common = {
        **_common(mailbox=mailbox, cause=_delivery_of(arrival_id), reference=reference, now=now, lease=lease),
        "purpose": Purpose.DELIVERY.value,
        "hop": Hop.MAILBOX.value,
        "mail_from": storable(delivery.mail_from),
        "content_id": delivery.content_id,
        "message_id": "",
        "arrival_id": arrival_id,
        "prepend": delivery.prepend,
        "insertions": write_offsets(delivery.insertions),
    }
    return _add(connection, common, delivery.rcpt_tos)


def name_delivery(connection: Connection, *, mailbox: str, arrival_id: int, reference: str) -> None:
    """Say to which case a delivery belongs that was made before there was a verdict."""
    made = (outbox.c.mailbox == mailbox, outbox.c.purpose == Purpose.DELIVERY.value, NOT_RETURNED)
    unnamed = (outbox.c.cause == _delivery_of(arrival_id), outbox.c.reference.is_(None))
    connection.execute(update(outbox).where(*made, *unnamed).values(reference=reference))


def add_mails(
    connection: Connection,
    mails: Iterable[OutMail],
    *,
    mailbox: str,
    cause: str,
    reference: str | None,
    arrival_id: int | None,
    now: datetime,
) -> Changes:
    """Counters after adding one row per mail and recipient; none for those that the same cause made before."""
    added: Counter[tuple[str, Count, str]] = Counter()
    for position, mail in enumerate(mails):
        named = f"{cause} mail {position}"
        missing = _missing(connection, mail, mailbox=mailbox, cause=named)
        if missing:
            left = replace(mail, rcpt_tos=missing)
            rows = _add_mail(
                connection, left, mailbox=mailbox, cause=named, reference=reference, arrival_id=arrival_id, now=now
            )
            added[mailbox, Count.QUEUED, mail.purpose.value] += len(rows)
    return added


def add_new_mails(
    connection: Connection,
    mails: Iterable[OutMail],
    *,
    mailbox: str,
    cause: str,
    reference: str,
    arrival_id: int,
    now: datetime,
    lease: Lease | None,
) -> tuple[OutboxRow, ...]:
    """The same for a cause that cannot have made any before, with the mails."""
    return tuple(
        row
        for position, mail in enumerate(mails)
        for row in _add_mail(
            connection,
            mail,
            mailbox=mailbox,
            cause=f"{cause} mail {position}",
            reference=reference,
            arrival_id=arrival_id,
            now=now,
            lease=lease,
        )
    )


def claim_mails(
    connection: Connection, *, hop: Hop | None, limit: int, owner: str, now: datetime, lease: timedelta
) -> tuple[OutboxRow, ...]:
    """Mails that are due, the longest due first, leased to the owner."""
    leased = {"now": now, "until": now + lease, "by": owner, "limit": limit, **_named(hop)}
    mails = map(_mail_of, _LEASE[hop is not None].rows(connection, leased))
    return tuple(sorted(mails, key=lambda mail: mail.id))


def is_due(connection: Connection, now: datetime, *, hop: Hop | None) -> bool:
    """Whether a claim would find something; asked without taking the write lock."""
    return bool(_IS_DUE[hop is not None].rows(connection, {"now": now, "limit": 1, **_named(hop)}))


def _due(*, by_hop: bool) -> Select[Any]:
    """Ids of mails that are due, the longest due first."""
    wanted = (outbox.c.hop == bindparam("to_hop"),) if by_hop else ()
    due = select(outbox.c.id).where(QUEUED, outbox.c.due_at <= bindparam("now"), *wanted)
    return due.order_by(outbox.c.due_at, outbox.c.id).limit(bindparam("limit"))


def _lease(*, by_hop: bool) -> Any:
    due = _due(by_hop=by_hop).with_for_update(skip_locked=True).cte("due")
    leased = {
        "owner": bindparam("by"),
        "due_at": bindparam("until", type_=outbox.c.due_at.type),
        "tries": outbox.c.tries + 1,
    }
    return update(outbox).where(outbox.c.id.in_(select(due.c.id))).values(leased).returning(*_MAIL)


_IS_DUE = {by_hop: Statement(_due(by_hop=by_hop)) for by_hop in (True, False)}
_LEASE = {by_hop: Statement(_lease(by_hop=by_hop)) for by_hop in (True, False)}


def _named(hop: Hop | None) -> dict[str, str]:
    return {} if hop is None else {"to_hop": hop.value}


def release(connection: Connection, owner: str, now: datetime) -> None:
    """End every lease of an owner that is no more."""
    connection.execute(update(outbox).where(QUEUED, outbox.c.owner == owner).values({"owner": None, "due_at": now}))


def settle(
    connection: Connection, row_id: int, reply: HopReply, *, now: datetime, retry_at: datetime | None
) -> Settled:
    """Write down the hop's answer; a mail that was sent or returned stays so, whatever is said later."""
    row = connection.execute(_LOCKED, {"row_id": row_id}).one()
    if row.state != MailState.QUEUED:
        return Settled(row.mailbox, MailState(row.state), {})
    purpose = Purpose(row.purpose)
    state = _state_after(reply.fate, purpose)
    connection.execute(
        _SETTLE,
        {
            "row_id": row_id,
            "state": state.value,
            "owner": None,
            "reply": storable(reply.text)[:MAX_REPLY_CHARACTERS],
            "due_at": retry_at or now + SLOW_RETRY,
            "settled_at": None if state is MailState.QUEUED else now,
        },
    )
    if reply.fate is not Fate.SENT:
        said = {
            "mailbox": row.mailbox,
            "outbox_id": row_id,
            "at": now,
            "reply": storable(reply.text)[:MAX_REPLY_CHARACTERS],
        }
        connection.execute(insert(hop_replies), [said])
    if state is MailState.QUEUED:
        return Settled(row.mailbox, state, {})
    counted = Count.SENT if state is MailState.SENT else Count.RETURNED
    changes = {(row.mailbox, Count.QUEUED, row.purpose): -1, (row.mailbox, counted, row.purpose): 1}
    failed = {purpose: row.reference} if state is MailState.RETURNED else {}
    return Settled(row.mailbox, state, changes, failed.get(Purpose.ANSWER), failed.get(Purpose.RECEIPT))


def settle_sent(connection: Connection, mails: Iterable[Sent]) -> None:
    """The same of mails that were sent, counted once for all of them."""
    moved: Counter[tuple[str, Count, str]] = Counter()
    for mail in mails:
        text = storable(mail.reply)[:MAX_REPLY_CHARACTERS]
        row = _SENT.first(connection, {"row_id": mail.row_id, "text": text, "at": mail.at})
        if row is not None:
            moved[row.mailbox, Count.QUEUED, row.purpose] -= 1
            moved[row.mailbox, Count.SENT, row.purpose] += 1
    change(connection, moved)


def hurry(connection: Connection, row_id: int, *, now: datetime) -> bool:
    """Whether a mail that waits for its next try is due now; one that is being tried, sent or returned is left alone."""
    waiting = update(outbox).where(outbox.c.id == row_id, QUEUED, outbox.c.owner.is_(None))
    return connection.execute(waiting.values(due_at=now)).rowcount == 1


def _state_after(fate: Fate, purpose: Purpose) -> MailState:
    if fate is Fate.SENT:
        return MailState.SENT
    if fate is Fate.REFUSED and purpose in FINAL:
        return MailState.RETURNED
    return MailState.QUEUED


def _delivery_of(arrival_id: int) -> str:
    """The cause of a delivery."""
    return f"arrival {arrival_id}"


def _common(*, mailbox: str, cause: str, reference: str | None, now: datetime, lease: Lease | None) -> dict[str, Any]:
    return {
        "mailbox": mailbox,
        "cause": cause,
        "reference": reference,
        "created_at": now,
        "state": MailState.QUEUED.value,
        "due_at": lease.until if lease else now,
        "owner": lease.owner if lease else None,
        "tries": 1 if lease else 0,
        "reply": "",
        "settled_at": None,
    }


def _missing(connection: Connection, mail: OutMail, *, mailbox: str, cause: str) -> tuple[str, ...]:
    """Recipients of the mail, each once, for whom the cause has made no mail, or one that was returned."""
    made = connection.scalars(_MADE, {"mailbox": mailbox, "purpose": mail.purpose.value, "cause": cause}).all()
    return tuple(one for one in dict.fromkeys(map(storable, mail.rcpt_tos)) if one not in made)


def _add_mail(
    connection: Connection,
    mail: OutMail,
    *,
    mailbox: str,
    cause: str,
    reference: str | None,
    arrival_id: int | None,
    now: datetime,
    lease: Lease | None = None,
) -> tuple[OutboxRow, ...]:
    """One mail of our own, whose bytes are stored with it."""
    row = {
        **_common(mailbox=mailbox, cause=cause, reference=reference, now=now, lease=lease),
        "purpose": mail.purpose.value,
        "hop": mail.hop.value,
        "mail_from": storable(mail.mail_from),
        "content_id": add_content(connection, mailbox, mail.content),
        "message_id": key_of(mail.message_id),
        "arrival_id": arrival_id,
        "prepend": b"",
        "insertions": write_offsets(()),
    }
    return _add(connection, row, map(storable, mail.rcpt_tos))


def _add(connection: Connection, row: dict[str, Any], rcpt_tos: Iterable[str]) -> tuple[OutboxRow, ...]:
    """The mail for each of the recipients who has it not yet."""
    return tuple(
        _mail_of(added)
        for rcpt_to in dict.fromkeys(rcpt_tos)
        for added in _ADD.rows(connection, {**row, "rcpt_to": rcpt_to})
    )


def _mail_of(row: Any) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        purpose=Purpose(row.purpose),
        hop=Hop(row.hop),
        mail_from=row.mail_from,
        rcpt_to=row.rcpt_to,
        content_id=row.content_id,
        size=row.size,
        sha256=row.sha256,
        created_at=row.created_at,
        tries=row.tries,
        message_id=row.message_id,
        case=row.reference,
        arrival_id=row.arrival_id,
        prepend=row.prepend,
        insertions=read_offsets(row.insertions),
    )
