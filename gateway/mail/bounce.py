"""Reads whether a report says that a mail of ours did not arrive (RFC 3464); trusts nothing else it says.

Whether the report is about a mail of ours is known from the address it came to, never from its words.
"""

import re
from collections.abc import Iterator

from gateway.mail.scan import body_of
from gateway.model.message import Message, Part

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
OTHER_REPORTS = frozenset(
    {"message/disposition-notification", "message/global-disposition-notification", "message/feedback-report"}
)
"""Reports about mail that did arrive."""
MAX_STATUS_OCTETS = 65_536

_ACTION = re.compile(rb"^action[ \t]*:[ \t]*([a-z]+)", re.IGNORECASE | re.MULTILINE)
_MAIL_SYSTEM = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)


def undelivered(message: Message) -> bool:
    """Whether a mail that came back to a return path says that the mail sent from there was given up.

    A delay is none, nor is a read receipt or an absence notice; a report without a status that a program reads counts as one.
    """
    parts = tuple(_parts(message.root))
    statuses = [one for one in parts if one.content_type in STATUS_TYPES]
    actions = [word.lower() for one in statuses for word in _ACTION.findall(body_of(message, one)[:MAX_STATUS_OCTETS])]
    if actions:
        return b"failed" in actions
    if any(one.content_type in OTHER_REPORTS for one in parts):
        return False
    return _from_mail_system(message) or not _answers_by_itself(message)


def _parts(part: Part) -> Iterator[Part]:
    yield part
    for child in part.children:
        yield from _parts(child)


def _from_mail_system(message: Message) -> bool:
    local = message.sender.local if message.sender else "mailer-daemon"
    return message.header.first("x-failed-recipients") is not None or _MAIL_SYSTEM.fullmatch(local) is not None


def _answers_by_itself(message: Message) -> bool:
    """An absence notice that came with a null sender, as RFC 3834 asks of it."""
    return any(one.value.lower().startswith(b"auto-replied") for one in message.header.all("auto-submitted"))
