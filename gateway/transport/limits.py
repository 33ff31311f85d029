"""What one client, and all of them together, may take of us; nothing here looks at a message's meaning.

Times follow RFC 5321 section 4.5.3.2, counts section 4.5.3.1 and Postfix' defaults.
"""

import os
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MIN_FREE_BYTES = 64 * 1024 * 1024
"""Below this much free space no message is begun: the database needs room to commit what is already on its way."""


Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one listener; the defaults are the product's, tests shorten the times."""

    command_bytes: int = 2048
    """One command line with CR LF: 512 octets and what the extensions add (RFC 5321 section 4.5.3.1.4)."""
    recipients: int = 100
    errors: int = 50
    """Refused commands in one connection."""
    idle_commands: int = 200
    """Commands in a row that bring no message nearer: NOOP, RSET, HELO and the like."""
    command_seconds: float = 300.0
    handshake_seconds: float = 15.0
    block_seconds: float = 180.0
    """Silence within DATA."""
    data_seconds: float = 300.0
    """DATA as a whole, plus one second for each `data_rate` octets received: a dripping client is cut, a slow one is not."""
    data_rate: int = 4096
    accept_seconds: float = 60.0
    """Patience with our own commit; after that the client hears 451 and tries again."""
    connections: int = 500
    per_address: int = 100
    per_network: int = 200
    """Connections of one /24 or /64."""


class Gate:
    """Counts open connections, in all, per address and per network."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = 0
        self._by_source: Counter[str] = Counter()

    def enter(self, peer: str, *, trusted: bool) -> bool:
        """Whether one more connection from there is taken; a taken one is counted until `leave`.

        A trusted peer speaks for many clients: only the total holds it back.
        """
        address, network = _sources(peer)
        full = self._total >= self._limits.connections
        crowd = self._by_source[address] >= self._limits.per_address
        crowd = crowd or self._by_source[network] >= self._limits.per_network
        if full or (crowd and not trusted):
            return False
        self._total += 1
        self._by_source.update((address, network))
        return True

    def leave(self, peer: str) -> None:
        """Forget one connection that `enter` counted."""
        self._total -= 1
        for source in _sources(peer):
            self._by_source[source] -= 1
            if not self._by_source[source]:
                del self._by_source[source]


@lru_cache(maxsize=1024)
def _sources(peer: str) -> tuple[str, str]:
    """The address, and its /24 or /64."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer, "?"
    return peer, str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def plain_address(text: str) -> str:
    """An IP address as SPF and people write it: no zone, IPv4-mapped IPv6 as IPv4; other text unchanged."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def read_networks(texts: tuple[str, ...]) -> Networks:
    """CIDR texts as networks; ValueError where one is not (the configuration was checked before)."""
    return tuple(ip_network(text, strict=False) for text in texts)


def within(peer: str, networks: Networks) -> bool:
    """Whether the address lies in one of the networks."""
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in networks)


def storage_low(directory: str) -> bool:
    """Whether the file system of our state has too little room, or no inode, for one more message."""
    try:
        room = os.statvfs(directory)
    except OSError:
        return True
    return room.f_bavail * room.f_frsize < MIN_FREE_BYTES or (room.f_files > 0 and room.f_favail == 0)
