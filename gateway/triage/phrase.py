"""Where a phrase stands in folded text: plain words, with `*` for any end of a word and ` .. ` for other words between.

Needs time in proportion to the text only; no phrase becomes a regular expression.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gateway.triage.normal import is_word

OPEN = "*"
"""Where it stands a word goes on, or begins, with whatever letters."""

BETWEEN = " .. "
"""Other words of the same sentence may stand there."""

MAX_BETWEEN = 60
"""Characters that may stand at ` .. `."""

MAX_WORD = 64
"""Letters that `*` may stand for; longer words are none."""

_SENTENCE_ENDS = (". ", "? ", "! ", "\u3002", "\n")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """Words that follow each other: at the end of each segment but the last the word goes on to its end."""

    segments: tuple[str, ...]
    opens: bool
    closes: bool
    """Whether the first word may have begun before, and the last go on after, what is written."""


def spans_of(phrase: str, text: str) -> Iterator[Span]:
    """Where a folded phrase stands in folded text, first things first."""
    first, *others = _runs(phrase)
    for start, end in _run_spans(first, text, 0, len(text)):
        last = _after(others, text, end) if others else end
        if last is not None:
            yield start, last


def literal_of(phrase: str) -> str:
    """The longest text that stands wherever the folded phrase does."""
    return max((segment for run in _runs(phrase) for segment in run.segments), key=len)


def length_of(phrase: str) -> int:
    """Characters that an occurrence of the folded phrase has at most."""
    return len(phrase) + phrase.count(OPEN) * MAX_WORD + phrase.count(BETWEEN) * MAX_BETWEEN


@lru_cache(maxsize=65_536)
def _runs(phrase: str) -> tuple[_Run, ...]:
    return tuple(_run(part.strip()) for part in phrase.split(BETWEEN))


def _run(words: str) -> _Run:
    bare = words.strip(OPEN)
    return _Run(tuple(bare.split(OPEN)), opens=words.startswith(OPEN), closes=words.endswith(OPEN))


def _after(runs: list[_Run], text: str, end: int) -> int | None:
    """Where the last of the runs ends, each found close behind the one before and in its sentence."""
    for run in runs:
        high = min(end + MAX_BETWEEN + sum(map(len, run.segments)) + MAX_WORD * len(run.segments), len(text))
        found = next(_run_spans(run, text, end, high), None)
        if found is None or found[0] - end > MAX_BETWEEN or any(one in text[end : found[0]] for one in _SENTENCE_ENDS):
            return None
        end = found[1]
    return end


def _run_spans(run: _Run, text: str, low: int, high: int) -> Iterator[Span]:
    head = run.segments[0]
    start = text.find(head, low, high)
    while start >= 0:
        end = _run_end(run, text, start + len(head))
        if end is not None and (run.opens or not _goes_on(text, start)):
            yield (_word_start(text, start) if run.opens else start), end
        start = text.find(head, start + 1, high)


def _run_end(run: _Run, text: str, end: int) -> int | None:
    """The end of the run whose first segment ends there; None where the others do not follow."""
    for segment in run.segments[1:]:
        end = _word_end(text, end)
        if not text.startswith(segment, end):
            return None
        end += len(segment)
    if run.closes:
        return _word_end(text, end)
    return None if _goes_on(text, end) else end


def _goes_on(text: str, at: int) -> bool:
    """Whether one word stands on both sides; scripts without spaces have no such words."""
    return 0 < at < len(text) and is_word(text[at - 1]) and is_word(text[at])


def _word_end(text: str, at: int) -> int:
    limit = min(at + MAX_WORD, len(text))
    while at < limit and _goes_on(text, at):
        at += 1
    return at


def _word_start(text: str, at: int) -> int:
    limit = max(at - MAX_WORD, 0)
    while at > limit and _goes_on(text, at):
        at -= 1
    return at
