"""What labelled letters taught: how much the words of a mail, its identifiers and the rules it hits speak for each category.

Weighs signs by a table (experience.tsv) that was fitted elsewhere; learns nothing itself, and knows no text but the one it is given.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from operator import mul

from gateway.errors import Complaint
from gateway.model.verdict import Category, Sign
from gateway.triage.normal import is_word

FILE = "experience.tsv"
CATEGORIES = (Category.EMERGENCY, Category.PRESERVATION, Category.SUBSCRIBER_INFO)
"""The columns of the table behind the sign and its rarity; each says how much more likely than `other`."""
EVEN = "(even)"
"""The row of what is likely before anything was read."""
MAX_FILE_BYTES = 8 << 20
BEGINNINGS = (3, 4, 5, 6, 7)
"""Letters of a word that are a sign of their own: endings differ more than stems."""
MAX_WORD = 20
PAIR = 5
"""Letters of each of two words that follow each other."""
RUNS = (2, 3, 4)
"""Characters of a script without spaces that are a sign together."""
SHORTEST = 50.0
"""Length of what is known of a mail below which experience says nothing: from a dozen words rules conclude better."""
SHOWN = 12
"""Signs that an administrator is shown, the heaviest first."""

MOST = 1000.0
"""Size of a number in the table, far above any that is learnt: larger ones would only overflow, and every mail be `other`."""

_NO_ROW = f"is no sign, rarity and three weights of at most {MOST:g}, parted by tabs"
_AS_SHIPPED = "restore the shipped file, or remove it: then rules alone decide"
_WORD = re.compile(r"[^\W\d_]+")
Weights = tuple[float, float, float]
Row = tuple[float, float, float, float]
"""The rarity of a sign among the letters, and its weight for each of CATEGORIES."""
Leaning = Mapping[Category, float]
"""By category the logarithm of how many times likelier it is than `other`."""


@dataclass(frozen=True, slots=True)
class Experience:
    """The table: what each sign weighs."""

    even: Weights
    rows: Mapping[str, Row]
    """By sign."""

    def knows(self, rule: str) -> bool:
        """Whether the rule of that name is weighed here, and not by the weight that stands in its file."""
        return _rule(rule) in self.rows

    def compact(self) -> "Experience":
        """The same in less memory, near at hand: equal numbers, of which a table has a thousand, are one object."""
        known: dict[float, float] = {}
        one = known.setdefault
        rows = {sign: (one(r, r), one(e, e), one(p, p), one(s, s)) for sign, (r, e, p, s) in self.rows.items()}
        return Experience(self.even, rows)


def signs_of(texts: Iterable[str], *, rules: Iterable[str], identifiers: Iterable[str]) -> Counter[str]:
    """How often each sign stands in a mail: in its folded texts, as a rule that hits, as a kind of identifier."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = _WORD.findall(text)
        counts.update(chain.from_iterable(map(_of_word, words)))
        counts.update(map(" ".join, pairwise([word[:PAIR] for word in words])))
    counts.update({_rule(name): 1 for name in rules})
    counts.update({f"id:{kind}": 1 for kind in identifiers} or {"id:none": 1})
    return counts


def leaning(experience: Experience, signs: Mapping[str, int]) -> Leaning:
    """How the mail leans, or nothing where it is too short to tell."""
    found = _parts(experience, signs)
    if not found:
        return {}
    _, rows, parts = zip(*found, strict=True)
    _, *columns = zip(*rows, strict=True)
    told = (sum(map(mul, parts, column), even) for column, even in zip(columns, experience.even, strict=True))
    return dict(zip(CATEGORIES, told, strict=True))


def heaviest(experience: Experience, signs: Mapping[str, int]) -> tuple[Sign, ...]:
    """The signs that weighed most, heaviest first."""
    added = (Sign(sign, _adds(row, part)) for sign, row, part in _parts(experience, signs))
    return tuple(sorted(added, key=lambda one: (-max(map(abs, one.adds)), one.sign))[:SHOWN])


def read_experience(content: bytes) -> Experience | tuple[Complaint, ...]:
    """The table of a file of lines `sign, rarity, weights`, parted by tabs, or what is wrong with it; never raises."""
    if len(content) > MAX_FILE_BYTES:
        return (Complaint(FILE, 0, 0, "", f"has {len(content)} bytes", f"keep it below {MAX_FILE_BYTES}"),)
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        return (Complaint(FILE, content.count(b"\n", 0, error.start) + 1, 1, "", "is not UTF-8", _AS_SHIPPED),)
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        sign, row = _row(line)
        if row is None:
            return (Complaint(FILE, number, 1, sign[:40], _NO_ROW, _AS_SHIPPED),)
        if sign in rows:
            return (Complaint(FILE, number, 1, sign[:40], "stands there twice", "remove one of the lines"),)
        rows[sign] = row
    if EVEN not in rows:
        return (Complaint(FILE, 0, 0, EVEN, "is missing", _AS_SHIPPED),)
    _, emergency, preservation, subscriber = rows.pop(EVEN)
    return Experience((emergency, preservation, subscriber), rows)


def _row(line: str) -> tuple[str, Row | None]:
    sign, *numbers = line.split("\t")
    try:
        rarity, emergency, preservation, subscriber = map(float, numbers)
    except ValueError:
        return sign, None
    row = rarity, emergency, preservation, subscriber
    return sign, row if sign and all(abs(one) <= MOST for one in row) else None


def _parts(experience: Experience, signs: Mapping[str, int]) -> list[tuple[str, Row, float]]:
    """Each known sign, its row and what it counts for; nothing where the mail is too short.

    It counts for its rarity by the logarithm of how often it stands there; all together are a unit vector.
    """
    row_of, log = experience.rows.get, math.log
    known = [(sign, row, (1 + log(count)) * row[0]) for sign, count in signs.items() if (row := row_of(sign))]
    length = math.hypot(*(count for _, _, count in known))
    return [(sign, row, count / length) for sign, row, count in known] if length >= SHORTEST else []


def _adds(row: Row, part: float) -> Weights:
    _, emergency, preservation, subscriber = row
    return emergency * part, preservation * part, subscriber * part


def _rule(name: str) -> str:
    return f"rule:{name}"


@lru_cache(maxsize=1 << 15)
def _of_word(word: str) -> tuple[str, ...]:
    if not is_word(word[0]):
        return tuple(word[at : at + run] for run in RUNS for at in range(len(word) - run + 1))
    beginnings = (f"{word[:letters]}*" for letters in BEGINNINGS if letters <= len(word))
    return (word[:MAX_WORD], *beginnings)
