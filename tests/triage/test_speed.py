"""Classification keeps its time: the shipped pack where it is there, the small one always."""

import gc
import statistics
import time
from functools import cache
from pathlib import Path

import pytest
from rule_pack import judge, pack, with_rules

from gateway.model.message import Text
from gateway.model.verdict import RuleFiles
from gateway.triage.hits import folded, rule_hits
from gateway.triage.ruleset import parse_ruleset

SHIPPED = Path(__file__).parent.parent.parent / "rules"
SIZE = 20 * 1024
ASKED = 2.0
"""Milliseconds of processor time asked on 20 KiB; what the pack of fifteen languages takes, `python -m tests.bench.rules` prints."""
SLACK = 4
"""A machine that is busy with other tests is that much slower: here only a slip of order is caught, the bench measures."""
SHIPPED_SLACK = 15
"""The shipped pack takes several times what is asked; what must not happen unseen is that it takes ten times more."""

REQUEST = """Data preservation request under Article 29 of the Budapest Convention. Our ref: CC/2024/1187.
Please preserve all records of the account shadow.fox@mail.example, used from 203.0.113.7 on 2026-03-12 at 14:22 UTC.
The offence is computer-related fraud. The logs are volatile. A request for mutual assistance will follow in 90 days.
"""


@cache
def mail():
    """One request and what people send with it: prose in which most rules find nothing."""
    prose = (Path(__file__).parent.parent.parent / "LICENSE").read_text(encoding="utf-8")
    return (REQUEST + prose * 2)[:SIZE]


def milliseconds(work):
    """Median processor time of one call, in the quietest of five rounds: other processes cost cache, not time."""
    # as in a judge: the collector need not walk over what was there before the first mail
    gc.freeze()
    try:
        return min(statistics.median(timed(work) for _ in range(15)) for _ in range(5))
    finally:
        gc.unfreeze()


def timed(work):
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def test_rules_of_the_small_pack_keep_their_time():
    assert milliseconds(lambda: rule_hits(folded(Text(body=mail())), ruleset=pack(), show=True)) <= ASKED * SLACK


@pytest.mark.skipif(not (SHIPPED / "receipts").is_dir(), reason="rules/ is not complete")
def test_rules_of_the_shipped_pack_keep_their_time():
    files = tuple((str(path.relative_to(SHIPPED)), path.read_bytes()) for path in SHIPPED.rglob("*") if path.is_file())
    ruleset = parse_ruleset(RuleFiles(files))
    assert (
        milliseconds(lambda: rule_hits(folded(Text(body=mail())), ruleset=ruleset, show=True)) <= ASKED * SHIPPED_SLACK
    )


HOSTILE = [
    ("one phrase again and again", "data preservation request "),
    ("near and never there", "preserve "),
    ("near and always there", "preserve account "),
    ("taken back each time", "webinar data preservation request "),
    ("addresses", "203.0.113.7 "),
    ("moments", "2026-03-12 14:22 UTC "),
    ("labels", "our ref "),
    ("days", "90 days "),
    ("one long word", "x"),
    ("near inside one long word", "preservexaccount"),
    ("letters of another script", "данные "),
    ("marks upon marks", "e\u0301\u0301\u0301"),
]


def test_nearness_in_one_endless_word_is_bounded():
    ruleset = with_rules(
        "{id: a.n, category: preservation, regex: [xy], near: {phrases: [zz], within: 500}, weight: 1, why: test}"
    )
    assert timed(lambda: judge(Text(body="xy" * 250_000 + " zz"), ruleset=ruleset)) < 2000


@pytest.mark.parametrize("piece", [row[1] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_flood_costs_no_more_than_its_length(piece):
    small, large = (Text(body=(piece * size)[:size]) for size in (20_000, 160_000))
    judge(small)
    # Eight times the text may cost eight times the time, and as much again for a busy machine.
    quick, slow = (min(timed(lambda text=text: judge(text)) for _ in range(3)) for text in (small, large))
    assert slow <= 16 * max(quick, 3.0)
