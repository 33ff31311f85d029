"""Which of many terms stand in a text, found in a few passes whose number hardly grows with the terms.

One RE2 set over all phrases, one over all patterns; more only where the patterns are too many for one. Never says that a term is
absent which stands there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import re2

from gateway.triage.matcher import Terms, options

SET_MEMORY = 32 << 20
"""For one set and the states it keeps: twice as much makes a text that was never seen dearer, half as much makes more sets."""

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
        for owner, one in enumerate(self._given):
            for position, literal in enumerate(one.literals):
                phrases.setdefault(re2.escape(literal), []).append((owner, position))
            for position, pattern in enumerate(one.patterns, len(one.phrases)):
                patterns.setdefault(pattern.pattern, []).append((owner, position))
        self._uses = (*phrases.values(), *patterns.values())
        self._phrases = _Sets(list(enumerate(phrases)))
        self._patterns = _Sets(list(enumerate(patterns, len(phrases))))

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
        phrases, patterns = self._phrases.matches(octets), self._patterns.matches(octets)
        return range(len(self._uses)) if phrases is None or patterns is None else chain(phrases, patterns)


class _Sets:
    """Which of these sources match, exactly: one pass for each set that they fill."""

    def __init__(self, sources: Numbered) -> None:
        self._sets = tuple(_compiled(sources))

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
