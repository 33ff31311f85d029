"""Notices of the gateway to its own mailbox; never to anyone outside."""

from datetime import datetime
from email.utils import format_datetime

from gateway.mail import compose
from gateway.model.channel import Decision
from gateway.model.outbox import Hop, HopReply, OutboxRow, OutMail, Purpose
from gateway.model.settings import Settings


def passed_notice(refused: Decision, *, at: datetime, settings: Settings) -> OutMail:
    """In mode warn: what the gateway would have refused, word for word."""
    body = f"""\
The gateway runs in mode `warn`. An answer has just left that it would refuse in mode `enforce`.
The officer would have seen at Send:

{refused.reply}
"""
    return _notice(
        f"notice.{refused.number.lower()}.{at:%Y%m%d%H%M%S%f}",
        f"This answer left, and would be refused [{refused.number}]",
        body,
        at=at,
        settings=settings,
    )


def returned_notice(row: OutboxRow, reply: HopReply, *, at: datetime, settings: Settings) -> OutMail:
    """An answer that the relay refused for good: it did not arrive, and somebody has to see to it."""
    case = row.case or "-"
    body = f"""\
An answer of case {case} did NOT reach the counterpart. The gateway does not try again.

To:            {row.rcpt_to}
Message-ID:    {row.message_id}
The relay says: {_printable(reply.text)}

Telephone the contact point, at the number in the directory. When the cause is gone, send the answer again.
"""
    return _notice(
        f"notice.returned.{row.id}", f"NOT DELIVERED: an answer of case {case}", body, at=at, settings=settings
    )


def _notice(local_id: str, subject: str, body: str, *, at: datetime, settings: Settings) -> OutMail:
    mailbox = settings.contact_point.mailbox
    message_id = f"<{local_id}@{settings.hostname}>"
    fields = (
        ("From", compose.mailbox(settings.contact_point.name, mailbox)),
        ("To", mailbox),
        ("Subject", subject),
        ("Date", format_datetime(at)),
        ("Message-ID", message_id),
        # RFC 5436 section 2.7.1: a notice, not an answer
        ("Auto-Submitted", "auto-notified"),
        ("MIME-Version", "1.0"),
    )
    return OutMail(
        purpose=Purpose.NOTICE,
        hop=Hop.MAILBOX,
        mail_from="",
        rcpt_tos=(mailbox,),
        message_id=message_id,
        content=compose.message(fields, compose.text_entity(body)),
    )


def _printable(text: str) -> str:
    """What a foreign server said, without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)
