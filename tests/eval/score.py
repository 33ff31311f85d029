"""What the answers are worth: counts and ratios over pairs of wanted and got; reads no mail."""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.model.verdict import Category, Classification

from .entries import Entry

Pair = tuple[Category, Category]
"""What was wanted, what was got."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One mail with what the product says of it."""

    entry: Entry
    found: Classification

    @property
    def pair(self) -> Pair:
        return self.entry.category, self.found.category


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    right: int
    of: int

    @property
    def ratio(self) -> float:
        """1.0 where there was nothing to get wrong."""
        return self.right / self.of if self.of else 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """Identifiers of one kind: how many of those wanted were found, how many of those found are right."""

    recall: Share
    precision: Share


def confusion(pairs: Iterable[Pair]) -> Counter[Pair]:
    """How often each category was taken for each."""
    return Counter(pairs)


def f1(pairs: Sequence[Pair], category: Category) -> float:
    """Harmonic mean of precision and recall of one category."""
    both = sum(wanted is category and got is category for wanted, got in pairs)
    either = sum((wanted is category) + (got is category) for wanted, got in pairs)
    return 2 * both / either if either else 1.0


def macro_f1(pairs: Sequence[Pair]) -> float:
    """Mean F1 of the categories that were wanted."""
    wanted = {one for one, _ in pairs}
    return sum(f1(pairs, one) for one in wanted) / len(wanted) if wanted else 1.0


def accuracy(pairs: Iterable[tuple[object, object]]) -> Share:
    """How many are as wanted."""
    same = [wanted == got for wanted, got in pairs]
    return Share(sum(same), len(same))


def recall(pairs: Iterable[Pair], category: Category) -> Share:
    """How many mails of this category were seen as such."""
    return accuracy((wanted, got) for wanted, got in pairs if wanted is category)


def identifiers_found(answers: Iterable[Answer], kind: str) -> Found:
    """Recall and precision of one kind over all mails."""
    asked = seen = named = right = 0
    for answer in answers:
        wanted = {normal(kind, value) for value in answer.entry.identifiers.get(kind, ())}
        got = {normal(kind, one.value) for one in answer.found.identifiers if one.kind == kind}
        asked, seen = asked + len(wanted), seen + len(wanted & got)
        named, right = named + len(got), right + sum(_right(kind, one, answer.entry) for one in got)
    return Found(Share(seen, asked), Share(right, named))


def normal(kind: str, value: str) -> str:
    """The identifier without what is only manner of writing."""
    return _FORMS.get(kind, str.casefold)(value.strip())


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _moment(text: str) -> str:
    """One instant has one form, whatever zone it was written in."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()


def _url(text: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", text.casefold()).rstrip("/")


def _phone(text: str) -> str:
    return re.sub(r"\D|^00", "", text)


def _account(text: str) -> str:
    return re.split(r"[/:@]", text.casefold().rstrip("/"))[-1]


_FORMS: dict[str, Callable[[str], str]] = {
    "ip": _address,
    "url": _url,
    "phone": _phone,
    "account": _account,
    "timestamp": _moment,
    "crypto": str,
}


def _right(kind: str, got: str, entry: Entry) -> bool:
    """Whether naming it is no mistake: it is wanted or tolerated, or a part of such a one, as the domain of a URL is."""
    named = (*(normal(one, value) for one, values in entry.identifiers.items() for value in values), *entry.tolerated)
    return any(got in normal(kind, one) or got in one.casefold() for one in named)
