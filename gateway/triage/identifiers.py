"""Reads out of a request what it is about: addresses, accounts, numbers, times; refanged, normalised, checked.

Never guesses: what fails its checksum or its grammar is left out, and what belongs to the sender or to us is no identifier.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import islice
from typing import Any

import re2

from gateway.model.message import Text
from gateway.model.verdict import IDENTIFIER_KINDS, Identifier, Place
from gateway.triage.accounts import ACCOUNT_READINGS, profiles
from gateway.triage.contact_block import PERSONAL, Span, contact_blocks
from gateway.triage.readings import NEAR, READINGS, Reading, ip
from gateway.triage.timestamps import moments

MAX_IDENTIFIERS = 500
"""All kinds together; a request that names more is read by a human anyway."""

MAX_EXAMINED = 20_000
"""Candidates of one kind that are looked at in one text: a stranger can write a million that are none."""
MAX_CHECKED = 1_000
"""Of those whose checksum is slow to compute."""

MAX_CONTEXT = 40
"""Characters kept on either side."""

MAX_BOUND = 120
"""Characters on the same line, or on either side, in which port and time belong to an address."""

_DIGITS = {ord(zero) + value: ord("0") + value for zero in "\u0660\u06f0\uff10" for value in range(10)}
_SAME_WIDTH = str.maketrans("\u00a0\u202f\uff20\uff1a\uff0e\r", "  @:.\n") | _DIGITS
"""One character for one: offsets stay."""
_ONE_LINE = str.maketrans("\t\n", "  ")

_PORT = re.compile(
    r"(?:\b(?:src|source|remote|client|tcp|udp)[ -]?)?(?:\bports?|puertos?|\bportas?|portul|\bporta|порт\w*|منفذ|المنفذ|poort|bağlantı noktası|ポート(?:番号)?|პორტი|պորտ)"
    r"(?: ?(?:no\.?|number|source|de origen|de origem|d'origine|di origine|sursă|источника|джерела|المصدر))?\W{0,4}(\d{1,5})(?!\d)",
    re.IGNORECASE,
)
_PORT_BEHIND = re.compile(r":(\d{1,5})$")
_PORT_BEHIND_BRACKET = re.compile(r"\]:(\d{1,5})(?!\d)")
_MAX_PORT = 65_535

_LAST = READINGS[-1]
_ALL: tuple[Reading, ...] = (*READINGS[:-1], *ACCOUNT_READINGS, _LAST)
_UNGLUED = frozenset({"ip", "hash"})
"""Kinds that must not continue a word or a row of figures on either side."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a mail names: what is asked about, and how to reach who asks."""

    asked: tuple[Identifier, ...] = ()
    own: tuple[Identifier, ...] = ()


def find(text: Text, *, sender_domain: str | None, own_addresses: tuple[str, ...]) -> Named:
    """Every identifier of the new text and the attachments, each value once, in the order of the closed set of kinds."""
    ours = _Ours(sender_domain, own_addresses)
    found = _Found()
    places = (
        (Place.SUBJECT, text.subject),
        (Place.BODY, text.body),
        *((Place.ATTACHMENT, one) for one in text.attachments),
    )
    for place, words in places:
        # looked for only where something is found that may stand in one
        blocks = cache(partial(contact_blocks, words, form=bool(text.template)))
        for one in _in_text(words, place):
            found.add(one, own=ours.owns(one) or (one.kind in PERSONAL and _inside(one.offset, blocks())))
            if len(found.asked) >= MAX_IDENTIFIERS:
                break
    return found.named()


def phones_of_sender(text: Text) -> tuple[str, ...]:
    """Telephone numbers, in E.164, at which the mail says its sender is reached."""
    number = next(number for number, one in enumerate(_ALL) if one.kind == "phone")
    reading, pattern = _ALL[number], _patterns()[1][number]
    found: dict[str, None] = {}
    for written in (text.body, *text.attachments):
        blocks = contact_blocks(written, form=bool(text.template))
        words = written.translate(_SAME_WIDTH) if blocks else ""
        for _, value, start, _ in _read(reading, pattern, words, bytearray(len(words))):
            if _inside(start, blocks):
                found[value] = None
    return tuple(found)


@cache
def _patterns() -> tuple[Any, tuple[Any, ...]]:
    """A set that says which patterns occur at all, and the patterns, compiled."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    which = re2.Set.SearchSet(options)
    for one in _ALL:
        which.Add(one.pattern)
    # The engine answers `nothing` and `gave up` alike; a pattern that always matches tells them apart.
    which.Add("")
    which.Compile()
    return which, tuple(re2.compile(one.pattern, options) for one in _ALL)


def _in_text(written: str, place: Place) -> Iterator[Identifier]:
    """Every identifier of one text; addresses with the port and the time that stand beside them."""
    text = written.translate(_SAME_WIDTH)
    if not text:
        return
    times = [
        _identifier("timestamp", value, written, start, end, place)
        for start, end, value in moments(text.translate(_ONE_LINE))
    ]
    read = bytearray(len(text))
    for one in times:
        read[one.offset : one.offset + len(one.written)] = b"\1" * len(one.written)
    yield from times
    which, patterns = _patterns()
    for number in sorted(which.Match(text) or range(len(_ALL) + 1))[:-1]:
        for kind, value, start, end in _read(_ALL[number], patterns[number], text, read):
            one = _identifier(kind, value, written, start, end, place)
            yield _bound(one, text, end, times) if kind == "ip" else one


def _read(reading: Reading, pattern: Any, text: str, read: bytearray) -> Iterator[tuple[str, str, int, int]]:
    """Kind, value, start and end of what one pattern finds where nothing was read before."""
    limit = MAX_CHECKED if reading.kind == "crypto" else MAX_EXAMINED
    for match in islice(pattern.finditer(text), limit):
        start, end = match.span(pattern.groups)
        if any(read[start:end]) or (reading.kind in _UNGLUED and _glued(text, start, end)):
            continue
        if reading.near and reading.near not in text[max(start - NEAR, 0) : start].lower():
            continue
        value = reading.read(text[start:end])
        if not value:
            continue
        yield reading.kind, value, start, end
        if reading.kind == "url":
            yield from _of_url(value, start, end)
        read[start:end] = b"\1" * (end - start)


def _of_url(value: str, start: int, end: int) -> Iterator[tuple[str, str, int, int]]:
    """The address of the host where it is a number, and the account where the address is that of a profile."""
    host = ip(value.partition("://")[2].partition("/")[0])
    if host:
        yield "ip", host, start, end
    for name in profiles(value):
        yield "account", name, start, end


def _glued(text: str, start: int, end: int) -> bool:
    """Whether a word or a row of figures goes on across an edge; a colon before it may be a label's."""
    before, after = text[start - 1 : start], text[end : end + 2]
    if (
        before in (".", "-")
        or (before.isalnum() and before.isascii())
        or (before == ":" and text.count(":", start, end) > 1)
    ):
        return True
    return (after[:1].isalnum() and after[:1].isascii()) or (after[:1] == "." and after[1:].isdigit())


def _identifier(kind: str, value: str, written: str, start: int, end: int, place: Place) -> Identifier:
    context = " ".join(written[max(start - MAX_CONTEXT, 0) : end + MAX_CONTEXT].split())
    return Identifier(kind=kind, value=value, written=written[start:end], place=place, offset=start, context=context)


def _bound(one: Identifier, text: str, end: int, times: list[Identifier]) -> Identifier:
    """The address with the source port and the moment that belong to it, if they stand on its line or close by."""
    port = _PORT_BEHIND_BRACKET.match(text, end) if ":" in one.value else _PORT_BEHIND.search(text[one.offset : end])
    port = port or _PORT.search(text[end : end + MAX_BOUND].split("\n", maxsplit=1)[0])
    known = int(port[1]) if port and 0 < int(port[1]) <= _MAX_PORT else None
    return replace(one, port=known, at=_moment(one, text, times))


def _moment(one: Identifier, text: str, times: list[Identifier]) -> str | None:
    """The nearest moment, one on the same line before all others."""
    start = text.rfind("\n", 0, one.offset) + 1
    end = text.find("\n", one.offset)
    end = len(text) if end < 0 else end
    near = (
        (not start <= time.offset < end, abs(time.offset - one.offset), time.value)
        for time in times
        if abs(time.offset - one.offset) <= MAX_BOUND or (start <= time.offset < end and end - start <= 4 * MAX_BOUND)
    )
    return min(near, default=(True, 0, None))[2]


def _inside(offset: int, spans: tuple[Span, ...]) -> bool:
    return any(start <= offset < end for start, end in spans)


@dataclass(slots=True)
class _Found:
    """What was found so far; a value that is also asked about is asked about."""

    asked: dict[tuple[str, str], Identifier] = field(default_factory=dict)
    own: dict[tuple[str, str], Identifier] = field(default_factory=dict)

    def add(self, one: Identifier, *, own: bool) -> None:
        """Remember the first place of each value; of an address the first that tells when it was used."""
        group = self.own if own else self.asked
        if len(group) >= MAX_IDENTIFIERS:
            return
        known = group.setdefault((one.kind, one.value), one)
        if known.at is None and one.at is not None:
            group[one.kind, one.value] = replace(known, at=one.at, port=known.port or one.port)

    def named(self) -> Named:
        """Both groups in the order of kinds."""
        own = (one for key, one in self.own.items() if key not in self.asked)
        return Named(asked=_sorted(self.asked.values()), own=_sorted(own))


def _sorted(found: Any) -> tuple[Identifier, ...]:
    return tuple(sorted(found, key=lambda one: IDENTIFIER_KINDS.index(one.kind)))


@dataclass(frozen=True, slots=True)
class _Ours:
    """What names the sender or us and is therefore not what the request is about."""

    sender_domain: str | None
    own_addresses: tuple[str, ...]

    def owns(self, one: Identifier) -> bool:
        if one.kind == "email":
            return one.value.lower() in map(str.lower, self.own_addresses) or self._same(one.value.rpartition("@")[2])
        if one.kind == "url":
            return self._same(one.value.rpartition("://")[2].partition("/")[0].partition(":")[0])
        return one.kind == "domain" and self._same(one.value)

    def _same(self, domain: str) -> bool:
        """The sender's domain, ours, or a name above or below them."""
        known = (self.sender_domain or "", *(address.rpartition("@")[2].lower() for address in self.own_addresses))
        return any(own and (domain == own or domain.endswith("." + own) or own.endswith("." + domain)) for own in known)
