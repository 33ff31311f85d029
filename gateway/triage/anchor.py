"""Finds the phrases that may begin at the words of a text: each phrase hangs on one word of its own.

The work grows with the different words of a text, not with the phrases; what a word has been found to hold is remembered.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import accumulate

from gateway.triage.normal import WORD_LETTER
from gateway.triage.phrase import MAX_WORD, Phrase, Span, places

_WORDS = re.compile(f"({WORD_LETTER}+)")
_ASCII_WORDS = re.compile("([a-z0-9]+)")
"""The same in folded text that is ASCII, in two thirds of the time."""
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
    offset: int
    """Characters of the phrase's head before it."""


@dataclass(frozen=True, slots=True)
class _Hanging:
    """A phrase on its anchor."""

    number: int
    phrase: Phrase
    anchor: Anchor
    words: frozenset[str]
    """Words of the text without which it cannot stand."""
    plain: bool
    """Whether it is nothing but the one word."""

    def spans(self, text: str, word: str, starts: list[int]) -> Iterable[Span]:
        """Where the phrase stands at this word of the text, which stands at these places."""
        if self.plain:
            length = len(word)
            return [(start, start + length) for start in starts]
        anchor = self.anchor
        if anchor.fit is Fit.INSIDE:
            begins = [start + at for start in starts for at in places(anchor.word, word)]
        else:
            shift = len(word) - len(anchor.word) if anchor.fit is Fit.ENDS else -anchor.offset
            begins = [start + shift for start in starts]
        return self.phrase.spans(text, begins)


def anchors_of(phrase: Phrase) -> tuple[Anchor, ...]:
    """Every word by which a phrase can be found; none where its head has none, as in scripts without spaces."""
    found = []
    for match in _WORDS.finditer(phrase.head):
        before, after = phrase.opens and match.start() == 0, phrase.goes_on and match.end() == len(phrase.head)
        fit = Fit.INSIDE if before and after else Fit.ENDS if before else Fit.BEGINS if after else Fit.WHOLE
        found.append(Anchor(match[0], fit, match.start()))
    return tuple(found)


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
                best = min(anchors, key=lambda one: (one.fit.value, common[one.word], -len(one.word)))
                self._by[best.fit][best.word].append(_hanging(number, phrase, best, anchors))
        self._beginnings = sorted({len(word) for word in self._by[Fit.BEGINS]})
        self._ends = sorted({len(word) for word in self._by[Fit.ENDS]})
        self._inside: dict[str, list[str]] = defaultdict(list)
        for word in self._by[Fit.INSIDE]:
            self._inside[word[:1]].append(word)
        self._remembered = lru_cache(_REMEMBERED)(self._hanging)

    def standing(self, text: str) -> Iterator[tuple[int, Iterable[Span]]]:
        """Phrases that may stand in folded text, and where they do; one may be named more than once."""
        parts = (_ASCII_WORDS if text.isascii() else _WORDS).split(text)
        words = parts[1::2]
        vocabulary = frozenset(words)
        hanging = {
            word: held for word in vocabulary if (held := [one for one in self._on(word) if one.words <= vocabulary])
        }
        found: dict[str, list[int]] = {word: [] for word in hanging}
        for word, start in zip(words, [0, *accumulate(map(len, parts))][1:-1:2], strict=True):
            if word in found:
                found[word].append(start)
        for word, starts in found.items():
            for one in hanging[word]:
                yield one.number, one.spans(text, word, starts)

    def _on(self, word: str) -> tuple[_Hanging, ...]:
        return self._remembered(word) if len(word) <= MAX_WORD else self._hanging(word)

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
    plain = phrase.is_words and best.word == phrase.head and best.fit is Fit.WHOLE
    return _Hanging(number, phrase, best, whole - {best.word}, plain)
