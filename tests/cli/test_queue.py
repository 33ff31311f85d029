"""`cp247 queue list`: what waits, why, and since when."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from journal_samples import ASKER, MAILBOX, NOW, configured, incoming, outcome, reference_of

from gateway.cli.context import Context
from gateway.cli.queue import queue
from gateway.model.outbox import Fate, HopReply, Purpose
from gateway.store.journal import Journal, open_journal


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(configured(tmp_path))


@pytest.fixture
def journal(context: Context):
    opened = open_journal(context.settings().database, upgrade=True)
    yield opened
    opened.close()


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(queue, ["list", *arguments], obj=context)


def fill(journal: Journal) -> None:
    """One arrival that waits for judgement, one that was judged and whose delivery was refused."""
    first, _ = journal.take_in([incoming(), incoming(received_at=NOW + timedelta(minutes=3))])
    journal.record(first, outcome(1), now=NOW, per_contact_hour=30, all_hour=300)
    mails = journal.claim_mails(limit=9, owner="courier", now=NOW, lease=timedelta(minutes=1))
    delivery = next(one for one in mails if one.purpose is Purpose.DELIVERY)
    journal.settle(delivery.id, HopReply(Fate.REFUSED, "550 [red]\x1b[2Jno such user"), now=NOW)


def test_list_names_what_waits_oldest_first(context: Context, journal: Journal) -> None:
    fill(journal)
    result = run(context)
    assert result.exit_code == 0
    _, *lines = result.output.splitlines()
    assert [word for line in lines for word in ("delivery", "receipt", "judgement") if word in line] == [
        "delivery",
        "receipt",
        "judgement",
    ]
    assert reference_of(1) in lines[0]
    assert "550 [red][2Jno such user" in lines[0]
    assert "\x1b" not in result.output


def test_list_as_json_is_one_object_a_line(context: Context, journal: Journal) -> None:
    fill(journal)
    found = [json.loads(line) for line in run(context, "--json").output.splitlines()]
    assert found[0] == {
        "id": 1,
        "waits_for": "delivery",
        "since": "2026-11-21T12:00:00Z",
        "due_at": "2026-11-21T13:00:00Z",
        "tries": 1,
        "recipients": [MAILBOX],
        "case": reference_of(1),
        "reply": "550 [red]\x1b[2Jno such user",
    }
    assert found[1]["recipients"] == [ASKER]
    assert found[2]["waits_for"] == "judgement"
    assert found[2]["case"] is None


def test_list_is_limited(context: Context, journal: Journal) -> None:
    fill(journal)
    assert len(run(context, "--json", "--limit", "1").output.splitlines()) == 1


def test_list_says_when_nothing_waits(context: Context, journal: Journal) -> None:
    assert run(context).output == "nothing waits\n"
