"""Checksums of the numbers that requests name: IMEI, Bitcoin and its kin.

Says whether a number is well formed, never whether it exists.
"""

import hashlib

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANTS = (1, 0x2BC830A3)
"""Final values of BIP 173 and BIP 350."""


def luhn(digits: str) -> bool:
    """Whether the last digit is right (ISO/IEC 7812-1 annex B), as in IMEI and ICCID."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def base58check(text: str, *, versions: frozenset[int]) -> bool:
    """Whether the text is 21 octets with one of these version octets and a right double SHA-256."""
    number = 0
    for character in text:
        digit = _BASE58.find(character)
        if digit < 0:
            return False
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    octets = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(octets) != 25 or octets[0] not in versions:
        return False
    return hashlib.sha256(hashlib.sha256(octets[:21]).digest()).digest()[:4] == octets[21:]


def bech32(text: str) -> bool:
    """Whether the text carries a right checksum of BIP 173 or BIP 350; mixed case is refused."""
    if text not in (text.lower(), text.upper()):
        return False
    prefix, _, payload = text.lower().rpartition("1")
    digits = [_BECH32.find(character) for character in payload]
    if not prefix or len(digits) < 6 or min(digits) < 0:
        return False
    expanded = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    return _polymod(expanded + digits) in _BECH32_CONSTANTS


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_BECH32_GENERATORS):
            checksum ^= generator if top >> place & 1 else 0
    return checksum
