"""Finds wording in folded text: phrases at the edges of words, and RE2 patterns.

Never searches with a pattern that could take more than linear time; nearness is counted here, not written in patterns.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any

import re2

from gateway.triage.normal import fold, fold_pattern
from gateway.triage.phrase import BETWEEN, OPEN, Phrase, Span, parse_phrase, places

MAX_OCCURRENCES = 100
"""Occurrences of one term looked at in one text: the first decides almost always, a flood shall cost nothing."""

MAX_REACH = 600
"""Characters of one occurrence that count when something stands near its end."""

MAX_REPEAT = 20
"""Largest n of {m,n}: bounded gaps make a set of patterns thrash."""

MAX_PROGRAM = 20_000
"""Largest compiled pattern, in RE2 instructions."""

MIN_OPEN = 2
"""Letters a word with an open end must show."""

_START, _END = itemgetter(0), itemgetter(1)
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


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Phrases, folded, and compiled patterns: any of them is meant. The same wording is one object."""

    phrases: tuple[str, ...] = ()
    patterns: tuple[Any, ...] = ()

    def spans(self, text: str) -> list[Span]:
        """Where any of them stands in folded text, never across a line, in order; at most MAX_OCCURRENCES of each.

        A whole pack is looked for by its Index.
        """
        searched = text.encode() if self.patterns else b""
        phrases = (phrase.spans(text, places(head, text)) for head, phrase in _heads(self) if head in text)
        patterns = (pattern_spans(one, text, searched) for one in self.patterns)
        found = chain.from_iterable(islice(spans, MAX_OCCURRENCES) for spans in chain(phrases, patterns))
        return in_order(found)


def in_order(spans: Iterable[Span]) -> list[Span]:
    """Occurrences, first things first, the longer first where two begin together."""
    ordered = [*spans]
    if len(ordered) > 1:
        # two sorts that run in C beat one that asks a function of ours for each occurrence
        ordered.sort(key=_END, reverse=True)
        ordered.sort(key=_START)
    return ordered


def stands_near(found: Sequence[Span], text: str, span: Span, *, within: int) -> bool:
    """Whether any of these occurrences, in their order, stands on the same line with at most `within` characters between.

    More than MAX_REACH of one is not looked back for.
    """
    start, end = span
    first = bisect_left(found, (start - within - MAX_REACH,))
    for number in range(first, len(found)):
        here, there = found[number]
        if here - end > within:
            return False
        if start - there <= within and text.find("\n", min(start, here), max(end, there)) < 0:
            return True
    return False


def pattern_spans(pattern: Any, text: str, searched: bytes) -> Iterator[Span]:
    """Where a pattern stands; `searched` is the text in UTF-8.

    RE2 counts bytes; they become characters piece by piece, one pass over the text in all.
    """
    byte = character = 0
    single = len(searched) == len(text)
    for match in pattern.finditer(searched):
        start, end = match.span()
        if not single:
            character += len(searched[byte:start].decode())
            byte, start, end = start, character, character + len(searched[start:end].decode())
        if start < end and text.find("\n", start, end) < 0:
            yield start, end


@lru_cache(maxsize=1024)
def _heads(terms: Terms) -> tuple[tuple[str, Phrase], ...]:
    """Each phrase behind the text with which it begins: most of those that are looked for one by one stand nowhere."""
    return tuple((phrase.head, phrase) for phrase in map(parsed, terms.phrases))


@lru_cache(maxsize=65_536)
def parsed(phrase: str) -> Phrase:
    """A folded phrase taken apart, once however many rules use it."""
    return parse_phrase(phrase)


def compile_terms(phrases: Sequence[str], patterns: Sequence[str]) -> Terms:
    """Wording ready to be looked for; it has passed `phrase_fault` and `pattern_fault`."""
    return _terms(tuple(phrases), tuple(patterns))


@lru_cache(maxsize=16_384)
def _terms(phrases: tuple[str, ...], patterns: tuple[str, ...]) -> Terms:
    return Terms(phrases=tuple(dict.fromkeys(map(_folded, phrases))), patterns=tuple(map(_compiled, patterns)))


@lru_cache(maxsize=65_536)
def _folded(phrase: str) -> str:
    return fold(phrase)


@lru_cache(maxsize=65_536)
def _compiled(pattern: str) -> Any:
    """One pattern, compiled once however many rules use it."""
    return re2.compile(fold_pattern(pattern), options(_PATTERN_MEMORY))


@lru_cache(maxsize=65_536)
def phrase_fault(phrase: str) -> str | None:
    """Why a phrase cannot be looked for, in a few words."""
    runs = _folded(phrase).split(BETWEEN)
    if not all(any(map(str.isalnum, run)) for run in runs):
        return "has no letter or digit"
    if any(len(run.strip(f" {OPEN}")) < MIN_OPEN for run in runs if OPEN in run):
        return f"has fewer than {MIN_OPEN} letters beside {OPEN}"
    return None


@lru_cache(maxsize=4096)
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
        compiled = _compiled(pattern)
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
