"""Which of many terms stand in a text, found in a few passes whose number does not grow with the terms.

Phrases: one RE2 set over all of them. Patterns: one RE2 filter over the literals they cannot do without, then, only for a group of
neighbours (one language, mostly) in which several may stand, one exact RE2 set. Never says that a term is absent which stands there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import re2

from gateway.triage.matcher import Terms, options

GROUP = 250
"""Patterns in one exact set: more make its states too many to be kept."""

FEW = 3
"""So many patterns of a group are tried one by one rather than by a pass for the whole group."""

_PHRASE_MEMORY = 64 << 20
_GROUP_MEMORY = 16 << 20
_MARK = "\x01"
"""Put behind the text for filters: folded text holds no control character, so only there it can be found."""

Numbered = Sequence[tuple[int, str]]
"""Number of a term and its source as RE2."""

_Uses = list[tuple[int, int]]
"""Where one term stands among the Terms: owner and position there, phrases first."""


Candidates = Mapping[int, Sequence[int]]
"""Number of the Terms -> which of its terms may stand in a text, by their numbers, phrases first."""


class Index:
    """Made once for a rule set, asked about each text."""

    def __init__(self, terms: Iterable[Terms]) -> None:
        self._given = tuple(terms)
        phrases: dict[str, _Uses] = {}
        patterns: dict[str, _Uses] = {}
        compiled: dict[str, Any] = {}
        for owner, one in enumerate(self._given):
            for position, literal in enumerate(one.literals):
                phrases.setdefault(re2.escape(literal), []).append((owner, position))
            for position, pattern in enumerate(one.patterns, len(one.phrases)):
                patterns.setdefault(pattern.pattern, []).append((owner, position))
                compiled[pattern.pattern] = pattern
        first = len(phrases)
        self._uses = (*phrases.values(), *patterns.values())
        self._phrases = _Sets(list(enumerate(phrases)), _PHRASE_MEMORY)
        self._hints = _Hints(list(enumerate(patterns, first)))
        numbered = [(number, compiled[source]) for number, source in enumerate(patterns, first)]
        self._groups = tuple(_Group(numbered[start : start + GROUP]) for start in range(0, len(numbered), GROUP))

    def __reduce__(self) -> tuple[type["Index"], tuple[tuple[Terms, ...]]]:
        """Built again where it is handed to another process: RE2 sets cannot travel."""
        return Index, (self._given,)

    def candidates(self, text: str) -> Candidates:
        """Terms that stand in folded text, and perhaps some that do not; all of them if RE2 gave up."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        uses = self._uses
        for number in self._standing(text.encode()):
            for owner, position in uses[number]:
                found[owner].append(position)
        return dict(found)

    def _standing(self, octets: bytes) -> Iterable[int]:
        phrases, hints = self._phrases.matches(octets), self._hints.matches(octets)
        if phrases is None or hints is None:
            return range(len(self._uses))
        return chain(phrases, *(group.matches(octets, hints) for group in self._groups))


class _Sets:
    """Which of these sources match, exactly: one pass for each set that they fill."""

    def __init__(self, sources: Numbered, memory: int) -> None:
        self._sets = tuple(_compiled(sources, memory))

    def matches(self, octets: bytes) -> list[int] | None:
        """Numbers of the sources that match; None if the engine gave up."""
        found: list[int] = []
        for one, numbers in self._sets:
            # The engine answers `nothing` and `gave up` alike; the last pattern always matches and tells them apart.
            said = one.Match(octets) or ()
            if len(numbers) not in said:
                return None
            found += (numbers[number] for number in said if number < len(numbers))
        return found


def _compiled(sources: Numbered, memory: int) -> Iterator[tuple[Any, list[int]]]:
    """A set of these sources, or two halves where they are too many for one."""
    made = re2.Set.SearchSet(options(memory))
    for _, source in sources:
        made.Add(source)
    made.Add("")
    try:
        made.Compile()
    except re2.error:
        if len(sources) < 2:
            raise
        half = len(sources) // 2
        yield from _compiled(sources[:half], memory)
        yield from _compiled(sources[half:], memory)
    else:
        yield made, [number for number, _ in sources]


class _Hints:
    """Which patterns may match, by the literals that must stand there: cheap, and seldom wrong."""

    def __init__(self, sources: Numbered) -> None:
        self._filters = tuple(_filters(sources))

    def matches(self, octets: bytes) -> frozenset[int] | None:
        """Numbers of the patterns that may match; None if the engine gave up."""
        marked = octets + _MARK.encode()
        found: list[int] = []
        for one, numbers in self._filters:
            said = one.Match(marked, potential=True) or ()
            if len(numbers) not in said:
                return None
            found += (numbers[number] for number in said if number < len(numbers))
        return frozenset(found)


def _filters(sources: Numbered) -> Iterator[tuple[Any, list[int]]]:
    made = re2.Filter()
    quiet = options(_GROUP_MEMORY)
    for _, source in (*sources, (0, _MARK)):
        made.Add(source, quiet)
    try:
        made.Compile()
    except re2.error:
        if len(sources) < 2:
            raise
        half = len(sources) // 2
        yield from _filters(sources[:half])
        yield from _filters(sources[half:])
    else:
        yield made, [number for number, _ in sources]


class _Group:
    """Neighbouring patterns, mostly of one language: the other languages' groups cost a mail nothing."""

    def __init__(self, patterns: Sequence[tuple[int, Any]]) -> None:
        self._patterns = dict(patterns)
        self._sets = _Sets([(number, pattern.pattern) for number, pattern in patterns], _GROUP_MEMORY)

    def matches(self, octets: bytes, hints: frozenset[int]) -> Iterable[int]:
        """Those of the hinted patterns that match; all hinted if the engine gave up."""
        hinted = self._patterns.keys() & hints
        if len(hinted) <= FEW:
            return [number for number in hinted if self._patterns[number].search(octets) is not None]
        found = self._sets.matches(octets)
        return hinted if found is None else found
