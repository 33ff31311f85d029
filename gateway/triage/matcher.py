"""Finds wording in folded text: phrases at the edges of words, and RE2 patterns.

Never searches with a pattern that could take more than linear time; nearness is counted here, not written in patterns.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any

import re2

from gateway.triage.normal import fold, fold_pattern, is_word
from gateway.triage.phrase import BETWEEN, MAX_WORD, OPEN, Span, length_of, literal_of, spans_of

MAX_OCCURRENCES = 100
"""Occurrences of one term looked at in one text: the first decides almost always, a flood shall cost nothing."""

MAX_REPEAT = 20
"""Largest n of {m,n}: bounded gaps make a set of patterns thrash."""

MAX_PROGRAM = 20_000
"""Largest compiled pattern, in RE2 instructions."""

MIN_OPEN = 2
"""Letters a word with an open end must show."""

_PATTERN_MEMORY = 4 << 20
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_SYNTAX = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\\x(?:\{[^}]*\}|\w\w)|\\.|\(\?P?<\w+>|\(\?[a-zA-Z-]+[:)]|\[:\^?\w+:\]")


def options(max_mem: int) -> Any:
    """How every pattern is compiled: with bounded memory, and never writing to stderr."""
    made = re2.Options()
    made.max_mem = max_mem
    made.log_errors = False
    made.never_capture = True
    return made


Known = dict[object, list[Span]]
"""Phrase or compiled pattern -> where it stands in one text: many rules share their words."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Phrases, folded, and compiled patterns: any of them is meant."""

    phrases: tuple[str, ...] = ()
    patterns: tuple[Any, ...] = ()
    longest: int = 0
    """Characters that an occurrence of a phrase has at most."""
    literals: tuple[str, ...] = ()
    """For each phrase what stands wherever it does."""

    def each(self, text: str, *, among: Collection[int] | None = None) -> Iterator[Iterator[Span]]:
        """For each term where it stands in folded text, one after the other, never across a line.

        `among` names the terms to look for by number, phrases first; at most MAX_OCCURRENCES of each are looked at.
        """
        known = len(self.phrases)
        numbers = range(known + len(self.patterns)) if among is None else among
        searched = text.encode() if any(number >= known for number in numbers) else b""
        for number in numbers:
            if number >= known:
                yield islice(_pattern_spans(self.patterns[number - known], text, searched), MAX_OCCURRENCES)
            elif self.literals[number] in text:
                yield islice(spans_of(self.phrases[number], text), MAX_OCCURRENCES)

    def spans(self, text: str) -> list[Span]:
        """Where any of them stands, first things first, the longer first where two begin together."""
        return sorted(chain.from_iterable(self.each(text)), key=_earliest)

    def first(
        self,
        text: str,
        *,
        counts: Callable[[Span], bool],
        among: Collection[int] | None = None,
        known: Known | None = None,
    ) -> Span | None:
        """The earliest occurrence that counts; `known` keeps what was found in this text for whoever asks next."""
        numbers = range(len(self.phrases) + len(self.patterns)) if among is None else among
        kept = {} if known is None else known
        firsts = (next(filter(counts, self._occurrences(number, text, kept)), None) for number in numbers)
        return min((span for span in firsts if span is not None), key=_earliest, default=None)

    def _occurrences(self, number: int, text: str, known: Known) -> list[Span]:
        count = len(self.phrases)
        term = self.phrases[number] if number < count else self.patterns[number - count]
        found = known.get(term)
        if found is None:
            found = known[term] = [*chain.from_iterable(self.each(text, among=(number,)))]
        return found

    def stand_in(self, text: str, *, among: Collection[int] | None = None) -> bool:
        """Whether any of them stands in the text."""
        return any(True for spans in self.each(text, among=among) for _ in spans)

    def stand_near(self, text: str, span: Span, *, within: int, among: Collection[int] | None = None) -> bool:
        """Whether any of them stands on the same line with at most `within` characters between it and the span."""
        reach = within + max(self.longest, within if self.patterns else 0)
        low, high = _line(text, max(span[0] - reach, 0), min(span[1] + reach, len(text)), span)
        start, end = span[0] - low, span[1] - low
        near = chain.from_iterable(self.each(text[low:high], among=among))
        return any(start - there <= within and here - end <= within for here, there in near)


def _earliest(span: Span) -> Span:
    return span[0], -span[1]


def _line(text: str, low: int, high: int, span: Span) -> Span:
    """The window cut at the line breaks around the span, and widened to whole words of sensible length."""
    low = max(low, text.rfind("\n", low, span[0]) + 1)
    end_of_line = text.find("\n", span[1], high)
    high = high if end_of_line < 0 else end_of_line
    lowest, highest = max(low - MAX_WORD, 0), min(high + MAX_WORD, len(text))
    while low > lowest and is_word(text[low - 1]) and is_word(text[low]):
        low -= 1
    while high < highest and is_word(text[high - 1]) and is_word(text[high]):
        high += 1
    return low, high


def _pattern_spans(pattern: Any, text: str, searched: bytes) -> Iterator[Span]:
    """RE2 counts bytes; they become characters piece by piece, one pass over the text in all."""
    byte = character = 0
    single = len(searched) == len(text)
    for match in pattern.finditer(searched):
        start, end = match.span()
        if not single:
            character += len(searched[byte:start].decode())
            byte, start, end = start, character, character + len(searched[start:end].decode())
        if start < end and "\n" not in text[start:end]:
            yield start, end


def compile_terms(phrases: Sequence[str], patterns: Sequence[str]) -> Terms:
    """Wording ready to be looked for; it has passed `phrase_fault` and `pattern_fault`."""
    folded = tuple(dict.fromkeys(fold(phrase) for phrase in phrases))
    return Terms(
        phrases=folded,
        patterns=tuple(map(_compiled, patterns)),
        longest=max(map(length_of, folded), default=0),
        literals=tuple(map(literal_of, folded)),
    )


@lru_cache(maxsize=65_536)
def _compiled(pattern: str) -> Any:
    """One pattern, compiled once however many rules use it."""
    return re2.compile(fold_pattern(pattern), options(_PATTERN_MEMORY))


def phrase_fault(phrase: str) -> str | None:
    """Why a phrase cannot be looked for, in a few words."""
    runs = fold(phrase).split(BETWEEN)
    if not all(any(map(str.isalnum, run)) for run in runs):
        return "has no letter or digit"
    if any(len(run.strip(f" {OPEN}")) < MIN_OPEN for run in runs if OPEN in run):
        return f"has fewer than {MIN_OPEN} letters beside {OPEN}"
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
        compiled = re2.compile(fold_pattern(pattern), options(_PATTERN_MEMORY))
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
