"""`python -m tests.bench.rules`: how long the rules look at one mail, beside the same terms looked for one by one, in one run."""

import gc
import random
import re
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import re2
from rich.console import Console
from rich.table import Table

from gateway.config import read_tree
from gateway.model.message import Text
from gateway.model.verdict import RuleFiles
from gateway.triage.hits import Folded, folded, rule_hits
from gateway.triage.rule_tree import judging
from gateway.triage.ruleset import Ruleset, parse_ruleset

ROOT = Path(__file__).parents[2]
ASKED = 2.0
"""Milliseconds for a text of 20 KiB against the whole pack."""
SIZE = 20 * 1024


@click.command()
@click.option("--folder", default=str(ROOT / "rules"), show_default=True, help="The rule tree.")
@click.option(
    "--mails", default=60, show_default=True, help="So many different texts, each seen once before it counts."
)
@click.option("--sizes", default="5,20,80", show_default=True, help="KiB of text.")
def main(folder: str, mails: int, sizes: str) -> None:
    """Measure the rules of a pack on mails that differ; prints medians, 90th percentiles and ratios."""
    tree = read_tree(folder)
    ruleset = parse_ruleset(judging(RuleFiles(tree)))
    # as a judge does before its first mail: the collector need not walk over the rules
    gc.collect()
    gc.freeze()
    examples = [content.decode("utf-8", "replace") for path, content in tree if path.startswith("examples/")]
    console = Console(highlight=False)
    terms = {literal for rule in ruleset.rules for literal in rule.terms.phrases}
    patterns = {pattern.pattern for rule in ruleset.rules for pattern in rule.terms.patterns}
    console.print(
        f"{len(ruleset.rules)} rules in {len(ruleset.common_words)} languages; {len(terms)} phrases, {len(patterns)} patterns"
    )
    table = Table(
        "text", "rules: median", "p90", "one by one, RE2", "one by one, re", title="ms of processor time for one mail"
    )
    for kib in map(int, sizes.split(",")):
        table.add_row(*_row(ruleset, examples, kib=kib, mails=mails))
    console.print(table)


def _row(ruleset: Ruleset, examples: list[str], *, kib: int, mails: int) -> tuple[str, ...]:
    texts = list(_texts(examples, kib=kib, mails=mails))
    ours = [_milliseconds(lambda text=text: rule_hits(text, ruleset=ruleset, show=True)) for text in texts]
    sources = [
        one for rule in ruleset.rules for one in (*map(re2.escape, rule.terms.phrases), *_patterns(rule.terms.patterns))
    ]
    few = texts[:3]
    linear = statistics.median(_naive(text, [re2.compile(one) for one in sources]) for text in few)
    backtracking = statistics.median(_naive(text, list(_readable(sources))) for text in few)
    middle = statistics.median(ours)
    mark = "" if kib != SIZE // 1024 else "  ok" if middle <= ASKED else "  NO: asked <= 2"
    return (
        f"{kib} KiB",
        f"{middle:.2f}{mark}",
        f"{sorted(ours)[len(ours) * 9 // 10]:.2f}",
        f"{linear:.0f} ({linear / middle:.0f}x)",
        f"{backtracking:.0f} ({backtracking / middle:.0f}x)",
    )


def _texts(examples: list[str], *, kib: int, mails: int) -> Iterable[Folded]:
    """A request and what people send with it, no two alike."""
    source = random.Random(247)
    prose = " ".join((ROOT / "LICENSE").read_text(encoding="utf-8").split()) * (kib // 8 + 2)
    for _ in range(mails):
        start = source.randrange(len(prose) // 2)
        words = f"{' '.join(source.choice(examples).split())} {prose[start:]}"
        yield folded(Text(body=words[: kib * 1024]))


def _milliseconds(work: Callable[[], object]) -> float:
    """The second call: automata grow as they meet new text, and a judge meets text all day."""
    work()
    return min(_timed(work) for _ in range(3))


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def _patterns(compiled: tuple[object, ...]) -> Iterable[str]:
    return (one.pattern for one in compiled)  # type: ignore[attr-defined]


def _naive(text: Folded, patterns: list[object]) -> float:
    words = " ".join(text.values())
    return _timed(lambda: [one.search(words) for one in patterns])  # type: ignore[attr-defined]


def _readable(sources: list[str]) -> Iterable[object]:
    """As the standard library writes them; what it cannot read at all is left out there."""
    for source in sources:
        same = source.replace(r"\pL", r"[^\W\d_]").replace(r"\pN", r"\d")
        try:
            yield re.compile(same)
        except re.error:
            continue


if __name__ == "__main__":
    main()
