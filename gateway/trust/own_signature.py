"""Builds the detached signatures of our own key as gpg does (RFC 9580 section 5.2.3, version 4), around what an agent signs.

Never holds a secret, never chooses between keys, and never gives out a signature that our public key does not verify.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.trust.openpgp_packets import Packet, Tag, fingerprint_of, packets, serialized

MICALG = "pgp-sha256"

_VERSION, _BINARY_DOCUMENT, _SHA256 = 4, 0, 8
_CREATED, _ISSUER, _ISSUER_FINGERPRINT = 2, 16, 33
"""Subpackets (RFC 9580 section 5.2.3.7)."""
_RSA, _EDDSA = 1, 22
_ED25519 = bytes.fromhex("092b06010401da470f01")
"""Length and OID of the curve in a version 4 key (RFC 9580 section 9.2)."""
_POINT_BITS = 263
"""Of a point with its prefix 0x40."""
_GOOD = frozenset("oqmfu-")
"""Validities of a key that is neither invalid, revoked, expired nor disabled (doc/DETAILS of GnuPG)."""
_ATOM_LENGTH = re.compile(rb"(\d{1,4}):")


MATURE = timedelta(days=30)
"""A subkey signs when it is so old: until then counterparts have had no time to fetch it, and would see an unknown key."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The one key of ours that signs documents, primary or subkey."""

    fingerprint: str
    keygrip: str
    """Its name with the agent."""
    expires: datetime | None
    public: Ed25519PublicKey | RSAPublicKey

    @property
    def algorithm(self) -> int:
        """Public key algorithm (RFC 9580 section 9.1)."""
        return _EDDSA if isinstance(self.public, Ed25519PublicKey) else _RSA

    def usable(self, at: datetime) -> bool:
        """Whether it has not expired at that moment."""
        return self.expires is None or at < self.expires


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A signature without its numbers: what is hashed, and its hash."""

    key: SigningKey
    hashed: bytes
    digest: bytes


def signing_key(colons: bytes, octets: bytes, *, at: datetime) -> SigningKey | None:
    """The key to sign with: of several the newest that is mature, else the oldest; None where it signs in a way that is not ours.

    colons: `gpg --with-colons --with-keygrip --list-keys` of our key alone. octets: its packets.
    """
    keys = _keys([line.split(":") for line in colons.decode("utf-8", "replace").split("\n")])
    if not keys or keys[0].validity not in _GOOD:
        return None
    # The secret of a primary key may be kept elsewhere: a subkey goes before it, as with gpg.
    able = sorted((one for one in keys[1:] if _signs(one, at)), key=lambda one: one.created)
    able = able or [one for one in keys[:1] if _signs(one, at)]
    if not able:
        return None
    only = next((one for one in reversed(able) if one.created + MATURE <= at), able[0])
    body = next((one.body for one in _key_packets(octets) if fingerprint_of(one) == only.fingerprint), b"")
    public = _public(body) if body else None
    ends = min((one.expires for one in (keys[0], only) if one.expires), default=None)
    return SigningKey(only.fingerprint, only.keygrip, ends, public) if public else None


@dataclass(frozen=True, slots=True)
class _Listed:
    """A key or subkey as gpg lists it."""

    validity: str
    capabilities: str
    created: datetime
    expires: datetime | None
    fingerprint: str
    keygrip: str


def _keys(records: list[list[str]]) -> list[_Listed]:
    """The primary key and its subkeys; each `pub` or `sub` is followed by its own `fpr` and `grp`."""
    found = []
    for record, fingerprint, keygrip in zip(records, records[1:], records[2:], strict=False):
        if record[0] in {"pub", "sub"} and (fingerprint[0], keygrip[0]) == ("fpr", "grp"):
            ends = datetime.fromtimestamp(int(record[6]), UTC) if record[6].isdecimal() else None
            made = datetime.fromtimestamp(int(record[5]), UTC)
            found.append(_Listed(record[1], record[11], made, ends, fingerprint[9], keygrip[9]))
    return found


def _signs(key: _Listed, at: datetime) -> bool:
    return "s" in key.capabilities and key.validity in _GOOD and (key.expires is None or at < key.expires)


def _key_packets(octets: bytes) -> Iterator[Packet]:
    return (one for one in packets(octets) if one.tag in {Tag.PUBLIC_KEY, Tag.PUBLIC_SUBKEY})


def _public(body: bytes) -> Ed25519PublicKey | RSAPublicKey | None:
    """The key in the body of a version 4 key packet (RFC 9580 section 5.5.2), None if it is of another kind."""
    material = body[6:]
    if body[5] == _EDDSA and material.startswith(_ED25519 + _POINT_BITS.to_bytes(2, "big") + b"\x40"):
        return Ed25519PublicKey.from_public_bytes(material[len(_ED25519) + 3 :])
    if body[5] != _RSA:
        return None
    width = math.ceil(int.from_bytes(material[:2], "big") / 8)
    modulus, exponent = material[2 : 2 + width], material[4 + width :]
    return RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()


def unsigned(payload: bytes, key: SigningKey, *, at: datetime) -> Unsigned:
    """What the key has to sign for a binary document, with the digest to hand to the agent."""
    subpackets = _subpacket(_ISSUER_FINGERPRINT, b"\x04" + bytes.fromhex(key.fingerprint))
    subpackets += _subpacket(_CREATED, int(at.timestamp()).to_bytes(4, "big"))
    head = bytes((_VERSION, _BINARY_DOCUMENT, key.algorithm, _SHA256))
    hashed = head + len(subpackets).to_bytes(2, "big") + subpackets
    trailer = bytes((_VERSION, 0xFF)) + len(hashed).to_bytes(4, "big")
    return Unsigned(key, hashed, hashlib.sha256(payload + hashed + trailer).digest())


def signed(draft: Unsigned, answer: bytes) -> bytes:
    """The signature packet with the numbers of the agent's S-expression; ValueError if the key did not make them."""
    numbers = _numbers(answer)
    _verify(draft, b"".join(numbers))
    issuer = _subpacket(_ISSUER, bytes.fromhex(draft.key.fingerprint)[-8:])
    tail = len(issuer).to_bytes(2, "big") + issuer + draft.digest[:2]
    return serialized(Packet(Tag.SIGNATURE, draft.hashed + tail + b"".join(map(_mpi, numbers))))


def _subpacket(kind: int, content: bytes) -> bytes:
    return bytes((len(content) + 1, kind)) + content


def _mpi(number: bytes) -> bytes:
    """A multiprecision integer, without leading zeros (RFC 9580 section 3.2)."""
    value = int.from_bytes(number, "big")
    return value.bit_length().to_bytes(2, "big") + number.lstrip(b"\0")


def _numbers(answer: bytes) -> tuple[bytes, ...]:
    """The numbers of `(sig-val(eddsa(r..)(s..)))` or `(sig-val(rsa(s..)))`, r and s of one length."""
    match tuple(_atoms(answer)):
        case b"sig-val", b"eddsa", b"r", r, b"s", s:
            return r.rjust(32, b"\0"), s.rjust(32, b"\0")
        case b"sig-val", b"rsa", b"s", s:
            return (s,)
    raise ValueError("the agent's answer is no signature")


def _atoms(expression: bytes) -> Iterator[bytes]:
    """The strings of a canonical S-expression, their order without their nesting (RFC 9804 section 6.1)."""
    at = 0
    while at < len(expression):
        if expression[at : at + 1] in (b"(", b")"):
            at += 1
            continue
        length = _ATOM_LENGTH.match(expression, at)
        if length is None:
            raise ValueError("the agent's answer is no S-expression")
        at = length.end() + int(length[1])
        yield expression[length.end() : at]


def _verify(draft: Unsigned, numbers: bytes) -> None:
    try:
        if isinstance(draft.key.public, Ed25519PublicKey):
            draft.key.public.verify(numbers, draft.digest)
        else:
            modulus_octets = math.ceil(draft.key.public.key_size / 8)
            draft.key.public.verify(numbers.rjust(modulus_octets, b"\0"), draft.digest, PKCS1v15(), Prehashed(SHA256()))
    except InvalidSignature:
        raise ValueError("the agent's signature is not our key's") from None
