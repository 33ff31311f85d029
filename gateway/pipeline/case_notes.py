"""A note about a case, written as a mail to `247cp+note.<case>@`: kept in the case and sent to nobody (CHANNEL A3, row 22).

Never an answer: the case goes on waiting for one.
"""

import re

from gateway.channel.draft import is_own
from gateway.channel.refusals import decision_number, line
from gateway.channel.resolve import address_key
from gateway.mail.text import read
from gateway.model.case import REFERENCE, CaseView, is_reference
from gateway.model.channel import Act, Decision
from gateway.model.message import Envelope, Message
from gateway.model.settings import Settings

MAX_NOTE_CHARACTERS = 4000
ROW = 22

_NOTE = re.compile(rf"([^@]+)\+note\.({REFERENCE.pattern})@(.+)", re.IGNORECASE)


def note_decision(
    message: Message,
    envelope: Envelope,
    candidates: tuple[CaseView, ...],
    *,
    settings: Settings,
    secret: bytes,
    login: str | None,
) -> Decision | None:
    """What becomes of a mail with a note's address among its recipients; None for any other mail.

    A note has one recipient, comes from within the institution, and names a case there is.
    """
    named = [found for one in envelope.rcpt_tos if (found := _note_of(one, settings)) is not None]
    if not named:
        return None
    sender = message.sender.key if message.sender else ""
    number = decision_number("M2", named[0], sender, envelope.rcpt_tos)
    delegates = settings.contact_point.delegates
    if delegates and login not in delegates:
        return _refused("R6", number, mailbox=settings.contact_point.mailbox)
    case = next((one for one in candidates if one.reference == named[0] and is_reference(secret, named[0])), None)
    if case is None or len(envelope.rcpt_tos) != 1 or not _internal(sender, settings):
        return _refused("R24", number, mailbox=settings.contact_point.mailbox)
    return Decision(act=Act.DISCARD, rule="M2", row=ROW, number=number, case=case.reference)


def note_text(message: Message, *, encrypted: bool) -> str:
    """What the note says, as far as it may be kept in clear; of an encrypted one nothing, its bytes are kept."""
    return "" if encrypted else read(message).body[:MAX_NOTE_CHARACTERS]


def _note_of(recipient: str, settings: Settings) -> str | None:
    """The reference in a note's address of our own mailbox."""
    found = _NOTE.fullmatch(recipient)
    if found is None or not is_own(settings, address_key(f"{found[1]}@{found[found.lastindex or 0]}")):
        return None
    return found[2].upper()


def _internal(sender: str, settings: Settings) -> bool:
    domain = sender.rpartition("@")[2]
    return is_own(settings, sender) or domain in {one.lower() for one in settings.contact_point.internal_domains}


def _refused(rule: str, number: str, *, mailbox: str) -> Decision:
    return Decision(act=Act.REJECT, rule=rule, row=ROW, reply=line(rule, number, mailbox=mailbox), number=number)
