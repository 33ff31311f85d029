"""Notices of the gateway to its own mailbox; never to anyone outside."""

from datetime import datetime
from email.utils import format_datetime

from gateway.mail import compose
from gateway.model.channel import Decision
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.settings import Settings


def passed_notice(refused: Decision, *, at: datetime, settings: Settings) -> OutMail:
    """In mode warn: what the gateway would have refused, word for word."""
    mailbox = settings.contact_point.mailbox
    message_id = f"<notice.{refused.number.lower()}.{at:%Y%m%d%H%M%S%f}@{settings.hostname}>"
    fields = (
        ("From", compose.mailbox(settings.contact_point.name, mailbox)),
        ("To", mailbox),
        ("Subject", f"This answer left, and would be refused [{refused.number}]"),
        ("Date", format_datetime(at)),
        ("Message-ID", message_id),
        # RFC 5436 section 2.7.1: a notice, not an answer
        ("Auto-Submitted", "auto-notified"),
        ("MIME-Version", "1.0"),
    )
    body = f"""\
The gateway runs in mode `warn`. An answer has just left that it would refuse in mode `enforce`.
The officer would have seen at Send:

{refused.reply}
"""
    return OutMail(
        purpose=Purpose.NOTICE,
        hop=Hop.MAILBOX,
        mail_from="",
        rcpt_tos=(mailbox,),
        message_id=message_id,
        content=compose.message(fields, compose.text_entity(body)),
    )
