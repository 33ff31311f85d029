"""Addresses as SMTP writes them (RFC 5321 section 4.1.2, RFC 6531): exact grammar or nothing, kept as written.

No comments, no source routes, no encoded words: an address means the same to every reader or is refused.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

MAX_PATH_BYTES = 256
"""RFC 5321 section 4.5.3.1.3. The local part alone is not held to 64: return paths of list software are longer."""

_UTF8 = r"\u00a1-\ud7ff\ue000-\U0010ffff"
_ATEXT = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_UTF8}-]"
_LABEL = rf"[A-Za-z0-9{_UTF8}](?:[A-Za-z0-9{_UTF8}-]*[A-Za-z0-9{_UTF8}])?"
_QUOTED = rf'"(?:[\x20\x21\x23-\x5b\x5d-\x7e{_UTF8}]|\\[\x20-\x7e])*"'
_PATH = re.compile(
    rf"<(?:(?P<local>{_ATEXT}+(?:\.{_ATEXT}+)*|{_QUOTED})"
    rf"(?:@(?P<domain>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-fIPv.:]+\]))?)?>"
)


@dataclass(frozen=True, slots=True)
class Path:
    """One path: `address` is '' for the null reverse-path; `rest` is what followed it on the line."""

    address: str
    local: str
    domain: str
    rest: str

    @property
    def ascii(self) -> bool:
        """Whether it may travel without SMTPUTF8."""
        return self.address.isascii()


def read_path(text: str) -> Path | None:
    """The path at the beginning of `text`, or None where there is none by the grammar.

    A local part without domain is read too (`<Postmaster>`, RFC 5321 section 4.1.1.3): its domain is ''.
    """
    match = _PATH.match(text)
    if match is None or len(match[0].encode()) > MAX_PATH_BYTES:
        return None
    local, domain = match["local"] or "", match["domain"] or ""
    if domain.startswith("[") and not _is_literal(domain[1:-1]):
        return None
    if any(len(label.encode()) > 63 for label in domain.split(".")) or not _is_legible(match[0]):
        return None
    address = f"{local}@{domain}" if domain else local
    return Path(address=address, local=local, domain=domain, rest=text[match.end() :])


def _is_legible(text: str) -> bool:
    """Whether no character beyond ASCII is a control, a format mark, a surrogate or a blank."""
    return text.isascii() or all(one < "\x80" or unicodedata.category(one)[0] not in "CZ" for one in text)


def _is_literal(text: str) -> bool:
    """Whether it is an address literal without its brackets (RFC 5321 section 4.1.3)."""
    try:
        if text[:5].upper() == "IPV6:":
            IPv6Address(text[5:])
        else:
            IPv4Address(text)
    except AddressValueError:
        return False
    return True


def address_key(address: str) -> str:
    """The address as recipients are compared: without case, the domain as A-labels where that is possible."""
    local, _, domain = address.rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return f"{local.lower()}@{domain.lower()}"
