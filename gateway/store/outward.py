"""What an officer submitted: the decision always, the mails when it may leave. Decides nothing."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from gateway.model.case import CaseState
from gateway.model.channel import Act, Decision, Dispatch
from gateway.model.clock import Clock, Ending
from gateway.model.message import Envelope
from gateway.model.outbox import HopReply, OutMail, Purpose
from gateway.store.cases import keep_case
from gateway.store.clocks import stop, waited
from gateway.store.codec import codec, key_of
from gateway.store.content import add_content
from gateway.store.events import add_event
from gateway.store.exceptions import use
from gateway.store.failures import answer_failed, receipt_failed
from gateway.store.figures import Changes, Count, change
from gateway.store.holds import keep_hold, release
from gateway.store.intake import recipients_of
from gateway.store.outbox import Settled, add_mails, settle
from gateway.store.refusals import comes_by_itself, keep_refusal
from gateway.store.tables import Happening


@dataclass(frozen=True, slots=True)
class Submission:
    """What the event of a decision keeps."""

    decision: Decision
    envelope: Envelope
    message_id: str | None
    sha256: str
    """Digest of the submitted bytes below the trace fields."""


TRACE = re.compile(rb"(?:Received:[^\n]*\n(?:[ \t][^\n]*\n)*)*", re.IGNORECASE)
"""Received fields at the top (RFC 5321 section 4.4)."""

NUMBERED = (Act.REJECT, Act.HOLD)
"""Decisions whose number an officer is given, and an exception may name."""

write_submission, read_submission = codec(Submission)
write_reply, _ = codec(HopReply)
write_facts, _ = codec(dict[str, str])


def keep_dispatch(
    connection: Connection,
    dispatch: Dispatch,
    *,
    mailbox: str,
    envelope: Envelope,
    content: bytes,
    now: datetime,
) -> timedelta | None:
    """Commit the decision with all it causes; a repeat tells of the decision and sends nothing.

    What leaves is held no more; how long the case had waited for it comes back. Raises NotPermitted when an exception it rests on is used up.
    """
    decision, digest = dispatch.decision, _digest(content)
    reference = dispatch.case.reference if dispatch.case else decision.case
    recorded = decision.act is Act.DISCARD
    use(connection, decision.waived, mailbox=mailbox, reference=reference, sha256=digest, now=now)
    add_event(
        connection,
        _happening(dispatch),
        mailbox=mailbox,
        at=now,
        reference=reference,
        content_id=add_content(connection, mailbox, content) if recorded else None,
        facts=_noted(dispatch) or write_submission(Submission(decision, envelope, dispatch.message_id, digest)),
    )
    if decision.act in NUMBERED:
        keep_refusal(connection, dispatch, mailbox=mailbox, recipients=envelope.rcpt_tos, now=now)
    if recorded:
        pairs = len(recipients_of(envelope))
        change(connection, {(mailbox, Count.DISPATCHED, ""): pairs, (mailbox, Count.RECORDED, ""): pairs})
    elif decision.act is Act.REJECT:
        _tell_if_it_comes_again(connection, dispatch, mailbox=mailbox, reference=reference, digest=digest, now=now)
    elif decision.act is Act.HOLD:
        keep_hold(connection, dispatch, mailbox=mailbox, envelope=envelope, content=content, sha256=digest, now=now)
    elif dispatch.mails:
        return _send(connection, dispatch, mailbox=mailbox, reference=reference, digest=digest, now=now)
    return None


def _tell_if_it_comes_again(
    connection: Connection, dispatch: Dispatch, *, mailbox: str, reference: str | None, digest: str, now: datetime
) -> None:
    """A phone or an outbox sends what was refused again and again, and nobody reads why: the mailbox is told once."""
    notice, message_id = dispatch.again, dispatch.message_id
    if notice is None or message_id is None:
        return
    if comes_by_itself(connection, message_id, mailbox=mailbox, now=now):
        cause = f"refused again {digest}"
        queued = add_mails(
            connection, (notice,), mailbox=mailbox, cause=cause, reference=reference, arrival_id=None, now=now
        )
        change(connection, queued)


def _happening(dispatch: Dispatch) -> Happening:
    if dispatch.decision.act is Act.DISCARD:
        return Happening.RECORDED if dispatch.note is None else Happening.NOTED
    # Row 18 and 19: what goes to colleagues or partners alone answers nobody.
    return Happening.FORWARDED if dispatch.decision.internal else Happening.DECIDED


def _noted(dispatch: Dispatch) -> str:
    """What the event of a note tells, as one of the command line does; '' for any other mail."""
    if dispatch.note is None or dispatch.decision.act is not Act.DISCARD:
        return ""
    return write_facts({"by": dispatch.login or dispatch.sender, "phone": "", "text": dispatch.note})


def _send(
    connection: Connection, dispatch: Dispatch, *, mailbox: str, reference: str | None, digest: str, now: datetime
) -> timedelta | None:
    kept = _keep_case(connection, dispatch, now=now)
    queued = add_mails(
        connection,
        dispatch.mails,
        mailbox=mailbox,
        cause=f"sha256 {digest}",
        reference=reference,
        arrival_id=None,
        now=now,
    )
    answers = queued.get((mailbox, Count.QUEUED, Purpose.ANSWER.value), 0)
    released = release(connection, mailbox=mailbox, sha256=digest, now=now)
    change(connection, kept, queued, released, {(mailbox, Count.DISPATCHED, ""): answers})
    return _answered(connection, dispatch, now=now)


def _answered(connection: Connection, dispatch: Dispatch, *, now: datetime) -> timedelta | None:
    """How long the case had waited for this answer, which ends its waiting; None for anything else that leaves."""
    case = dispatch.case
    if case is None or dispatch.decision.internal or case.state is not CaseState.ANSWERED:
        return None
    return waited(stop(connection, case.reference, (Clock.FIRST_ANSWER,), Ending.ANSWERED, now=now), now)


def settle_mail(
    connection: Connection,
    row_id: int,
    reply: HopReply,
    *,
    now: datetime,
    retry_at: datetime | None,
    notice: OutMail | None,
) -> Settled:
    """Write down the hop's answer; an answer refused for good fails its case, calls somebody and queues the notice, in one step."""
    settled = settle(connection, row_id, reply, now=now, retry_at=retry_at)
    changes: list[Changes] = [settled.changes]
    reference = settled.failed_answer
    if reference is not None:
        facts, cause = write_reply(reply), f"mail {row_id}"
        changes.append(answer_failed(connection, reference, mailbox=settled.mailbox, cause=cause, facts=facts, now=now))
    if settled.failed_receipt is not None:
        receipt_failed(connection, settled.failed_receipt, mailbox=settled.mailbox, now=now)
    if notice is not None and settled.returned:
        changes.append(
            add_mails(
                connection,
                (notice,),
                mailbox=settled.mailbox,
                cause=f"outbox {row_id}",
                reference=reference,
                arrival_id=None,
                now=now,
            )
        )
    change(connection, *changes)
    return settled


def _digest(content: bytes) -> str:
    """What makes a submission a repeat: its bytes below the trace fields, which differ with every try."""
    trace = TRACE.match(content)
    return hashlib.sha256(content[trace.end() if trace else 0 :]).hexdigest()


def _keep_case(connection: Connection, dispatch: Dispatch, *, now: datetime) -> Changes:
    if dispatch.case is None:
        return {}
    if dispatch.decision.internal:
        # A forward inside the institution is not an answer: it ties nothing to the thread and ends no waiting.
        return keep_case(connection, dispatch.case, now=now).changes
    answers = (key_of(mail.message_id) for mail in dispatch.mails if mail.purpose is Purpose.ANSWER)
    view = replace(dispatch.case, thread=tuple(dict.fromkeys((*dispatch.case.thread, *answers))))
    return keep_case(connection, view, now=now, state=view.state).changes
