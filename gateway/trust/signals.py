"""Signs that a proved mailbox may be in other hands: what differs from its earlier mail, and what intruders do with one.

Each is told to the human who looks and to the metrics; none gives trust, takes trust or keeps a receipt back. What a forger
sends says nothing of the contact: mail that DMARC refuses is compared with nothing, and mail that proves nobody is not remembered.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from gateway.mail.scan import body_of, scan
from gateway.model.history import ABSENT, OPENPGP, Appearance, History, Trait
from gateway.model.message import Message, Part
from gateway.model.trust import Checks, Contact, Identity, Method, Result, Unsealed
from gateway.model.verdict import Category, Classification, Reason, Signal
from gateway.trust.openpgp_packets import Armor, Tag, dearmor, fingerprint_of, packets

HABIT_MESSAGES = 3
"""So many signed mails make a habit, as long as they are at least twice as many as the unsigned ones."""
ZONE_MINUTES = 60
"""Summer time moves a clock by an hour; more is another place, or another machine."""
MAX_ZONE_MINUTES = 14 * 60
MANY_TARGETS = 20
TARGETS = frozenset({"email", "ip", "phone", "account", "imei", "crypto"})
"""Kinds of identifiers that name a person or a line."""

MAX_KEY_BYTES = 1_048_576
"""A larger part is not opened in search of keys."""

_KEY_TYPE = "application/pgp-keys"
_KEY_BEGINS, _KEY_ENDS = b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----"
_NOT_PINNED = frozenset({"unpinned-key", "unknown-key"})

Traits = tuple[tuple[Trait, str], ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rows of the comparison look at."""

    traits: Traits
    unsealed: Unsealed
    contact: Contact
    history: History

    def values(self, trait: Trait) -> tuple[str, ...]:
        return tuple(value for one, value in self.traits if one is trait)

    def shows(self, trait: Trait, value: str) -> bool:
        return (trait, value) in self.traits

    def keeps(self, trait: Trait) -> bool:
        """Whether mail of this address was signed, or encrypted, as a rule."""
        known = self.history.of(trait)
        with_it, without = (known[one].messages if one in known else 0 for one in (OPENPGP, ABSENT))
        return with_it >= HABIT_MESSAGES and with_it >= 2 * without

    def share(self, trait: Trait) -> str:
        known = self.history.of(trait)
        return f"{known[OPENPGP].messages} of {self.history.messages(trait)}"


def appearance(
    message: Message, *, checks: Checks, unsealed: Unsealed, classification: Classification
) -> Appearance | None:
    """What the message looks like; the caller knows whether it proves its sender and may be remembered."""
    if message.sender is None:
        return None
    return Appearance(message.sender.key, tuple(dict.fromkeys(_traits(message, checks, unsealed, classification))))


def signals(
    shown: Appearance | None,
    *,
    message: Message,
    unsealed: Unsealed,
    identity: Identity,
    classification: Classification,
    history: History | None,
) -> tuple[Signal, ...]:
    """Every signal that applies, alarms first; without a history only what the message itself tells."""
    found = [*_announced(message, unsealed, identity.contact), *_targets(classification)]
    refused = identity.dmarc_failed and not identity.openpgp_good
    if shown is None or history is None or identity.contact is None or refused:
        return tuple(found)
    if not history.sightings:
        first = Signal(Reason.FIRST_CONTACT, "no authenticated mail of this address was seen before")
        return (first, *found)
    seen = _Seen(shown.traits, unsealed, identity.contact, history)
    compared = (Signal(reason, detail) for reason, tell in COMPARISONS if (detail := tell(seen)) is not None)
    return (*compared, *found)


def _traits(
    message: Message, checks: Checks, unsealed: Unsealed, classification: Classification
) -> Iterator[tuple[Trait, str]]:
    readable = unsealed.decrypted or not unsealed.encrypted
    if unsealed.good:
        yield Trait.SIGNATURE, OPENPGP
        yield from ((Trait.KEY, one.fingerprint) for one in unsealed.signatures if one.fingerprint)
        yield from ((Trait.SIGNATURE_ID, one.id) for one in unsealed.signatures if one.id)
    elif readable and not unsealed.signatures and not unsealed.unsure:
        yield Trait.SIGNATURE, ABSENT
    yield Trait.ENCRYPTION, OPENPGP if unsealed.encrypted else ABSENT
    author = message.sender.domain if message.sender else ""
    for one in checks.of(Method.DKIM):
        if one.result is Result.PASS and one.selector and one.speaks_for(author):
            yield Trait.DKIM, f"{one.selector}._domainkey.{one.identity}"
    for one in checks.of(Method.SPF):
        if one.result is Result.PASS and one.identity:
            yield Trait.MAIL_FROM, one.identity
    if classification.language:
        yield Trait.LANGUAGE, classification.language
    if (minutes := _zone(message)) is not None:
        yield Trait.ZONE, str(minutes)


def _zone(message: Message) -> int | None:
    """Minutes east of UTC that Date names; None where it names none or is none (`-0000`, RFC 5322 section 3.3)."""
    field = message.header.first("date")
    try:
        offset = parsedate_to_datetime(field.value.decode("ascii")).utcoffset() if field else None
    except (ValueError, TypeError, OverflowError):
        return None
    minutes = None if offset is None else int(offset.total_seconds() // 60)
    return minutes if minutes is not None and abs(minutes) <= MAX_ZONE_MINUTES else None


def _key_change(seen: _Seen) -> str | None:
    known = seen.history.of(Trait.KEY)
    strange = [one.fingerprint or "nobody names" for one in seen.unsealed.signatures if one.reason in _NOT_PINNED]
    new = [one for one in seen.values(Trait.KEY) if one not in known]
    if not known or not (new or strange):
        return None
    before = "; ".join(f"{one.value} signed {one.messages} mails" for one in known.values())
    if new:
        return f"signed by {', '.join(new)}, pinned and never used before: {before}"
    return f"signed by the key {', '.join(strange)}, which is not pinned: so far {before}"


def _signature_dropped(seen: _Seen) -> str | None:
    dropped = seen.contact.keys and seen.shows(Trait.SIGNATURE, ABSENT) and seen.keeps(Trait.SIGNATURE)
    return f"not signed as a whole; {seen.share(Trait.SIGNATURE)} mails so far were" if dropped else None


def _encryption_dropped(seen: _Seen) -> str | None:
    dropped = seen.shows(Trait.ENCRYPTION, ABSENT) and seen.keeps(Trait.ENCRYPTION)
    return f"not encrypted; {seen.share(Trait.ENCRYPTION)} mails so far were" if dropped else None


def _signature_repeated(seen: _Seen) -> str | None:
    known = seen.history.of(Trait.SIGNATURE_ID)
    again = [known[one] for one in seen.values(Trait.SIGNATURE_ID) if one in known]
    return f"the very same signature came on {again[0].first_seen:%Y-%m-%d} already, in another mail" if again else None


def _dkim_domain_changed(seen: _Seen) -> str | None:
    known, new = _dkim(seen)
    changed = known and new and not _domains(known) & _domains(new)
    return f"DKIM by {_list(_domains(new))}; so far by {_list(_domains(known))}" if changed else None


def _dkim_selector_changed(seen: _Seen) -> str | None:
    known, new = _dkim(seen)
    changed = new and not known & new and _domains(known) & _domains(new)
    return f"DKIM key {_list(new)}; so far {_list(known)}" if changed else None


def _dkim(seen: _Seen) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(seen.history.of(Trait.DKIM)), frozenset(seen.values(Trait.DKIM))


def _domains(names: frozenset[str]) -> frozenset[str]:
    return frozenset(one.partition("._domainkey.")[2] for one in names)


def _mail_path_changed(seen: _Seen) -> str | None:
    known, new = frozenset(seen.history.of(Trait.MAIL_FROM)), frozenset(seen.values(Trait.MAIL_FROM))
    return f"sent for {_list(new)}; so far for {_list(known)}" if known and new and not known & new else None


def _date_zone_changed(seen: _Seen) -> str | None:
    known = [int(one) for one in seen.history.of(Trait.ZONE)]
    new = [int(one) for one in seen.values(Trait.ZONE)]
    if not new or seen.history.messages(Trait.ZONE) < HABIT_MESSAGES:
        return None
    near = any(abs(new[0] - one) <= ZONE_MINUTES for one in known)
    return None if near else f"Date is written at {_offset(new[0])}; so far {', '.join(map(_offset, sorted(known)))}"


def _language_changed(seen: _Seen) -> str | None:
    known, new = frozenset(seen.history.of(Trait.LANGUAGE)), frozenset(seen.values(Trait.LANGUAGE))
    habit = seen.history.messages(Trait.LANGUAGE) >= HABIT_MESSAGES
    return f"written in {_list(new)}; so far in {_list(known)}" if habit and new and not known & new else None


COMPARISONS: tuple[tuple[Reason, Callable[[_Seen], str | None]], ...] = (
    (Reason.KEY_CHANGE, _key_change),
    (Reason.SIGNATURE_DROPPED, _signature_dropped),
    (Reason.ENCRYPTION_DROPPED, _encryption_dropped),
    (Reason.SIGNATURE_REPEATED, _signature_repeated),
    (Reason.DKIM_DOMAIN_CHANGED, _dkim_domain_changed),
    (Reason.DKIM_SELECTOR_CHANGED, _dkim_selector_changed),
    (Reason.MAIL_PATH_CHANGED, _mail_path_changed),
    (Reason.DATE_ZONE_CHANGED, _date_zone_changed),
    (Reason.LANGUAGE_CHANGED, _language_changed),
)
"""Every row that tells something is a signal; the first two raise an alert."""


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _targets(classification: Classification) -> Iterator[Signal]:
    named = {(one.kind, one.value) for one in classification.identifiers if one.kind in TARGETS}
    if classification.category is not Category.OTHER and len(named) > MANY_TARGETS:
        yield Signal(Reason.MANY_TARGETS, f"asks about {len(named)} persons or lines at once")


def _announced(message: Message, unsealed: Unsealed, contact: Contact | None) -> Iterator[Signal]:
    """Keys that mail in a contact's name brings and that are not pinned for it: never learned, worth a telephone call."""
    if contact is None:
        return
    pinned = {key.fingerprint for key in contact.keys}
    inside = () if unsealed.content is None else _keys_in(scan(unsealed.content))
    if new := sorted({*_keys_in(message), *inside} - pinned):
        yield Signal(
            Reason.KEY_ANNOUNCED, f"brings the key {', '.join(new)}, which is not pinned: never learned from a mail"
        )


def _keys_in(message: Message) -> Iterator[str]:
    for field in message.header.all("autocrypt"):
        yield from _fingerprints(_autocrypt(field.value))
    for part in _leaves(message.root):
        body = body_of(message, part) if part.end - part.body_start <= MAX_KEY_BYTES else b""
        if part.content_type == _KEY_TYPE or _KEY_BEGINS in body:
            yield from _fingerprints(_armored(body))


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _armored(body: bytes) -> bytes:
    """The octets of the first armored key; none where there is no whole one."""
    start = body.find(_KEY_BEGINS)
    end = body.find(_KEY_ENDS, start)
    try:
        return dearmor(body[start : end + len(_KEY_ENDS)], Armor.PUBLIC_KEY) if 0 <= start < end else b""
    except ValueError:
        return b""


def _autocrypt(value: bytes) -> bytes:
    """The key of an Autocrypt field (Autocrypt Level 1 section 2.1.1)."""
    data = next((one for one in value.split(b";") if one.strip().startswith(b"keydata=")), b"")
    try:
        return b64decode(data.partition(b"=")[2].translate(None, b" \t\r\n"), validate=True)
    except binascii.Error:
        return b""


def _fingerprints(octets: bytes) -> Iterator[str]:
    """Of every primary key; what cannot be read is no key anybody could use."""
    try:
        for packet in packets(octets):
            if packet.tag == Tag.PUBLIC_KEY:
                yield fingerprint_of(packet)
    except ValueError:
        return
