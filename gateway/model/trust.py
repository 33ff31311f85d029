"""Who asks, and what proves it: results in the words of RFC 8601, contacts, keys, signatures."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from gateway.model.message import Address
from gateway.model.verdict import Reason


class Method(StrEnum):
    """What was checked (RFC 8601 section 2.7, with openpgp and smime beside)."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    ARC = "arc"
    OPENPGP = "openpgp"
    SMIME = "smime"


class Result(StrEnum):
    """How a check came out (RFC 8601 section 2.7)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 a result word of RFC 8601, not a password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Assurance(StrEnum):
    """How sure we are who asks, weakest first; only an officer gives CONFIRMED."""

    NONE = "none"
    DOMAIN = "domain"
    LISTED = "listed"
    SIGNED = "signed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class AuthResult:
    """One result of one method; DKIM and OpenPGP give one per signature."""

    method: Method
    result: Result
    identity: str | None = None
    """d= domain, mail_from or helo domain, From domain (dmarc), primary fingerprint."""
    reason: str = ""
    """One kebab-case word or short phrase; '' on a plain pass."""
    selector: str | None = None
    covers: tuple[str, ...] = ()
    """Lower-case field names a DKIM signature covers, with repetitions, as h= lists them; of a good OpenPGP signature over the
    whole message the protected fields that say what the outer ones say (RFC 9788)."""
    vouches: bool = False
    """ARC alone: every sealer is listed, and one of them sealed that DMARC passed for this author; counts where result is pass."""

    def speaks_for(self, author: str) -> bool:
        """Whether identity is the author domain, above it or below it; a top-level domain is above nobody."""
        domain = self.identity or ""
        if "." not in domain:
            return False
        return domain == author or author.endswith(f".{domain}") or domain.endswith(f".{author}")


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """One DNS answer as used: kept so that the verdict can be given again."""

    name: str
    rdtype: str
    status: str
    """answer | nodata | nxdomain | temperror"""
    values: tuple[str, ...] = ()
    ttl: int = 0
    secure: bool = False
    """A name server on this very machine says that DNSSEC validated it (RFC 4035 section 3.2.3); recorded, proves nobody."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What DNS-based authentication found."""

    results: tuple[AuthResult, ...] = ()
    """spf (one), dkim (one per signature, or one `none`), dmarc (one), arc (one)."""
    dns: tuple[DnsAnswer, ...] = ()

    def of(self, method: Method) -> tuple[AuthResult, ...]:
        """Results of one method in order of appearance."""
        return tuple(one for one in self.results if one.method is method)


class SigLevel(StrEnum):
    """Protection by signature, weakest first (CHANNEL A1)."""

    NONE = "none"
    DKIM = "dkim"
    OPENPGP = "openpgp"


class TlsLevel(StrEnum):
    """Protection of the hop, weakest first (CHANNEL A1)."""

    NONE = "none"
    TLS = "tls"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Protection:
    """How well a message is protected, compared component by component (CHANNEL A1)."""

    sig: SigLevel = SigLevel.NONE
    enc: bool = False
    tls: TlsLevel = TlsLevel.NONE

    def join(self, other: "Protection") -> "Protection":
        """The stronger of each component: a floor that never sinks."""
        return Protection(
            sig=max(self.sig, other.sig, key=tuple(SigLevel).index),
            enc=self.enc or other.enc,
            tls=max(self.tls, other.tls, key=tuple(TlsLevel).index),
        )

    def reaches(self, floor: "Protection") -> bool:
        """Whether no component is weaker than the floor's."""
        return self.join(floor) == self


@dataclass(frozen=True, slots=True)
class ComponentKey:
    """A primary key or subkey that signs documents, as gpg lists it: neither revoked nor invalid."""

    fingerprint: str
    """40 hexadecimal digits, upper case."""
    created: datetime
    expires: datetime | None = None

    def usable(self, at: datetime) -> bool:
        """Whether it has not expired at that moment."""
        return self.expires is None or at < self.expires


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """One public key file of a contact's folder; binary packets, ready to stand in a key ring."""

    fingerprint: str
    """40 hexadecimal digits, upper case, of the primary key."""
    packets: bytes = field(repr=False)
    created: datetime
    expires: datetime | None = None
    revoked: bool = False
    can_encrypt: bool = True
    encryption_expires: datetime | None = None
    subkeys: tuple[str, ...] = ()
    """Fingerprints of its subkeys, upper case: encrypted mail names these, not the primary key."""
    signing: tuple[ComponentKey, ...] = ()
    """Those of its keys that sign documents, expired ones too."""

    @property
    def can_sign(self) -> bool:
        """Whether its owner has ever been able to sign documents with it."""
        return bool(self.signing)

    @property
    def signing_expires(self) -> datetime | None:
        """When the last key that signs ends, None = never: known before its signatures fail."""
        ends = [one.expires for one in self.signing]
        return None if None in ends else max((one for one in ends if one), default=None)

    def usable(self, at: datetime) -> bool:
        """Whether a signature by this key may count at that moment."""
        return not self.revoked and (self.expires is None or at < self.expires)

    def signs(self, at: datetime) -> bool:
        """Whether its owner can still make signatures that count at that moment."""
        return self.usable(at) and self.can_sign and (self.signing_expires is None or at < self.signing_expires)

    def encrypts(self, at: datetime) -> bool:
        """Whether something may be encrypted to this key at that moment."""
        return (
            self.usable(at) and self.can_encrypt and (self.encryption_expires is None or at < self.encryption_expires)
        )


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """One mailbox of a contact point."""

    address: Address
    verified: bool = False
    joint: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact point of the directory: a folder of keys/."""

    id: str
    """Folder name, chosen by the administrator."""
    name: str
    country: str
    addresses: tuple[ContactAddress, ...]
    domains: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    phone: str = ""
    languages: tuple[str, ...] = ()
    minimum: Protection = Protection()
    valid_until: date | None = None
    enrolled_by: tuple[str, ...] = ()
    verified_how: str = ""
    keys: tuple[PinnedKey, ...] = ()

    def valid(self, on: date) -> bool:
        """Whether the entry may still give `signed` on that day."""
        return self.valid_until is None or on <= self.valid_until


@dataclass(frozen=True, slots=True)
class Directory:
    """All contacts, as the administrator keeps them in keys/."""

    contacts: tuple[Contact, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class OpenpgpSignature:
    """What our own reading of gpg's status lines says about one signature."""

    result: Result
    fingerprint: str | None
    """Primary fingerprint where gpg named one, else the key id it asked for."""
    reason: str = ""
    created: datetime | None = None
    pinned: bool = False
    """The primary fingerprint is pinned for the contact whom the From address names."""
    signer: str | None = None
    """Folder name of another contact who owns an unexpected key; only a hint for the human."""
    id: str | None = None
    """What gpg calls SIG_ID: the same only for the same signature over the same octets."""
    disputed: bool = False
    """gpg did not confirm what was found good in process; all else here is what gpg says."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What OpenPGP found, and the bytes a reader would see after opening."""

    encrypted: bool = False
    decrypted: bool = False
    whole: bool = False
    """A signature covers the root, or the whole content of the decrypted root."""
    signatures: tuple[OpenpgpSignature, ...] = ()
    content: bytes | None = field(default=None, repr=False)
    """The decrypted entity, CRLF, never stored; None when nothing was encrypted or it could not be opened."""
    reasons: tuple[Reason, ...] = ()
    results: tuple[AuthResult, ...] = ()
    """The same as RFC 8601 results, one per signature, plus smime where such a signature was seen."""

    @property
    def good(self) -> bool:
        """Exactly good pinned signatures over the whole message, at least one."""
        return (
            self.whole and bool(self.signatures) and all(s.result is Result.PASS and s.pinned for s in self.signatures)
        )

    @property
    def wrong(self) -> bool:
        """There is a signature, and it is bad or by a key not pinned for the sender."""
        return any(s.result in (Result.FAIL, Result.POLICY) for s in self.signatures)

    @property
    def contradictions(self) -> tuple[Reason, ...]:
        """What inside takes every trust from the message outside: another author (RFC 9788 section 4.4)."""
        return tuple(one for one in self.reasons if one is Reason.PROTECTED_FROM_DIFFERS)

    @property
    def unsure(self) -> bool:
        """gpg could not answer."""
        return any(s.result is Result.TEMPERROR for s in self.signatures) or any(
            r.result is Result.TEMPERROR for r in self.results
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the message proves to be from: the assurance is what the proofs carry, not what the policy makes of it."""

    assurance: Assurance
    contact: Contact | None = None
    """The contact whom From names, proved or not."""
    address: ContactAddress | None = None
    authenticated: bool = False
    """DMARC passes, or an aligned DKIM signature does, or listed ARC sealers saw DMARC pass."""
    dmarc_failed: bool = False
    """DMARC fails, and no listed sealer saw it pass."""
    unsure: bool = False
    """A result that matters is temperror."""
    openpgp_good: bool = False
    openpgp_wrong: bool = False
    protection: Protection = Protection()
