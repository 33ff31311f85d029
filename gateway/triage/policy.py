"""What becomes of an inward message, and whether a receipt leaves: two tables, read from top to bottom, first hit wins.

Never looks at the words of a mail beyond its category, and never raises or lowers what the proofs carry: a category is no proof.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.mail.return_path import LETTERS
from gateway.model.message import Envelope, Message
from gateway.model.settings import Settings, UnknownReceipts
from gateway.model.trust import Assurance, Identity, Protection, TlsLevel
from gateway.model.verdict import (
    AMBIGUOUS,
    Category,
    Disposition,
    Level,
    Reason,
    ReceiptDecision,
    Ruling,
    Withheld,
)
from gateway.triage.oddities import mail_from_differs, not_addressed, own_addresses, split_detail, without_detail

_KNOWN = frozenset({Assurance.LISTED, Assurance.SIGNED, Assurance.CONFIRMED})


@dataclass(frozen=True, slots=True)
class _Found:
    """What the rows of the disposition table look at."""

    defects: frozenset[Reason]
    automatic: Withheld | None
    category: Category
    identity: Identity
    final: bool
    findings: frozenset[Reason] = frozenset()

    @property
    def ambiguous(self) -> bool:
        return not self.defects.isdisjoint(AMBIGUOUS)

    @property
    def emergency(self) -> bool:
        return self.category is Category.EMERGENCY

    @property
    def assurance(self) -> Assurance:
        """As proved; two readings of one message prove nothing."""
        return Assurance.NONE if self.ambiguous else self.identity.assurance

    @property
    def known(self) -> bool:
        return self.assurance in _KNOWN

    @property
    def unread(self) -> bool:
        """A human wrote it and nobody knows what it says: it may be an emergency (a stranger's lone attachment is no news)."""
        named = self.identity.contact is not None
        closed = Reason.CANNOT_DECRYPT in self.findings or (named and self.findings >= _ATTACHMENT_ALONE)
        return closed and self.automatic is None

    @property
    def sure_contact(self) -> bool:
        """From names a contact, and every check has answered: not knowing is never a failure."""
        return self.identity.contact is not None and not self.identity.unsure

    @property
    def below_minimum(self) -> bool:
        contact = self.identity.contact
        return contact is not None and self.known and not self.identity.protection.reaches(_visible(contact.minimum))


def _visible(minimum: Protection) -> Protection:
    """What of a minimum the receiving side can see: not how well the sender checked us (CHANNEL A1)."""
    return replace(minimum, tls=TlsLevel.TLS) if minimum.tls is TlsLevel.VERIFIED else minimum


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: when it applies and what follows; `assurance` None = as proved."""

    applies: Callable[[_Found], bool]
    disposition: Disposition
    reason: Reason | None
    assurance: Assurance | None
    level: Level
    page: bool = False


_SAID_BESIDE = frozenset(
    {
        Reason.AMBIGUOUS,
        Reason.FORGED_CONTACT,
        Reason.UNPROVED_CONTACT,
        Reason.WRONG_KEY,
        Reason.SIGNED_BUT_UNAUTHENTICATED,
        Reason.DNS,
        Reason.BELOW_MINIMUM,
    }
)
"""Grounds an officer must read even where another row came first: an emergency may be a forged one."""

_ATTACHMENT_ALONE = frozenset({Reason.ATTACHMENT_ONLY, Reason.ATTACHMENT_UNREAD})
"""A mail that says nothing but by an attachment which could not be read."""

_ACCEPT, _HOLD, _DEFER = Disposition.ACCEPT, Disposition.HOLD, Disposition.DEFER

# fmt: off
DISPOSITIONS: tuple[_Row, ...] = (
    _Row(lambda f: f.automatic is not None, _ACCEPT, Reason.AUTOMATIC, None, Level.NONE),
    _Row(lambda f: f.emergency and f.known, _ACCEPT, Reason.EMERGENCY, None, Level.FULL, page=True),
    # Delivered and paged at once; asked about again, so that the contact gets its receipt and its case a channel.
    _Row(lambda f: f.emergency and f.identity.unsure and not (f.final or f.ambiguous), _DEFER, Reason.DNS, None, Level.NONE, page=True),
    _Row(lambda f: f.emergency, _ACCEPT, Reason.EMERGENCY, None, Level.NONE, page=True),
    _Row(lambda f: f.ambiguous, _HOLD, Reason.AMBIGUOUS, Assurance.NONE, Level.NONE),
    _Row(lambda f: f.sure_contact and f.identity.dmarc_failed and not f.identity.openpgp_good, _HOLD, Reason.FORGED_CONTACT, Assurance.NONE, Level.NONE),
    _Row(lambda f: f.sure_contact and not (f.identity.authenticated or f.identity.dmarc_failed or f.identity.openpgp_good), _HOLD, Reason.UNPROVED_CONTACT, Assurance.NONE, Level.NONE),
    _Row(lambda f: f.sure_contact and f.identity.authenticated and f.identity.openpgp_wrong, _HOLD, Reason.WRONG_KEY, None, Level.MINIMAL),
    _Row(lambda f: f.identity.openpgp_good and f.identity.dmarc_failed, _HOLD, Reason.SIGNED_BUT_UNAUTHENTICATED, None, Level.NONE),
    _Row(lambda f: f.identity.unsure and not f.final, _DEFER, Reason.DNS, None, Level.NONE),
    _Row(lambda f: f.identity.unsure, _HOLD, Reason.DNS, None, Level.NONE),
    _Row(lambda f: f.below_minimum, _HOLD, Reason.BELOW_MINIMUM, None, Level.MINIMAL),
    _Row(lambda f: f.known, _ACCEPT, None, None, Level.FULL),
    _Row(lambda f: f.assurance is Assurance.DOMAIN, _ACCEPT, Reason.UNKNOWN_CONTACT, None, Level.MINIMAL),
    _Row(lambda _: True, _ACCEPT, Reason.UNKNOWN_CONTACT, None, Level.NONE),
)
# fmt: on
"""The disposition table; the order is the policy. A failed judge never comes here: the service answers for it."""


def decide(
    *,
    message_defects: tuple[Reason, ...],
    automatic: Withheld | None,
    category: Category,
    identity: Identity,
    final: bool,
    findings: tuple[Reason, ...] = (),
) -> Ruling:
    """The first row that applies; `final` = DNS and gpg have been asked for the last time.

    `findings` say what could not be read: such a mail is paged whatever its row, which alone decides all the rest.
    """
    found = _Found(frozenset(message_defects), automatic, category, identity, final, frozenset(findings))
    rows = [one for one in DISPOSITIONS if one.applies(found)]
    row = rows[0]
    return Ruling(
        disposition=row.disposition,
        reason=row.reason,
        assurance=found.assurance if row.assurance is None else row.assurance,
        level=row.level,
        page=row.page or found.unread,
        further=tuple(one.reason for one in rows[1:] if one.reason in _SAID_BESIDE),
    )


@dataclass(frozen=True, slots=True)
class _Request:
    """What the tests before a receipt look at."""

    ruling: Ruling
    message: Message
    envelope: Envelope
    identity: Identity
    suppressed: bool
    settings: Settings
    repeat: bool

    @property
    def assurance(self) -> Assurance:
        return Assurance(self.ruling.assurance)

    @property
    def proved(self) -> bool:
        return self.identity.authenticated or self.identity.openpgp_good

    @property
    def signed(self) -> bool:
        return self.assurance in (Assurance.SIGNED, Assurance.CONFIRMED)


def _from_ourselves(request: _Request) -> bool:
    sender = request.message.sender
    return sender is not None and without_detail(sender.key) in own_addresses(request.settings.mailboxes)


_RETURN_PATHS = tuple(f"{letter}." for letter in LETTERS)


def _at_return_path(request: _Request) -> bool:
    """Sent to an address that only our own mail carries: whatever arrives there is never answered."""
    own = own_addresses(request.settings.mailboxes)
    return any(
        detail.startswith(_RETURN_PATHS) and f"{local}@{domain}" in own
        for local, detail, domain in map(split_detail, request.envelope.rcpt_tos)
    )


def _unknown(request: _Request) -> bool:
    if request.assurance is Assurance.DOMAIN:
        return request.settings.receipts.unknown is not UnknownReceipts.DOMAIN
    return request.assurance is Assurance.NONE


# fmt: off
RECEIPT_TESTS: tuple[tuple[Withheld, Callable[[_Request], bool]], ...] = (
    # Against X-Auto-Response-Suppress on purpose where the contact is known: whole ministries set it on every mail.
    (Withheld.SUPPRESSED, lambda r: r.suppressed and r.assurance not in _KNOWN),
    (Withheld.OWN_ADDRESS, _from_ourselves),
    (Withheld.RETURN_PATH, _at_return_path),
    (Withheld.AMBIGUOUS, lambda r: r.ruling.reason is Reason.AMBIGUOUS or r.message.sender is None or not AMBIGUOUS.isdisjoint(r.message.defects)),
    (Withheld.NOT_ADDRESSED, lambda r: not_addressed(r.message, r.settings.mailboxes)),
    (Withheld.FORGED, lambda r: r.identity.dmarc_failed),
    (Withheld.UNAUTHENTICATED, lambda r: not r.proved and not r.identity.unsure),
    (Withheld.MAIL_FROM_DIFFERS, lambda r: not r.signed and mail_from_differs(r.message, r.envelope)),
    (Withheld.WAITS_FOR_DNS, lambda r: r.identity.unsure and (r.ruling.level is Level.NONE or not r.proved)),
    (Withheld.UNKNOWN_CONTACT, _unknown),
    (Withheld.WAITS_FOR_HUMAN, lambda r: r.ruling.level is Level.NONE),
    (Withheld.REPEATED, lambda r: r.repeat),
)
# fmt: on
"""The tests before a receipt, in their order; what makes a mail automatic was tested before them (CHANNEL C)."""


def receipt(
    *,
    ruling: Ruling,
    message: Message,
    envelope: Envelope,
    identity: Identity,
    automatic: Withheld | None,
    suppressed: bool,
    settings: Settings,
    repeat: bool,
    can_encrypt: bool,
    encrypted: bool,
) -> ReceiptDecision:
    """Whether a receipt leaves and how much it says; the first test that withholds it names the reason.

    Rates are the journal's business: they need what other messages did in the same transaction.
    """
    request = _Request(ruling, message, envelope, identity, suppressed, settings, repeat)
    if not settings.receipts.enabled:
        return ReceiptDecision(send=False, reason=Withheld.DISABLED)
    if automatic is not None:
        return ReceiptDecision(send=False, reason=automatic)
    reason = next((one for one, withholds in RECEIPT_TESTS if withholds(request)), None)
    if reason is not None:
        return ReceiptDecision(send=False, reason=reason)
    # CHANNEL C: without a key to mirror the encryption, the receipt says only that mail arrived.
    level = Level.MINIMAL if encrypted and not can_encrypt else ruling.level
    return ReceiptDecision(send=True, level=level)
