"""Reads gateway.yaml and the folders rules/ and keys/ as bytes into frozen values; never writes, never connects.

Errors name file:line:column, key, value and remedy, all of them at once (DESIGN section 5).
"""

import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import Complaint, ConfigError
from gateway.model.settings import Settings
from gateway.yamlfile import YamlFile, typed

DEFAULT_PATHS = ("gateway.yaml", "/etc/cp247/gateway.yaml")
MAX_TREE_BYTES = 64 << 20
MAX_TREE_FILES = 50_000


def find_settings(path: str | None) -> str:
    """The configuration file to read: the one named, else ./gateway.yaml, else /etc/cp247/gateway.yaml."""
    candidates = (path,) if path else DEFAULT_PATHS
    for candidate in candidates:
        if os.path.isfile(candidate):
            return os.path.abspath(candidate)
    raise ConfigError(
        Complaint(" or ".join(candidates), 0, 0, "", "not found", "name one with --config, or run `cp247 init DIR`")
    )


def load_settings(path: str | None) -> Settings:
    """Settings of the file, paths made absolute against its folder; raises ConfigError with every complaint."""
    file = find_settings(path)
    content = _read(file)
    settings, written = typed(file, content, Settings)
    complaints = tuple(_wrong(settings, written))
    if complaints:
        raise ConfigError(*complaints)
    return _absolute(settings, os.path.dirname(file))


def read_tree(folder: str) -> tuple[tuple[str, bytes], ...]:
    """Every file below the folder as (path relative to it, bytes), sorted by path; hidden files are left out."""
    if not os.path.isdir(folder):
        raise ConfigError(
            Complaint(folder, 0, 0, "", "is not a folder", "create it, or correct its path in gateway.yaml")
        )
    found: list[tuple[str, bytes]] = []
    total = 0
    for name in sorted(_files(folder)):
        content = _read(os.path.join(folder, name))
        total += len(content)
        found.append((name, content))
        if total > MAX_TREE_BYTES or len(found) > MAX_TREE_FILES:
            raise ConfigError(Complaint(folder, 0, 0, "", "holds more than belongs there", "move other files away"))
    return tuple(found)


def _files(folder: str) -> Iterator[str]:
    for base, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield os.path.relpath(os.path.join(base, name), folder)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            Complaint(path, 0, 0, "", f"cannot be read: {error.strerror}", "mend its permissions")
        ) from None


@dataclass(frozen=True, slots=True)
class _Rule:
    """One demand on one key beyond its type: the values it holds, whether they are right, and what would be."""

    path: tuple[str, ...]
    values: Callable[[Settings], tuple[str, ...]]
    right: Callable[[str], bool]
    remedy: str


def _is_endpoint(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return _is_address(host.strip("[]")) and port.isdigit() and int(port) < 65536


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= 200


def _is_host(text: str) -> bool:
    return (
        re.fullmatch(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", text)
        is not None
    )


def _is_mailbox(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return re.fullmatch(r"[A-Za-z0-9!#$%&'*/=?^_`{|}~.-]{1,20}", local) is not None and _is_host(domain)


def _is_hop(text: str) -> bool:
    if text.startswith("maildir:"):
        return len(text) > len("maildir:")
    try:
        parts = urlsplit(text)
        return parts.scheme in ("lmtp", "smtp") and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        return False


def _given(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


_ENDPOINT = "write IP:PORT, for instance 127.0.0.1:10023; port 0 takes a free one"
_NETWORK = "write an address or a network such as 192.0.2.0/24"
_HOP = "write maildir:PATH, lmtp://HOST:PORT or smtp://HOST:PORT"
_HOST = "write a host name in lower case, such as gw.institution.gov.example"
_MAILBOX = "write an address such as 247cp@institution.gov.example: at most 20 characters before the @, the domain in lower case"

RULES = (
    _Rule(("hostname",), lambda s: (s.hostname,), _is_host, _HOST),
    _Rule(("contact_point", "name"), lambda s: (s.contact_point.name,), _is_name, "write one line of plain words"),
    _Rule(("contact_point", "phone"), lambda s: (s.contact_point.phone,), str.isprintable, "write one line"),
    _Rule(("contact_point", "mailbox"), lambda s: (s.contact_point.mailbox,), _is_mailbox, _MAILBOX),
    _Rule(("contact_point", "aliases"), lambda s: s.contact_point.aliases, _is_mailbox, _MAILBOX),
    _Rule(("contact_point", "internal_domains"), lambda s: s.contact_point.internal_domains, _is_host, _HOST),
    _Rule(("contact_point", "partner_domains"), lambda s: s.contact_point.partner_domains, _is_host, _HOST),
    _Rule(
        ("contact_point", "timezone"),
        lambda s: (s.contact_point.timezone,),
        _is_zone,
        "write a zone name such as Europe/Paris",
    ),
    _Rule(
        ("contact_point", "country"),
        lambda s: (s.contact_point.country,),
        lambda text: re.fullmatch("[A-Z]{2}", text) is not None,
        "write two capital letters (ISO 3166)",
    ),
    _Rule(("inbound", "listen"), lambda s: s.inbound.listen, _is_endpoint, _ENDPOINT),
    _Rule(("inbound", "trusted_peers"), lambda s: s.inbound.trusted_peers, _is_network, _NETWORK),
    _Rule(("outbound", "listen"), lambda s: s.outbound.listen, _is_endpoint, _ENDPOINT),
    _Rule(("outbound", "allow_from"), lambda s: s.outbound.allow_from, _is_network, _NETWORK),
    _Rule(("monitoring", "listen"), lambda s: (s.monitoring.listen,), _is_endpoint, _ENDPOINT),
    _Rule(
        ("dns", "nameservers"), lambda s: s.dns.nameservers, _is_endpoint, "write IP:PORT, for instance 127.0.0.1:53"
    ),
    _Rule(
        ("arc", "trusted_sealers"),
        lambda s: s.arc.trusted_sealers,
        lambda text: _is_host(text) and "." in text,
        "write the domain of the d= in the forwarder's ARC-Seal, such as relay.example",
    ),
    _Rule(("mailbox", "deliver_to"), lambda s: (s.mailbox.deliver_to,), _is_hop, _HOP),
    _Rule(("outbound", "relay"), lambda s: (s.outbound.relay,), _is_hop, _HOP),
    _Rule(("outbound", "relay_encrypted"), lambda s: _given(s.outbound.relay_encrypted), _is_hop, _HOP),
    _Rule(("outbound", "relay_verified"), lambda s: _given(s.outbound.relay_verified), _is_hop, _HOP),
    _Rule(("dkim", "domain"), lambda s: (s.dkim.domain,), _is_host, _HOST),
    _Rule(("dkim", "selector"), lambda s: (s.dkim.selector,), _is_host, "write a DNS label such as cp247"),
    _Rule(
        ("database",),
        lambda s: (s.database,),
        lambda text: re.match(r"sqlite:.|postgresql://.", text) is not None,
        "write sqlite:PATH or postgresql://USER@HOST/NAME",
    ),
    _Rule(
        ("openpgp", "signing_key"),
        lambda s: (s.openpgp.signing_key,),
        lambda text: re.fullmatch("[0-9A-F]{40}", text) is not None,
        "write the 40 hexadecimal digits of the primary key's fingerprint, upper case",
    ),
    _Rule(
        ("officers",),
        lambda s: s.officers,
        lambda text: re.fullmatch("[0-9A-F]{40}", text) is not None,
        "write 40 hexadecimal digits, upper case",
    ),
    _Rule(
        ("inbound", "max_message_bytes"),
        lambda s: (str(s.inbound.max_message_bytes),),
        lambda text: 65536 <= int(text) <= 1 << 30,
        "write a number of bytes from 65536 to 1073741824",
    ),
    _Rule(("judges",), lambda s: (str(s.judges),), lambda text: 1 <= int(text) <= 64, "write a number from 1 to 64"),
    _Rule(
        ("dns", "timeout"),
        lambda s: (str(s.dns.timeout),),
        lambda text: 0.1 <= float(text) <= 20,
        "write seconds from 0.1 to 20",
    ),
    _Rule(
        ("contact_point", "preservation_days"),
        lambda s: (str(s.contact_point.preservation_days),),
        lambda text: int(text) >= 60,
        "Article 29(7) asks for at least 60 days",
    ),
)
"""What a value must be beyond its type."""


def _wrong(settings: Settings, written: YamlFile) -> Iterator[Complaint]:
    for rule in RULES:
        for value in rule.values(settings):
            if not rule.right(value):
                yield written.complaint(rule.path, f"cannot use {value[:80]!r}", rule.remedy)
    tls = settings.inbound.tls
    if (tls.certificate is None) != (tls.key is None):
        yield written.complaint(("inbound", "tls"), "certificate and key go together", "give both or neither")
    if tls.required and tls.certificate is None:
        yield written.complaint(
            ("inbound", "tls", "required"),
            "TLS is required and no certificate is given",
            "give certificate and key",
        )


def _absolute(settings: Settings, base: str) -> Settings:
    def at(path: str) -> str:
        return os.path.normpath(os.path.join(base, path))

    def hop(target: str) -> str:
        return f"maildir:{at(target.removeprefix('maildir:'))}" if target.startswith("maildir:") else target

    tls = settings.inbound.tls
    tls = replace(
        tls, certificate=at(tls.certificate) if tls.certificate else None, key=at(tls.key) if tls.key else None
    )
    database = settings.database
    return replace(
        settings,
        database=f"sqlite:{at(database.removeprefix('sqlite:'))}" if database.startswith("sqlite:") else database,
        state=at(settings.state),
        secret=at(settings.secret),
        rules=at(settings.rules),
        keys=at(settings.keys),
        inbound=replace(settings.inbound, tls=tls),
        openpgp=replace(settings.openpgp, home=at(settings.openpgp.home)),
        dkim=replace(settings.dkim, key=at(settings.dkim.key)),
        mailbox=replace(settings.mailbox, deliver_to=hop(settings.mailbox.deliver_to)),
        outbound=replace(
            settings.outbound,
            relay=hop(settings.outbound.relay),
            relay_encrypted=settings.outbound.relay_encrypted and hop(settings.outbound.relay_encrypted),
            relay_verified=settings.outbound.relay_verified and hop(settings.outbound.relay_verified),
        ),
    )
