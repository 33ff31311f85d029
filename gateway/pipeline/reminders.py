"""Writes what is told of a clock: a notice to the officers, and, where that is configured, a signed reminder to the counterpart.

Quotes nothing of the request. Decides neither whom to tell nor when, and releases nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime

from gateway.errors import SealFailed
from gateway.mail import compose, return_path
from gateway.mail.thread import fields_of_thread
from gateway.model.clock import Clock, DueClock
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.settings import Settings
from gateway.model.trust import Contact
from gateway.pipeline.sealing import seal_payload
from gateway.pipeline.to_mailbox import to_mailbox
from gateway.pipeline.tools import Seal

TOLD_TO_COUNTERPART = frozenset({Clock.PRESERVATION_END, Clock.MLA_FOLLOW_UP})
"""Clocks of a period that both sides have to keep in mind."""

Words = Callable[[DueClock, datetime], tuple[str, str]]
"""Subject and first lines of a notice."""


def _answer(due: DueClock, now: datetime) -> tuple[str, str]:
    late = due.clock.until <= now
    said = (
        f"NO ANSWER HAS LEFT. It was due at {_minute(due.clock.until)}."
        if late
        else f"No answer has left yet. It is due at {_minute(due.clock.until)}."
    )
    do = f"Answer by Reply. If it needs none:  cp247 cases close {due.case.reference} --reason ..."
    return ("OVERDUE: an answer" if late else "Not answered yet"), f"{said}\n\n{do}"


def _call_back(due: DueClock, now: datetime) -> tuple[str, str]:
    minutes = int((now - due.clock.since).total_seconds() // 60)
    body = f"""\
Nobody has recorded a call-back for this EMERGENCY, {minutes} minutes after it came in.

1. Telephone the contact point, at the number in the directory, never at one that stands in a mail.
2. cp247 cases call {due.case.reference} --number "+..." --outcome confirmed
   (or not-reached, or denied)

The call is no answer. The answer leaves by Reply, on the channel of the request."""
    return "NOT CONFIRMED: an emergency", body


def _preservation(due: DueClock, now: datetime) -> tuple[str, str]:
    days, reference = (due.clock.until.date() - now.date()).days, due.case.reference
    when = f"ends in {days} days" if days > 1 else "is at its end"
    body = f"""\
What is preserved {when}: {due.clock.until:%Y-%m-%d}. The gateway releases nothing; whoever keeps the data may.

A mutual assistance request has come:  cp247 cases mla {reference} --received YYYY-MM-DD
It is kept longer:                     cp247 cases extend {reference} --until YYYY-MM-DD
Neither, and nothing is to be done:    cp247 cases close {reference} --reason ...

While a mutual assistance request is pending the data must stay preserved (Budapest Convention, Article 29(7))."""
    return f"A preservation {when}", body


def _extension(due: DueClock, _now: datetime) -> tuple[str, str]:
    body = f"""\
They asked to EXTEND a preservation, and nobody has recorded until when. The end has not moved.

cp247 cases extend {due.case.reference} --until YYYY-MM-DD"""
    return "An extension is not decided", body


def _mla(due: DueClock, now: datetime) -> tuple[str, str]:
    days, reference = (now - due.clock.since).days, due.case.reference
    body = f"""\
No mutual assistance request is recorded, {days} days after the request to preserve (Article 29(2)f).

It has come:  cp247 cases mla {reference} --received YYYY-MM-DD
If not, ask them whether and when it will. Until then, go on preserving."""
    return "No mutual assistance request yet", body


WORDS: Mapping[Clock, Words] = {
    Clock.FIRST_ANSWER: _answer,
    Clock.CALL_BACK: _call_back,
    Clock.PRESERVATION_END: _preservation,
    Clock.EXTENSION: _extension,
    Clock.MLA_FOLLOW_UP: _mla,
}


def reminder(due: DueClock, step: str, *, at: datetime, settings: Settings) -> OutMail:
    """The notice of one step to the officers, in the thread of the request."""
    subject, body = WORDS[due.clock.clock](due, at)
    case = due.case
    facts = f"""\
Case:          {case.reference}
Category:      {case.category.value}{", urgent" if case.urgent else ""}
Contact:       {case.contact or "-"}
Proved:        {case.assurance.value}
Waiting since: {_minute(due.clock.since)}
"""
    return to_mailbox(
        _local_id(due, step),
        f"{subject} [{case.reference}]",
        f"{body}\n\n{facts}",
        at=at,
        settings=settings,
        in_reply_to=case.request_id,
        references=case.references,
    )


def counterpart_reminder(
    due: DueClock, step: str, contact: Contact | None, *, at: datetime, settings: Settings, secret: bytes, seal: Seal
) -> OutMail | None:
    """The same period told to the counterpart on the channel of the case: signed, and encrypted where the request was.

    None where there is no proved channel, nothing to tell, or no usable key of an encrypted case. Raises SealFailed.
    """
    case = due.case
    if due.clock.clock not in TOLD_TO_COUNTERPART or case.origin is None or contact is None:
        return None
    keys = tuple(one for one in contact.keys if one.encrypts(at)) if case.floor.enc else ()
    if case.floor.enc and not keys:
        return None
    message_id = f"<{_local_id(due, step)}.counterpart@{settings.hostname}>"
    fields = (
        ("From", compose.mailbox(settings.contact_point.name, settings.contact_point.mailbox)),
        ("To", compose.mailbox("", case.origin)),
        ("Subject", f"Auto: reminder [{case.reference}]"),
        ("Date", format_datetime(at)),
        ("Message-ID", message_id),
        *fields_of_thread(case.request_id, case.references),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
        ("MIME-Version", "1.0"),
    )
    try:
        payload = compose.text_entity(_to_them(due), fields=fields, cipher=bool(keys), outer=fields if keys else ())
        content = compose.message(fields, seal_payload(payload, keys=keys, seal=seal))
    except ValueError as error:
        raise SealFailed(f"the reminder cannot be written: {error}") from error
    mailbox = settings.contact_point.mailbox
    return OutMail(
        purpose=Purpose.RECEIPT,
        hop=Hop.RELAY,
        mail_from=return_path.make(secret, mailbox=mailbox, case=case.reference, day=at.toordinal()),
        rcpt_tos=(case.origin,),
        message_id=message_id,
        content=seal.dkim_field(content, at=at) + content,
    )


def _to_them(due: DueClock) -> str:
    """English alone, and nothing but the case and the day."""
    if due.clock.clock is Clock.PRESERVATION_END:
        said = f"The preservation you asked for in case {due.case.reference} ends on {due.clock.until:%Y-%m-%d}."
        ask = "If it is needed longer, ask for an extension, or send the request for mutual assistance."
    else:
        said = f"In case {due.case.reference} we have recorded no request for mutual assistance yet."
        ask = "Please tell us whether and when it will follow (Budapest Convention, Article 29(2)f)."
    return f"This is an automatic reminder of the contact point. It is not a decision.\n\n{said}\n{ask}\n"


def _local_id(due: DueClock, step: str) -> str:
    clock = due.clock
    return f"reminder.{due.case.reference.lower()}.{clock.clock.value}.{step}.{int(clock.until.timestamp())}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
