"""The figures of one run as tables, for a terminal and as Markdown; computes nothing that score.py can."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.model.verdict import IDENTIFIER_KINDS, Category

from . import score
from .entries import Difficulty, Half
from .score import Answer, Share

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: what it shows, its columns, its rows."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Run:
    """The answers to a part of the set, with what they rest on."""

    answers: Sequence[Answer]
    part: str
    ruleset: str
    """Digest."""
    day: str

    @property
    def missed(self) -> list[Answer]:
        """Those whose category is not as wanted."""
        return [one for one in self.answers if one.pair[0] is not one.pair[1]]


def sheets(run: Run, *, misses: bool = True) -> list[Sheet]:
    """Every table of the run; texts that matched are left out of the misses where the mails are held out."""
    answers = run.answers
    shown = [
        _summary(answers),
        _confusion(answers),
        _by("language", answers, sorted({one.entry.language for one in answers}), lambda one: one.entry.language),
        _by("difficulty", answers, list(Difficulty), lambda one: one.entry.difficulty),
        _identifiers(answers),
    ]
    return [*shown, _misses(run)] if misses else shown


def show(run: Run, console: Console, *, misses: bool) -> None:
    """The tables on a terminal."""
    for sheet in sheets(run, misses=misses):
        table = Table(*sheet.columns, title=escape(sheet.title), title_justify="left")
        for row in sheet.rows:
            table.add_row(*map(escape, row))
        console.print(table)
    console.print(f"{_heading(run)}, rule set {run.ruleset}")


def markdown(run: Run) -> str:
    """The same as a document."""
    lines = [
        "# How well the shipped rules read mail",
        "",
        f"{_heading(run)} of {run.day}, rule set `{run.ruleset}`. Made by `make eval`; [README.md](README.md) says what the mails are.",
    ]
    for sheet in sheets(run):
        lines += ["", f"## {sheet.title[0].upper()}{sheet.title[1:]}", "", *_grid(sheet)]
    return "\n".join(lines) + "\n"


def _heading(run: Run) -> str:
    return f"{len(run.answers)} mails ({run.part})"


def _grid(sheet: Sheet) -> Iterator[str]:
    rows = (sheet.columns, ("---",) * len(sheet.columns), *sheet.rows)
    for row in rows:
        yield f"| {' | '.join(row)} |".replace("\n", "<br>")


def _summary(answers: Sequence[Answer]) -> Sheet:
    pairs = [one.pair for one in answers]
    figures = (
        ("macro-F1 of the four categories", f"{score.macro_f1(pairs):.3f}"),
        ("right category", _share(score.accuracy(pairs))),
        ("emergencies seen", _share(score.recall(pairs, Category.EMERGENCY))),
        ("right secondary categories", _share(score.accuracy(
            (one.entry.secondary, frozenset(one.found.secondary)) for one in answers))),
        ("right kind", _share(score.accuracy((one.entry.kind, one.found.kind) for one in answers))),
        ("right urgency", _share(score.accuracy((one.entry.urgent, one.found.urgent) for one in answers))),
    )  # fmt: skip
    return Sheet("summary", ("figure", "value"), figures)


def _confusion(answers: Sequence[Answer]) -> Sheet:
    counts = score.confusion(one.pair for one in answers)
    pairs = [one.pair for one in answers]
    rows = [
        (wanted.value, *(str(counts[wanted, got]) for got in Category), f"{score.f1(pairs, wanted):.3f}")
        for wanted in Category
    ]
    return Sheet("confusion (wanted down, got across)", ("", *(got.value for got in Category), "F1"), rows)


def _by(what: str, answers: Sequence[Answer], keys: Sequence[Key], key: Callable[[Answer], Key]) -> Sheet:
    rows = []
    for one in keys:
        pairs = [answer.pair for answer in answers if key(answer) == one]
        emergencies = score.recall(pairs, Category.EMERGENCY)
        rows.append((str(one), f"{score.macro_f1(pairs):.3f}", _share(score.accuracy(pairs)), _share(emergencies)))
    return Sheet(f"by {what}", (what, "macro-F1", "right", "emergencies seen"), rows)


def _identifiers(answers: Sequence[Answer]) -> Sheet:
    found = [(kind, score.identifiers_found(answers, kind)) for kind in IDENTIFIER_KINDS]
    every = ("all", score.Found(_sum([one.recall for _, one in found]), _sum([one.precision for _, one in found])))
    rows = [(kind, _share(one.recall), _share(one.precision)) for kind, one in (*found, every)]
    return Sheet("identifiers", ("kind", "recall", "precision"), rows)


def _misses(run: Run) -> Sheet:
    # What is held out stays unread by whoever writes rules: no hit of it is told either.
    told = run.part == Half.TUNE
    rows = [
        (
            one.entry.id,
            one.entry.difficulty.value,
            one.entry.category.value,
            one.found.category.value,
            *(("\n".join(f"{hit.rule} {hit.score:g}" for hit in one.found.hits),) if told else ()),
        )
        for one in run.missed
    ]
    return Sheet("misses", ("mail", "difficulty", "wanted", "got", *(("hits",) if told else ())), rows)


def _sum(shares: Sequence[Share]) -> Share:
    return Share(sum(one.right for one in shares), sum(one.of for one in shares))


def _share(share: Share) -> str:
    return f"{share.ratio:.3f} ({share.right}/{share.of})" if share.of else "-"
