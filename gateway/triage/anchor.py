"""Finds the phrases that may begin at the words of a text: each phrase hangs on one word of its own.

The work grows with the different words of a text, not with the phrases; what a word has been found to hold is remembered.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from gateway.triage.normal import NO_WORD_LETTER, WORD_LETTER
from gateway.triage.phrase import MAX_WORD, Phrase, Span, places

_WORDS = re.compile(f"{WORD_LETTER}+")
_NO_LETTER = re.compile(NO_WORD_LETTER)
_APART = {code: " " for code in range(128) if not chr(code).isalnum()}
"""The same for text that is ASCII, in a thirtieth of the time."""
_REMEMBERED = 32_768
"""Words of mail whose phrases are kept: an officer's vocabulary, and some thousand names."""


class Fit(Enum):
    """How the word of a phrase lies in a word of the text."""

    WHOLE = 0
    BEGINS = 1
    ENDS = 2
    INSIDE = 3


@dataclass(frozen=True, slots=True)
class Anchor:
    """The word of a phrase by which it is found."""

    word: str
    fit: Fit
    offset: int | None
    """Characters of the phrase's head before it; None where it stands behind the head."""


@dataclass(frozen=True, slots=True)
class _Hanging:
    """A phrase on its anchor."""

    number: int
    phrase: Phrase
    head: str
    anchor: Anchor
    words: frozenset[str]
    """Words of the text without which it cannot stand."""
    plain: bool
    """Whether it is nothing but the one word, written out or open at one end."""

    def spans(self, text: str, word: str, starts: list[int]) -> list[Span]:
        """Where the phrase stands at this word of the text, which stands at these places."""
        if self.plain and len(word) <= MAX_WORD:
            length = len(word)
            return [(start, start + length) for start in starts]
        begins = self._begins(text, word, starts)
        return [*self.phrase.spans(text, begins)] if begins else []

    def anywhere(self, text: str) -> list[Span]:
        """Where the phrase stands, its head looked for."""
        return [*self.phrase.spans(text, places(self.head, text))]

    def _begins(self, text: str, word: str, starts: list[int]) -> list[int]:
        """Where its head stands, and perhaps the phrase; most words stand apart from the rest of their phrase."""
        head, anchor = self.head, self.anchor
        if anchor.fit is Fit.INSIDE:
            return [start + at for start in starts for at in places(head, word)]
        shift = len(word) - len(anchor.word) if anchor.fit is Fit.ENDS else -(anchor.offset or 0)
        return [start + shift for start in starts if text.startswith(head, start + shift)]


def words_of(text: str) -> list[str]:
    """The words of folded text in their order, each one character behind the one before; some of them are empty."""
    apart = text.translate(_APART) if text.isascii() else _NO_LETTER.sub(" ", text)
    return apart.split(" ")


def _starts(words: Sequence[str], wanted: Iterable[str]) -> dict[str, list[int]]:
    """Where each of the wanted words stands in the text that `words_of` took apart."""
    found: dict[str, list[int]] = {word: [] for word in wanted}
    at = 0
    for word in words:
        if word in found:
            found[word].append(at)
        at += len(word) + 1
    return found


def anchors_of(phrase: Phrase) -> tuple[Anchor, ...]:
    """Every word without which a phrase stands nowhere; none of scripts without spaces."""
    return tuple(
        anchor
        for run in (phrase.first, *phrase.others)
        for number, segment in enumerate(run.segments)
        for anchor in _anchors(
            segment,
            opens=number > 0 or run.opens,
            goes_on=number < len(run.segments) - 1 or run.closes,
            leads=run is phrase.first and number == 0,
        )
    )


def _anchors(words: str, *, opens: bool, goes_on: bool, leads: bool) -> Iterator[Anchor]:
    """Each word, and how it lies in the text, where the first may have begun before and the last may go on behind."""
    for match in _WORDS.finditer(words):
        before, after = opens and match.start() == 0, goes_on and match.end() == len(words)
        fit = Fit.INSIDE if before and after else Fit.ENDS if before else Fit.BEGINS if after else Fit.WHOLE
        yield Anchor(match[0], fit, match.start() if leads else None)


class Anchors:
    """All phrases by their anchors; made once, asked about the words of each text."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        every = [anchors_of(phrase) for phrase in phrases]
        common = Counter(anchor.word for anchors in every for anchor in anchors)
        self.loose = tuple(number for number, anchors in enumerate(every) if not anchors)
        """Phrases without any anchor."""
        self._by: Mapping[Fit, defaultdict[str, list[_Hanging]]] = {fit: defaultdict(list) for fit in Fit}
        for number, (phrase, anchors) in enumerate(zip(phrases, every, strict=True)):
            if anchors:
                # The word that fewest phrases share is tried least often in vain, and a long one is rarer than a short one.
                best = min(anchors, key=lambda one: (common[one.word], one.fit.value, -len(one.word)))
                self._by[best.fit][best.word].append(_hanging(number, phrase, best, anchors))
        self._beginnings = sorted({len(word) for word in self._by[Fit.BEGINS]})
        self._ends = sorted({len(word) for word in self._by[Fit.ENDS]})
        self._inside: dict[str, list[str]] = defaultdict(list)
        for word in self._by[Fit.INSIDE]:
            self._inside[word[:1]].append(word)
        self._remembered = lru_cache(_REMEMBERED)(self._hanging)

    def standing(self, text: str) -> Iterator[tuple[int, list[Span]]]:
        """Phrases that stand in folded text, and where they do; one may be named more than once."""
        words = words_of(text)
        hanging = self._held(frozenset(words))
        behind: dict[int, _Hanging] = {}
        for word, starts in _starts(words, hanging).items():
            for one in hanging[word]:
                if one.anchor.offset is None:
                    behind[one.number] = one
                elif spans := one.spans(text, word, starts):
                    yield one.number, spans
        for number, one in behind.items():
            if spans := one.anywhere(text):
                yield number, spans

    def _held(self, vocabulary: frozenset[str]) -> dict[str, list[_Hanging]]:
        """By word of the text what hangs on it and may stand there; of a word without end nothing is remembered."""
        remembered, anew = self._remembered, self._hanging
        return {
            word: held
            for word in vocabulary
            if (there := remembered(word) if len(word) <= MAX_WORD else anew(word))
            and (held := [one for one in there if one.words <= vocabulary])
        }

    def _hanging(self, word: str) -> tuple[_Hanging, ...]:
        """What hangs on a word of the text."""
        found = [*self._by[Fit.WHOLE].get(word, ())]
        for length in self._beginnings:
            found += self._by[Fit.BEGINS].get(word[:length], ()) if length <= len(word) else ()
        for length in self._ends:
            found += self._by[Fit.ENDS].get(word[-length:], ()) if length <= len(word) else ()
        for letter in set(word) & self._inside.keys():
            for literal in self._inside[letter]:
                found += self._by[Fit.INSIDE][literal] if literal in word else ()
        return tuple(found)


def _hanging(number: int, phrase: Phrase, best: Anchor, anchors: tuple[Anchor, ...]) -> _Hanging:
    whole = frozenset(one.word for one in anchors if one.fit is Fit.WHOLE)
    plain = phrase.is_run and best.word == phrase.head and best.fit is not Fit.INSIDE
    return _Hanging(number, phrase, phrase.head, best, whole - {best.word}, plain)
