"""Reads a signature packet of the plainest kind: what gpg and common clients write, and nothing that needs thought.

Never checks a signature. Everything odd, rare or new is None here and stays gpg's to judge.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.trust.openpgp_packets import Packet

_VERSION, _BINARY_DOCUMENT = 4, 0
_NUMBERS = {1: 1, 19: 2, 22: 2}
"""Public key algorithm -> how many numbers its signature has: RSA, ECDSA, EdDSA (RFC 9580 section 9.1)."""
_HASHES = frozenset({8, 9, 10})
"""SHA2-256, -384, -512 (RFC 9580 section 9.5)."""
_CREATED, _ISSUER, _SIGNERS_USER_ID, _ISSUER_FINGERPRINT = 2, 16, 28, 33
"""Subpackets (RFC 9580 section 5.2.3.7); one that is marked critical has another number, and is not plain."""
_MAX_SUBPACKET = 191
"""The longest whose length is one octet (RFC 9580 section 5.2.3.7)."""


@dataclass(frozen=True, slots=True)
class PlainSignature:
    """What a plain signature says of itself; nothing of it is proved."""

    issuer: str
    """Fingerprint of the key that claims to have made it, 40 hexadecimal digits, upper case."""
    created: datetime
    id: str
    """What gpg calls SIG_ID."""


def plain_signature(packet: Packet) -> PlainSignature | None:
    """What the packet of a version 4 signature over a binary document says of itself, None if it is not plain (RFC 9580 section 5.2.3).

    Plain: RSA, ECDSA or EdDSA with SHA-2, and no subpackets but when it was made, by which key, and the signer's user ID.
    """
    try:
        return _read(packet.body)
    except ValueError:
        return None


def _read(body: bytes) -> PlainSignature:
    _must(len(body) > 4 and body[:2] == bytes((_VERSION, _BINARY_DOCUMENT)))
    algorithm, hashing = body[2], body[3]
    _must(algorithm in _NUMBERS and hashing in _HASHES)
    hashed, at = _area(body, 4)
    unhashed, at = _area(body, at)
    numbers = tuple(_multiprecision(body, at + 2))
    _must(len(numbers) == _NUMBERS[algorithm])
    said = dict(hashed)
    _must(len(said) == len(hashed) and {_CREATED, _ISSUER_FINGERPRINT} <= said.keys())
    _must(said.keys() <= {_CREATED, _ISSUER, _ISSUER_FINGERPRINT, _SIGNERS_USER_ID})
    created, issuer = said[_CREATED], said[_ISSUER_FINGERPRINT]
    _must(len(created) == 4 and len(issuer) == 21 and issuer[0] == _VERSION)
    _must(all((kind, content) == (_ISSUER, issuer[-8:]) for kind, content in unhashed))
    _must(said.get(_ISSUER, issuer[-8:]) == issuer[-8:])
    octets = bytes((algorithm, hashing)) + created + b"".join(numbers)
    digest = hashlib.sha1(octets, usedforsecurity=False).digest()
    return PlainSignature(
        issuer=issuer[1:].hex().upper(),
        created=datetime.fromtimestamp(int.from_bytes(created, "big"), UTC),
        id=base64.b64encode(digest).rstrip(b"=").decode("ascii"),
    )


def _must(plain: bool) -> None:
    if not plain:
        raise ValueError("not a plain signature")


def _area(body: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Number and content of each subpacket of an area that begins there, and where the area ends."""
    start, end = at + 2, at + 2 + int.from_bytes(body[at : at + 2], "big")
    _must(start <= end <= len(body))
    return tuple(_subpackets(body[start:end])), end


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        length = area[at]
        _must(0 < length <= _MAX_SUBPACKET and at + 1 + length <= len(area))
        yield area[at + 1], area[at + 2 : at + 1 + length]
        at += 1 + length


def _multiprecision(body: bytes, at: int) -> Iterator[bytes]:
    """The numbers from there to the end, each with its exact length in bits before it (RFC 9580 section 3.2)."""
    _must(at < len(body))
    while at < len(body):
        bits = int.from_bytes(body[at : at + 2], "big")
        end = at + 2 + (bits + 7) // 8
        _must(end <= len(body) and int.from_bytes(body[at + 2 : end], "big").bit_length() == bits)
        yield body[at:end]
        at = end
