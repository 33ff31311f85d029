"""How each kind of identifier is written, and how it is read: refanged, checked, in one normal form.

Never guesses: what fails its checksum or its grammar is no identifier. Patterns are RE2: linear on any text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, ip_address
from typing import Any

from publicsuffixlist import PublicSuffixList

from gateway.triage.checksums import base58check, bech32, eip55, iban, luhn, monero, ripple

_WORD = r"A-Za-z0-9\x{80}-\x{10FFFF}"
_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}| ?\[(?:dot|DOT|punto|point|Punkt)\] ?| ?\((?:dot|DOT|punto|point|Punkt)\) ?)"
_AT = r"(?:@|\[@\]|\(@\)| ?\[(?:at|AT|arroba|arobase)\] ?| ?\((?:at|AT|arroba|arobase)\) ?)"
_LABEL = rf"[{_WORD}](?:[{_WORD}-]*[{_WORD}])?"
_DOMAIN = rf"{_LABEL}(?:{_DOT}{_LABEL})+"
_ASCII_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_COLON = r"(?:\[:\]|:)"
_BASE58 = "1-9A-HJ-NP-Za-km-z"

_FANGED_DOT = re.compile(r" ?[\[({](?:\.|dot|punto|point|punkt)[\])}] ?", re.IGNORECASE)
_FANGED_AT = re.compile(r" ?[\[(](?:@|at|arroba|arobase)[\])] ?", re.IGNORECASE)
_SPOKEN_AT = re.compile(r" at ", re.IGNORECASE)
_SPOKEN_DOT = re.compile(r" dot ", re.IGNORECASE)
_SCHEME = re.compile(r"h(?:xx|tt|\*\*)p(s?)[\[(]?:[\])]?/?/?\]?/*", re.IGNORECASE)
TRAILING = ".,;:!?'\"»”’>]})、。」"

_RESERVED_TLDS = frozenset({"example", "test", "invalid", "onion"})
_FILE_SUFFIXES = frozenset({"zip", "mov", "py", "md", "sh", "pl", "rs", "ps", "doc", "app", "so", "cc", "ml"})
"""Top-level domains that are file names far more often; written defanged or in an address they still count."""

_BASE58_VERSIONS = frozenset({0x00, 0x05, 0x16, 0x1E, 0x30, 0x32, 0x41, 0x4C})
"""Version octets of Bitcoin, Dogecoin, Litecoin, TRON and Dash, which share the encoding."""

_HASH_LENGTHS = frozenset({32, 40, 56, 64, 96, 128})
"""Hexadecimal digits of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512."""

_UNSPACED_TAIL = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0eff]+.*")
_PHONE_GROUP = re.compile(r"\(?\d+\)?")
_AFTER_PHONE = re.compile(r"\s{2,}|/|\s\(")
_YEAR_DIGITS = 4
"""Of a year or a port behind a number; a shorter group goes on with it."""
_FEWEST_DIGITS, _MOST_DIGITS = 8, 15
"""Of a telephone number in international form (ITU-T E.164)."""


def refang(written: str) -> str:
    """What was written so that no program follows it, as a program would need it."""
    plain = _FANGED_AT.sub("@", _FANGED_DOT.sub(".", written.replace("[:]", ":")))
    return _SCHEME.sub(lambda match: f"http{match[1].lower()}://", plain, count=1) if _SCHEME.match(plain) else plain


def url(written: str) -> str:
    """The address with scheme and host in lower case; '' without a host that has a name or number."""
    plain = refang(written.rstrip(TRAILING))
    scheme, _, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}" if "." in host or ":" in host else ""


def bare_url(written: str) -> str:
    """An address without scheme: a known domain and a path behind it."""
    host, slash, path = refang(written.rstrip(TRAILING)).partition("/")
    return f"{host.lower()}{slash}{path}" if path and suffix_known(host.lower()) else ""


def email(written: str) -> str:
    """The address with its domain in lower case."""
    local, _, name = refang(written).rpartition("@")
    known = _known(name.lower())
    return f"{local.strip('.')}@{known}" if known else ""


def spoken_email(written: str) -> str:
    """An address written in words: `fox at mail dot example`."""
    return email(_SPOKEN_DOT.sub(".", _SPOKEN_AT.sub("@", written)))


def ip(written: str) -> str:
    """An address without its port and zone; what stands in a longer row of figures was no address."""
    plain = refang(written).strip("[]").partition("%")[0].rstrip(".")
    if plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ip_address(plain)
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address) if sum(1 for group in plain.split(":") if group) > 1 else ""


def domain(written: str) -> str:
    """A name under a known suffix; a sentence without a blank and the name of a file are none."""
    plain = refang(written)
    last = plain.rpartition(".")[2]
    # "at once.It is": a missing blank, not a name.
    sentence_joint = last[:1].isupper() and not last.isupper() and not plain.istitle()
    if sentence_joint or (plain == written and last.lower() in _FILE_SUFFIXES):
        return ""
    return _known(plain.lower())


def _known(name: str) -> str:
    """The name if its suffix is known; in scripts without blanks the words behind it are cut off."""
    if suffix_known(name):
        return name
    bare = _UNSPACED_TAIL.sub("", name)
    return bare if bare != name and "." in bare and suffix_known(bare) else ""


def suffix_known(name: str) -> bool:
    """Whether the name stands under a public suffix or a reserved one."""
    last = name.rpartition(".")[2]
    return last in _RESERVED_TLDS or (not last.isdigit() and _suffixes().privatesuffix(name) is not None)


@cache
def _suffixes() -> Any:
    return PublicSuffixList(accept_unknown=False)


def phone(written: str) -> str:
    """E.164: a plus and 8 to 15 digits; a bracketed trunk zero is not dialled from abroad, figures behind are another matter."""
    plain = written.replace("(0)", "")
    digits = ""
    first = _AFTER_PHONE.split(plain)[0]
    for group in _PHONE_GROUP.finditer(first if _digits(first) >= _FEWEST_DIGITS else plain):
        more = group[0].strip("()")
        if len(digits) >= _FEWEST_DIGITS and len(digits) + len(more) > _MOST_DIGITS and len(more) >= _YEAR_DIGITS:
            break
        digits += more
    digits = digits.removeprefix("00") if written.startswith("00") else digits
    return f"+{digits}" if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS and not digits.startswith("0") else ""


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def crypto(written: str) -> str:
    """An address whose checksum is right: Bitcoin and its kin, Ethereum, Monero, XRP."""
    if written.lower().startswith(("bc1", "ltc1", "tb1", "addr1")):
        return written.lower() if bech32(written) else ""
    if written.startswith("0x"):
        return written if eip55(written) else ""
    if written[0] in "48" and len(written) > 90:
        return written if monero(written) else ""
    if written[0] == "r":
        return written if ripple(written) else ""
    return written if base58check(written, versions=_BASE58_VERSIONS) else ""


def imei(written: str) -> str:
    """15 digits with a right check digit (3GPP TS 23.003)."""
    digits = "".join(filter(str.isdigit, written))
    return digits if len(digits) == 15 and luhn(digits) else ""


def imsi(written: str) -> str:
    """14 or 15 digits; an IMSI has no check digit."""
    digits = "".join(filter(str.isdigit, written))
    return digits if len(digits) in (14, 15) else ""


def iccid(written: str) -> str:
    """The number of a SIM card: 89, 19 or 20 digits, the last one a check digit (ITU-T E.118)."""
    digits = "".join(filter(str.isdigit, written))
    return digits if len(digits) in (19, 20) and luhn(digits) else ""


def named_iccid(written: str) -> str:
    """The same behind its name, where the check digit is often left out."""
    digits = "".join(filter(str.isdigit, written))
    return digits if 18 <= len(digits) <= 20 else ""


def asn(written: str) -> str:
    """`AS` and the number without leading zeros."""
    digits = "".join(filter(str.isdigit, written)).lstrip("0")
    # RFC 6793: 32 bits. Python refuses to read thousands of digits.
    return f"AS{digits}" if 0 < len(digits) <= 10 and int(digits) < 1 << 32 else ""


def file_hash(written: str) -> str:
    """Hexadecimal digits of a known digest in lower case."""
    digits = written.removeprefix("0x")
    return written.lower() if len(digits) in _HASH_LENGTHS and not digits.isdigit() else ""


def bank_account(written: str) -> str:
    """An IBAN without blanks."""
    plain = "".join(written.split())
    while len(plain) > 15 and not iban(plain):
        plain = plain[:-1]
    return plain if iban(plain) else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one kind is written; group 1 of the pattern is what is meant where there is one."""

    kind: str
    pattern: str
    read: Callable[[str], str]
    near: str = ""
    """Word that must stand before it, at most NEAR characters away, folded to lower case."""


NEAR = 200

READINGS: tuple[Reading, ...] = (
    Reading("url", r"(?i)\b(?:h(?:tt|xx|\*\*)ps?|ftp)(?:[\[(]?:[\])]?//|\[://\])[^\s<>\"«»“”|、。」]+", url),
    Reading("email", rf"[A-Za-z0-9_][A-Za-z0-9._%+'-]*{_AT}{_DOMAIN}", email),
    Reading("email", rf"(?i)\b[A-Za-z0-9_][A-Za-z0-9._+-]* at {_ASCII_LABEL}(?: dot {_ASCII_LABEL})+\b", spoken_email),
    Reading("url", rf"(?i)\b{_ASCII_LABEL}(?:{_DOT}{_ASCII_LABEL})+/[^\s<>\"«»“”|、。」]+", bare_url),
    Reading("account", r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", bank_account),
    Reading(
        "crypto",
        rf"\b(?:0x[0-9a-fA-F]{{40}}|[13LMDTXr][{_BASE58}]{{24,34}}|[48][{_BASE58}]{{94}}(?:[{_BASE58}]{{11}})?"
        r"|(?:bc|BC|ltc|tb|addr)1[0-9A-Za-z]+)\b",
        crypto,
    ),
    Reading("hash", r"\b(?:0x)?[0-9a-fA-F]{32,128}\b", file_hash),
    Reading(
        "ip",
        rf"[0-9]+(?:{_DOT}[0-9]+)+(?::[0-9]+)?"
        rf"|\[?(?:[0-9a-fA-F]+|{_COLON}){_COLON}(?:[0-9a-fA-F.]*{_COLON})*[0-9a-fA-F.]*(?:%[0-9A-Za-z]+)?",
        ip,
    ),
    Reading("imei", r"\b[0-9]{2}[ /.-]?[0-9]{4}[ /.-]?[0-9]{2}[ /.-]?[0-9]{6}[ /.-]?[0-9]\b", imei, near="imei"),
    Reading("imei", r"\b[0-9]{14,15}\b", imsi, near="imsi"),
    Reading("imei", r"\b89[0-9]{2}(?:[ -]?[0-9]){14,16}\b", named_iccid, near="iccid"),
    Reading("imei", r"\b89[0-9]{2}(?:[ -]?[0-9]){15,16}\b", iccid),
    Reading(
        "asn", r"(?i)\b(?:AS[0-9]+|ASN?:? ?[0-9]{4,}|ASN:? ?[0-9]+|autonomous system (?:no\.? |number )?[0-9]+)\b", asn
    ),
    Reading("phone", r"(?:\+ ?|\b00)[1-9][0-9 ().\x{2011}\x{2013}/-]+[0-9]", phone),
    Reading("domain", rf"\b{_DOMAIN}\b", domain),
)
"""In this order; what is read is not read again. Accounts by label stand in accounts.py, before domains."""
