"""Which of many terms stand in a text, found in a few passes whose number hardly grows with the terms.

One RE2 set over all phrases, one over all patterns; more only where the patterns are too many for one. Never says that a term is
absent which stands there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import re2

from gateway.triage.anchor import Anchors
from gateway.triage.matcher import Terms, in_order, options, parsed, pattern_spans, stands_near
from gateway.triage.phrase import Span, places

SET_MEMORY = 32 << 20
"""For one set and the states it keeps: twice as much makes a text that was never seen dearer, half as much makes more sets."""

Found = defaultdict[Terms, list[Iterable[Span]]]
"""Terms -> the occurrences of each of their phrases and patterns."""

Numbered = Sequence[tuple[int, str]]
"""Number of a term and its source as RE2."""


class Index:
    """Made once for a rule set, asked about each text."""

    def __init__(self, terms: Iterable[Terms]) -> None:
        self._given = tuple(dict.fromkeys(terms))
        uses: defaultdict[str, list[Terms]] = defaultdict(list)
        patterns: dict[str, tuple[Any, list[Terms]]] = {}
        for one in self._given:
            for phrase in one.phrases:
                uses[phrase].append(one)
            for pattern in one.patterns:
                patterns.setdefault(pattern.pattern, (pattern, []))[1].append(one)
        self._phrases = tuple((parsed(phrase), owners) for phrase, owners in uses.items())
        self._patterns = tuple(patterns.values())
        self._anchors = Anchors([phrase for phrase, _ in self._phrases])
        self._loose = _Sets([(number, re2.escape(self._phrases[number][0].head)) for number in self._anchors.loose])
        # nearly always false: phrases without a word are of scripts without spaces
        self._loose_in_ascii = any(self._phrases[number][0].head.isascii() for number in self._anchors.loose)
        self._sources = _Sets(list(enumerate(patterns)))

    def __reduce__(self) -> tuple[type["Index"], tuple[tuple[Terms, ...]]]:
        """Built again where it is handed to another process: RE2 sets cannot travel."""
        return Index, (self._given,)

    def look(self, text: str) -> "Standing":
        """What stands in folded text."""
        octets = text.encode()
        found: Found = defaultdict(list)
        for number, spans in chain(self._anchors.standing(text), self._loosely(text, octets)):
            for owner in self._phrases[number][1]:
                found[owner].append(spans)
        for number in self._sources.matches(octets):
            pattern, owners = self._patterns[number]
            later = _Later(pattern, text, octets)
            for owner in owners:
                found[owner].append(later)
        return Standing(text, found)

    def _loosely(self, text: str, octets: bytes) -> Iterator[tuple[int, list[Span]]]:
        if text.isascii() and not self._loose_in_ascii:
            return
        for number in self._loose.matches(octets):
            phrase = self._phrases[number][0]
            if spans := [*phrase.spans(text, places(phrase.head, text))]:
                yield number, spans


class _Later:
    """Where one pattern stands, looked for only as far as somebody asks: many rules ask for the first place, or for none.

    One reader at a time.
    """

    def __init__(self, pattern: Any, text: str, octets: bytes) -> None:
        self._coming = pattern_spans(pattern, text, octets)
        self._known: list[Span] = []

    def __iter__(self) -> Iterator[Span]:
        yield from self._known
        for span in self._coming:
            self._known.append(span)
            yield span


def _order(span: Span) -> tuple[int, int]:
    """First things first, the longer first where two begin together."""
    return span[0], -span[1]


class Standing:
    """Where the terms of an index stand in one text; what is asked more than once is put in order once."""

    def __init__(self, text: str, found: Found) -> None:
        self.text = text
        self._found = found
        self._ordered: dict[Terms, list[Span]] = {}

    def terms(self) -> Iterable[Terms]:
        """Those of which something stands there; of a pattern, perhaps only across two lines, where it does not count."""
        return self._found.keys()

    def __contains__(self, terms: Terms) -> bool:
        return terms in self._found

    def first(self, terms: Terms) -> Span | None:
        """The first of them in that order: most rules ask for no other, and putting all in order costs more."""
        firsts = [span for one in self._found.get(terms, ()) for span in islice(one, 1)]
        return min(firsts, key=_order) if len(firsts) > 1 else firsts[0] if firsts else None

    def spans(self, terms: Terms) -> Sequence[Span]:
        """All occurrences, first things first, the longer first where two begin together."""
        known = self._ordered.get(terms)
        if known is None:
            known = self._ordered[terms] = in_order(chain.from_iterable(self._found.get(terms, ())))
        return known

    def near(self, terms: Terms, span: Span, *, within: int) -> bool:
        """Whether any of them stands on the same line with at most `within` characters between it and the span."""
        return stands_near(self.spans(terms), self.text, span, within=within)


class _Sets:
    """Which of these sources match, exactly: one pass for each set that they fill."""

    def __init__(self, sources: Numbered) -> None:
        self._sets = tuple(_compiled(sources))

    def matches(self, octets: bytes) -> list[int]:
        """Numbers of the sources that match; all of a set whose engine gave up."""
        found: list[int] = []
        for one, numbers in self._sets:
            # The engine answers `nothing` and `gave up` alike; the last pattern always matches and tells them apart.
            said = one.Match(octets) or ()
            if len(numbers) not in said:
                found += numbers
                continue
            found += (numbers[number] for number in said if number < len(numbers))
        return found


def _compiled(sources: Numbered) -> Iterator[tuple[Any, list[int]]]:
    """A set of these sources, or two halves where they are too many for one."""
    made = re2.Set.SearchSet(options(SET_MEMORY))
    for _, source in sources:
        made.Add(source)
    made.Add("")
    try:
        made.Compile()
    except re2.error:
        if len(sources) < 2:
            raise
        half = len(sources) // 2
        yield from _compiled(sources[:half])
        yield from _compiled(sources[half:])
    else:
        yield made, [number for number, _ in sources]
