"""Says how a message is wrapped: PGP/MIME, inline OpenPGP, S/MIME or not at all, and which parts hold what.

Looks at the structure only; whether a signature is good or a cipher text opens is found out elsewhere.
Only the root counts (RFC 3156, RFC 1847): what is wrapped deeper is reported, never opened and never believed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.mail.decode import decoded_words
from gateway.mail.scan import ENCAPSULATED, body_of
from gateway.model.message import Header, Message, Part
from gateway.model.verdict import Reason

SIGNATURE_TYPE = "application/pgp-signature"
CONTROL_TYPE = "application/pgp-encrypted"
_SMIME_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_SMIME_MESSAGES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_INLINE_SIGNED = re.compile(rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t\r]*$", re.MULTILINE)
_INLINE_ENCRYPTED = re.compile(rb"^-----BEGIN PGP MESSAGE-----[ \t\r]*$", re.MULTILINE)
_PLACEHOLDERS = frozenset({"", "...", "[...]", "encrypted message"})
"""Outer subjects that clients write where the real one is inside (RFC 9788 section 3.2.1 and practice)."""


class Wrapping(StrEnum):
    """What the root of a message is."""

    PLAIN = "plain"
    SIGNED = "signed"
    MALFORMED_SIGNED = "malformed-signed"
    ENCRYPTED = "encrypted"
    INLINE_ENCRYPTED = "inline-encrypted"
    SMIME_SIGNED = "smime-signed"
    SMIME_ENCRYPTED = "smime-encrypted"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """How a message is wrapped and what was noticed on the way."""

    wrapping: Wrapping
    content: Part | None = None
    """The signed entity, or the part with the cipher text."""
    signature: Part | None = None
    exact: bool = True
    """False where the form is a known corruption of PGP/MIME: it may be opened, its signature counts for nothing."""
    reasons: tuple[Reason, ...] = ()


def wrapped(message: Message) -> Wrapped:
    """How the root is wrapped."""
    root = message.root
    if root.content_type == "multipart/signed":
        return _signed(root)
    if root.content_type == "multipart/encrypted":
        cipher = root.children[1] if _is_encrypted(root.children) else None
        return Wrapped(Wrapping.ENCRYPTED, cipher)
    if root.content_type in _SMIME_MESSAGES:
        opaque = (root.parameter("smime-type") or "").lower() in {"signed-data", "certs-only"}
        reasons = (Reason.SMIME_UNSUPPORTED,) if opaque else (Reason.SMIME_UNSUPPORTED, Reason.CANNOT_DECRYPT)
        return Wrapped(Wrapping.SMIME_SIGNED if opaque else Wrapping.SMIME_ENCRYPTED, reasons=reasons)
    return _loose(message)


def _signed(root: Part) -> Wrapped:
    types = [one.content_type for one in root.children]
    protocol = (root.parameter("protocol") or "").lower()
    if _SMIME_SIGNATURES.intersection((*types, protocol)):
        return Wrapped(Wrapping.SMIME_SIGNED, reasons=(Reason.SMIME_UNSUPPORTED,))
    if len(types) != 2 or types[1] != SIGNATURE_TYPE or root.encoding not in {"7bit", "8bit", "binary"}:
        return Wrapped(Wrapping.MALFORMED_SIGNED)
    return Wrapped(Wrapping.SIGNED, root.children[0], root.children[1])


def _is_encrypted(children: tuple[Part, ...]) -> bool:
    return len(children) == 2 and children[0].content_type == CONTROL_TYPE


def _loose(message: Message) -> Wrapped:
    """Whatever is neither signed nor encrypted as a whole, with what is so in part."""
    root, reasons = message.root, tuple(dict.fromkeys(_inside(message)))
    if root.content_type == "text/plain" and _INLINE_ENCRYPTED.match(body_of(message, root).strip()):
        return Wrapped(Wrapping.INLINE_ENCRYPTED, root, exact=False)
    # Exchange turns multipart/encrypted into multipart/mixed with an empty text before it.
    if root.content_type == "multipart/mixed" and _is_encrypted(root.children[1:]):
        first = root.children[0]
        if first.content_type == "text/plain" and not body_of(message, first).strip():
            return Wrapped(Wrapping.ENCRYPTED, root.children[2], exact=False)
    return Wrapped(Wrapping.PLAIN, reasons=reasons)


def _inside(message: Message) -> Iterator[Reason]:
    """What the parts below the root are wrapped in; a forwarded message's encryption is not this message's."""
    for part, forwarded in _parts(message.root):
        if part.content_type == "multipart/signed" and part is not message.root:
            yield Reason.PARTLY_SIGNED
        elif part.content_type in {"multipart/encrypted", *_SMIME_MESSAGES} and not forwarded:
            yield Reason.CANNOT_DECRYPT
        elif part.content_type.startswith("text/") and not part.children:
            body = body_of(message, part)
            if _INLINE_SIGNED.search(body):
                yield Reason.INLINE_SIGNED
            if _INLINE_ENCRYPTED.search(body) and not forwarded:
                yield Reason.CANNOT_DECRYPT


def _parts(root: Part) -> Iterator[tuple[Part, bool]]:
    """Every part, and whether it belongs to a forwarded message."""
    waiting = [(root, False)]
    while waiting:
        one, forwarded = waiting.pop()
        yield one, forwarded
        inside = forwarded or one.content_type in ENCAPSULATED
        waiting.extend((child, inside) for child in reversed(one.children))


def subject_differs(outer: Header, protected: Part, *, encrypted: bool) -> bool:
    """Whether the sealed entity carries a Subject of its own and the one outside says something else (RFC 9788).

    An encrypted message may hide its subject: then the outer one is a placeholder, or the copy in HP-Outer.
    """
    if protected.parameter("hp") is None and protected.parameter("protected-headers") is None:
        return False
    inside, outside = _subjects(protected.header), _subjects(outer)
    if not inside or inside == outside:
        return False
    if not encrypted:
        return True
    hidden = {_after_colon(one.value) for one in protected.header.all("HP-Outer") if _names_subject(one.value)}
    return not (len(outside) <= 1 and _PLACEHOLDERS.union(hidden).issuperset(one.lower() for one in outside or [""]))


def _names_subject(value: bytes) -> bool:
    return value.partition(b":")[0].strip().lower() == b"subject"


def _after_colon(value: bytes) -> str:
    return " ".join(decoded_words(value.partition(b":")[2].strip()).split()).lower()


def _subjects(header: Header) -> list[str]:
    return [" ".join(decoded_words(one.value).split()) for one in header.all("Subject")]
