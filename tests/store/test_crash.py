"""kill -9 at random moments: what got its 250 is there, delivered or queued, and nothing is there twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from journal_samples import outcome
from journal_steps import record
from sqlalchemy import Table, func, select

from gateway.model.outbox import Fate, HopReply, Purpose
from gateway.store.figures import Figures
from gateway.store.intake import read_envelope
from gateway.store.journal import Journal
from gateway.store.tables import MailState, arrivals, cases, content_chunks, contents, events, outbox, verdicts

KILLS = {"sqlite": 20, "postgresql": 6}
CHILD = Path(__file__).with_name("crashing_child.py")
PATHS = os.pathsep.join((str(CHILD.parents[1] / "support"), str(CHILD.parents[2])))


@pytest.fixture
def mother(url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        (sys.executable, str(CHILD), url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": PATHS},
    )
    with process:
        yield process


def run_and_kill(mother: subprocess.Popen[bytes], turn: int, chance: random.Random) -> list[list[str]]:
    """What a child said before it was killed, after anything between nothing and some hundred operations."""
    assert mother.stdin is not None
    assert mother.stdout is not None
    mother.stdin.write(f"{turn}\n".encode())
    mother.stdin.flush()
    ready, child = mother.stdout.readline().split()
    assert ready == b"ready"
    said = [mother.stdout.readline() for _ in range(chance.randrange(50))]
    time.sleep(chance.random() * 0.02)  # to a moment that no line announces
    os.kill(int(child), signal.SIGKILL)
    while not (line := mother.stdout.readline()).startswith(b"dead"):
        assert line, "the mother died: see what it wrote to standard error"
        said.append(line)
    assert int(line.split()[1]) == -signal.SIGKILL
    return [one.decode().split() for one in said]


def rows(journal: Journal, table: Table) -> int:
    with journal.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def assert_accounted(journal: Journal) -> Figures:
    """Every (arrival, recipient) has its delivery or waits; the counters say what the rows say."""
    with journal.database.reading() as connection:
        pairs = [
            (row.id, rcpt_to, row.state)
            for row in connection.execute(select(arrivals.c.id, arrivals.c.envelope, arrivals.c.state))
            for rcpt_to in read_envelope(row.envelope).rcpt_tos
        ]
        mails = connection.execute(select(outbox)).all()
        judged = set(connection.scalars(select(verdicts.c.arrival_id)))
        numbers = list(connection.scalars(select(arrivals.c.number)))
        opened = Counter(connection.scalars(select(cases.c.arrival_id).where(cases.c.arrival_id.is_not(None))))
        sizes = dict(connection.execute(select(contents.c.id, contents.c.size)).all())
        stored = dict(
            connection.execute(
                select(content_chunks.c.content_id, func.sum(func.length(content_chunks.c.octets))).group_by(
                    "content_id"
                )
            ).all()
        )
    deliveries = Counter((row.arrival_id, row.rcpt_to) for row in mails if row.purpose == Purpose.DELIVERY)
    receipts = Counter(row.arrival_id for row in mails if row.purpose == Purpose.RECEIPT)
    assert set(deliveries.values()) | set(receipts.values()) | set(opened.values()) <= {1}
    assert len(numbers) == len(set(numbers))
    assert stored == sizes
    for arrival_id, rcpt_to, state in pairs:
        assert state == "waiting" or (deliveries[arrival_id, rcpt_to] and arrival_id in judged)
    figures = journal.figures()
    by_state = Counter((row.purpose, row.state) for row in mails)
    for purpose in Purpose:
        assert figures.queued[purpose] == by_state[purpose, MailState.QUEUED]
        assert figures.sent[purpose] == by_state[purpose, MailState.SENT]
        assert figures.returned[purpose] == by_state[purpose, MailState.RETURNED]
    assert figures.accepted == len(pairs)
    assert figures.promised == len(pairs) - sum(deliveries.values())
    assert figures.waiting == sum(state == "waiting" for state in {one[0]: one[2] for one in pairs}.values())
    assert figures.unaccounted == 0
    assert figures.dispatched == sum(by_state[Purpose.ANSWER, state] for state in MailState)
    assert sum(figures.cases.values()) == rows(journal, cases)
    return figures


def test_nothing_is_lost_or_doubled_by_kill_9(journal: Journal, mother: subprocess.Popen[bytes], url: str) -> None:
    kills = KILLS[url.partition(":")[0]]
    chance = random.Random(247)
    taken: set[int] = set()
    answered: set[int] = set()
    sent: Counter[int] = Counter()
    receipt_ids: dict[str, set[str]] = {}
    for kill in range(kills):
        for what, *facts in run_and_kill(mother, 1000 * kill, chance):
            if what == "taken":
                taken.add(int(facts[0]))
            elif what == "answered":
                answered.add(int(facts[0]))
            else:
                sent[int(facts[0])] += 1
                if facts[1] == Purpose.RECEIPT:
                    receipt_ids.setdefault(facts[2], set()).add(facts[3])
        assert_accounted(journal)
    with journal.database.reading() as connection:
        kept = set(connection.scalars(select(arrivals.c.id)))
        causes = Counter(connection.scalars(select(outbox.c.message_id).where(outbox.c.purpose == "answer")))
    assert taken
    assert taken <= kept
    assert all(causes[f"<answer-{turn}@institution.gov.example>"] == 2 for turn in answered)
    assert all(len(ids) == 1 for ids in receipt_ids.values())
    # What left twice left because its settlement was cut off: at most the one batch in hand at each kill.
    assert sum(count - 1 for count in sent.values()) <= 8 * kills
    assert max(sent.values(), default=0) <= 2
    drain(journal)
    figures = assert_accounted(journal)
    assert figures.waiting == figures.promised == 0
    assert figures.sent[Purpose.DELIVERY] == figures.accepted
    assert rows(journal, events) >= len(kept)


def drain(journal: Journal) -> None:
    """What a restarted gateway does with what was left."""
    later = datetime.now(UTC) + timedelta(hours=1)
    journal.release("child", later)
    while claims := journal.claim(limit=50, owner="next", now=later, lease=timedelta(hours=1)):
        for one in claims:
            number = one.arrival.number
            record(journal, one.arrival.id, outcome(number), now=later, per_contact=10**6, all_=10**6)
    while mails := journal.claim_mails(limit=50, owner="next", now=later, lease=timedelta(hours=1)):
        for mail in mails:
            journal.settle(mail.id, HopReply(Fate.SENT, "250 ok"), now=later)
