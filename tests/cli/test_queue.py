"""`cp247 queue list | show | retry | release`: what waits, why, since when, and what may be done about it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    SUBMITTED,
    configured,
    dispatch,
    incoming,
    outcome,
    reference_of,
)
from journal_steps import record

from gateway.cli.context import Context
from gateway.cli.exception import exception
from gateway.cli.queue import queue
from gateway.model.channel import Act, Waiver
from gateway.model.outbox import Fate, HopReply, Purpose
from gateway.store.journal import Journal, Queue, open_journal


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(configured(tmp_path))


@pytest.fixture
def journal(context: Context):
    opened = open_journal(context.settings().database, upgrade=True)
    yield opened
    opened.close()


def run(context: Context, *arguments: str) -> Result:
    return verb(context, "list", *arguments)


def verb(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(queue, arguments, obj=context)


def fill(journal: Journal) -> None:
    """One arrival that waits for judgement, one that was judged and whose delivery was refused."""
    first, _ = journal.take_in([incoming(), incoming(received_at=NOW + timedelta(minutes=3))])
    record(journal, first, outcome(1))
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
        "id": "mail-1",
        "waits_for": "delivery",
        "since": "2026-11-21T12:00:00Z",
        "due_at": "2026-11-21T13:00:00Z",
        "tries": 1,
        "recipients": [MAILBOX],
        "case": reference_of(1),
        "reply": "550 [red]\x1b[2Jno such user",
        "number": None,
    }
    assert found[1]["recipients"] == [ASKER]
    assert found[2]["waits_for"] == "judgement"
    assert found[2]["case"] is None


def test_list_is_limited(context: Context, journal: Journal) -> None:
    fill(journal)
    assert len(run(context, "--json", "--limit", "1").output.splitlines()) == 1


def test_list_says_when_nothing_waits(context: Context, journal: Journal) -> None:
    assert run(context).output == "nothing waits\n"


NUMBER = "D-HELD00"
LATER = NOW + timedelta(minutes=9)


def hold(journal: Journal) -> None:
    """A held answer of the case of the first arrival."""
    said = f"250 2.0.0 HELD: not sent yet, no usable key [red]. [{NUMBER}]"
    made = dispatch(None, act=Act.HOLD, reply=said)
    decision = replace(made.decision, number=NUMBER, rule="H2", row=3, waiver=Waiver.TWO, case=reference_of(1))
    held = replace(made, decision=decision, sender=MAILBOX, login="j.doe")
    journal.dispatch(held, mailbox=MAILBOX, envelope=SUBMITTED, content=b"Subject: a\r\n\r\n", now=LATER)


def test_list_shows_held_answers_with_their_number(context: Context, journal: Journal) -> None:
    fill(journal)
    hold(journal)
    found = [json.loads(line) for line in run(context, "--json").output.splitlines()]
    (held,) = [one for one in found if one["waits_for"] == "a human"]
    assert (held["id"], held["number"], held["case"]) == ("hold-1", NUMBER, reference_of(1))
    assert held["due_at"] == "2026-11-21T16:09:00Z"
    assert "hold-1" in run(context).output


def test_show_tells_every_answer_of_the_hop(context: Context, journal: Journal) -> None:
    fill(journal)
    for minutes, reply in ((70, "451 4.2.2 full"), (140, "452 4.2.2 still full")):
        at = NOW + timedelta(minutes=minutes)
        journal.claim_mails(limit=9, owner="courier", now=at, lease=timedelta(minutes=1))
        journal.settle(1, HopReply(Fate.RETRY, reply), now=at, retry_at=at)
    shown = json.loads(verb(context, "show", "mail-1", "--json").output)
    replies = [one["reply"] for one in shown["attempts"]]
    assert replies == ["550 [red]\x1b[2Jno such user", "451 4.2.2 full", "452 4.2.2 still full"]
    assert (shown["waits_for"], shown["hop"], shown["case"]) == ("delivery", "mailbox", reference_of(1))
    printed = verb(context, "show", "mail-1").output
    assert "451 4.2.2 full" in printed
    assert "\x1b" not in printed


def test_show_tells_why_an_answer_is_held_and_what_releases_it(context: Context, journal: Journal) -> None:
    fill(journal)
    hold(journal)
    shown = json.loads(verb(context, "show", "hold-1", "--json").output)
    assert (shown["rule"], shown["number"], shown["recipients"]) == ("H2", NUMBER, [ASKER])
    assert "cp247 keys add" in shown["releases"]
    printed = verb(context, "show", "hold-1").output
    for said in ("no usable key [red]", "cp247 keys add", NUMBER, "2026-11-21 16:09:00Z"):
        assert said in printed


def test_show_of_an_arrival_names_its_sender(context: Context, journal: Journal) -> None:
    fill(journal)
    shown = json.loads(verb(context, "show", "arrival-2", "--json").output)
    assert (shown["waits_for"], shown["mail_from"], shown["attempts"]) == ("judgement", ASKER, [])


@pytest.mark.parametrize("given", ["mail-99", "arrival-1", "hold-1"])
@pytest.mark.parametrize("name", ["show", "retry"])
def test_what_does_not_wait_is_a_usage_error(context: Context, journal: Journal, name: str, given: str) -> None:
    fill(journal)
    assert verb(context, name, given).exit_code == 2


@pytest.mark.parametrize("given", ["12", "mail", "mail-x", "MAIL-1", "case-1"])
def test_what_is_no_id_is_a_usage_error(context: Context, journal: Journal, given: str) -> None:
    assert "is no id" in verb(context, "show", given).output


def test_retry_makes_a_mail_due_now(context: Context, journal: Journal) -> None:
    fill(journal)
    before = datetime.now(UTC)
    assert verb(context, "retry", "mail-1").output == "mail-1: is tried now\n"
    (line,) = [one for one in journal.queue(limit=9) if one.queue is Queue.MAIL and one.id == 1]
    assert before <= line.due_at <= datetime.now(UTC)
    assert json.loads(verb(context, "retry", "arrival-2", "--json").output) == {"id": "arrival-2", "due": True}


def test_retry_leaves_alone_what_is_being_tried(context: Context, journal: Journal) -> None:
    fill(journal)
    at = NOW + timedelta(hours=2)
    journal.claim_mails(limit=9, owner="courier", now=at, lease=timedelta(minutes=1))
    assert verb(context, "retry", "mail-1").output == "mail-1: is being tried at this moment\n"


def test_release_is_an_exception_and_takes_two_people(context: Context, journal: Journal) -> None:
    fill(journal)
    hold(journal)
    assert "a second person" in verb(context, "release", NUMBER.lower(), "--reason", "the key comes by post").output
    (made,) = journal.exceptions(limit=9)
    assert (made.number, made.uses, made.granted_at) == (NUMBER, 1, None)


def test_release_as_json_is_what_exception_list_says(context: Context, journal: Journal) -> None:
    fill(journal)
    hold(journal)
    said = json.loads(verb(context, "release", NUMBER, "--reason", "the key comes by post", "--json").output)
    listed = json.loads(CliRunner().invoke(exception, ["list", "--json"], obj=context).output)
    assert said == listed
    assert (said["state"], said["rule"], said["reason"]) == ("proposed", "H2", "the key comes by post")


def test_release_is_for_what_is_held(context: Context, journal: Journal) -> None:
    fill(journal)
    result = verb(context, "release", "D-7K3QX2", "--reason", "why not")
    assert result.exit_code == 2
    assert "no answer is held" in result.output
