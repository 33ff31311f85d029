"""What authenticated mail of one address has looked like so far, and what one more message looks like."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Trait(StrEnum):
    """What is remembered of a message; each is a word or a name, never text of the mail."""

    SIGNATURE = "signature"
    """`openpgp` or `none`, over the whole message."""
    ENCRYPTION = "encryption"
    """`openpgp` or `none`."""
    KEY = "key"
    """Primary fingerprint of a good signature by a pinned key."""
    SIGNATURE_ID = "signature-id"
    """Of a good signature by a pinned key, as gpg names it; no two are alike."""
    DKIM = "dkim"
    """Name of the key record of a passing signature of the author's organisation, `selector._domainkey.domain`."""
    MAIL_FROM = "mail-from"
    """Domain of the envelope for which SPF passed."""
    LANGUAGE = "language"
    """BCP 47."""
    ZONE = "zone"
    """Minutes east of UTC in Date."""


OPENPGP, ABSENT = "openpgp", "none"
"""Values of SIGNATURE and ENCRYPTION."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One value of one trait, and how often it was seen."""

    trait: Trait
    value: str
    first_seen: datetime
    last_seen: datetime
    messages: int = 1


@dataclass(frozen=True, slots=True)
class History:
    """All sightings of one From address; empty where no authenticated mail of it was seen yet."""

    sightings: tuple[Sighting, ...] = ()

    def of(self, trait: Trait) -> Mapping[str, Sighting]:
        """Value -> sighting of one trait."""
        return {one.value: one for one in self.sightings if one.trait is trait}

    def messages(self, trait: Trait) -> int:
        """How many times any value of that trait was seen."""
        return sum(one.messages for one in self.sightings if one.trait is trait)


@dataclass(frozen=True, slots=True)
class Appearance:
    """What one message adds to the history of its From address."""

    address: str
    """As the directory compares it."""
    traits: tuple[tuple[Trait, str], ...]
    """Each pair once."""
