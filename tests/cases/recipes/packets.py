"""Messages of packets that no honest program writes (ATTACKS 5): each is built octet by octet, and none may be `signed`."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from letters import AT, EMERGENCY, SECRETS, THANKS, ciphertext, crlf, dkim, gpg, mail, sealed, signed_by, text

FINGERPRINT = bytes.fromhex("4357D24D503418431552892858FD60DE62B1C815")
GATEWAY = "82057FDAA478DD0E10B6BD83141FB0974D60D2F7"
SHA1, SHA256 = 2, 8
LITERAL, COMPRESSED, SESSION_KEY, SIGNATURE, SYMMETRIC, PROTECTED, AEAD = 11, 8, 1, 2, 9, 18, 20
HASHES: dict[int, Callable[[bytes], bytes]] = {
    SHA1: lambda octets: hashlib.sha1(octets, usedforsecurity=False).digest(),
    SHA256: lambda octets: hashlib.sha256(octets).digest(),
}


def honest(entity: bytes) -> bytes:
    """The entity in a letter of bx-police that DKIM signs: what OpenPGP says is all that differs."""
    return dkim(mail(entity))


def packet(tag: int, body: bytes, *, length: int | None = None) -> bytes:
    """One packet (RFC 9580 section 4.2.1) that says it has `length` octets."""
    return bytes([0xC0 | tag, 255]) + struct.pack(">I", len(body) if length is None else length) + body


def packets(octets: bytes) -> list[tuple[int, bytes]]:
    """The packets of what gpg wrote, in its old and new formats of definite length."""
    found, at = [], 0
    while at < len(octets):
        first, at = octets[at], at + 1
        if first & 0x40:
            tag, size = first & 63, octets[at]
            at += 1
            if 192 <= size < 224:
                size, at = ((size - 192) << 8) + octets[at] + 192, at + 1
            elif size == 255:
                size, at = int.from_bytes(octets[at : at + 4], "big"), at + 4
        else:
            tag, width = (first >> 2) & 15, 1 << (first & 3)
            size, at = int.from_bytes(octets[at : at + width], "big"), at + width
        found.append((tag, octets[at : at + size]))
        at += size
    return found


def armored(octets: bytes, kind: str = "SIGNATURE") -> bytes:
    lines = base64.encodebytes(octets).decode().replace("\n", "\r\n")
    return f"-----BEGIN PGP {kind}-----\r\n\r\n{lines}-----END PGP {kind}-----\r\n".encode()


def dearmored(octets: bytes) -> bytes:
    lines = octets.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1].split(b"\n")
    return base64.b64decode(b"".join(one for one in lines if one[:1] not in (b"=", b"-")))


@cache
def secret() -> Ed25519PrivateKey:
    """The signing key of bx-police, read out of its packet (RFC 9580 section 5.5.3)."""
    _, body = packets(dearmored((SECRETS / "bx-police.sec.asc").read_bytes()))[0]
    at = 6 + 1 + body[6]
    at += 2 + (int.from_bytes(body[at : at + 2], "big") + 7) // 8
    size = (int.from_bytes(body[at + 1 : at + 3], "big") + 7) // 8
    return Ed25519PrivateKey.from_private_bytes(body[at + 3 : at + 3 + size].rjust(32, b"\0"))


def mpi(octets: bytes) -> bytes:
    value = int.from_bytes(octets, "big")
    return struct.pack(">H", value.bit_length()) + value.to_bytes((value.bit_length() + 7) // 8, "big")


def subpacket(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


def raw_signature(
    payload: bytes,
    *,
    kind: int = 0,
    digest: int = SHA256,
    version: int = 4,
    more: bytes = b"",
    rs: tuple[bytes, bytes] | None = None,
) -> bytes:
    """A signature packet by bx-police's own key, of any type, hash and version; `rs` stands in place of the true numbers."""
    hashed = subpacket(2, struct.pack(">I", int(AT.timestamp()))) + subpacket(33, b"\x04" + FINGERPRINT) + more
    head = bytes([version, kind, 22, digest]) + struct.pack(">H", len(hashed)) + hashed
    trailer = head + bytes([version, 255]) + struct.pack(">I", len(head))
    value = HASHES[digest](payload + trailer)
    made = secret().sign(value)
    r, s = rs or (made[:32], made[32:])
    issuer = subpacket(16, FINGERPRINT[-8:])
    return packet(SIGNATURE, head + struct.pack(">H", len(issuer)) + issuer + value[:2] + mpi(r) + mpi(s))


def literal(words: bytes, *, name: bytes = b"") -> bytes:
    return packet(LITERAL, b"b" + bytes([len(name)]) + name + bytes(4) + words)


def compressed(octets: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packet(COMPRESSED, b"\x01" + squeezer.compress(octets) + squeezer.flush())


def inside(octets: bytes) -> bytes:
    """These packets, encrypted to us as they are."""
    raw = ("--no-literal", "--compress-algo", "none", "--armor", "--encrypt", "--recipient", GATEWAY)
    return sealed(crlf(gpg(*raw, data=octets)))


def one_pass(words: bytes) -> bytes:
    """One-pass packet, literal and signature of bx-police, binary."""
    return gpg("--local-user", FINGERPRINT.hex(), "--compress-algo", "none", "--sign", data=words)


def nested(levels: int) -> bytes:
    octets = literal(text())
    for _ in range(levels):
        octets = compressed(octets)
    return octets


def sealed_packets() -> list[tuple[int, bytes]]:
    return packets(dearmored(ciphertext(text())))


def rewrapped(*parts: tuple[int, bytes]) -> bytes:
    return sealed(armored(b"".join(packet(tag, body) for tag, body in parts), "MESSAGE"))


def stripped() -> bytes:
    """The protected packet made one without protection: its version octet left out (EFAIL's downgrade)."""
    *keys, (_, body) = sealed_packets()
    return rewrapped(*keys, (SYMMETRIC, body[1:]))


def recipients(count: int) -> bytes:
    """Session keys for that many keys nobody has, before our own."""
    stranger = (SESSION_KEY, b"\x03" + b"\xab" * 8 + b"\x01" + mpi(b"\x7f"))
    return rewrapped(*[stranger] * count, *sealed_packets())


def with_protected(tag: int, change: Callable[[bytes], bytes]) -> bytes:
    *keys, (_, body) = sealed_packets()
    return rewrapped(*keys, (tag, change(body)))


def detached(*made: bytes) -> bytes:
    return honest(signed_by(text(), armored(b"".join(made))))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "packets-as-gpg-writes-them": lambda: detached(raw_signature(text())),
    # P6: more than one message in one, text between the packets
    "packets-text-beside-signature": lambda: detached(raw_signature(text()), literal(text(EMERGENCY))),
    "packets-text-before-signature": lambda: detached(literal(text(EMERGENCY)), raw_signature(text())),
    "packets-two-messages-sealed": lambda: honest(inside(one_pass(text()) + one_pass(text(THANKS)))),
    "packets-one-message-sealed": lambda: honest(inside(one_pass(text()))),
    "packets-text-beside-message-sealed": lambda: honest(inside(literal(text(EMERGENCY)) + one_pass(text(THANKS)))),
    "packets-two-cipher-texts": lambda: honest(rewrapped(*sealed_packets(), *sealed_packets())),
    # P7: a good signature about something else
    "packets-standalone-signature": lambda: detached(raw_signature(b"", kind=0x02)),
    "packets-standalone-over-text": lambda: detached(raw_signature(text(), kind=0x02)),
    "packets-certification": lambda: detached(raw_signature(text(), kind=0x10)),
    # P9: strength
    "packets-sha-1": lambda: detached(raw_signature(text(), digest=SHA1)),
    "packets-zero-r-and-s": lambda: detached(raw_signature(text(), rs=(bytes(32), bytes(32)))),
    "packets-zero-s": lambda: detached(raw_signature(text(), rs=(b"\1" + bytes(31), bytes(32)))),
    "packets-critical-notation": lambda: detached(
        raw_signature(text(), more=subpacket(0x80 | 20, bytes(4) + b"\0\x0f\0\x01x@attacker.test1"))
    ),
    # P15: integrity
    "packets-protection-stripped": lambda: honest(stripped()),
    # P17: more than anybody wants to open
    "packets-nested-128": lambda: honest(inside(nested(128))),
    "packets-nested-once": lambda: honest(inside(nested(1))),
    "packets-four-gigabytes": lambda: detached(packet(SIGNATURE, raw_signature(text())[6:], length=0xFFFFFFFF)),
    "packets-four-gigabytes-sealed": lambda: honest(inside(packet(LITERAL, b"b\0" + bytes(4), length=0xFFFFFFFF))),
    "packets-two-thousand-recipients": lambda: honest(recipients(2000)),
    "packets-two-recipients": lambda: honest(recipients(1)),
    # P18: the armor's borders
    "packets-armor-padding-inside": lambda: honest(
        signed_by(text(), armored(raw_signature(text())).replace(b"\r\n-----E", b"\r\n=\r\n====\r\n=AAAA\r\n-----E"))
    ),
    "packets-armor-long-line": lambda: honest(signed_by(text(), long_line())),
    # P20: versions that this gpg does not know
    "packets-signature-version-6": lambda: detached(raw_signature(text(), version=6)),
    "packets-signature-version-5": lambda: detached(raw_signature(text(), version=5)),
    "packets-good-and-version-6": lambda: detached(raw_signature(text()), raw_signature(text(), version=6)),
    "packets-sealed-version-2": lambda: honest(with_protected(PROTECTED, lambda body: b"\x02\x09\x02\x06" + body[1:])),
    "packets-sealed-aead": lambda: honest(with_protected(AEAD, lambda body: b"\x01\x09\x02\x06" + body[1:])),
    # P21: a file name that leads elsewhere
    "packets-file-name-leads-elsewhere": lambda: honest(
        sealed(ciphertext(text(), more=("--set-filename", "../../../../etc/cron.d/x")))
    ),
}


def long_line() -> bytes:
    """The whole signature in one line of the armor."""
    octets = base64.b64encode(raw_signature(text()))
    return b"-----BEGIN PGP SIGNATURE-----\r\n\r\n" + octets + b"\r\n-----END PGP SIGNATURE-----\r\n"
