"""Says how a message is wrapped: PGP/MIME, inline OpenPGP, S/MIME or not at all, and which parts hold what.

Looks at the structure only; whether a signature is good or a cipher text opens is found out elsewhere.
Only the root counts (RFC 3156, RFC 1847): what is wrapped deeper is reported, never opened and never believed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.mail.scan import ENCAPSULATED, body_of
from gateway.model.message import Message, Part
from gateway.model.verdict import Reason

SIGNATURE_TYPE = "application/pgp-signature"
CONTROL_TYPE = "application/pgp-encrypted"
CIPHER_TYPE = "application/octet-stream"
_SMIME_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_SMIME_MESSAGES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_INLINE_SIGNED = re.compile(rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t\r]*$", re.MULTILINE)
_INLINE_ENCRYPTED = re.compile(rb"^-----BEGIN PGP MESSAGE-----[ \t\r]*$", re.MULTILINE)
_DELIMITER = re.compile(rb"\s*--[^\r\n]*\s*")


class Wrapping(StrEnum):
    """What the root of a message is."""

    PLAIN = "plain"
    SIGNED = "signed"
    MALFORMED_SIGNED = "malformed-signed"
    MANGLED_SIGNED = "mangled-signed"
    """Signed mail that a gateway made multipart/mixed; what the signature covers stands there as one part."""
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
    """False where there is more than what OpenPGP covers: it may be opened, its signature counts for nothing."""
    repaired: bool = False
    """The parts are named as they stood before a gateway rearranged them; the bytes of each are as received."""
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
    return Wrapped(Wrapping.SIGNED, root.children[0], root.children[1], repaired=not protocol)


def _is_encrypted(children: tuple[Part, ...]) -> bool:
    return len(children) == 2 and children[0].content_type == CONTROL_TYPE


def _loose(message: Message) -> Wrapped:
    """Whatever is neither signed nor encrypted as a whole, with what is so in part."""
    root, reasons = message.root, tuple(dict.fromkeys(_inside(message)))
    if root.content_type == "text/plain" and _INLINE_ENCRYPTED.match(body_of(message, root).strip()):
        return Wrapped(Wrapping.INLINE_ENCRYPTED, root, exact=False)
    return _mangled(message) or Wrapped(Wrapping.PLAIN, reasons=reasons)


def _mangled(message: Message) -> Wrapped | None:
    """What Exchange and its kin make of PGP/MIME: multipart/mixed, an empty text before what was encrypted; None if it is not that."""
    root = message.root
    if root.content_type != "multipart/mixed" or root.encoding not in {"7bit", "8bit", "binary"}:
        return None
    alone = _nothing_around(message)
    parts = root.children[1:] if _is_empty_text(message, root.children[:1]) else root.children
    if _is_encrypted(parts):
        control, cipher = parts
        exact = alone and cipher.content_type == CIPHER_TYPE and body_of(message, control).strip() == b"Version: 1"
        return Wrapped(Wrapping.ENCRYPTED, cipher, exact=exact, repaired=True)
    types = [one.content_type for one in root.children]
    if alone and len(types) == 2 and types[1] == SIGNATURE_TYPE:
        return Wrapped(Wrapping.MANGLED_SIGNED, root.children[0], root.children[1], repaired=True)
    return None


def _is_empty_text(message: Message, parts: tuple[Part, ...]) -> bool:
    """Whether the only part given is a text that nobody can see and no program shows by name."""
    return any(
        one.content_type == "text/plain"
        and not (one.filename or one.disposition == "attachment" or body_of(message, one).strip())
        for one in parts
    )


def _nothing_around(message: Message) -> bool:
    """Whether nothing but its delimiters stands before the first part of the root and behind the last."""
    root, content = message.root, message.content
    if not root.children:
        return False
    before, behind = content[root.body_start : root.children[0].start], content[root.children[-1].end : root.end]
    return all(_DELIMITER.fullmatch(one) for one in (before, behind))


def _inside(message: Message) -> Iterator[Reason]:
    """What the parts below the root are wrapped in; a forwarded message's encryption is not this message's."""
    for part, forwarded in _parts(message.root):
        if part.content_type == "multipart/signed" and part is not message.root:
            yield Reason.PARTLY_SIGNED
        elif part.content_type in {"multipart/encrypted", CONTROL_TYPE, *_SMIME_MESSAGES} and not forwarded:
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
