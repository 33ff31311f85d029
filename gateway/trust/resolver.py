"""Asks DNS for the authentication of mail: one cache for all, one budget for each message, every answer kept for the verdict.

Never takes silence, SERVFAIL or a used-up budget for "no record": that is DnsUnavailable (RFC 7208 section 2.6.6), never uses a
search list, and never waits longer for one message than it was given.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace

import dns.exception
import dns.flags
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from gateway.errors import DnsUnavailable
from gateway.model.trust import DnsAnswer

BUDGET = 60
"""Questions one message may cause: SPF 10 terms with their addresses, 8 DKIM keys, DMARC tree walks of 8 each."""
MESSAGE_SECONDS = 6.0
"""Waiting for DNS on behalf of one message: an emergency is paged within ten seconds whatever DNS does."""
MAX_KEPT = 4096
MAX_KEPT_CHARS = 4096
"""A larger answer is used and not cached: strangers choose what we are sent."""
MAX_ANSWER_CHARS = 32_768
"""A larger answer is trouble: every answer used is stored with the verdict."""
MAX_TTL = 3600
MAX_NEGATIVE_TTL = 60
"""Shorter than RFC 2308 section 5 allows: a record published after the first failed mail shall soon be seen."""

ANSWER, NODATA, NXDOMAIN, TEMPERROR = "answer", "nodata", "nxdomain", "temperror"

Ask = Callable[[str, str, float], DnsAnswer]
"""(name, record type, seconds left) -> answer; never raises, temperror is a status."""


class Questions:
    """The questions of one message: each asked once, all of them remembered in order."""

    def __init__(self, ask: Ask, *, budget: int = BUDGET, seconds: float = MESSAGE_SECONDS) -> None:
        self._ask = ask
        self._budget = budget
        self._seconds = seconds
        self._known: dict[tuple[str, str], DnsAnswer] = {}

    @property
    def answers(self) -> tuple[DnsAnswer, ...]:
        """Every answer used so far, in order of the questions; `Recorded` gives the same verdict from them."""
        return tuple(self._known.values())

    def txt(self, name: str) -> DnsAnswer:
        """TXT records, the strings of one record joined (RFC 7208 section 3.3), octets as Latin-1; raises DnsUnavailable."""
        return self._question(name, "TXT")

    def a(self, name: str) -> DnsAnswer:
        """IPv4 addresses as text; raises DnsUnavailable."""
        return self._question(name, "A")

    def aaaa(self, name: str) -> DnsAnswer:
        """IPv6 addresses as text; raises DnsUnavailable."""
        return self._question(name, "AAAA")

    def mx(self, name: str) -> DnsAnswer:
        """Mail exchangers as `preference host`; raises DnsUnavailable."""
        return self._question(name, "MX")

    def ptr(self, name: str) -> DnsAnswer:
        """Host names of a reverse name; raises DnsUnavailable."""
        return self._question(name, "PTR")

    def _question(self, name: str, rdtype: str) -> DnsAnswer:
        key = name.removesuffix(".").lower(), rdtype
        answer = self._known.get(key)
        if answer is None:
            answer = self._known[key] = self._first_answer(*key)
        if answer.status == TEMPERROR:
            raise DnsUnavailable(f"DNS did not answer {rdtype} {key[0]!r}")
        return answer

    def _first_answer(self, name: str, rdtype: str) -> DnsAnswer:
        if len(self._known) >= self._budget or self._seconds <= 0:
            return DnsAnswer(name, rdtype, TEMPERROR)
        started = time.monotonic()
        answer = self._ask(name, rdtype, self._seconds)
        self._seconds -= time.monotonic() - started
        return answer


class Recorded:
    """Replays the answers stored with a verdict; what was not asked then is temperror now."""

    def __init__(self, answers: Iterable[DnsAnswer]) -> None:
        self._answers = {(one.name, one.rdtype): one for one in answers}

    def for_message(self, budget: int = BUDGET) -> Questions:
        """The questions of one message, answered from the record."""
        return Questions(self._replay, budget=budget)

    def _replay(self, name: str, rdtype: str, _seconds: float) -> DnsAnswer:
        return self._answers.get((name, rdtype)) or DnsAnswer(name, rdtype, TEMPERROR)


class Resolver:
    """Thread-safe cache in front of the configured name servers; equal questions at the same time are asked once."""

    def __init__(self, *, nameservers: tuple[str, ...] = (), timeout: float = 5.0) -> None:
        self._client = _client(nameservers)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, DnsAnswer]] = OrderedDict()
        self._asked: dict[tuple[str, str], Future[DnsAnswer]] = {}

    def for_message(self, budget: int = BUDGET) -> Questions:
        """The questions of one message: at most `budget` of them, and MESSAGE_SECONDS of waiting in all."""
        return Questions(self.ask, budget=budget)

    def ask(self, name: str, rdtype: str, seconds: float) -> DnsAnswer:
        """One answer from the cache or the name servers; trouble is the status temperror, which is not cached."""
        key = name, rdtype
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] > time.monotonic():
                self._kept.move_to_end(key)
                return kept[1]
            asked = self._asked.get(key)
            mine = asked is None
            if asked is None:
                asked = self._asked[key] = Future()
        if not mine:
            return _awaited(asked, key, seconds)
        answer = DnsAnswer(name, rdtype, TEMPERROR)
        try:
            answer = _lookup(self._client, name, rdtype, min(seconds, self._timeout))
        finally:
            self._keep(key, answer)
            asked.set_result(answer)
        return answer

    def _keep(self, key: tuple[str, str], answer: DnsAnswer) -> None:
        with self._lock:
            del self._asked[key]
            if answer.status == TEMPERROR or answer.ttl <= 0 or _chars(answer.values) > MAX_KEPT_CHARS:
                return
            self._kept[key] = time.monotonic() + answer.ttl, answer
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)


def _client(nameservers: tuple[str, ...]) -> dns.resolver.Resolver:
    try:
        client = dns.resolver.Resolver(configure=not nameservers)
    except dns.resolver.NoResolverConfiguration:
        # A machine without DNS: every question is trouble, nothing is decided without it.
        client = dns.resolver.Resolver(configure=False)
    if nameservers:
        client.nameservers = [_nameserver(one) for one in nameservers]
    # AD in a question asks whether DNSSEC validated the answer, without its records (RFC 6840 section 5.7).
    client.set_flags(dns.flags.RD | dns.flags.AD)
    # The size that passes every path unfragmented (DNS flag day 2020); larger answers come by TCP.
    client.use_edns(0, 0, 1232)
    return client


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    address, _, port = text.rpartition(":")
    return dns.nameserver.Do53Nameserver(address.strip("[]"), int(port))


def _awaited(asked: Future[DnsAnswer], key: tuple[str, str], seconds: float) -> DnsAnswer:
    try:
        return asked.result(timeout=seconds)
    except TimeoutError:
        return DnsAnswer(*key, TEMPERROR)


def _lookup(client: dns.resolver.Resolver, name: str, rdtype: str, seconds: float) -> DnsAnswer:
    nothing = DnsAnswer(name, rdtype, TEMPERROR)
    absolute = _absolute(name)
    if absolute is None:
        # No such name can exist on the wire: as good as NXDOMAIN, and no question is spent on it.
        return replace(nothing, status=NXDOMAIN, ttl=MAX_NEGATIVE_TTL)
    try:
        found = client.resolve(absolute, rdtype, raise_on_no_answer=False, search=False, lifetime=seconds)
        values = tuple(_text(one) for one in found.rrset or ())
    except dns.resolver.NXDOMAIN:
        return replace(nothing, status=NXDOMAIN, ttl=MAX_NEGATIVE_TTL)
    except Exception:  # noqa: BLE001 whatever a name server sends: an answer we cannot read is no answer
        return nothing
    if found.response.flags & dns.flags.TC or _chars(values) > MAX_ANSWER_CHARS:
        # Cut off even over TCP: what is missing may be the record.
        return nothing
    ttl, secure = found.chaining_result.minimum_ttl, authentic(found.response.flags, found.nameserver)
    if not values:
        return replace(nothing, status=NODATA, ttl=min(ttl, MAX_NEGATIVE_TTL), secure=secure)
    return DnsAnswer(name, rdtype, ANSWER, values, min(ttl, MAX_TTL), secure)


def authentic(flags: int, nameserver: str | None) -> bool:
    """Whether AD is set by a name server on this machine: on any longer way anybody could have set it (RFC 4035 section 4.9.3)."""
    try:
        return bool(flags & dns.flags.AD) and ipaddress.ip_address(nameserver or "").is_loopback
    except ValueError:
        return False


def _chars(values: tuple[str, ...]) -> int:
    return sum(len(one) for one in values)


def _absolute(name: str) -> dns.name.Name | None:
    try:
        # Macros of SPF put any octet into a label; only the dot separates (RFC 7208 section 7.3).
        return dns.name.Name([*(label.encode() for label in name.split(".")), b""])
    except dns.exception.DNSException:
        return None


def _text(rdata: object) -> str:
    match rdata:
        case TXT():
            return b"".join(rdata.strings).decode("latin-1")
        case A() | AAAA():
            return str(rdata.address)
        case MX():
            return f"{rdata.preference} {_host(rdata.exchange)}"
        case PTR():
            return _host(rdata.target)
    return str(rdata)


def _host(name: dns.name.Name) -> str:
    return ".".join(label.decode("latin-1") for label in name.labels if label)
