"""Opens what was encrypted to us and says what each OpenPGP signature is worth.

Never calls a part the whole, never takes a stranger's key as a candidate, never turns gpg's silence into `unsigned`:
what gpg did not answer is temperror. Nothing decrypted is written anywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.errors import GpgUnavailable
from gateway.mail.scan import body_of, scan
from gateway.model.message import Message, Part
from gateway.model.trust import AuthResult, Contact, Method, OpenpgpSignature, PinnedKey, Result, Unsealed
from gateway.model.verdict import AMBIGUOUS, Reason
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.in_process import InProcess
from gateway.trust.openpgp_packets import Armor, Packet, Tag, dearmor, packets, recipient_ids, serialized
from gateway.trust.protected import Compared, compared
from gateway.trust.status import deciphered, read_status, signatures_of
from gateway.trust.wrapping import Wrapped, Wrapping, wrapped

MAX_SIGNATURES = 8
MAX_RECIPIENTS = 100
MAX_OWNERS_ASKED = 3

_STATES = {
    "key-expired": Reason.KEY_EXPIRED,
    "key-revoked": Reason.KEY_REVOKED,
    "contact-expired": Reason.CONTACT_EXPIRED,
}
_INLINE_HEADER = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"

Signatures = tuple[OpenpgpSignature, ...]
Check = Callable[[tuple[PinnedKey, ...]], Signatures]
"""Asks gpg about the same octets with these keys as the only candidates."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """Against whom a message is checked, with what, and when."""

    contact: Contact | None
    signers: Mapping[str, Contact]
    home: GnupgHome
    at: datetime
    in_process: InProcess | None

    @property
    def keys(self) -> tuple[PinnedKey, ...]:
        return self.contact.keys if self.contact else ()

    @property
    def pinned(self) -> frozenset[str]:
        return frozenset(key.fingerprint for key in self.keys)


def unseal(
    message: Message,
    *,
    contact: Contact | None,
    signers: Mapping[str, Contact],
    home: GnupgHome,
    at: datetime,
    in_process: InProcess | None = None,
) -> Unsealed:
    """What OpenPGP says of a message and the bytes a reader sees after opening it (RFC 3156); never raises.

    contact: whom From names; only the keys pinned for it are candidates, none if it is None. signers: every pinned
    key's and subkey's fingerprint -> its contact, to name an unexpected signer. at: the moment of judgement.
    in_process: what may find a plain signature good without gpg, None = gpg is asked about each.
    """
    bench = _Bench(contact, signers, home, at, in_process)
    found = wrapped(message)
    match found.wrapping:
        case Wrapping.ENCRYPTED | Wrapping.INLINE_ENCRYPTED:
            return _opened(message, found, bench)
        case Wrapping.SMIME_SIGNED | Wrapping.SMIME_ENCRYPTED:
            smime = AuthResult(Method.SMIME, Result.NEUTRAL, reason="unsupported")
            encrypted = found.wrapping is Wrapping.SMIME_ENCRYPTED
            return Unsealed(encrypted=encrypted, reasons=found.reasons, results=(smime,))
        case Wrapping.SIGNED | Wrapping.MALFORMED_SIGNED | Wrapping.MANGLED_SIGNED:
            return _proved(message, found, bench)
        case _:
            return _unproved(found)


def _unproved(found: Wrapped) -> Unsealed:
    """A message nothing covers as a whole; what covers a part of it is said, and proves nobody."""
    partly = (one for one in found.reasons if one in {Reason.PARTLY_SIGNED, Reason.INLINE_SIGNED})
    results = tuple(AuthResult(Method.OPENPGP, Result.NEUTRAL, reason=one.value) for one in partly)
    return Unsealed(encrypted=Reason.CANNOT_DECRYPT in found.reasons, reasons=found.reasons, results=results)


def _proved(message: Message, found: Wrapped, bench: _Bench) -> Unsealed:
    signatures = _detached(message, found, bench)
    if found.wrapping is Wrapping.MANGLED_SIGNED:
        signatures = tuple(_excused(one) for one in signatures)
    content = found.content
    fields = Compared() if content is None else compared(message.header, content, encrypted=False)
    encrypted = content is not None and content.content_type == "multipart/encrypted"
    reasons = (
        *((Reason.PGP_MIME_REPAIRED,) if found.repaired and _recovered(signatures) else ()),
        *found.reasons,
        *_states(signatures),
        *fields.reasons,
        *((Reason.CANNOT_DECRYPT,) if encrypted else ()),
    )
    whole = found.wrapping in {Wrapping.SIGNED, Wrapping.MANGLED_SIGNED}
    return _covered(Unsealed(encrypted=encrypted, whole=whole, signatures=signatures, reasons=reasons), fields)


def _excused(signature: OpenpgpSignature) -> OpenpgpSignature:
    """A signature that a gateway may have broken: whoever rearranged the parts may have changed them too, so it accuses nobody."""
    if signature.result is not Result.FAIL:
        return signature
    return replace(signature, result=Result.NEUTRAL, reason="changed-on-the-way")


def _recovered(signatures: Signatures) -> bool:
    """Whether gpg found the very bytes that were signed, whoever signed them."""
    return any(one.result is Result.PASS or one.reason in {"unpinned-key", *_STATES} for one in signatures)


def _covered(unsealed: Unsealed, fields: Compared) -> Unsealed:
    """The same with its results; a From that differs inside takes the signature away, a good one says what it covers."""
    judged = replace(unsealed, whole=unsealed.whole and Reason.PROTECTED_FROM_DIFFERS not in fields.reasons)
    covers = fields.covers if judged.good else ()
    results = tuple(
        AuthResult(Method.OPENPGP, one.result, one.fingerprint, one.reason, covers=covers) for one in judged.signatures
    )
    return replace(judged, results=results)


def _detached(message: Message, found: Wrapped, bench: _Bench) -> Signatures:
    """The signatures of a multipart/signed entity over the raw bytes of its first part (RFC 3156 section 5)."""
    if found.content is None or found.signature is None:
        return (OpenpgpSignature(Result.FAIL, None, "malformed"),)
    try:
        blocks = tuple(packets(dearmor(body_of(message, found.signature), Armor.SIGNATURE)))
    except ValueError:
        return (OpenpgpSignature(Result.FAIL, None, "malformed"),)
    if not all(one.tag == Tag.SIGNATURE and one.definite for one in blocks):
        return (OpenpgpSignature(Result.FAIL, None, "not-a-detached-signature"),)
    if len(blocks) > MAX_SIGNATURES:
        return (OpenpgpSignature(Result.POLICY, None, "too-many-signatures"),)
    known = tuple(one for one in blocks if one.body[:1] == b"\x04")
    foreign = (OpenpgpSignature(Result.NEUTRAL, None, "unsupported"),) * (len(blocks) - len(known))
    return (_verified(message.raw(found.content), known, bench) if known else ()) + foreign


def _verified(payload: bytes, blocks: tuple[Packet, ...], bench: _Bench) -> Signatures:
    def check(keys: tuple[PinnedKey, ...]) -> Signatures:
        return _verify(payload, blocks, keys, bench)

    good, enough = _in_process(payload, blocks, bench)
    if good is not None and enough:
        return _judged((good,), check, bench)
    try:
        found = check(bench.keys)
    except GpgUnavailable:
        # A doubt that could not be settled is no reason to put off what is good.
        return _judged((good or OpenpgpSignature(Result.TEMPERROR, None, "gpg-unavailable"),), check, bench)
    if good is not None and found != (good,):
        found = tuple(replace(one, disputed=True) for one in found)
    return _judged(found, check, bench)


def _in_process(payload: bytes, blocks: tuple[Packet, ...], bench: _Bench) -> tuple[OpenpgpSignature | None, bool]:
    """The signature if it is found good without gpg, and whether that shall be enough."""
    good = bench.in_process.good(payload, blocks, bench.keys, bench.at) if bench.in_process else None
    return good, bench.in_process is not None and good is not None and not bench.in_process.doubted()


def _verify(payload: bytes, blocks: tuple[Packet, ...], keys: tuple[PinnedKey, ...], bench: _Bench) -> Signatures:
    run = bench.home.run(
        ("--verify", "--", "{beside}", "-"),
        stdin=payload,
        beside=b"".join(serialized(one) for one in blocks),
        keyring=bench.home.keyring_of(keys),
        at=bench.at,
    )
    lines = read_status(run.status)
    words = {line.keyword for line in lines}
    if "NEWSIG" not in words and not words.intersection({"NODATA", "UNEXPECTED"}):
        raise GpgUnavailable("gpg said nothing about the signature")
    if "NEWSIG" not in words:
        return (OpenpgpSignature(Result.FAIL, None, "malformed"),)
    return signatures_of(lines, rc=run.rc, packets=len(blocks), pinned=bench.pinned, at=bench.at)


def _judged(found: Signatures, check: Check, bench: _Bench) -> Signatures:
    """What gpg found with the contact's keys, an unexpected signer named, a good one held against the directory."""
    return tuple(_in_force(one, bench) for one in _named(found, check, bench))


def _named(found: Signatures, check: Check, bench: _Bench) -> Signatures:
    """The same signatures, with the contact whose key made an unexpected one: a hint for the human who looks, no more."""
    owners = {one.id: one for one in (_owner(signature, bench) for signature in found) if one}
    if not 0 < len(owners) <= MAX_OWNERS_ASKED:
        return found
    try:
        again = check(tuple(key for one in owners.values() for key in one.keys))
    except GpgUnavailable:
        return found
    if len(again) != len(found):
        return found
    return tuple(_with_signer(one, other, bench) for one, other in zip(found, again, strict=True))


def _owner(signature: OpenpgpSignature, bench: _Bench) -> Contact | None:
    claimed = signature.fingerprint
    if signature.reason != "unknown-key" or not claimed:
        return None
    if len(claimed) == 40:
        return bench.signers.get(claimed)
    return next((owner for name, owner in bench.signers.items() if name.endswith(claimed)), None)


def _with_signer(first: OpenpgpSignature, again: OpenpgpSignature, bench: _Bench) -> OpenpgpSignature:
    owner = bench.signers.get(again.fingerprint or "")
    if first.reason != "unknown-key" or again.reason != "unpinned-key" or owner is None:
        return first
    return replace(first, fingerprint=again.fingerprint, reason="unpinned-key", signer=owner.id, pinned=False)


def _in_force(signature: OpenpgpSignature, bench: _Bench) -> OpenpgpSignature:
    """A good signature once more, against what the directory itself says of its key and its contact."""
    if signature.result is not Result.PASS:
        return signature
    key = next((one for one in bench.keys if one.fingerprint == signature.fingerprint), None)
    rows = (
        (key is None or bench.contact is None, Result.POLICY, "unpinned-key"),
        (key is not None and not _born_before(key, signature), Result.FAIL, "signature-older-than-key"),
        (key is not None and key.revoked, Result.NEUTRAL, "key-revoked"),
        (key is not None and not key.usable(bench.at), Result.NEUTRAL, "key-expired"),
        (bench.contact is not None and not bench.contact.valid(bench.at.date()), Result.NEUTRAL, "contact-expired"),
    )
    bad = next(((result, reason) for applies, result, reason in rows if applies), None)
    return replace(signature, result=bad[0], reason=bad[1]) if bad else signature


def _born_before(key: PinnedKey, signature: OpenpgpSignature) -> bool:
    return signature.created is not None and key.created <= signature.created


def _opened(message: Message, found: Wrapped, bench: _Bench) -> Unsealed:
    """The message inside an encrypted one, and the signatures inside its encryption or on its root."""
    closed = Unsealed(encrypted=True, reasons=(Reason.CANNOT_DECRYPT,))
    octets = _cipher(message, found.content)
    if octets is None:
        return closed
    try:
        content, layer = _decrypt(octets, bench.keys, bench)
    except GpgUnavailable:
        temporary = AuthResult(Method.OPENPGP, Result.TEMPERROR, reason="gpg-unavailable")
        return Unsealed(encrypted=True, results=(temporary,))
    if content is None:
        return closed
    layer = _judged(layer, lambda keys: _decrypt(octets, keys, bench)[1], bench)
    if found.wrapping is Wrapping.INLINE_ENCRYPTED:
        content = _INLINE_HEADER + content
    return _inner(message, scan(content), layer, outside=found, bench=bench)


def _cipher(message: Message, part: Part | None) -> bytes | None:
    """The one OpenPGP message of a part, encrypted to a sane number of keys and to no password, or None."""
    if part is None:
        return None
    try:
        octets = dearmor(body_of(message, part), Armor.MESSAGE)
        return octets if 0 < len(recipient_ids(octets)) <= MAX_RECIPIENTS else None
    except ValueError:
        return None


def _decrypt(octets: bytes, keys: tuple[PinnedKey, ...], bench: _Bench) -> tuple[bytes | None, Signatures]:
    """Plain text and the signatures within the encryption, in one call of gpg; None unless it came out whole."""
    ring = bench.home.keyring_of(keys)
    run = bench.home.run(("--decrypt",), stdin=octets, keyring=ring, own=True, at=bench.at)
    lines = read_status(run.status)
    opened = deciphered(lines)
    signatures = signatures_of(lines, rc=run.rc, packets=None, pinned=bench.pinned, at=bench.at)
    # A status other than 0 must come from a signature, else the output is not all there is.
    if not opened.okay or run.rc < 0 or (run.rc != 0 and all(one.result is Result.PASS for one in signatures)):
        return None, ()
    return (run.stdout.replace(b"\n", b"\r\n") if opened.text_mode else run.stdout), signatures


def _inner(outer: Message, inner: Message, layer: Signatures, *, outside: Wrapped, bench: _Bench) -> Unsealed:
    found = wrapped(inner)
    # Inside there is no From of its own; anything else ambiguous could be read in two ways, and signed in one.
    doubtful = [one for one in inner.defects if one in AMBIGUOUS - {Reason.FROM_NOT_ONE, Reason.FROM_MALFORMED}]
    root_signed = found.wrapping in {Wrapping.SIGNED, Wrapping.MALFORMED_SIGNED}
    signatures = layer + (_detached(inner, found, bench) if root_signed else ())
    sealed = found.content if found.wrapping is Wrapping.SIGNED and found.content else inner.root
    fields = compared(outer.header, sealed, encrypted=True) if outside.exact else Compared()
    closed = found.wrapping in {Wrapping.ENCRYPTED, Wrapping.INLINE_ENCRYPTED}
    reasons = (
        *((Reason.PGP_MIME_REPAIRED,) if outside.repaired else ()),
        *found.reasons,
        *_states(signatures),
        *doubtful,
        *fields.reasons,
        *((Reason.CANNOT_DECRYPT,) if closed else ()),
    )
    unsealed = Unsealed(
        encrypted=True,
        decrypted=True,
        whole=outside.exact and not doubtful and (bool(layer) or found.wrapping is Wrapping.SIGNED),
        signatures=signatures,
        content=inner.content,
        reasons=reasons,
    )
    return _covered(unsealed, fields)


def _states(signatures: Signatures) -> list[Reason]:
    found = [_STATES[one.reason] for one in signatures if one.reason in _STATES]
    found += [Reason.VERIFIERS_DIFFER for one in signatures if one.disputed]
    return list(dict.fromkeys(found))
