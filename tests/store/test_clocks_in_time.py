"""Five thousand cases under a moved clock: each reminder once, and every figure as an independent count has it."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from journal_samples import CONFIGURATION, case_view, configured
from sqlalchemy import text

from gateway import metrics
from gateway.channel.clocks import clocks_of
from gateway.cli.cases import cases
from gateway.cli.context import Context
from gateway.config import load_settings
from gateway.model.case import CaseView
from gateway.model.clock import Clock, Ending
from gateway.model.verdict import Category, Classification
from gateway.service.figures import show_clocks
from gateway.service.reminding import Reminding
from gateway.store import clocks
from gateway.store.cases import keep_case
from gateway.store.figures import change
from gateway.store.journal import Journal, open_journal

CASES = {"sqlite": 5000, "postgresql": 800}
"""PostgreSQL, whose every statement is a journey, is shown the same road with fewer."""
NOW = datetime.now(UTC)
"""Where the moved clock ends: the command line knows no other."""
BEGIN = NOW - timedelta(days=95)
PERIOD = timedelta(days=90)
MINUTES = {Category.EMERGENCY: 30, Category.PRESERVATION: 240, Category.SUBSCRIBER_INFO: 1440, Category.OTHER: 2880}
WEIGHTS = {Category.EMERGENCY: 5, Category.PRESERVATION: 7, Category.SUBSCRIBER_INFO: 18, Category.OTHER: 70}
LOOKS = sorted(
    timedelta(minutes=minutes)
    for minutes in (
        *(16, 31, 61, 121, 241, 725, 1441, 2881),
        *(1440 * day + 10 for day in (7, 45, 60, 69, 76, 83, 88, 90, 94)),
    )
)
"""When the gateway looks; all cases opened at once, so that each step falls between two of these."""


@dataclass
class Life:
    """What the test knows of one case, told without the program."""

    view: CaseView
    ends: dict[Clock, timedelta] = field(default_factory=dict)
    """Clock -> when its waiting ended, after the case began."""

    @property
    def preserved(self) -> bool:
        return self.view.category is Category.PRESERVATION

    def steps(self) -> Iterator[tuple[Clock, str, timedelta]]:
        """Every step there would be if nobody ever did anything."""
        answer = timedelta(minutes=MINUTES[self.view.category])
        yield from ((Clock.FIRST_ANSWER, "half", answer / 2), (Clock.FIRST_ANSWER, "due", answer))
        if self.view.category is Category.EMERGENCY:
            yield Clock.CALL_BACK, "due", timedelta(minutes=15)
            yield Clock.CALL_BACK, "again", timedelta(minutes=60)
        if self.preserved:
            for days in (21, 14, 7, 2):
                yield Clock.PRESERVATION_END, f"{days}-days", PERIOD - timedelta(days=days)
            yield Clock.PRESERVATION_END, "due", PERIOD
            yield Clock.MLA_FOLLOW_UP, "45-days", timedelta(days=45)
            yield Clock.MLA_FOLLOW_UP, "due", timedelta(days=60)

    def over(self) -> dict[Clock, timedelta]:
        """Clocks that nobody ended and that are over when the moved clock stops."""
        ends = {clock: at for clock, step, at in self.steps() if step == "due"}
        return {clock: at for clock, at in ends.items() if clock not in self.ends}

    def told(self) -> set[tuple[str, str, str]]:
        """Steps that come before the end of their waiting, as far as a look falls between the two."""
        never = timedelta.max
        return {
            (self.view.reference, clock.value, step)
            for clock, step, at in self.steps()
            if any(at <= look < self.ends.get(clock, never) for look in LOOKS)
        }


def lives(count: int) -> list[Life]:
    chance = random.Random(247)
    drawn = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)
    made = []
    for number, category in enumerate(drawn, start=1):
        life = Life(case_view(number, category=category, opened_at=BEGIN, thread=()))
        if chance.random() < 0.85:
            life.ends[Clock.FIRST_ANSWER] = timedelta(minutes=chance.choice((5, 5, 5, 5, 5, 5, 20, 200, 800, 2000)))
        if category is Category.EMERGENCY and chance.random() < 0.8:
            life.ends[Clock.CALL_BACK] = timedelta(minutes=chance.choice((5, 10, 40)))
        if life.preserved and chance.random() < 0.6:
            received = timedelta(days=chance.choice((3, 30, 50, 80)))
            life.ends |= {Clock.MLA_FOLLOW_UP: received, Clock.PRESERVATION_END: received}
        if chance.random() < 0.02:
            life.ends = {one: min(life.ends.get(one, timedelta(days=80)), timedelta(days=80)) for one in Clock}
        made.append(life)
    return made


def open_all(journal: Journal, made: list[Life]) -> None:
    found = {category: Classification(category=category, mla_intended=True) for category in Category}

    def work(connection, some: list[Life]) -> None:
        changes = []
        for life in some:
            changes.append(keep_case(connection, life.view, now=BEGIN).changes)
            wanted = clocks_of(
                life.view,
                found[life.view.category],
                at=BEGIN,
                first_answer_minutes=MINUTES,
                preservation_days=PERIOD.days,
            )
            clocks.start(connection, life.view, wanted)
        change(connection, *changes)

    for begin in range(0, len(made), 500):
        journal.database.write(lambda connection, some=made[begin : begin + 500]: work(connection, some))


def end_some(journal: Journal, ended: list[tuple[str, Clock]], now: datetime) -> None:
    def work(connection) -> None:
        for reference, clock in ended:
            clocks.stop(connection, reference, (clock,), Ending.CLOSED, now=now)

    journal.database.write(work)


def live(journal: Journal, second: Journal, made: list[Life], folder: Path) -> None:
    """Let time pass: what people did ends waitings, and two gateways look at the same moments."""
    settings = load_settings(configured(folder))
    gateways = [
        Reminding(one.clocks, settings, to_counterpart=lambda *_: None, outbox_filled=lambda: None)
        for one in (journal, second)
    ]
    acts: dict[timedelta, list[tuple[str, Clock]]] = {}
    for life in made:
        for clock, at in life.ends.items():
            acts.setdefault(at, []).append((life.view.reference, clock))
    with ThreadPoolExecutor(len(gateways)) as both:
        for moment in sorted({*acts, *LOOKS}):
            if moment in acts:
                end_some(journal, acts[moment], BEGIN + moment)
            else:
                list(both.map(lambda one, now=BEGIN + moment: one.look(now), gateways))


def told_steps(journal: Journal) -> Counter[tuple[str, str, str]]:
    with journal.database.reading() as connection:
        rows = connection.execute(text("SELECT reference, facts FROM events WHERE happening = 'reminded'")).all()
    told = ((row.reference, json.loads(row.facts)) for row in rows)
    return Counter((reference, facts["clock"], facts["step"]) for reference, facts in told)


def counted(journal: Journal, words: str, **values: object) -> list[tuple[object, ...]]:
    with journal.database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(words), values)]


def microseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def gauges(name: str) -> dict[str, float]:
    """Value by label, as `/metrics` tells it."""
    lines = metrics.exposition().decode().splitlines()
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{")}


def test_every_reminder_comes_once_and_every_figure_is_what_a_count_says(
    journal: Journal, url: str, tmp_path: Path
) -> None:
    made = lives(CASES[url.partition(":")[0]])
    open_all(journal, made)
    second = open_journal(url, upgrade=False)
    live(journal, second, made, tmp_path)
    second.close()
    expected = {step for life in made for step in life.told()}
    assert told_steps(journal) == Counter(expected)
    assert counted(journal, "SELECT count(*), count(DISTINCT cause) FROM outbox WHERE purpose = 'notice'") == [
        (len(expected), len(expected))
    ]
    calls = {step for step in expected if step[1] == Clock.CALL_BACK}
    assert counted(journal, "SELECT count(*) FROM calls WHERE why = 'emergency-unconfirmed'") == [(len(calls),)]

    show_clocks(journal.clocks.figures(NOW), now=NOW)
    over = Counter(clock.value for life in made for clock in life.over())
    shown = {clock: int(count) for clock, count in gauges("cp247_clocks_overdue").items() if count}
    assert shown == over
    counting = "SELECT clock, count(*) FROM clocks WHERE ended_at IS NULL AND until <= :now GROUP BY clock"
    assert shown == dict(counted(journal, counting, now=microseconds(NOW)))
    oldest = (
        "SELECT category, min(since) FROM clocks WHERE clock = 'first-answer' AND ended_at IS NULL GROUP BY category"
    )
    ages = {category: (microseconds(NOW) - since) / 1e6 for category, since in counted(journal, oldest)}
    assert gauges("cp247_oldest_unanswered_seconds") == pytest.approx(ages)

    listed = listed_overdue(tmp_path, url)
    assert {one["reference"]: set(one["overdue"]) for one in listed} == {
        life.view.reference: {clock.value for clock in life.over()} for life in made if life.over()
    }
    references = "SELECT DISTINCT reference FROM clocks WHERE ended_at IS NULL AND until <= :now"
    assert {(one["reference"],) for one in listed} == set(counted(journal, references, now=microseconds(NOW)))


def listed_overdue(folder: Path, url: str) -> list[dict[str, object]]:
    file = folder / "gateway.yaml"
    file.write_text(CONFIGURATION.replace("sqlite:gateway.db", url))
    said = CliRunner().invoke(cases, ["list", "--overdue", "--json", "--limit", "10000"], obj=Context(str(file)))
    assert said.exit_code == 0, said.output
    return [json.loads(line) for line in said.output.splitlines()]
