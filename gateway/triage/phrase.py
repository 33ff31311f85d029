"""Where a phrase stands in folded text: plain words, with `*` for any end of a word and ` .. ` for other words between.

Needs time in proportion to the text only; no phrase becomes a regular expression.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.triage.normal import WORD_LETTER, is_word

OPEN = "*"
"""Where it stands a word goes on, or begins, with whatever letters."""

BETWEEN = " .. "
"""Other words of the same sentence may stand there."""

MAX_BETWEEN = 60
"""Characters that may stand at ` .. `."""

MAX_WORD = 64
"""Letters that `*` may stand for; longer words are none."""

_SENTENCE_ENDS = (". ", "? ", "! ", "\u3002", "\n")
_LETTERS = re.compile(f"{WORD_LETTER}{{0,{MAX_WORD}}}")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """Words that follow each other: at the end of each segment but the last the word goes on to its end."""

    segments: tuple[str, ...]
    opens: bool
    closes: bool
    """Whether the first word may have begun before, and the last go on after, what is written."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One folded phrase, taken apart."""

    first: _Run
    others: tuple[_Run, ...] = ()

    @property
    def head(self) -> str:
        """The text with which every occurrence begins, apart from what `*` stands for before it."""
        return self.first.segments[0]

    @property
    def is_words(self) -> bool:
        """Whether it is written out: without `*` and ` .. `."""
        return not (self.others or self.opens or self.goes_on)

    @property
    def is_run(self) -> bool:
        """Whether it is one piece: without ` .. `, and without `*` but at its ends."""
        return not self.others and len(self.first.segments) == 1

    @property
    def opens(self) -> bool:
        """Whether the first word may have begun before the head."""
        return self.first.opens

    @property
    def goes_on(self) -> bool:
        """Whether the word at the end of the head may go on behind it."""
        return self.first.closes or len(self.first.segments) > 1

    def spans(self, text: str, starts: Iterable[int]) -> Iterator[Span]:
        """Where it stands in folded text, of the places where its head may begin, in their order."""
        if self.is_words:
            yield from _written_out(self.head, text, starts)
            return
        for start in starts:
            span = _run_at(self.first, text, start)
            end = span and _after(self.others, text, span[1])
            if span and end:
                yield span[0], end


def _written_out(words: str, text: str, starts: Iterable[int]) -> Iterator[Span]:
    length = len(words)
    for start in starts:
        if (
            start >= 0
            and text.startswith(words, start)
            and not (_goes_on(text, start) or _goes_on(text, start + length))
        ):
            yield start, start + length


def places(words: str, text: str) -> Iterator[int]:
    """Where these characters stand in the text."""
    at = text.find(words)
    while at >= 0:
        yield at
        at = text.find(words, at + 1)


def parse_phrase(folded: str) -> Phrase:
    """A folded phrase taken apart; it has passed `phrase_fault`."""
    first, *others = (_run(part.strip()) for part in folded.split(BETWEEN))
    return Phrase(first, tuple(others))


def _run(words: str) -> _Run:
    bare = words.strip(OPEN)
    return _Run(tuple(bare.split(OPEN)), opens=words.startswith(OPEN), closes=words.endswith(OPEN))


def _after(runs: tuple[_Run, ...], text: str, end: int) -> int | None:
    """Where the last of the runs ends, each found close behind the one before and in its sentence."""
    for run in runs:
        high = min(end + MAX_BETWEEN + sum(map(len, run.segments)) + MAX_WORD * len(run.segments), len(text))
        found = next(_run_spans(run, text, end, high), None)
        if found is None or found[0] - end > MAX_BETWEEN or any(one in text[end : found[0]] for one in _SENTENCE_ENDS):
            return None
        end = found[1]
    return end


def _run_spans(run: _Run, text: str, low: int, high: int) -> Iterator[Span]:
    start = text.find(run.segments[0], low, high)
    while start >= 0:
        span = _run_at(run, text, start)
        if span is not None:
            yield span
        start = text.find(run.segments[0], start + 1, high)


def _run_at(run: _Run, text: str, start: int) -> Span | None:
    """The occurrence of the run whose first segment begins there."""
    head = run.segments[0]
    if start < 0 or not text.startswith(head, start) or not (run.opens or not _goes_on(text, start)):
        return None
    end = start + len(head)
    for segment in run.segments[1:]:
        end = _word_end(text, end)
        if not text.startswith(segment, end):
            return None
        end += len(segment)
    if run.closes:
        end = _word_end(text, end)
    elif _goes_on(text, end):
        return None
    return (_word_start(text, start) if run.opens else start), end


def _goes_on(text: str, at: int) -> bool:
    """Whether one word stands on both sides; scripts without spaces have no such words."""
    return 0 < at < len(text) and is_word(text[at - 1]) and is_word(text[at])


def _word_end(text: str, at: int) -> int:
    letters = _LETTERS.match(text, at) if _goes_on(text, at) else None
    return letters.end() if letters else at


def _word_start(text: str, at: int) -> int:
    limit = max(at - MAX_WORD, 0)
    while at > limit and _goes_on(text, at):
        at -= 1
    return at
