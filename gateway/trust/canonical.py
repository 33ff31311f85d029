"""Canonical forms and body hashes of DKIM and ARC (RFC 6376 section 3.4) in linear time, and RSA by OpenSSL, set into dkimpy's tables.

dkimpy's own are quadratic in a run of blanks and use Python's integers for RSA; the results are the same. Never copies a body
more often than a canonical form needs.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Protocol

import dkim
import dkim.canonicalization
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

BLANKS = re.compile(rb"  +")


class Digest(Protocol):
    """The part of a hashlib object that a signature check reads."""

    name: str

    def digest(self) -> bytes:
        """Octets of the hash."""


def simple_body(body: bytes) -> bytes:
    """Body without empty lines at its end and with exactly one CRLF there (RFC 6376 section 3.4.3)."""
    return body[: _end_of_text(body)] + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """Body with runs of blanks as one space and none at line ends; nothing at all if no line is left (section 3.4.4)."""
    text = body.replace(b"\t", b" ")
    if b"  " in text:
        text = BLANKS.sub(b" ", text)
    text = text.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = _end_of_text(text)
    return text[:end] + b"\r\n" if end else b""


BodyHash = Callable[[bytes, int | None], tuple[bytes, int]]
"""(canonicalization, l= or None) -> SHA-256 of so many octets of the canonical body, and the length of all of it."""

BODIES = {b"simple": simple_body, b"relaxed": relaxed_body}


def body_hash(body: bytes, canonicalization: bytes) -> tuple[bytes, int]:
    """SHA-256 of the canonical body, and its length in octets."""
    return body_hasher(body)(canonicalization, None)


def body_hasher(body: bytes) -> BodyHash:
    """Hashes of one body: each canonical form is made once and each hash computed once, however many signatures ask."""

    @cache
    def canonical(form: bytes) -> bytes:
        return BODIES[form](body)

    @cache
    def hashed(form: bytes, length: int | None = None) -> tuple[bytes, int]:
        octets = canonical(form)
        return hashlib.sha256(memoryview(octets)[:length]).digest(), len(octets)

    return hashed


def _end_of_text(body: bytes) -> int:
    """Offset behind the last octet that is not part of an empty line at the end."""
    end = len(body.rstrip(b"\r\n"))
    tail = body[end:]
    if not tail.endswith(b"\r\n"):
        return len(body)
    # Of the CR and LF at the end only whole CRLF pairs are line ends.
    start = max(tail.rfind(b"\n\n"), tail.rfind(b"\r\r")) + 1
    return end + start + (1 if tail.startswith(b"\n", start) else 0)


class LinearSimple:
    """The simple algorithm in the shape of dkimpy's table."""

    name = b"simple"
    canonicalize_headers = staticmethod(dkim.canonicalization.Simple.canonicalize_headers)
    canonicalize_body = staticmethod(simple_body)


class LinearRelaxed:
    """The relaxed algorithm in the shape of dkimpy's table."""

    name = b"relaxed"
    canonicalize_headers = staticmethod(dkim.canonicalization.Relaxed.canonicalize_headers)
    canonicalize_body = staticmethod(relaxed_body)


def rsa_verifies(digest: Digest, signature: bytes, public_key: dict[str, int]) -> bool:
    """Whether an RSASSA-PKCS1-v1_5 signature is right (RFC 8017 section 8.2.2); takes what dkimpy's own function takes."""
    algorithm = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}[digest.name]  # noqa: S303 refused by our rules before
    try:
        key = openssl_key(public_key["modulus"], public_key["publicExponent"])
        key.verify(signature, digest.digest(), padding.PKCS1v15(), Prehashed(algorithm))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def openssl_key(modulus: int, exponent: int) -> rsa.RSAPublicKey:
    """Public key as OpenSSL holds it; raises ValueError for numbers that cannot be one."""
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


dkim.canonicalization.ALGORITHMS.update({b"simple": LinearSimple, b"relaxed": LinearRelaxed})
dkim.RSASSA_PKCS1_v1_5_verify = rsa_verifies
