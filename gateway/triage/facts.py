"""What a requester says about the request itself: the reference it goes by and the period that is asked for.

Never normalises a reference: it is the requester's, and is given back as it was written.
"""

import re
from collections.abc import Iterator

from gateway.model.case import REFERENCE
from gateway.model.message import Text
from gateway.triage.matcher import stands_near
from gateway.triage.normal import fold
from gateway.triage.phrase import Span
from gateway.triage.ruleset import Labels

MAX_CHARACTERS = 4000
"""Of each place in which a reference is looked for: it stands at the head of a letter."""

MAX_DAYS = 3650
DAYS_WITHIN = 80
"""Characters between a number of days and a word of preservation."""

# Standard library patterns, each run at one known place and over a bounded length only.
_BEHIND_LABEL = re.compile(
    r"\.? ?(?:(?:no|nr|num|number|numero|n°|#)\b\.? ?)?[:.#=]? ?"
    r"(\d{1,6} [a-z]{1,4} \d{1,6}/\d{2,4}|[^\W_][\w/.-]{0,60}|)(?: (\d[\w/.-]{0,60}))?"
)
_BILINGUAL = re.compile(r" ?/ ?[^\d.:;]{2,40}[ :]{1,2}((?=[^ ]{0,60}\d)[^\W_][\w/.-]{1,60})")
"""`label / the same in another language`, as the forms of the Committee have it."""
_BEFORE_LABEL = re.compile(r"(?<![\w.])(\d{1,4})\)? ?-?$")


def reference(text: Text, *, folded: tuple[str, ...], labels: Labels) -> str | None:
    """The requester's own reference, verbatim: the first thing with a digit behind one of the labels.

    `folded` is where to look, in order, in folded form. Our own references are none of the requester's.
    """
    for words in folded:
        for _, end in labels.reference.spans(words[:MAX_CHARACTERS]):
            found = _behind(words, end)
            if found is not None and not REFERENCE.search(found):
                return _as_written(found, text)
    return None


def preservation_days(folded: str, *, labels: Labels) -> int | None:
    """For how many days preservation is asked: the first number of days close to a word of preservation."""
    numbers = [*_numbers_of_days(folded, labels)]
    # the words of preservation are looked for once, and only where days are named
    asked = labels.preservation.spans(folded) if numbers else []
    near = (days for days, span in numbers if stands_near(asked, folded, span, within=DAYS_WITHIN))
    return next(near, None)


def _numbers_of_days(folded: str, labels: Labels) -> Iterator[tuple[int, Span]]:
    """Each number in front of a word for days, and where that word stands."""
    for start, end in labels.days.spans(folded):
        number = _BEFORE_LABEL.search(folded[max(start - 8, 0) : start])
        if number is not None and 0 < int(number[1]) <= MAX_DAYS:
            yield int(number[1]), (start, end)


def _behind(words: str, end: int) -> str | None:
    """The reference behind a label: one word with a digit, or a word and a number (`CC 2024/1187`)."""
    bilingual = _BILINGUAL.match(words, end)
    if bilingual is not None:
        return bilingual[1].rstrip(".-/")
    match = _BEHIND_LABEL.match(words, end)
    if match is None or not match[1]:
        return None
    first = match[1].rstrip(".-/")
    if any(map(str.isdigit, first)):
        return first
    return f"{match[1]} {match[2].rstrip('.-/')}" if match[2] and len(first) <= 10 else None


def _as_written(found: str, text: Text) -> str:
    """The reference in the letters of the mail, where it still can be told which they were."""
    words = re.compile(re.escape(found).replace(r"\ ", r"\s+"), re.IGNORECASE)
    for place in (text.subject, text.body[:MAX_CHARACTERS], *(one[:MAX_CHARACTERS] for one in text.attachments)):
        if match := words.search(place):
            return match[0]
        # Folding changed more than case: compare word by word in folded form.
        for word in place.split():
            if fold(bare := word.strip("()[]<>,;:.\"'")) == found:
                return bare
    return found
