"""Finds wording in folded text: phrases at the edges of words, RE2 patterns, and one set pass that says which to look for.

Never searches with a pattern that could take more than linear time; nearness is counted here, not written in patterns.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from gateway.triage.normal import fold, fold_pattern, is_word

MAX_OCCURRENCES = 100
"""Occurrences of one term looked at in one text: the first decides almost always, a flood shall cost nothing."""

MAX_REPEAT = 20
"""Largest n of {m,n}: bounded gaps make a set of patterns thrash."""

MAX_PROGRAM = 20_000
"""Largest compiled pattern, in RE2 instructions."""

_SET_MEMORY = 64 << 20
_PATTERN_MEMORY = 4 << 20
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_SYNTAX = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\\x(?:\{[^}]*\}|\w\w)|\\.|\(\?P?<\w+>|\(\?[a-zA-Z-]+[:)]|\[:\^?\w+:\]")

Span = tuple[int, int]


def _options(max_mem: int) -> Any:
    options = re2.Options()
    options.max_mem = max_mem
    options.log_errors = False
    return options


@dataclass(frozen=True, slots=True)
class Terms:
    """Phrases, folded, and compiled patterns: any of them is meant."""

    phrases: tuple[str, ...] = ()
    patterns: tuple[Any, ...] = ()

    def spans(self, text: str) -> list[Span]:
        """Where they stand in folded text, first things first, never across a line; at most MAX_OCCURRENCES a term."""
        found = [span for phrase in self.phrases for span in _phrase_spans(phrase, text)]
        for pattern in self.patterns:
            found += _pattern_spans(pattern, text)
        return sorted(found)

    def stand_in(self, text: str) -> bool:
        """Whether any of them stands in the text."""
        return any(True for phrase in self.phrases for _ in _phrase_spans(phrase, text)) or any(
            _pattern_spans(pattern, text) for pattern in self.patterns
        )

    def stand_near(self, text: str, span: Span, *, within: int) -> bool:
        """Whether any of them stands on the same line with at most `within` characters between it and the span."""
        longest = max(map(len, self.phrases), default=0)
        reach = within + max(longest, within if self.patterns else 0)
        low, high = _line(text, max(span[0] - reach, 0), min(span[1] + reach, len(text)), span)
        start, end = span[0] - low, span[1] - low
        return any(start - there <= within and here - end <= within for here, there in self.spans(text[low:high]))


def _line(text: str, low: int, high: int, span: Span) -> Span:
    """The window cut at the line breaks around the span, and widened to whole words."""
    low = max(low, text.rfind("\n", low, span[0]) + 1)
    end_of_line = text.find("\n", span[1], high)
    high = high if end_of_line < 0 else end_of_line
    while low > 0 and is_word(text[low - 1]) and is_word(text[low]):
        low -= 1
    while high < len(text) and is_word(text[high - 1]) and is_word(text[high]):
        high += 1
    return low, high


def _phrase_spans(phrase: str, text: str) -> Iterator[Span]:
    start = text.find(phrase)
    seen = 0
    while start >= 0 and seen < MAX_OCCURRENCES:
        end = start + len(phrase)
        if _stands_alone(text, start, end):
            seen += 1
            yield start, end
        start = text.find(phrase, start + 1)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """No word goes on across either edge; scripts without spaces have no such edges."""
    opens = start == 0 or not (is_word(text[start - 1]) and is_word(text[start]))
    closes = end == len(text) or not (is_word(text[end - 1]) and is_word(text[end]))
    return opens and closes


def _pattern_spans(pattern: Any, text: str) -> list[Span]:
    found: list[Span] = []
    for match in pattern.finditer(text):
        if "\n" not in match[0] and match[0]:
            found.append(match.span())
        if len(found) == MAX_OCCURRENCES:
            break
    return found


def compile_terms(phrases: Sequence[str], patterns: Sequence[str]) -> Terms:
    """Wording ready to be looked for; it has passed `phrase_fault` and `pattern_fault`."""
    return Terms(
        phrases=tuple(dict.fromkeys(fold(phrase) for phrase in phrases)),
        patterns=tuple(re2.compile(fold_pattern(pattern), _options(_PATTERN_MEMORY)) for pattern in patterns),
    )


def phrase_fault(phrase: str) -> str | None:
    """Why a phrase cannot be looked for, in a few words."""
    if not any(character.isalnum() for character in fold(phrase)):
        return "has no letter or digit"
    return None


def pattern_fault(pattern: str) -> str | None:
    """Why a pattern is refused, in a few words."""
    wide = next(
        (m[0] for m in _REPEAT.finditer(pattern) if max(map(int, filter(None, m.groups())), default=0) > MAX_REPEAT),
        None,
    )
    if wide:
        return f"repeats {wide}, more than {MAX_REPEAT} times; say what must stand close by with near"
    if any("A" <= character <= "Z" for character in _SYNTAX.sub("", pattern)):
        return "has a capital letter, but mail is compared in lower case"
    try:
        compiled = re2.compile(fold_pattern(pattern), _options(_PATTERN_MEMORY))
    except re2.error as error:
        return f"is not RE2: {_words(error)}"
    if compiled.programsize > MAX_PROGRAM:
        return "is too large; split it"
    if compiled.search("") is not None:
        return "matches where nothing stands"
    return None


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


class Index:
    """Which of many terms may stand in a text, found in one pass over it."""

    def __init__(self, terms: Iterable[Terms]) -> None:
        self._set = re2.Set.SearchSet(_options(_SET_MEMORY))
        self._owners: list[int] = []
        count = 0
        for owner, one in enumerate(terms):
            count = owner + 1
            for source in (*map(re2.escape, one.phrases), *(pattern.pattern for pattern in one.patterns)):
                self._set.Add(source)
                self._owners.append(owner)
        self._all = frozenset(range(count))
        # The engine answers `nothing` and `gave up` alike; a pattern that always matches tells them apart.
        self._sentinel = self._set.Add("")
        self._set.Compile()

    def candidates(self, text: str) -> frozenset[int]:
        """Numbers of the terms that stand in folded text, and perhaps of some that do not; all of them if RE2 gave up."""
        numbers = self._set.Match(text)
        if self._sentinel not in numbers:
            return self._all
        return frozenset(self._owners[number] for number in numbers if number != self._sentinel)
