"""Reads out of a request what it is about: addresses, accounts, numbers, times; refanged, normalised, checked.

Never guesses: what fails its checksum or its grammar is left out, and what belongs to the sender or to us is no identifier.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, ip_address
from itertools import islice
from typing import Any

import re2
from publicsuffixlist import PublicSuffixList

from gateway.model.message import Text
from gateway.model.verdict import IDENTIFIER_KINDS, Identifier, Place
from gateway.triage.checksums import base58check, bech32, luhn
from gateway.triage.matcher import Terms
from gateway.triage.term_index import Index
from gateway.triage.timestamps import moments

MAX_IDENTIFIERS = 500
"""All kinds together; a request that names more is read by a human anyway."""

MAX_EXAMINED = 20_000
"""Candidates of one kind that are looked at in one text: a stranger can write a million that are none."""

MAX_CONTEXT = 40
"""Characters kept on either side."""

_BLANKS = str.maketrans("\u00a0\u202f\t\r\n", "     ")

_WORD = r"A-Za-z0-9\x{80}-\x{10FFFF}"
_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}| ?\[(?:dot|DOT)\] ?| ?\((?:dot|DOT)\) ?)"
_AT = r"(?:@|\[@\]|\(@\)| ?\[(?:at|AT)\] ?| ?\((?:at|AT)\) ?)"
_DOMAIN = rf"[{_WORD}](?:[{_WORD}-]*[{_WORD}])?(?:{_DOT}[{_WORD}](?:[{_WORD}-]*[{_WORD}])?)+"
_COLON = r"(?:\[:\]|:)"
_BASE58 = "1-9A-HJ-NP-Za-km-z"

_FANGED_DOT = re.compile(r" ?[\[({](?:\.|dot)[\])}] ?", re.IGNORECASE)
_FANGED_AT = re.compile(r" ?[\[(](?:@|at)[\])] ?", re.IGNORECASE)
_SCHEME = re.compile(r"h(?:xx|tt)p(s?)\[?:\]?/?/?\]?/*", re.IGNORECASE)
_TRAILING = ".,;:!?'\"»”’>]})"

_RESERVED_TLDS = frozenset({"example", "test", "invalid", "onion"})
_FILE_SUFFIXES = frozenset({"zip", "mov", "py", "md", "sh", "pl", "rs", "ps", "doc", "app", "so", "cc", "ml"})
"""Top-level domains that are file names far more often; written defanged or in an address they still count."""

_BITCOIN_VERSIONS = frozenset({0x00, 0x05, 0x1E, 0x30, 0x32, 0x41})
"""Version octets of Bitcoin, Dogecoin, Litecoin and TRON, which share the encoding."""

_HASH_LENGTHS = frozenset({32, 40, 64, 96, 128})
"""Hexadecimal digits of MD5, SHA-1, SHA-256, SHA-384, SHA-512."""


def refang(written: str) -> str:
    """What was written so that no program follows it, as a program would need it."""
    plain = _FANGED_AT.sub("@", _FANGED_DOT.sub(".", written.replace("[:]", ":")))
    return _SCHEME.sub(lambda match: f"http{match[1].lower()}://", plain, count=1) if _SCHEME.match(plain) else plain


def _url(written: str) -> str:
    plain = refang(written.rstrip(_TRAILING))
    scheme, _, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}" if "." in host or ":" in host else ""


def _email(written: str) -> str:
    local, _, domain = refang(written).rpartition("@")
    return f"{local.strip('.')}@{domain.lower()}" if _suffix_known(domain.lower()) else ""


def _ip(written: str) -> str:
    """An address without its port and zone; what stands in a longer row of figures was no address."""
    plain = refang(written).strip("[]").partition("%")[0]
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


def _domain(written: str) -> str:
    plain = refang(written)
    last = plain.rpartition(".")[2]
    # "at once.It is": a missing blank, not a name.
    sentence_joint = last[:1].isupper() and not last.isupper() and not plain.istitle()
    if sentence_joint or (plain == written and last.lower() in _FILE_SUFFIXES):
        return ""
    return plain.lower() if _suffix_known(plain.lower()) else ""


def _suffix_known(domain: str) -> bool:
    last = domain.rpartition(".")[2]
    return last in _RESERVED_TLDS or (not last.isdigit() and _suffixes().privatesuffix(domain) is not None)


@cache
def _suffixes() -> Any:
    return PublicSuffixList(accept_unknown=False)


def _phone(written: str) -> str:
    """E.164: a plus and 8 to 15 digits; a bracketed trunk zero is not dialled from abroad."""
    digits = "".join(filter(str.isdigit, written.replace("(0)", "")))
    digits = digits.removeprefix("00") if written.startswith("00") else digits
    return f"+{digits}" if 8 <= len(digits) <= 15 and not digits.startswith("0") else ""


def _crypto(written: str) -> str:
    if written.lower().startswith(("bc1", "ltc1", "tb1")):
        return written.lower() if bech32(written) else ""
    if written.startswith("0x"):
        return written
    if len(written) == 95:
        return written
    return written if base58check(written, versions=_BITCOIN_VERSIONS) else ""


def _imei(written: str) -> str:
    digits = "".join(filter(str.isdigit, written))
    return digits if len(digits) == 15 and luhn(digits) else ""


def _asn(written: str) -> str:
    digits = "".join(filter(str.isdigit, written)).lstrip("0")
    # RFC 6793: 32 bits. Python refuses to read thousands of digits.
    return f"AS{digits}" if 0 < len(digits) <= 10 and int(digits) < 1 << 32 else ""


def _hash(written: str) -> str:
    return written.lower() if len(written) in _HASH_LENGTHS and not written.isdigit() else ""


def _account(written: str) -> str:
    name = written.strip("\"'“”«»‘’").rstrip(_TRAILING)
    return name if any(one.isalnum() for one in name) and "://" not in name and "@" not in name[1:] else ""


_ACCOUNT_LABELS = (
    r"user ?-?names?|user ?-?ids?|userids?|account (?:names?|ids?|no\.?|numbers?)|accounts?|handles?|nick ?names?|screen names?"
    r"|profiles?(?: ids?)?|uids?|channel ids?|identifiants?|nom d.utilisateur|pseudo(?:nyme)?|comptes?|nombre de usuario|usuarios?"
    r"|cuentas?|perfil(?:es)?|benutzername|konto|utente|conta"
)
_PLATFORMS = "facebook instagram telegram tiktok twitter discord snapchat whatsapp signal skype steam twitch reddit youtube viber vk"

# Kind, RE2 source (group 1 is what is meant where there is one), reading; in this order, what is read is not read again.
_READINGS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("url", r"(?i)\b(?:h(?:tt|xx)ps?|ftp)(?:\[?:\]?//|\[://\])[^\s<>\"«»“”|]+", _url),
    ("email", rf"[A-Za-z0-9_][A-Za-z0-9._%+'-]*{_AT}{_DOMAIN}", _email),
    ("crypto", rf"\b(?:0x[0-9a-fA-F]{{40}}|[13LMDT][{_BASE58}]{{25,34}}|[48][{_BASE58}]{{94}}|(?:bc|BC|ltc|tb)1[0-9A-Za-z]+)\b", _crypto),
    ("hash", r"\b[0-9a-fA-F]{32,128}\b", _hash),
    ("ip", rf"[0-9]+(?:{_DOT}[0-9]+)+(?::[0-9]+)?|\[?(?:[0-9a-fA-F]+|{_COLON}){_COLON}(?:[0-9a-fA-F.]*{_COLON})*[0-9a-fA-F.]*(?:%[0-9A-Za-z]+)?", _ip),
    ("imei", r"(?i)\bIMEI(?:\s?(?:no\.?|number|n°|nr\.?))?\s?(?:is|:|#|=)?\s?([0-9][0-9 /.-]+[0-9])", _imei),
    ("asn", r"\b(?:AS[0-9]+|ASN:? ?[0-9]+)\b", _asn),
    ("phone", r"(?:\+|\b00)[1-9][0-9 ().\x{2011}/-]+[0-9]", _phone),
    ("account", r"(?:^|[\s(\"'“«:,;])(@[A-Za-z0-9_][A-Za-z0-9_.]+)", _account),
    ("account", rf"(?i)\b(?:{_ACCOUNT_LABELS})(?: (?:is|est|es))?\s?[:#=]\s?([^\s,;<>|]+)", _account),
    ("account", rf"(?i)\b(?:{_PLATFORMS.replace(' ', '|')}) (?:user|account|id|profile|compte|cuenta)s?:? ([0-9A-Za-z_.-]*[0-9_][0-9A-Za-z_.-]*)", _account),
    ("domain", rf"\b{_DOMAIN}\b", _domain),
)  # fmt: skip

_UNGLUED = frozenset({"ip", "hash"})
"""Kinds that must not continue a word or a row of figures on either side."""


@cache
def _index() -> tuple[Index, tuple[Any, ...]]:
    options = re2.Options()
    options.log_errors = False
    patterns = tuple(re2.compile(source, options) for _, source, _ in _READINGS)
    return Index(Terms(patterns=(one,)) for one in patterns), patterns


def find(text: Text, *, sender_domain: str | None, own_addresses: tuple[str, ...]) -> tuple[Identifier, ...]:
    """Every identifier of the new text and the attachments, each value once, in the order of the closed set of kinds."""
    ours = _Ours(sender_domain, own_addresses)
    found: dict[tuple[str, str], Identifier] = {}
    places = (
        (Place.SUBJECT, text.subject),
        (Place.BODY, text.body),
        *((Place.ATTACHMENT, one) for one in text.attachments),
    )
    for place, words in places:
        for one in _in_text(words.translate(_BLANKS), place):
            if not ours.owns(one):
                found.setdefault((one.kind, one.value), one)
            if len(found) >= MAX_IDENTIFIERS:
                break
    return tuple(sorted(found.values(), key=lambda one: IDENTIFIER_KINDS.index(one.kind)))


def _in_text(text: str, place: Place) -> Iterator[Identifier]:
    read = bytearray(len(text))
    for start, end, value in moments(text):
        read[start:end] = b"\1" * (end - start)
        yield _identifier("timestamp", value, text, start, end, place)
    index, patterns = _index()
    for number in sorted(index.candidates(text)):
        (kind, _, reading), pattern = _READINGS[number], patterns[number]
        for match in islice(pattern.finditer(text), MAX_EXAMINED):
            start, end = match.span(pattern.groups)
            if any(read[start:end]) or (kind in _UNGLUED and _glued(text, start, end)):
                continue
            value = reading(text[start:end])
            if not value:
                continue
            yield _identifier(kind, value, text, start, end, place)
            if kind == "url" and (host := _ip(value.partition("://")[2].partition("/")[0])):
                yield _identifier("ip", host, text, start, end, place)
            read[start:end] = b"\1" * (end - start)


def _glued(text: str, start: int, end: int) -> bool:
    """Whether a word or a row of figures goes on across an edge; a colon before it may be a label's."""
    before, after = text[start - 1 : start], text[end : end + 2]
    if before.isalnum() or before in (".", "-") or (before == ":" and text.count(":", start, end) > 1):
        return True
    return after[:1].isalnum() or (after[:1] == "." and after[1:].isdigit())


def _identifier(kind: str, value: str, text: str, start: int, end: int, place: Place) -> Identifier:
    context = text[max(start - MAX_CONTEXT, 0) : end + MAX_CONTEXT].strip()
    return Identifier(kind=kind, value=value, written=text[start:end], place=place, offset=start, context=context)


@dataclass(frozen=True, slots=True)
class _Ours:
    """What names the sender or us and is therefore not what the request is about."""

    sender_domain: str | None
    own_addresses: tuple[str, ...]

    def owns(self, one: Identifier) -> bool:
        if one.kind == "email":
            return one.value.lower() in map(str.lower, self.own_addresses) or self._same(one.value.rpartition("@")[2])
        if one.kind == "url":
            return self._same(one.value.partition("://")[2].partition("/")[0].partition(":")[0])
        return one.kind == "domain" and self._same(one.value)

    def _same(self, domain: str) -> bool:
        """The sender's domain, ours, or a name above or below them."""
        known = (self.sender_domain or "", *(address.rpartition("@")[2].lower() for address in self.own_addresses))
        return any(own and (domain == own or domain.endswith("." + own) or own.endswith("." + domain)) for own in known)
