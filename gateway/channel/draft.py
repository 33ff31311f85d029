"""What the channel table asks of an officer's mail: who writes to whom, where the case allows it, how it must be protected.

Never decides and never changes the mail. Addresses are compared as the directory compares them (`Address.key`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gateway.channel.resolve import address_key, addresses_of
from gateway.mail.addresses import parse_address_list
from gateway.model.case import CaseView
from gateway.model.channel import ChannelRules, Resolution
from gateway.model.message import Envelope, Field, Message, Part
from gateway.model.settings import Settings
from gateway.model.trust import Contact, ContactAddress, Protection, TlsLevel
from gateway.model.verdict import Withheld

Book = Mapping[str, tuple[Contact, ContactAddress]]
"""Address key -> the contact whose address it is."""

GROWTH = 1.4
"""A mail signed and encrypted is at most this much larger (CHANNEL B5)."""
MIN_KEY_ID_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An officer's mail at the end of DATA, beside everything its decision rests on."""

    message: Message
    envelope: Envelope
    resolution: Resolution | None
    settings: Settings
    book: Book
    own_fingerprints: frozenset[str]
    encrypted_to: frozenset[str] | None
    login: str | None
    automatic: Withheld | None
    at: datetime
    rules: ChannelRules = ChannelRules()
    exempt: frozenset[str] = frozenset()
    """Rules from which exceptions free exactly this mail."""
    freed: frozenset[str] = frozenset()
    """Addresses that those rules found, and that the exceptions therefore name."""
    vouched: frozenset[str] = frozenset()
    """Those of them that it may be sent to although nobody confirmed them: only a rule that asks this may let them pass."""

    @property
    def case(self) -> CaseView | None:
        """The case it answers, if it resolved to one."""
        return self.resolution.case if self.resolution else None

    @property
    def mailbox(self) -> str:
        """M: the mailbox to which the case came, else the contact point's own."""
        return self.case.mailbox if self.case else self.settings.contact_point.mailbox

    @property
    def sender(self) -> str:
        """From, '' when it is not exactly one address."""
        return self.message.sender.key if self.message.sender else ""

    @property
    def from_mailbox(self) -> bool:
        """From is M, and M is ours."""
        return self.sender == address_key(self.mailbox) and self.is_own(self.sender)

    @cached_property
    def recipients(self) -> tuple[str, ...]:
        """Envelope recipients as keys, each once."""
        return tuple(dict.fromkeys(map(address_key, self.envelope.rcpt_tos)))

    @property
    def malformed_recipients(self) -> bool:
        """To or Cc holds something that is not a mailbox: two readers may see two recipients in it."""
        return any(parse_address_list(field.value) is None for field in _visible_fields(self.message))

    @cached_property
    def visible(self) -> frozenset[str]:
        """Addresses of To and Cc."""
        fields = _visible_fields(self.message)
        return frozenset(one.key for field in fields for one in parse_address_list(field.value) or ())

    @cached_property
    def external(self) -> tuple[str, ...]:
        """Recipients outside the institution and its partners, of the envelope and of the header: a large envelope comes in pieces."""
        everyone = dict.fromkeys((*self.recipients, *sorted(self.visible)))
        return tuple(one for one in everyone if not self.is_internal(one) and not self.is_partner(one))

    @property
    def partners(self) -> tuple[str, ...]:
        """Recipients at domestic partners."""
        everyone = dict.fromkeys((*self.recipients, *sorted(self.visible)))
        return tuple(one for one in everyone if self.is_partner(one))

    @property
    def colleagues(self) -> tuple[str, ...]:
        """Recipients inside the institution, beside the contact point itself, and domestic partners."""
        inside = (one for one in self.recipients if self.is_internal(one) and not self.is_own(one))
        return tuple(dict.fromkeys((*inside, *self.partners)))

    @property
    def leaves(self) -> bool:
        """It leaves the institution, and therefore under our signature."""
        return bool(self.external or self.partners)

    @property
    def blind(self) -> tuple[str, ...]:
        """Recipients outside who stand neither in To nor in Cc."""
        return tuple(one for one in self.external if one not in self.visible)

    @property
    def counterpart(self) -> Contact | None:
        """P: the contact that asked, or whom a request of our own addresses; None when its address is not (or no more) in the book."""
        named = self.book.get(self.origin)
        if named is None or (self.case and self.case.contact not in (None, named[0].id)):
            return None
        return named[0]

    @property
    def origin(self) -> str:
        """a0: the address that asked; for a request of our own the one it is written to."""
        if self.case:
            return address_key(self.case.origin) if self.case.origin else ""
        return next((one for one in self.external if not self.is_joint(one)), next(iter(self.external), ""))

    @cached_property
    def allowed(self) -> frozenset[str]:
        """A(C) of CHANNEL A1: a0, the joint addresses of P, the proved Reply-To; and whom the rule file or an exception adds."""
        asked = self.counterpart
        joint = {one.address.key for one in asked.addresses if one.joint and one.verified} if asked else set()
        return frozenset({*self._asking, *joint, *self._circular, *self.freed})

    @property
    def _circular(self) -> frozenset[str]:
        """Other contact points in To or Cc, where the rule file lets an answer reach them; a request of our own has one channel."""
        if not self.rules.reply_all or self.case is None:
            return frozenset()
        others = (one for one in self.external if one in self.visible and self.contact_of(one) != self.counterpart)
        return frozenset(one for one in others if self.is_verified(one))

    @property
    def addressed(self) -> bool:
        """The address that asked is itself written to, or instead of it the proved Reply-To or one that an exception names."""
        return bool((self._asking | self.freed) & set(self.recipients))

    @property
    def _asking(self) -> frozenset[str]:
        if not self.case:
            return frozenset({self.origin} - {""})
        # Row 11: the Reply-To joins only as long as the directory still knows it as a verified address of the same contact.
        return frozenset(one for one in addresses_of(self.case) if one == self.origin or self._of_counterpart(one))

    def _of_counterpart(self, key: str) -> bool:
        return self.counterpart is not None and self.contact_of(key) == self.counterpart and self.is_verified(key)

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """Recipients outside A(C)."""
        return tuple(one for one in self.external if one not in self.allowed)

    @cached_property
    def contacts(self) -> tuple[Contact, ...]:
        """Contacts among the recipients, each once."""
        found = (self.contact_of(one) for one in (*self.external, *self.partners))
        return tuple({contact.id: contact for contact in found if contact}.values())

    @property
    def floor(self) -> Protection:
        """F: what the case and the directory ask of this mail at least."""
        floor = self.case.floor if self.case else Protection()
        for contact in self.contacts:
            floor = floor.join(contact.minimum)
        return floor

    @property
    def encrypts(self) -> bool:
        """Whether it leaves encrypted: by the floor, by the officer's wish, and otherwise as the two rows below say."""
        if "H2" in self.exempt:
            return False
        if self.encrypted_to is not None or (self.external and self.floor.enc):
            return True
        if not self.external:
            # Row 19: a forward to partners is encrypted where all of them have a key, else it needs a verified hop.
            return bool(self.partners) and not self.unreadable_for
        # A lost thread must not become a clear request: what the case would ask is not known here.
        return self.case is None and bool(self.contacts) and not self.keyless

    @property
    def keyless(self) -> tuple[str, ...]:
        """Contacts and strangers among the recipients to whom nothing can be encrypted now."""
        addressed = self.external or self.partners
        strangers = (one for one in addressed if self.contact_of(one) is None)
        contacts = (one.id for one in self.contacts if not _usable(one, self.at))
        return (*contacts, *strangers)

    @property
    def unreadable_for(self) -> tuple[str, ...]:
        """Colleagues who could not read an encrypted mail: only partners may have a key."""
        found = ((one, self.contact_of(one)) for one in self.colleagues)
        return tuple(one for one, contact in found if contact is None or not _usable(contact, self.at))

    @property
    def hop(self) -> TlsLevel:
        """What the next hop must offer."""
        return TlsLevel.NONE if "H3" in self.exempt else self.floor.tls

    @property
    def unpinned(self) -> tuple[str, ...]:
        """Keys the officer's client encrypted to that are neither ours nor pinned for a recipient."""
        pinned = {
            name for one in self.contacts for key in one.keys for name in (key.fingerprint, *key.subkeys)
        } | self.own_fingerprints
        return tuple(sorted(one for one in self.encrypted_to or () if not _names(one, pinned)))

    @property
    def unreadable_by_us(self) -> bool:
        """The officer's client encrypted, and not to our own key."""
        return self.encrypted_to is not None and not any(
            _names(one, self.own_fingerprints) for one in self.encrypted_to
        )

    @property
    def too_large(self) -> bool:
        """The mail would not fit through the next hop once it is signed and encrypted."""
        return len(self.message.content) * GROWTH > self.settings.inbound.max_message_bytes

    def parts(self) -> Iterator[Part]:
        """All MIME parts, the root first."""
        waiting = [self.message.root]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(part.children)

    def is_own(self, key: str) -> bool:
        """The address is the contact point's, with or without a detail behind `+`."""
        return is_own(self.settings, key)

    def is_internal(self, key: str) -> bool:
        """The address is ours or of the institution; exactly the named domains, no subdomain."""
        domains = {one.lower() for one in self.settings.contact_point.internal_domains}
        return self.is_own(key) or key.rpartition("@")[2] in domains

    def is_partner(self, key: str) -> bool:
        """The address is of a domestic partner; exactly the named domains, no subdomain."""
        domains = {one.lower() for one in self.settings.contact_point.partner_domains}
        return not self.is_internal(key) and key.rpartition("@")[2] in domains

    def is_reachable(self, key: str) -> bool:
        """The contact point may write to this address: the directory, the rule file or an exception says so."""
        return self.is_verified(key) or self.is_provider(key) or key in self.vouched

    def is_provider(self, key: str) -> bool:
        """The rule file lets the contact point write to this service provider."""
        domains = {one.lower() for one in self.rules.provider_domains}
        return key not in self.book and key.rpartition("@")[2] in domains

    def is_verified(self, key: str) -> bool:
        """The directory says that someone confirmed this address."""
        return key in self.book and self.book[key][1].verified

    def is_joint(self, key: str) -> bool:
        """The contact reads this address together with its others."""
        return key in self.book and self.book[key][1].joint

    def contact_of(self, key: str) -> Contact | None:
        """The contact whose address it is."""
        return self.book[key][0] if key in self.book else None


def is_own(settings: Settings, key: str) -> bool:
    """The address, as the directory compares it, is the contact point's, with or without a detail behind `+`."""
    own = frozenset(map(address_key, settings.mailboxes))
    local, _, domain = key.rpartition("@")
    return key in own or f"{local.partition('+')[0]}@{domain}" in own


def _usable(contact: Contact, at: datetime) -> bool:
    return any(key.encrypts(at) for key in contact.keys)


def _visible_fields(message: Message) -> Iterator[Field]:
    return (field for name in ("to", "cc") for field in message.header.all(name))


def _names(key_id: str, fingerprints: frozenset[str] | set[str]) -> bool:
    """Whether a key id or fingerprint is one of the fingerprints' (RFC 4880 section 12.2: the id is its low 64 bits)."""
    wanted = key_id.upper()
    return len(wanted) >= MIN_KEY_ID_DIGITS and any(one.upper().endswith(wanted) for one in fingerprints)
