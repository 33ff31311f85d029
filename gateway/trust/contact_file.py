"""Reads one contact.yaml into a Contact without keys; never guesses an address, never looks at a clock.

The format is described in keys/README.md and keys/contact.yaml.template.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from gateway.errors import ConfigError
from gateway.mail.addresses import domain_of, parse_address
from gateway.model.message import Address
from gateway.model.settings import STRICT
from gateway.model.trust import Contact, ContactAddress, Protection, SigLevel, TlsLevel
from gateway.yamlfile import typed

_COUNTRY = re.compile("[A-Z]{2}")
_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_PHONE = re.compile(r"\+[0-9 ().-]{5,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _AddressEntry:
    __pydantic_config__ = STRICT
    address: str
    verified: bool = False
    joint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _MinimumEntry:
    __pydantic_config__ = STRICT
    sig: SigLevel = SigLevel.NONE
    enc: bool = False
    tls: TlsLevel = TlsLevel.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class _ContactEntry:
    """contact.yaml as written."""

    __pydantic_config__ = STRICT
    name: str
    country: str
    addresses: tuple[_AddressEntry, ...]
    domains: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    phone: str = ""
    languages: tuple[str, ...] = ()
    minimum: _MinimumEntry = field(default_factory=_MinimumEntry)
    valid_until: date | None = None
    enrolled_by: tuple[str, ...] = ()
    verified_how: str = ""


_Wrong = tuple[tuple[str | int, ...], str, str]
"""Path within the file, what is wrong there, and the remedy."""


def read_contact(folder: str, content: bytes, *, file: str) -> Contact:
    """The contact of one folder, its keys still missing; ConfigError with every complaint about the file."""
    entry, written = typed(file, content, _ContactEntry)
    wrong = tuple(_wrong(entry))
    if wrong:
        raise ConfigError(*(written.complaint(*one) for one in wrong))
    return Contact(
        id=folder,
        name=entry.name,
        country=entry.country,
        addresses=tuple(_address(one) for one in entry.addresses),
        domains=tuple(one.lower() for one in entry.domains),
        networks=entry.networks,
        phone=entry.phone,
        languages=entry.languages,
        minimum=Protection(sig=entry.minimum.sig, enc=entry.minimum.enc, tls=entry.minimum.tls),
        valid_until=entry.valid_until,
        enrolled_by=entry.enrolled_by,
        verified_how=entry.verified_how,
    )


def _address(entry: _AddressEntry) -> ContactAddress:
    address = _parsed(entry)
    assert address is not None
    return ContactAddress(address=address, verified=entry.verified, joint=entry.joint)


def _parsed(entry: _AddressEntry) -> Address | None:
    """The address alone: a name beside it would be a second thing to believe."""
    if "<" in entry.address or not entry.address.isascii():
        return None
    return parse_address(entry.address.encode("ascii"))


def _wrong(entry: _ContactEntry) -> Iterator[_Wrong]:
    if not entry.name.strip() or not _is_printable(entry.name):
        yield ("name",), "is empty or has control characters", "write the name as it shall be shown"
    if not _COUNTRY.fullmatch(entry.country):
        yield ("country",), f"{entry.country!r} is no country code", "write two capital letters, as in ISO 3166"
    if entry.phone and not _PHONE.fullmatch(entry.phone):
        yield ("phone",), f"{entry.phone!r} is no telephone number", 'write it as "+000 1 234 567", in quotation marks'
    if not _is_printable(entry.verified_how):
        yield ("verified_how",), "has control characters", "write one line of plain words"
    for key, values in (("networks", entry.networks), ("enrolled_by", entry.enrolled_by)):
        for number, value in enumerate(values):
            if not value.strip() or not _is_printable(value):
                yield (key, number), "is empty or has control characters", "write one plain word or name"
    for number, language in enumerate(entry.languages):
        if not _LANGUAGE.fullmatch(language):
            yield ("languages", number), f"{language!r} is no language", "write it as in BCP 47: en, fr, es"
    for number, domain in enumerate(entry.domains):
        if not domain.isascii() or domain_of(domain.encode()) is None:
            yield ("domains", number), f"{domain!r} is no domain", "write the domain alone, in A-labels (xn--...)"
    yield from _wrong_addresses(entry)


def _wrong_addresses(entry: _ContactEntry) -> Iterator[_Wrong]:
    if not entry.addresses:
        yield ("addresses",), "is empty", "a contact point has at least one address"
    seen: set[str] = set()
    for number, one in enumerate(entry.addresses):
        address = _parsed(one)
        if address is None:
            yield (
                ("addresses", number, "address"),
                f"{one.address!r} is no address",
                "write local@domain and nothing else",
            )
        elif address.key in seen:
            yield ("addresses", number, "address"), f"{address.key} stands here twice", "remove one of them"
        else:
            seen.add(address.key)


def _is_printable(text: str) -> bool:
    return not any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in text)
