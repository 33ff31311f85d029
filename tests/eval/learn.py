"""`python -m tests.eval.learn`: fits rules/experience.tsv to the labelled letters that may be learnt from; never reads the held-out half.

A logistic regression over the signs of triage/experience.py: one weight for each sign and category against `other`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from gateway.config import read_tree
from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.verdict import Category, RuleFiles
from gateway.triage.classify import signs
from gateway.triage.experience import CATEGORIES, EVEN, FILE
from gateway.triage.ruleset import Ruleset, parse_ruleset

from .entries import Half, halves, read_entries
from .mails import MAILBOX, mail

PRACTICE = Path(__file__).parent / "practice"
RULES = Path(__file__).parents[2] / "rules"
MIN_LETTERS = 2
"""Letters a sign must stand in to be learnt."""
MAX_SIGNS = 60_000
"""Signs kept, those that weigh most; the others change nothing but the size of the file."""
STRENGTH = 80.0
"""Inverse of the regularisation: larger follows the letters more closely."""
CLASSES = (*CATEGORIES, Category.OTHER)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One labelled letter: where it is from, how often each of its signs stands in it, and what a careful officer says of it."""

    source: str
    counts: Counter[str]
    category: Category


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was fitted: the signs in the order of the columns, their rarity, and the weights, one row for each sign."""

    signs: tuple[str, ...]
    rarity: np.ndarray
    weights: np.ndarray
    even: np.ndarray


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=RULES / FILE, show_default=False)
def main(out: Path) -> None:
    """Fit and write the table."""
    given = tuple(lessons())
    learnt = fit(given)
    out.write_text(table(learnt, letters=len(given)), encoding="utf-8")
    click.echo(f"{len(given)} letters, {len(learnt.signs)} signs: {out}")


def lessons() -> Iterator[Lesson]:
    """Every letter that may be learnt from: the half to tune by, the practice letters, the examples of the pack."""
    ruleset = parse_ruleset(RuleFiles(read_tree(str(RULES))))
    entries = read_entries()
    half = halves(entries)
    for one in (one for one in entries if half[one.id] is Half.TUNE):
        yield _lesson("tune", mail(one), one.category, ruleset)
    for folder in sorted(PRACTICE.iterdir()):
        for one in read_entries(folder):
            yield _lesson(folder.name, mail(one), one.category, ruleset)
    for path in sorted((RULES / "examples").glob("*/*.eml")):
        yield _lesson("examples", path.read_bytes(), Category(path.parent.name), ruleset)


def _lesson(source: str, content: bytes, category: Category, ruleset: Ruleset) -> Lesson:
    message = parse(content)
    domain = message.sender.domain if message.sender else None
    found = signs(read(message), ruleset=ruleset, own_addresses=(MAILBOX,), sender_domain=domain)
    return Lesson(source, found, category)


def fit(given: Sequence[Lesson]) -> Learnt:
    """Fitted twice: to all signs, then to those that weighed most."""
    learnt = _fitted(given, _common(given))
    heaviest = np.argsort(-(abs(learnt.weights).max(axis=1) * learnt.rarity), kind="stable")[:MAX_SIGNS]
    return _fitted(given, tuple(sorted(learnt.signs[number] for number in heaviest)))


def _common(given: Sequence[Lesson]) -> tuple[str, ...]:
    letters = Counter(sign for lesson in given for sign in lesson.counts)
    return tuple(sorted(sign for sign, number in letters.items() if number >= MIN_LETTERS and "\t" not in sign))


def _fitted(given: Sequence[Lesson], chosen: tuple[str, ...]) -> Learnt:
    """Letters as `triage.experience` weighs them: sublinear counts times rarity, of unit length."""
    known = frozenset(chosen)
    columns, rarity = DictVectorizer(), TfidfTransformer(sublinear_tf=True)
    counts = columns.fit_transform(
        [{sign: count for sign, count in lesson.counts.items() if sign in known} for lesson in given]
    )
    model = LogisticRegression(C=STRENGTH, max_iter=3000, class_weight="balanced")
    model.fit(rarity.fit_transform(counts), [CLASSES.index(lesson.category) for lesson in given])
    against = model.coef_[:-1] - model.coef_[-1]
    return Learnt(tuple(columns.feature_names_), rarity.idf_, against.T, model.intercept_[:-1] - model.intercept_[-1])


def table(learnt: Learnt, *, letters: int) -> str:
    """The file as `triage.experience` reads it."""
    head = (
        f"# What {letters} labelled letters taught: sign, rarity, and its weight for {', '.join(CATEGORIES)}, each against other.\n"
        "# Made by `make learn`; a line removed is forgotten, and the rule it named counts by its own weight again.\n"
    )
    rows = [_line(EVEN, 1.0, learnt.even)]
    rows += (_line(*row) for row in zip(learnt.signs, learnt.rarity, learnt.weights, strict=True))
    return head + "".join(rows)


def _line(sign: str, rarity: float, weights: np.ndarray) -> str:
    return "\t".join((sign, f"{rarity:.2f}", *(f"{weight:.2f}" for weight in weights))) + "\n"


if __name__ == "__main__":
    main()
