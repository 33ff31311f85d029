"""What is odd about whom a mail names: answers asked for elsewhere, an envelope of somebody else, fields that no signature covers.

None of it is proof of anything; each is told to the human who looks, and some of it withholds a receipt.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.mail.addresses import parse_address_list
from gateway.mail.organization import organization
from gateway.mail.thread import keys_of
from gateway.model.case import is_reference
from gateway.model.message import Envelope, Message
from gateway.model.trust import Checks, Method, Result
from gateway.model.verdict import Reason

ACTED_ON = ("from", "reply-to", "to", "cc", "subject", "date", "message-id", "content-type")
"""Fields an officer, or the officer's program, acts on."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rows look at."""

    message: Message
    envelope: Envelope
    checks: Checks
    mailboxes: tuple[str, ...]
    secret: bytes


ODDITIES: tuple[tuple[Reason, Callable[[_Seen], bool]], ...] = (
    (Reason.REPLY_TO_DIFFERS, lambda seen: reply_to_differs(seen.message)),
    (Reason.MAIL_FROM_DIFFERS, lambda seen: mail_from_differs(seen.message, seen.envelope)),
    (Reason.NOT_ADDRESSED, lambda seen: not_addressed(seen.message, seen.mailboxes)),
    (Reason.DKIM_PARTIAL, lambda seen: _partly_covered(seen.message, seen.checks)),
    (Reason.BAD_CASE_TAG, lambda seen: _bad_case_tag(seen.message, seen.envelope, seen.secret)),
)
"""Every row that applies is a finding."""


def oddities(
    message: Message, *, envelope: Envelope, checks: Checks, mailboxes: tuple[str, ...], secret: bytes
) -> tuple[Reason, ...]:
    """Findings in the order of the table; `mailboxes` are our own addresses."""
    seen = _Seen(message, envelope, checks, mailboxes, secret)
    return tuple(reason for reason, applies in ODDITIES if applies(seen))


def reply_to_differs(message: Message) -> bool:
    """Whether Reply-To asks for answers elsewhere than at the From address, or cannot be read (RFC 5322 section 3.6.2)."""
    if message.sender is None:
        return False
    asked = [parse_address_list(one.value) for one in message.header.all("reply-to")]
    return any(one is None or any(address.key != message.sender.key for address in one) for one in asked)


def mail_from_differs(message: Message, envelope: Envelope) -> bool:
    """Whether envelope and From belong to different organisations; an unknown envelope differs from nothing."""
    if message.sender is None or not envelope.mail_from:
        return False
    return organization(envelope.mail_from.rpartition("@")[2].lower()) != organization(message.sender.domain)


def not_addressed(message: Message, mailboxes: tuple[str, ...]) -> bool:
    """Whether no address of ours stands in To or Cc: a blind copy, an alias, a list (RFC 5230 section 4.5)."""
    shown = (
        address
        for name in ("to", "cc")
        for one in message.header.all(name)
        for address in parse_address_list(one.value) or ()
    )
    own = own_addresses(mailboxes)
    return not any(without_detail(address.key) in own for address in shown)


def uncovered(message: Message, checks: Checks) -> tuple[str, ...]:
    """Fields present that an officer acts on and no passing signature covers: DKIM of the author's organisation, or OpenPGP."""
    covered = _covered(message, checks)
    return tuple(name for name in ACTED_ON if message.header.first(name) is not None and name not in covered)


def own_addresses(mailboxes: tuple[str, ...]) -> frozenset[str]:
    """Our own addresses as they are compared."""
    return frozenset(address.lower() for address in mailboxes)


def split_detail(address: str) -> tuple[str, str, str]:
    """Local part without detail, detail (RFC 5233), domain; all lower-case."""
    local, _, domain = address.lower().rpartition("@")
    user, _, detail = local.partition("+")
    return user, detail, domain


def without_detail(address: str) -> str:
    """The address without what stands behind a plus sign."""
    local, _, domain = split_detail(address)
    return f"{local}@{domain}"


def _covered(message: Message, checks: Checks) -> frozenset[str]:
    author = message.sender.domain if message.sender else ""
    # OpenPGP gives names only of protected fields under a good signature over the whole message.
    passing = (one for one in checks.results if one.result is Result.PASS)
    theirs = (one for one in passing if one.method is Method.OPENPGP or one.speaks_for(author))
    return frozenset(name for one in theirs for name in one.covers)


def _partly_covered(message: Message, checks: Checks) -> bool:
    return bool(_covered(message, checks)) and bool(uncovered(message, checks))


def _bad_case_tag(message: Message, envelope: Envelope, secret: bytes) -> bool:
    return any(not is_reference(secret, tag) for tag in keys_of(message.header, envelope.rcpt_tos).tags)
