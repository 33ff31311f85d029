"""Reads DKIM key records (RFC 6376 section 3.6.1, RFC 8301, RFC 8463) before any arithmetic is done with them.

Never returns a key that is too short to trust or too large to be checked quickly.
"""

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import nacl.exceptions
import nacl.signing
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from dkim.util import InvalidTagValueList, parse_tag_value

from gateway.trust.resolver import Questions

MAX_RECORD_CHARS = 4096
MIN_BITS = 1024
"""RFC 8301 section 3.2."""
MAX_BITS = 4096
MAX_EXPONENT = 2**32


@dataclass(frozen=True, slots=True)
class Key:
    """A public key ready for dkimpy, with what its record allows."""

    kind: bytes
    """rsa | ed25519"""
    public: Any
    """{"modulus", "publicExponent"} or a PyNaCl VerifyKey, the shapes dkimpy works with."""
    bits: int
    testing: bool = False
    """t=y: the signer tests, its signatures are no better than none (RFC 6376 section 3.6.1)."""
    same_domain: bool = False
    """t=s: i= must be the very domain of d=."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a record gives no key: one kebab-case word."""

    reason: str


def ask_key(selector: str, domain: str, *, kind: bytes, questions: Questions) -> Key | Refused:
    """The key of that kind published for a selector (RFC 6376 section 3.6.2), or why there is none; raises DnsUnavailable."""
    answer = questions.txt(f"{selector}._domainkey.{domain}")
    if len(answer.values) != 1:
        # RFC 6376 section 3.6.2.2 leaves several records undefined: whoever may add one must not choose the key.
        return Refused("several-keys" if answer.values else "no-key")
    key = parse_key(answer.values[0])
    if isinstance(key, Key) and key.kind != kind:
        return Refused("key-type")
    return key


@lru_cache(maxsize=1024)
def parse_key(record: str) -> Key | Refused:
    """The key of one TXT record (octets as Latin-1), or why there is none; never raises."""
    if len(record) > MAX_RECORD_CHARS:
        return Refused("key-too-large")
    try:
        tags = parse_tag_value(record.encode("latin-1"))
    except (InvalidTagValueList, UnicodeEncodeError, IndexError):
        return Refused("key-syntax")
    reason = _refusal(tags)
    if reason:
        return Refused(reason)
    octets = _base64(tags[b"p"])
    if octets is None:
        return Refused("key-syntax")
    flags = _list(tags.get(b"t", b""))
    found = READERS[tags.get(b"k", b"rsa")](octets)
    if isinstance(found, Refused):
        return found
    kind, public, bits = found
    return Key(kind, public, bits, testing=b"y" in flags, same_domain=b"s" in flags)


def _refusal(tags: dict[bytes, bytes]) -> str | None:
    checks = (
        (tags.get(b"v", b"DKIM1") != b"DKIM1", "key-version"),
        (b"p" not in tags, "key-syntax"),
        (tags.get(b"p") == b"", "key-revoked"),
        (tags.get(b"k", b"rsa") not in READERS, "key-type"),
        (b"h" in tags and b"sha256" not in _list(tags[b"h"]), "key-hash"),
        (b"s" in tags and not {b"*", b"email"} & set(_list(tags[b"s"])), "key-service"),
        # RFC 6376 dropped g=, but a record that carries one meant to restrict the key (RFC 4871 section 3.6.1).
        (tags.get(b"g", b"*") != b"*", "key-granularity"),
    )
    return next((reason for wrong, reason in checks if wrong), None)


def _list(value: bytes) -> list[bytes]:
    return [one.strip().lower() for one in value.split(b":")]


def _base64(value: bytes) -> bytes | None:
    compact = b"".join(value.split())
    try:
        return base64.b64decode(compact, validate=True)
    except binascii.Error:
        return None


def _rsa(octets: bytes) -> tuple[bytes, dict[str, int], int] | Refused:
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        return Refused("key-syntax")
    if not isinstance(key, rsa.RSAPublicKey):
        return Refused("key-type")
    numbers = key.public_numbers()
    if key.key_size < MIN_BITS:
        return Refused("key-too-short")
    if key.key_size > MAX_BITS or numbers.e >= MAX_EXPONENT:
        return Refused("key-too-large")
    return b"rsa", {"modulus": numbers.n, "publicExponent": numbers.e}, key.key_size


def _ed25519(octets: bytes) -> tuple[bytes, nacl.signing.VerifyKey, int] | Refused:
    try:
        return b"ed25519", nacl.signing.VerifyKey(octets), 256
    except (nacl.exceptions.ValueError, nacl.exceptions.TypeError):
        return Refused("key-syntax")


READERS = {b"rsa": _rsa, b"ed25519": _ed25519}
"""k= -> reader of p=."""
