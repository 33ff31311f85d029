"""Writes a mail of the gateway to its own mailbox: plain text, marked as a notice, in the thread it is about."""

from datetime import datetime
from email.utils import format_datetime

from gateway.mail import compose
from gateway.mail.thread import fields_of_thread
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.settings import Settings


def to_mailbox(
    local_id: str,
    subject: str,
    body: str,
    *,
    at: datetime,
    settings: Settings,
    in_reply_to: str | None = None,
    references: tuple[str, ...] = (),
) -> OutMail:
    """The notice; its Message-ID is made of `local_id`, the same whenever the same cause tells the same."""
    mailbox = settings.contact_point.mailbox
    message_id = f"<{local_id}@{settings.hostname}>"
    fields = (
        ("From", compose.mailbox(settings.contact_point.name, mailbox)),
        ("To", mailbox),
        ("Subject", subject),
        ("Date", format_datetime(at)),
        ("Message-ID", message_id),
        *fields_of_thread(in_reply_to, references),
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
