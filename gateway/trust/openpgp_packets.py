"""Reads the outside of OpenPGP data: armor, packet framing, fingerprints, key ids.

Never checks a signature, never opens anything, never trusts a user ID; what a packet claims is gpg's business.
Its refusals keep everything away from gpg that is not exactly what was asked for.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Armor(StrEnum):
    """What an armored block holds (RFC 9580 section 6.2)."""

    PUBLIC_KEY = "PUBLIC KEY BLOCK"
    PRIVATE_KEY = "PRIVATE KEY BLOCK"
    SIGNATURE = "SIGNATURE"
    MESSAGE = "MESSAGE"


class Tag(IntEnum):
    """Packet types this module names (RFC 9580 section 5)."""

    SESSION_KEY = 1
    SIGNATURE = 2
    PASSWORD_KEY = 3
    SECRET_KEY = 5
    PUBLIC_KEY = 6
    SECRET_SUBKEY = 7
    USER_ID = 13
    PUBLIC_SUBKEY = 14
    USER_ATTRIBUTE = 17
    ENCRYPTED = 18


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its type number and its content without the framing."""

    tag: int
    body: bytes = field(repr=False)
    definite: bool = True
    """Its length stood before it; False for a stream of unknown length (RFC 9580 section 4.2.1.4)."""


ARMOR_COLUMNS = 64
MAX_CHECKED_BYTES = 65_536
"""The checksum of more than this is not computed: such a block is a message, and protects itself."""

_CRC_POLYNOMIAL = 0x1864CFB
# Possessive: a stranger's lines must not be tried in more than one way.
_HEADER_LINES = re.compile(rb"(?:[!-9;-~]++:[^\n]*+\n)*[ \t\r]*+\n")
_CHECKSUM = re.compile(rb"\n=([A-Za-z0-9+/]{4})[ \t\r]*\Z")
_BLANKS = b" \t\r\n"


def dearmor(text: bytes, kind: Armor) -> bytes:
    """The octets of the single armored block in a text; ValueError if there is none, more, or anything beside it.

    RFC 9580 section 6.2. Blank lines around the block are the only other thing allowed: what stands beside a
    signature or a key must not be taken for a part of it. A checksum that is present has to be right (section 6.1).
    """
    text = text.strip(_BLANKS)
    first, last = f"-----BEGIN PGP {kind}-----".encode(), f"\n-----END PGP {kind}-----".encode()
    start, end = text.find(b"\n") + 1, len(text) - len(last)
    if text[:start].rstrip(_BLANKS) != first or not text.endswith(last) or text.find(b"\n-----", start - 1) != end:
        raise ValueError(f"not exactly one armored {kind}")
    return _decoded(text[start - 1 : end])


def armored(octets: bytes, kind: Armor) -> bytes:
    """The octets as an armored block with its checksum, lines ended by LF, as gpg writes it (RFC 9580 section 6.2)."""
    text = base64.b64encode(octets)
    lines = b"\n".join(text[at : at + ARMOR_COLUMNS] for at in range(0, len(text), ARMOR_COLUMNS))
    checksum = base64.b64encode(crc24(octets))
    return b"-----BEGIN PGP %b-----\n\n%b\n=%b\n-----END PGP %b-----\n" % (
        kind.encode(),
        lines,
        checksum,
        kind.encode(),
    )


def _decoded(block: bytes) -> bytes:
    """Octets of the lines between the first and the last, each with the LF before it."""
    header = _HEADER_LINES.match(block, 1)
    if header is None:
        raise ValueError("bad armor header")
    checksum = _CHECKSUM.search(block, max(0, len(block) - 16))
    data = block[header.end() : checksum.start() if checksum else len(block)]
    try:
        octets = base64.b64decode(data.translate(None, _BLANKS), validate=True)
    except binascii.Error as error:
        raise ValueError("bad base64 in the armor") from error
    if checksum and len(octets) <= MAX_CHECKED_BYTES and base64.b64decode(checksum[1]) != crc24(octets):
        raise ValueError("wrong checksum of the armor")
    if not octets:
        raise ValueError("empty armor")
    return octets


def _crc_table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        value = octet << 16
        for _ in range(8):
            value <<= 1
            value ^= _CRC_POLYNOMIAL if value & 0x1000000 else 0
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc24(octets: bytes) -> bytes:
    """Checksum of an armored block, 3 octets (RFC 9580 section 6.1)."""
    value = 0xB704CE
    for octet in octets:
        value = ((value << 8) & 0xFFFFFF) ^ _CRC_TABLE[(value >> 16) ^ octet]
    return value.to_bytes(3, "big")


def packets(octets: bytes) -> Iterator[Packet]:
    """The packets one after the other; ValueError where the framing is broken (RFC 9580 section 4.2)."""
    at = 0
    while at < len(octets):
        first = octets[at]
        if not first & 0x80:
            raise ValueError("not an OpenPGP packet")
        if first & 0x40:
            packet, at = _new_format(octets, at)
        else:
            packet, at = _old_format(octets, at)
        yield packet


def serialized(packet: Packet) -> bytes:
    """The packet with the plainest framing: whoever reads it next sees the same borders (RFC 9580 section 4.2.1)."""
    return bytes((0xC0 | packet.tag, 255)) + len(packet.body).to_bytes(4, "big") + packet.body


def _old_format(octets: bytes, at: int) -> tuple[Packet, int]:
    tag, kind = (octets[at] >> 2) & 15, octets[at] & 3
    if kind == 3:
        return Packet(tag, octets[at + 1 :], definite=False), len(octets)
    width = 1 << kind
    start = at + 1 + width
    if start > len(octets):
        raise ValueError("a packet is cut off")
    body, end = _slice(octets, start, int.from_bytes(octets[at + 1 : start], "big"))
    return Packet(tag, body), end


def _new_format(octets: bytes, at: int) -> tuple[Packet, int]:
    tag = octets[at] & 63
    pieces: list[bytes] = []
    at += 1
    while True:
        length, at, more = _new_length(octets, at)
        body, at = _slice(octets, at, length)
        pieces.append(body)
        if not more:
            return Packet(tag, b"".join(pieces), definite=len(pieces) == 1), at


def _new_length(octets: bytes, at: int) -> tuple[int, int, bool]:
    first = octets[at] if at < len(octets) else -1
    width = 5 if first == 255 else 2 if 192 <= first < 224 else 1
    if first < 0 or at + width > len(octets):
        raise ValueError("a packet is cut off")
    if first < 192:
        return first, at + 1, False
    if first < 224:
        return ((first - 192) << 8) + octets[at + 1] + 192, at + 2, False
    if first < 255:
        return 1 << (first & 31), at + 1, True
    return int.from_bytes(octets[at + 1 : at + 5], "big"), at + 5, False


def _slice(octets: bytes, start: int, length: int) -> tuple[bytes, int]:
    if start + length > len(octets):
        raise ValueError("a packet is cut off")
    return octets[start : start + length], start + length


def fingerprint_of(key: Packet) -> str:
    """Version 4 fingerprint of a key packet, 40 upper-case hex digits (RFC 9580 section 5.5.4.2); ValueError if other."""
    if not key.body or key.body[0] != 4:
        raise ValueError(f"a key of version {key.body[0] if key.body else 'nothing'} is not supported")
    return (
        hashlib.sha1(b"\x99" + len(key.body).to_bytes(2, "big") + key.body, usedforsecurity=False).hexdigest().upper()
    )


def recipient_ids(octets: bytes) -> tuple[str, ...]:
    """Key ids an encrypted message names before its content, 16 hex digits each, 16 zeros for a hidden one.

    ValueError if it is not one encrypted message, or can be opened by a password or an unknown kind of recipient
    (RFC 9580 sections 5.1 and 10.3).
    """
    *recipients, last = tuple(packets(octets)) or (Packet(0, b""),)
    if last.tag != Tag.ENCRYPTED or not all(_is_session_key(one) for one in recipients):
        raise ValueError("not a message encrypted to keys alone")
    return tuple(one.body[1:9].hex().upper() for one in recipients)


def _is_session_key(packet: Packet) -> bool:
    return packet.tag == Tag.SESSION_KEY and len(packet.body) > 10 and packet.body[0] == 3
