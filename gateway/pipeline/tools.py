"""What both roads are given: settings, rules, directory, and the edges as functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.model.message import Envelope, Message
from gateway.model.settings import Settings
from gateway.model.trust import Checks, Contact, ContactAddress, PinnedKey, Unsealed
from gateway.triage.ruleset import Ruleset
from gateway.trust.lookalike import KnownNames

Book = Mapping[str, tuple[Contact, ContactAddress]]
"""Address key -> who it is."""

Check = Callable[[Message, Envelope, datetime], Checks]
"""EDGE dns: SPF, DKIM, DMARC and ARC of a message as received at that moment."""

Unseal = Callable[[Message, Contact | None, datetime], Unsealed]
"""EDGE gpg: what OpenPGP says, against the keys pinned for that contact."""


class Seal(Protocol):
    """EDGE gpg: our own key; each raises SealFailed."""

    def sign(self, payload: bytes) -> tuple[bytes, str]:
        """An armored detached signature and its micalg."""

    def encrypt(self, payload: bytes, *, keys: tuple[PinnedKey, ...]) -> bytes:
        """The payload signed, and encrypted to these keys and our own."""

    def dkim_field(self, content: bytes, *, at: datetime) -> bytes:
        """A DKIM-Signature field for a complete message."""

    def recipients_of(self, message: Message) -> frozenset[str]:
        """Key ids a message is encrypted to."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything the roads use beside the message."""

    settings: Settings
    secret: bytes = field(repr=False)
    ruleset: Ruleset
    book: Book
    contacts: Mapping[str, Contact]
    """Folder name -> contact."""
    known: KnownNames
    """What look-alikes are found by: names of the contacts and our own."""
    own_keys: frozenset[str]
    """Fingerprints and key ids of our own key and its subkeys."""
    check: Check
    unseal: Unseal
    seal: Seal
