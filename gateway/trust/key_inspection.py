"""Decides whether a public key file may be pinned, and reads from gpg's listing how long the key is good.

Never believes a user ID and never repairs a key: what is odd is refused, with the remedy. Pure: gpg is run elsewhere.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from gateway.model.trust import ComponentKey, PinnedKey
from gateway.trust.openpgp_packets import Armor, Packet, Tag, dearmor, fingerprint_of, packets

MAX_KEY_BYTES = 262_144
MIN_RSA_BITS = 2048
_ALLOWED = frozenset({Tag.PUBLIC_KEY, Tag.PUBLIC_SUBKEY, Tag.SIGNATURE, Tag.USER_ID, Tag.USER_ATTRIBUTE})
# Ring trust packets (12) above all: gpg keeps in them which signatures it has checked, and believes them.
_RSA_AND_DSA = frozenset({"1", "2", "3", "16", "17"})
_EXPORT = "export it anew with `gpg --export --armor --export-options export-minimal FINGERPRINT`"
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """Why a key file may not be pinned, and what the administrator can do."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class AdmittedKey:
    """A key file whose outside is as it should be; nothing in it is proved yet."""

    fingerprint: str
    packets: bytes = field(repr=False)


def admit(armored: bytes) -> AdmittedKey | KeyRefused:
    """The single public key of an armored file, or why the file is refused before gpg sees it."""
    if len(armored) > MAX_KEY_BYTES:
        return KeyRefused(f"is {len(armored)} bytes, more than {MAX_KEY_BYTES}", _EXPORT)
    if b"PRIVATE KEY" in armored:
        return KeyRefused("holds a SECRET key", "remove it at once, and have its owner make a new key")
    try:
        octets = dearmor(armored, Armor.PUBLIC_KEY)
        found = tuple(packets(octets))
        return _refusal(found) or AdmittedKey(fingerprint_of(found[0]), octets)
    except ValueError as error:
        return KeyRefused(str(error), _EXPORT)


def _refusal(found: tuple[Packet, ...]) -> KeyRefused | None:
    tags = [one.tag for one in found]
    if Tag.SECRET_KEY in tags or Tag.SECRET_SUBKEY in tags:
        return KeyRefused("holds a SECRET key", "remove it at once, and have its owner make a new key")
    if tags[0] != Tag.PUBLIC_KEY or tags.count(Tag.PUBLIC_KEY) != 1:
        return KeyRefused("does not hold exactly one public key", "put each key in a file of its own")
    if not _ALLOWED.issuperset(tags) or not all(one.definite for one in found):
        return KeyRefused("holds more than a public key", _EXPORT)
    for one in found:
        if one.tag == Tag.PUBLIC_SUBKEY:
            fingerprint_of(one)
        if one.tag == Tag.USER_ID and not is_clean_user_id(one.body):
            return KeyRefused("has a user ID with control characters", "ask its owner for a key without it")
    return None


def is_clean_user_id(raw: bytes) -> bool:
    """Whether a user ID can be shown and logged without acting on a terminal, a line reader or the reader's eye."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    hostile = any(unicodedata.category(one) in {"Cc", "Zl", "Zp"} for one in text)
    return not (hostile or _BIDI.search(text) or "[GNUPG:]" in text)


def listed_keys(colons: bytes, octets: Mapping[str, bytes]) -> dict[str, PinnedKey | KeyRefused]:
    """Each key by primary fingerprint, as `gpg --with-colons --list-keys` describes it.

    octets: the binary packets of each key by the same fingerprint; keys that gpg leaves out are left out.
    """
    found: dict[str, PinnedKey | KeyRefused] = {}
    for records in _blocks(colons):
        fingerprint = next((one[9] for one in records if one[0] == "fpr" and len(one) > 9), "")
        if fingerprint in octets:
            found[fingerprint] = _key(records, fingerprint, octets[fingerprint])
    return found


def _blocks(colons: bytes) -> Iterator[list[list[str]]]:
    """The records of each key: `pub` and what follows it (doc/DETAILS of GnuPG, format of colon listings)."""
    block: list[list[str]] = []
    for line in colons.decode("utf-8", "replace").split("\n"):
        record = line.split(":")
        if record[0] == "pub" and block:
            yield block
            block = []
        if record[0] == "pub" or block:
            block.append(record)
    if block:
        yield block


def _key(records: list[list[str]], fingerprint: str, octets: bytes) -> PinnedKey | KeyRefused:
    primary = records[0]
    keys = [one for one in records if one[0] in {"pub", "sub"} and len(one) > 11]
    created = _moment(primary[5]) if keys and keys[0] is primary else None
    if created is None or primary[1] == "i":
        remedy = f"{_EXPORT}; if it signs itself with SHA-1 or MD5, ask its owner for a newer one"
        return KeyRefused("has no valid signature of its own on it", remedy)
    weak = next((one for one in keys if one[3] in _RSA_AND_DSA and int(one[2] or 0) < MIN_RSA_BITS), None)
    if weak is not None:
        return KeyRefused(f"has {weak[2]} bits, fewer than {MIN_RSA_BITS}", "ask its owner for a stronger key")
    can_encrypt, encryption_expires = _encryption(keys)
    return PinnedKey(
        fingerprint=fingerprint,
        packets=octets,
        created=created,
        expires=_moment(primary[6]),
        revoked=primary[1] in {"r", "d"},
        can_encrypt=can_encrypt,
        encryption_expires=encryption_expires,
        subkeys=tuple(_subkeys(records)),
        signing=tuple(_signing(records)),
    )


def _encryption(keys: list[list[str]]) -> tuple[bool, datetime | None]:
    """Whether one can encrypt to a (sub)key, and when the last of those ends; None = never."""
    able = [one for one in keys if _can(one, "e")]
    ends = [_moment(one[6]) for one in able]
    return bool(able), None if None in ends else max((one for one in ends if one), default=None)


def _subkeys(records: list[list[str]]) -> Iterator[str]:
    """Fingerprints of the subkeys that the primary key has really signed for; the others are somebody else's."""
    for record, following in pairwise(records):
        if record[0] == "sub" and record[1] != "i" and following[0] == "fpr":
            yield following[9]


def _signing(records: list[list[str]]) -> Iterator[ComponentKey]:
    """Its keys that sign documents and are neither revoked nor invalid; whether they have expired is asked later."""
    for record, following in pairwise(records):
        if record[0] in {"pub", "sub"} and following[0] == "fpr" and _can(record, "s"):
            created = _moment(record[5])
            if created is not None:
                yield ComponentKey(following[9], created, _moment(record[6]))


def _can(record: list[str], capability: str) -> bool:
    return len(record) > 11 and capability in record[11] and record[1] not in {"i", "r", "d", "n"}


def _moment(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() else None
