"""Exceptions that waive a refusal or a hold. Decides no mail: it keeps who permitted what, and how often it was used.

Every grant, use and revocation is an event of its own that is never changed (CHANNEL A5).
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.errors import NotPermitted
from gateway.model.channel import Waiver
from gateway.model.hold import ChannelException, ExceptionState, Refusal
from gateway.model.outbox import OutMail
from gateway.store.codec import codec, storable
from gateway.store.events import add_event
from gateway.store.figures import change
from gateway.store.outbox import add_mails
from gateway.store.refusals import find_refusal
from gateway.store.tables import Happening, exceptions

MAX_LIFE = timedelta(hours=24)

Notice = Callable[[ChannelException, Refusal], OutMail]
"""Makes what the mailbox is told of an exception."""

write_facts, _ = codec(dict[str, str])


def grant(
    connection: Connection,
    number: str,
    *,
    mailbox: str,
    by: str,
    reason: str,
    life: timedelta,
    uses: int,
    now: datetime,
    notice: Notice,
) -> ChannelException:
    """The exception as it stands after this person's word, told to the mailbox; where two are needed the first proposes it.

    Raises NotPermitted for a number nobody was given, a rule nobody may waive, the officer's own word, or the same person twice.
    """
    refusal = _waivable(find_refusal(connection, mailbox, number), number, by=by, life=life)
    made = _granted(connection, refusal, mailbox=mailbox, by=by, reason=reason, until=now + life, uses=uses, now=now)
    told, cause = notice(made, refusal), f"exception {made.id} {'proposed' if made.granted_at is None else 'granted'}"
    queued = add_mails(
        connection, (told,), mailbox=mailbox, cause=cause, reference=refusal.case, arrival_id=None, now=now
    )
    change(connection, queued)
    return made


def _granted(
    connection: Connection,
    refusal: Refusal,
    *,
    mailbox: str,
    by: str,
    reason: str,
    until: datetime,
    uses: int,
    now: datetime,
) -> ChannelException:
    open_ones = [one for one in _of(connection, mailbox, refusal.number) if one.state(now) is ExceptionState.PROPOSED]
    if refusal.waiver is Waiver.TWO and not open_ones:
        return _propose(connection, refusal, mailbox=mailbox, by=by, reason=reason, until=until, uses=uses, now=now)
    if refusal.waiver is Waiver.ONE:
        made = _propose(connection, refusal, mailbox=mailbox, by=by, reason=reason, until=until, uses=uses, now=now)
        return _confirm(connection, made, refusal, mailbox=mailbox, by=by, now=now)
    if open_ones[0].proposed_by == by:
        raise NotPermitted(f"{by} has granted {refusal.number} already; a second person must grant it too")
    return _confirm(connection, open_ones[0], refusal, mailbox=mailbox, by=by, now=now)


def active_numbers(connection: Connection, mailbox: str, now: datetime, *, login: str | None) -> frozenset[str]:
    """Numbers of the decisions that may be passed over now in that login's mail; nobody sends by his own permission."""
    living = select(exceptions.c.number, exceptions.c.proposed_by, exceptions.c.granted_by).where(
        exceptions.c.mailbox == mailbox,
        exceptions.c.until > now,
        exceptions.c.granted_at.is_not(None),
        exceptions.c.revoked_at.is_(None),
        exceptions.c.used < exceptions.c.uses,
    )
    rows = connection.execute(living)
    return frozenset(
        row.number
        for row in rows
        if login is None or not any(_same_person(one, login) for one in (row.proposed_by, row.granted_by))
    )


def use(
    connection: Connection, numbers: Iterable[str], *, mailbox: str, reference: str | None, sha256: str, now: datetime
) -> None:
    """Count one use of an exception for each number; raises NotPermitted when one was used up or revoked meanwhile."""
    for number in numbers:
        living = [one for one in _of(connection, mailbox, number) if one.state(now) is ExceptionState.ACTIVE]
        if not living:
            raise NotPermitted(f"the exception for {number} is used up, expired or revoked")
        counted = update(exceptions).where(exceptions.c.id == living[0].id, exceptions.c.used == living[0].used)
        if connection.execute(counted.values(used=exceptions.c.used + 1)).rowcount != 1:
            raise NotPermitted(f"the exception for {number} was used at this very moment")
        facts = {"number": number, "exception": str(living[0].id), "sha256": sha256}
        _tell(connection, Happening.EXCEPTION_USED, facts, mailbox=mailbox, reference=reference, now=now)


def revoke(connection: Connection, number: str, *, mailbox: str, by: str, now: datetime) -> int:
    """Number of exceptions for that decision that are worth nothing from now on."""
    dead = (ExceptionState.REVOKED, ExceptionState.USED, ExceptionState.EXPIRED)
    living = [one for one in _of(connection, mailbox, number.upper()) if one.state(now) not in dead]
    for one in living:
        connection.execute(update(exceptions).where(exceptions.c.id == one.id).values(revoked_by=by, revoked_at=now))
        facts = {"number": one.number, "exception": str(one.id), "by": by}
        refusal = find_refusal(connection, mailbox, one.number)
        reference = refusal.case if refusal else None
        _tell(connection, Happening.EXCEPTION_REVOKED, facts, mailbox=mailbox, reference=reference, now=now)
    return len(living)


def newest_exceptions(connection: Connection, *, limit: int) -> tuple[ChannelException, ...]:
    """Exceptions, the newest first."""
    return tuple(
        map(_exception_of, connection.execute(select(exceptions).order_by(exceptions.c.id.desc()).limit(limit)))
    )


def _waivable(refusal: Refusal | None, number: str, *, by: str, life: timedelta) -> Refusal:
    if refusal is None:
        raise NotPermitted(f"no officer was given the number {number}; it stands in brackets at the end of the refusal")
    if refusal.waiver is Waiver.NOBODY:
        raise NotPermitted(f"{refusal.number} is a refusal by {refusal.rule}, which nobody may waive: {refusal.reply}")
    if refusal.login is not None and _same_person(by, refusal.login):
        raise NotPermitted(f"{by} wrote this mail; another person must grant the exception")
    if not timedelta(0) < life <= MAX_LIFE:
        raise NotPermitted("an exception lives at most 24 hours")
    return refusal


def _same_person(by: str, login: str) -> bool:
    """A submission server may know `j.doe` as `j.doe@institution.gov.example`."""
    return by.lower() in (login.lower(), login.lower().partition("@")[0])


def _propose(
    connection: Connection,
    refusal: Refusal,
    *,
    mailbox: str,
    by: str,
    reason: str,
    until: datetime,
    uses: int,
    now: datetime,
) -> ChannelException:
    row = {
        "mailbox": mailbox,
        "number": refusal.number,
        "reason": storable(reason),
        "proposed_by": by,
        "proposed_at": now,
        "until": until,
        "uses": uses,
        "used": 0,
    }
    kept = connection.execute(insert(exceptions).returning(exceptions), [row]).one()
    facts = {"number": refusal.number, "by": by, "reason": storable(reason), "rule": refusal.rule}
    _tell(connection, Happening.EXCEPTION_PROPOSED, facts, mailbox=mailbox, reference=refusal.case, now=now)
    return _exception_of(kept)


def _confirm(
    connection: Connection, proposed: ChannelException, refusal: Refusal, *, mailbox: str, by: str, now: datetime
) -> ChannelException:
    confirmed = update(exceptions).where(exceptions.c.id == proposed.id).values(granted_by=by, granted_at=now)
    kept = connection.execute(confirmed.returning(exceptions)).one()
    facts = {"number": refusal.number, "by": by, "rule": refusal.rule}
    _tell(connection, Happening.EXCEPTION_GRANTED, facts, mailbox=mailbox, reference=refusal.case, now=now)
    return _exception_of(kept)


def _of(connection: Connection, mailbox: str, number: str) -> tuple[ChannelException, ...]:
    """Exceptions for a number, the oldest first."""
    wanted = (exceptions.c.mailbox == mailbox, exceptions.c.number == number)
    return tuple(map(_exception_of, connection.execute(select(exceptions).where(*wanted).order_by(exceptions.c.id))))


def _tell(
    connection: Connection,
    happening: Happening,
    facts: dict[str, str],
    *,
    mailbox: str,
    reference: str | None,
    now: datetime,
) -> None:
    add_event(connection, happening, mailbox=mailbox, at=now, reference=reference, facts=write_facts(facts))


def _exception_of(row: Row[Any]) -> ChannelException:
    return ChannelException(
        id=row.id,
        number=row.number,
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        until=row.until,
        uses=row.uses,
        used=row.used,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        revoked_by=row.revoked_by,
        revoked_at=row.revoked_at,
    )
