"""`cp247 cases`: what an administrator reads, and that nothing in a mail reaches the terminal raw."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    SUBMITTED,
    answer_mail,
    case_view,
    configured,
    dispatch,
    incoming,
    outcome,
    reference_of,
)
from journal_steps import record

from gateway.cli.cases import cases
from gateway.cli.context import Context
from gateway.errors import StoreUnavailable
from gateway.model.case import CaseState
from gateway.model.channel import Act
from gateway.model.message import Envelope
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
    return CliRunner().invoke(cases, arguments, obj=context)


def open_case(journal: Journal, number: int, **fields: object) -> None:
    (arrival_id,) = journal.take_in([incoming(b"From: a@x.example\r\nSubject: s\r\n\r\n")])
    record(journal, arrival_id, outcome(number, **fields))


def test_list_names_each_case_on_one_line(context: Context, journal: Journal) -> None:
    open_case(journal, 1)
    open_case(journal, 2, case=case_view(2, urgent=True, contact=None, origin=None))
    result = run(context, "list")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    (first,) = (line for line in lines if reference_of(1) in line)
    assert all(word in first for word in ("preservation", "open", "bx-police", ASKER, "2026-11-21 12:00:00Z"))
    (second,) = (line for line in lines if reference_of(2) in line)
    assert "urgent" in second
    assert "not proved" in second


def test_list_says_when_there_is_nothing(context: Context, journal: Journal) -> None:
    assert run(context, "list").output == "no cases\n"
    assert run(context, "list", "--json").output == ""


def test_list_is_limited_to_the_newest_and_to_a_state(context: Context, journal: Journal) -> None:
    for number in (1, 2, 3):
        open_case(journal, number, case=case_view(number, opened_at=NOW.replace(minute=number)))
    answered = dispatch(case_view(2, state=CaseState.ANSWERED), answer_mail())
    journal.dispatch(answered, mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)

    def references(*arguments: str) -> list[str]:
        return [
            json.loads(line)["reference"] for line in run(context, "list", "--json", *arguments).output.splitlines()
        ]

    assert references("--limit", "2") == [reference_of(3), reference_of(2)]
    assert references("--state", "answered") == [reference_of(2)]


def test_list_as_json_is_one_object_a_line(context: Context, journal: Journal) -> None:
    open_case(journal, 1)
    (found,) = map(json.loads, run(context, "list", "--json").output.splitlines())
    assert found == {
        "reference": reference_of(1),
        "mailbox": MAILBOX,
        "opened_at": "2026-11-21T12:00:00Z",
        "category": "preservation",
        "kind": "unknown",
        "urgent": False,
        "state": "open",
        "ours": False,
        "contact": "bx-police",
        "origin": ASKER,
        "floor": {"sig": "none", "enc": False, "tls": "none"},
        "language": None,
        "assurance": "none",
        "due_at": None,
        "overdue": [],
        "clocks": [],
    }


def test_show_tells_all_that_happened(context: Context, journal: Journal) -> None:
    open_case(journal, 1)
    refused = dispatch(case_view(1), act=Act.REJECT, reply="550 5.7.1 NOT SENT: send to one only. [D-7K3QX2]")
    journal.dispatch(refused, mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)
    result = run(context, "show", reference_of(1).lower())
    assert result.exit_code == 0
    for words in (
        reference_of(1),
        "assurance",
        "signed",
        "preservation.en",
        "delivery",
        "receipt",
        "NOT SENT",
        "judged",
    ):
        assert words in result.output


def test_show_as_json_holds_verdict_messages_and_events(context: Context, journal: Journal) -> None:
    open_case(journal, 1)
    journal.dispatch(dispatch(case_view(1), answer_mail()), mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)
    found = json.loads(run(context, "show", "--json", reference_of(1)).output)
    assert found["verdict"]["category"] == "preservation"
    assert found["verdict"]["sha256"] == found["arrivals"][0]["sha256"]
    assert [one["purpose"] for one in found["mails"]] == ["delivery", "receipt", "answer"]
    assert [one["happening"] for one in found["events"]] == ["judged", "decided"]
    assert found["events"][0]["facts"]["receipt"] == "sent"
    assert found["events"][1]["facts"]["decision"]["rule"] == "A1"
    assert found["thread"]


def test_show_a_case_of_our_own_has_no_verdict(context: Context, journal: Journal) -> None:
    opened = dispatch(case_view(5, ours=True, origin=None), answer_mail())
    journal.dispatch(opened, mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)
    assert "us" in run(context, "show", reference_of(5)).output
    assert json.loads(run(context, "show", "--json", reference_of(5)).output)["verdict"] is None


def test_an_unknown_case_is_a_usage_error(context: Context, journal: Journal) -> None:
    result = run(context, "show", "247CP-2026-000042-AAAA")
    assert result.exit_code == 2
    assert "no case '247CP-2026-000042-AAAA'; see `cp247 cases list`" in result.output


def test_what_a_stranger_wrote_cannot_colour_or_move_the_terminal(context: Context, journal: Journal) -> None:
    evil = "[bold red]x[/]\x1b[31m\u202e@x.example"
    envelope = Envelope(mail_from=evil, rcpt_tos=(MAILBOX,))
    (arrival_id,) = journal.take_in([replace(incoming(), envelope=envelope)])
    hostile = outcome(1, case=case_view(1, origin=evil), receipts=())
    record(journal, arrival_id, hostile)
    for arguments in (("list",), ("show", reference_of(1))):
        output = run(context, *arguments).output
        assert "[bold red]x[/]" in output
        assert "\x1b" not in output
        assert "\u202e" not in output


def test_without_a_database_there_is_one_clear_error_and_no_file(context: Context, tmp_path: Path) -> None:
    result = run(context, "list")
    assert isinstance(result.exception, StoreUnavailable)
    assert str(result.exception) == f"no database at {tmp_path}/gateway.db: `cp247 serve` makes it"
    assert not (tmp_path / "gateway.db").exists()
