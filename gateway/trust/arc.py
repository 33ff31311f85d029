"""What the forwarders of a message claim to have seen (ARC, RFC 8617): the chain is verified and recorded.

A chain that verifies proves who forwarded and no more. Only where the administrator lists every one of its sealers is one thing
believed of what they sealed: that DMARC passed for the author when the mail came to them (RFC 8617 section 7.2.1). Never raises a
message above what that pass itself would have given, and never follows more than 10 sets.
"""

import re
from typing import NamedTuple

from gateway.errors import DnsUnavailable
from gateway.model.message import Field, Message
from gateway.model.trust import AuthResult, Method, Result
from gateway.trust.canonical import body_hash
from gateway.trust.dkim_key import Refused, ask_key
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
from gateway.trust.sealed_results import dmarc_passed

MAX_SETS = 10
VOUCHED = "dmarc-passed-before-forwarding"
VOUCHED_FIELDS = ("from", "subject", "date", "message-id")
"""What the newest message signature must cover to vouch: else whoever got the mail from the forwarder may have changed it."""
RESULTS, MESSAGE_SIGNATURE, SEAL = "arc-authentication-results", "arc-message-signature", "arc-seal"
NAMES = (RESULTS, MESSAGE_SIGNATURE, SEAL)
"""The three fields of a set, in the order in which seals cover them (RFC 8617 section 5.1.1)."""
SIGNATURE_TAGS = frozenset({b"i", b"a", b"b", b"bh", b"d", b"h", b"s"})
SEAL_TAGS = frozenset({b"i", b"a", b"b", b"cv", b"d", b"s"})
INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*(\d{1,3})[ \t\r\n]*;", re.IGNORECASE)

Sealed = dict[str, tuple[Field, Tags]]
"""One set: lower-case field name -> the field and its tags."""
Chain = tuple[Sealed, ...]
"""The sets of a message, oldest first."""


class Broken(NamedTuple):
    """Why a chain fails: one kebab-case word."""

    reason: str


def check_arc(message: Message, *, questions: Questions, trusted_sealers: tuple[str, ...] = ()) -> AuthResult:
    """State of the chain: none, pass or fail (RFC 8617 section 5.2), policy for more than 10 sets, temperror; identity = newest d=.

    A `pass` whose sealers are not all listed has the reason `sealer-not-listed`; one that vouches, `dmarc-passed-before-forwarding`.
    """
    fields = [one for one in message.header.fields if one.name.lower() in NAMES]
    if not fields:
        return AuthResult(Method.ARC, Result.NONE, None, "no-sets")
    if len(fields) > MAX_SETS * len(NAMES):
        return AuthResult(Method.ARC, Result.POLICY, None, "too-many-sets")
    chain = _chain(fields)
    if isinstance(chain, Broken):
        return AuthResult(Method.ARC, Result.FAIL, None, chain.reason)
    sealer = _sealer(chain[-1])
    listed = all(_sealer(one) in trusted_sealers for one in chain)
    vouches = listed and _saw_author_pass(message, chain)
    try:
        broken = _broken(message, chain, questions)
    except DnsUnavailable:
        return AuthResult(Method.ARC, Result.TEMPERROR, sealer, "dns", vouches=vouches)
    except Exception:  # noqa: BLE001 dkimpy lets errors of hostile fields escape
        broken = Broken("structure")
    if broken:
        return AuthResult(Method.ARC, Result.FAIL, sealer, broken.reason)
    reason = "sealer-not-listed" if not listed else VOUCHED if vouches else ""
    return AuthResult(Method.ARC, Result.PASS, sealer, reason, vouches=vouches)


def _chain(fields: list[Field]) -> Chain | Broken:
    """The sets if instances run from 1 without gap, each with exactly its three fields (RFC 8617 section 5.2 step 3)."""
    sets: dict[int, Sealed] = {}
    for one in fields:
        read = _read(one)
        if read is None:
            return Broken("syntax")
        instance, tags = read
        if sets.setdefault(instance, {}).setdefault(one.name.lower(), (one, tags))[0] is not one:
            return Broken("structure")
    if sorted(sets) != list(range(1, len(sets) + 1)) or any(len(one) != len(NAMES) for one in sets.values()):
        return Broken("structure")
    return tuple(sets[at] for at in sorted(sets))


def _read(field: Field) -> tuple[int, Tags] | None:
    if field.name.lower() == RESULTS:
        found = INSTANCE.match(field.raw.partition(b":")[2])
        return (int(found[1]), {}) if found else None
    tags = read_tags(field)
    if tags is None or not tags.get(b"i", b"").isdigit() or len(tags[b"i"]) > 3:
        return None
    return int(tags[b"i"]), tags


def _sealer(one: Sealed) -> str | None:
    return host_of(one[SEAL][1].get(b"d", b""), labels=2)


def _saw_author_pass(message: Message, chain: Chain) -> bool:
    """Whether a sealer says that DMARC passed for the very author whom From names now, under a signature that covers it."""
    covered = names_of(chain[-1][MESSAGE_SIGNATURE][1].get(b"h", b"")) or ()
    left_open = (name for name in VOUCHED_FIELDS if message.header.first(name) is not None and name not in covered)
    if message.sender is None or any(left_open):
        return False
    return any(dmarc_passed(one[RESULTS][0].value) == message.sender.domain for one in chain)


def _broken(message: Message, chain: Chain, questions: Questions) -> Broken | None:
    """First reason why the chain does not hold: claims, then the newest message signature, then every seal, newest first."""
    for at, one in enumerate(chain, start=1):
        claim = one[SEAL][1].get(b"cv", b"").lower()
        if claim != (b"none" if at == 1 else b"pass"):
            return Broken("chain-failed" if claim == b"fail" else "structure")
    broken = _message_changed(message, chain[-1][MESSAGE_SIGNATURE], questions)
    for count in range(len(chain), 0, -1):
        broken = broken or _seal_broken(chain[:count], questions)
    return broken


def _message_changed(message: Message, newest: tuple[Field, Tags], questions: Questions) -> Broken | None:
    field, tags = newest
    names = names_of(tags.get(b"h", b""))
    forms = canonicalizations_of({b"c": b"relaxed/relaxed", **tags})
    if not tags.keys() >= SIGNATURE_TAGS or not names or forms is None or SEAL in names or b"l" in tags:
        return Broken("message-signature-syntax")
    header_form, body_form = forms
    digest, _ = body_hash(message.body(message.root), body_form)
    if digest != octets_of(tags[b"bh"]):
        return Broken("body-changed")
    return _signature_wrong(
        field, tags, names=names, fields=message.header.fields, canonicalization=header_form, questions=questions
    )


def _seal_broken(sets: Chain, questions: Questions) -> Broken | None:
    field, tags = sets[-1][SEAL]
    if not tags.keys() >= SEAL_TAGS or b"h" in tags:
        return Broken("seal-syntax")
    covered = [name for _ in sets for name in NAMES][:-1]
    newest_first = [one[name][0] for one in reversed(sets) for name in NAMES if one[name][0] is not field]
    return _signature_wrong(
        field, tags, names=tuple(covered), fields=tuple(newest_first), canonicalization=b"relaxed", questions=questions
    )


def _signature_wrong(
    field: Field,
    tags: Tags,
    *,
    names: tuple[str, ...],
    fields: tuple[Field, ...],
    canonicalization: bytes,
    questions: Questions,
) -> Broken | None:
    domain, selector = host_of(tags[b"d"], labels=2), host_of(tags[b"s"])
    kind = ALGORITHMS.get(tags[b"a"])
    if domain is None or selector is None or kind is None or octets_of(tags[b"b"]) is None:
        return Broken("syntax")
    key = ask_key(selector, domain, kind=kind, questions=questions)
    if isinstance(key, Refused):
        return Broken(key.reason)
    right = verifies(field, tags, names=names, fields=fields, canonicalization=canonicalization, key=key)
    return None if right else Broken("signature-wrong")
