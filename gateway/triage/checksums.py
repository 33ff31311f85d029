"""Checksums of the numbers that requests name: IMEI, bank accounts, addresses of crypto-currencies.

Says whether a number is well formed, never whether it exists.
"""

import hashlib

from gateway.triage.keccak import keccak256

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_TO_BITCOIN = str.maketrans(_RIPPLE, _BASE58)
_MONERO_OCTETS = {11: 8, 7: 5}
"""Characters of a full and of the last block of a Monero address -> octets."""
_MONERO_NETWORKS = frozenset({b"\x12", b"\x13", b"\x2a"})
"""Standard, integrated and sub-address."""
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


def ripple(text: str) -> bool:
    """Whether the text is an XRP account: Base58Check in an alphabet of its own."""
    return base58check(text.translate(_TO_BITCOIN), versions=frozenset({0}))


def eip55(text: str) -> bool:
    """Whether the case of the letters of `0x` and 40 hexadecimal digits is their checksum; one case alone carries none."""
    digits = text.removeprefix("0x")
    if digits in (digits.lower(), digits.upper()):
        return True
    digest = keccak256(digits.lower().encode()).hex()
    return all(
        letter == (letter.upper() if int(nibble, 16) >= 8 else letter.lower())
        for letter, nibble in zip(digits, digest, strict=False)
    )


def monero(text: str) -> bool:
    """Whether the text is a Monero address: blocks of base 58, a network octet, the first four octets of Keccak-256."""
    octets = b""
    for start in range(0, len(text), 11):
        block = text[start : start + 11]
        length, number = _MONERO_OCTETS.get(len(block), 0), 0
        for character in block:
            number = number * 58 + _BASE58.find(character)
        if not length or number >= 1 << 8 * length or any(one not in _BASE58 for one in block):
            return False
        octets += number.to_bytes(length, "big")
    return octets[:1] in _MONERO_NETWORKS and keccak256(octets[:-4])[:4] == octets[-4:]


def iban(text: str) -> bool:
    """Whether the text is an IBAN without blanks (ISO 13616): modulo 97 it is one."""
    if not 15 <= len(text) <= 34 or not text.isascii() or not text.isalnum() or not text[2:4].isdigit():
        return False
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1
