"""Reads the tags of DKIM-Signature, ARC-Message-Signature and ARC-Seal fields, and has dkimpy check one signature behind limits.

dkimpy selects, canonicalises and hashes the header fields and checks the signature; which signatures count, on which clock and with
which key is decided by our own rules. Never hands dkimpy a field on which its patterns could run away.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

import dkim
import nacl.exceptions
from dkim.util import InvalidTagValueList, parse_tag_value

from gateway.model.message import Field
from gateway.trust.dkim_key import Key

Tags = dict[bytes, bytes]

MAX_FIELD_BYTES = 8192
MAX_NAMES = 256
"""Names in h=; each is looked for in the whole header."""
ALGORITHMS = {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed25519"}
"""a= -> the k= its key must have (RFC 8301, RFC 8463)."""
CANONICALIZATIONS = (b"simple", b"relaxed")

# dkimpy's pattern for b= is quadratic in folds that hold nothing; RFC 5322 section 3.2.2 forbids to write them.
EMPTY_FOLD = re.compile(rb"\n[ \t]*\r?\n")
LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})*")
NAME = re.compile(rb"[!-9;-~]+")


def read_tags(field: Field) -> Tags | None:
    """The tag=value list of a signature field (RFC 6376 section 3.2), b= and bh= without blanks; None if it is none."""
    value = _pair(field)[1]
    if len(value) > MAX_FIELD_BYTES or EMPTY_FOLD.search(value):
        return None
    try:
        tags: Tags = parse_tag_value(value)
    except (InvalidTagValueList, IndexError):
        return None
    for name in (b"b", b"bh", b"i"):
        if name in tags:
            tags[name] = b"".join(tags[name].split())
    for name in (b"a", b"c"):
        if name in tags:
            tags[name] = tags[name].lower()
    return tags


def host_of(value: bytes, *, labels: int = 1) -> str | None:
    """Domain or selector as lower-case A-labels if it is one of at least so many labels (RFC 6376 section 3.5, RFC 8616)."""
    try:
        text = value.decode()
        host = (text if text.isascii() else text.encode("idna").decode()).lower()
    except UnicodeError:
        return None
    return host if HOST.fullmatch(host) and host.count(".") >= labels - 1 else None


def names_of(value: bytes) -> tuple[str, ...] | None:
    """Lower-case field names of an h= list with their repetitions; None if it is too long or names what no field can be called."""
    names = [one.strip().lower() for one in value.split(b":", MAX_NAMES + 1)]
    wanted = [one for one in names if one]
    if len(wanted) > MAX_NAMES or not all(NAME.fullmatch(one) for one in wanted):
        return None
    return tuple(one.decode("ascii") for one in wanted)


def canonicalizations_of(tags: Tags) -> tuple[bytes, bytes] | None:
    """Header and body algorithm of c= (RFC 6376 section 3.5)."""
    header, _, body = tags.get(b"c", b"simple/simple").partition(b"/")
    both = header, body or b"simple"
    return both if all(one in CANONICALIZATIONS for one in both) else None


def octets_of(value: bytes) -> bytes | None:
    """Octets of a base64 value that holds nothing else."""
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return None


def verifies(
    field: Field, tags: Tags, *, names: Sequence[str], fields: Iterable[Field], canonicalization: bytes, key: Key
) -> bool:
    """Whether the signature of `field` over the named fields is right; the body hash is the caller's (RFC 6376 section 3.7).

    `fields` stand top first; of a repeated name the lowest is taken first.
    """
    wanted = set(names)
    verifier = dkim.DKIM()
    verifier.headers = [_pair(one) for one in fields if one.name.lower() in wanted]
    verifier.pk, verifier.keysize, verifier.ktag = key.public, key.bits, key.kind
    signature = {b"a": tags[b"a"], b"b": tags[b"b"], b"c": canonicalization}
    include = [one.encode() for one in names]
    try:
        return bool(verifier.verify_sig_process(signature, include, _pair(field), None))
    except (nacl.exceptions.CryptoError, nacl.exceptions.ValueError):
        return False


def _pair(field: Field) -> tuple[bytes, bytes]:
    name, _, value = field.raw.partition(b":")
    return name, value if value.endswith(b"\r\n") else value + b"\r\n"
