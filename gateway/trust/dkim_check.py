"""Which DKIM signatures of a message count (RFC 6376, RFC 8301, RFC 8463): our acceptance rules around dkimpy's arithmetic.

Never says pass for a signature that leaves out From, part of the body or a repeated field, or whose key forbids it; never takes
missing DNS for a missing key; and nothing a stranger writes makes it raise or run long.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import DnsUnavailable
from gateway.mail.scan import SINGLETONS
from gateway.model.message import Field, Message
from gateway.model.trust import AuthResult, Method, Result
from gateway.trust.canonical import BodyHash, body_hasher
from gateway.trust.dkim_key import Key, Refused, ask_key
from gateway.trust.dkim_signature import (
    ALGORITHMS,
    Tags,
    canonicalizations_of,
    host_of,
    names_of,
    octets_of,
    read_tags,
    verifies,
)
from gateway.trust.resolver import Questions

MAX_SIGNATURES = 8
CLOCK_SKEW = timedelta(minutes=5)
MAX_DIGITS = 12
"""RFC 6376 section 3.5: a time of more than 12 digits may be taken as endless; here it is no number."""
REQUIRED = frozenset({b"v", b"a", b"b", b"bh", b"d", b"h", b"s"})

Verdict = tuple[Result, str]


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature field as read; what could not be read is None."""

    field: Field
    tags: Tags
    domain: str | None
    """d="""
    selector: str | None
    """s="""
    user_domain: str | None
    """Domain of i=, else of d=."""
    covers: tuple[str, ...] | None
    """h="""


def check_dkim(message: Message, *, questions: Questions, at: datetime) -> tuple[AuthResult, ...]:
    """One result for each of the first 8 signatures, top first, or one `none`; `at` is the clock for t= and x=.

    identity = d= as A-labels, covers = h=, reason = one word (the tables below). fail: broken or expired; permerror: must not
    be evaluated; policy: right, but leaves part of the body unsigned; neutral: right, but of a testing key or from the future.
    """
    fields = message.header.all("DKIM-Signature")[:MAX_SIGNATURES]
    if not fields:
        return (AuthResult(Method.DKIM, Result.NONE, None, "no-signature"),)
    hashed = body_hasher(message.body(message.root))
    return tuple(_result(one, message, hashed, questions=questions, at=at) for one in fields)


def _result(field: Field, message: Message, hashed: BodyHash, *, questions: Questions, at: datetime) -> AuthResult:
    tags = read_tags(field)
    if tags is None:
        return AuthResult(Method.DKIM, Result.PERMERROR, None, "syntax")
    signature = _signature(field, tags)
    try:
        word, reason = _verdict(signature, message, hashed, questions=questions, at=at)
    except DnsUnavailable:
        word, reason = Result.TEMPERROR, "dns"
    except Exception:  # noqa: BLE001 dkimpy lets IndexError, ValueError and assertions of hostile fields escape
        word, reason = Result.PERMERROR, "syntax"
    return AuthResult(
        Method.DKIM, word, signature.domain, reason, selector=signature.selector, covers=signature.covers or ()
    )


def _signature(field: Field, tags: Tags) -> Signature:
    domain = host_of(tags.get(b"d", b""), labels=2)
    user = tags.get(b"i")
    return Signature(
        field=field,
        tags=tags,
        domain=domain,
        selector=host_of(tags.get(b"s", b"")),
        user_domain=domain if user is None else host_of(user.rpartition(b"@")[2]) if b"@" in user else None,
        covers=names_of(tags.get(b"h", b"")),
    )


def _outside(signature: Signature) -> bool:
    domain, user = signature.domain, signature.user_domain
    return domain is None or user is None or not (user == domain or user.endswith(f".{domain}"))


def _no_number(signature: Signature) -> bool:
    given = [signature.tags[name] for name in (b"l", b"t", b"x") if name in signature.tags]
    return not all(one.isdigit() and len(one) <= MAX_DIGITS for one in given)


def _ends_before_it_starts(signature: Signature) -> bool:
    tags = signature.tags
    return b"t" in tags and b"x" in tags and int(tags[b"x"]) <= int(tags[b"t"])


MALFORMED: tuple[tuple[str, Callable[[Signature], bool]], ...] = (
    ("tag-missing", lambda one: not one.tags.keys() >= REQUIRED),
    ("version", lambda one: one.tags[b"v"] != b"1"),
    # RFC 8301 section 3.1: rsa-sha1 has permanently failed.
    ("weak-hash", lambda one: one.tags[b"a"] == b"rsa-sha1"),
    ("algorithm", lambda one: one.tags[b"a"] not in ALGORITHMS),
    ("canonicalization", lambda one: canonicalizations_of(one.tags) is None),
    ("domain", lambda one: one.domain is None),
    ("selector", lambda one: one.selector is None),
    ("identity", _outside),
    ("query-method", lambda one: b"dns/txt" not in one.tags.get(b"q", b"dns/txt").split(b":")),
    ("header-list", lambda one: not one.covers),
    # RFC 6376 section 5.4: From must be signed; dkimpy accepts signatures without it.
    ("from-not-signed", lambda one: "from" not in (one.covers or ())),
    ("number", _no_number),
    ("expiry", _ends_before_it_starts),
)
"""Grounds on which a signature is not evaluated, first hit wins: permerror (RFC 6376 section 6.1.1)."""


def _verdict(
    signature: Signature, message: Message, hashed: BodyHash, *, questions: Questions, at: datetime
) -> Verdict:
    malformed = next((reason for reason, applies in MALFORMED if applies(signature)), None)
    if malformed:
        return Result.PERMERROR, malformed
    key = _key(signature, questions)
    if isinstance(key, Refused):
        return Result.PERMERROR, key.reason
    broken = _broken(signature, message, hashed, key)
    return broken or _unacceptable(signature, message, hashed, key, at=at) or (Result.PASS, "")


def _key(signature: Signature, questions: Questions) -> Key | Refused:
    """The key the signature names, if its record allows this signature (RFC 6376 section 6.1.2); raises DnsUnavailable."""
    kind = ALGORITHMS[signature.tags[b"a"]]
    key = ask_key(signature.selector or "", signature.domain or "", kind=kind, questions=questions)
    if isinstance(key, Refused):
        return key
    if key.same_domain and signature.user_domain != signature.domain:
        return Refused("key-same-domain")
    return key


def _broken(signature: Signature, message: Message, hashed: BodyHash, key: Key) -> Verdict | None:
    """Whether the message is not what was signed (RFC 6376 section 6.1.3)."""
    tags = signature.tags
    header_form, body_form = canonicalizations_of(tags) or (b"", b"")
    if octets_of(tags[b"b"]) is None or octets_of(tags[b"bh"]) is None:
        return Result.PERMERROR, "base64"
    digest, length = hashed(body_form, _length(tags))
    if (_length(tags) or 0) > length:
        return Result.PERMERROR, "body-length"
    if digest != octets_of(tags[b"bh"]):
        return Result.FAIL, "body-changed"
    right = verifies(
        signature.field,
        tags,
        names=signature.covers or (),
        fields=message.header.fields,
        canonicalization=header_form,
        key=key,
    )
    return None if right else (Result.FAIL, "signature-wrong")


def _length(tags: Tags) -> int | None:
    return int(tags[b"l"]) if b"l" in tags else None


def _unacceptable(
    signature: Signature, message: Message, hashed: BodyHash, key: Key, *, at: datetime
) -> Verdict | None:
    """Why a signature that is right still proves nothing, first hit wins."""
    tags, now = signature.tags, at.timestamp()
    body_form = (canonicalizations_of(tags) or (b"", b""))[1]
    length = _length(tags)
    rows = (
        # Duplicates above or below the signed one show something else than what was signed (RFC 6376 section 8.15).
        (_added(signature, message), Result.FAIL, "added-field"),
        # RFC 6376 section 8.2: behind l= anything may have been appended.
        (length is not None and length < hashed(body_form, length)[1], Result.POLICY, "body-length"),
        (b"x" in tags and int(tags[b"x"]) < now - CLOCK_SKEW.total_seconds(), Result.FAIL, "expired"),
        (b"t" in tags and int(tags[b"t"]) > now + CLOCK_SKEW.total_seconds(), Result.NEUTRAL, "signed-in-future"),
        # RFC 6376 section 3.6.1: not to be treated differently from unsigned mail.
        (key.testing, Result.NEUTRAL, "key-testing"),
    )
    return next(((word, reason) for applies, word, reason in rows if applies), None)


def _added(signature: Signature, message: Message) -> bool:
    present = Counter(one.name.lower() for one in message.header.fields)
    covered = Counter(signature.covers)
    return any(present[name] > max(1, covered[name]) for name in SINGLETONS)
