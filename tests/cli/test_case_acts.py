"""`cp247 cases note | call | extend | mla | close`: what officers record, by whom, and what is refused."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from journal_samples import ASKER, case_view, configured, incoming, outcome, reference_of
from journal_steps import record

from gateway.channel.clocks import clocks_of
from gateway.cli.cases import cases
from gateway.cli.context import Context
from gateway.errors import NotPermitted
from gateway.model.case import CaseView
from gateway.model.verdict import Category, Classification
from gateway.store.journal import Journal, open_journal

PHONE = "+000 1 234 567"
CONTACT = f"""\
name: Police of Borduria
country: BX
addresses:
  - {{address: {ASKER}, verified: true}}
phone: "{PHONE}"
"""
MINUTES = dict.fromkeys(Category, 60)
TODAY = datetime.now(UTC)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    folder = tmp_path / "keys" / "bx-police"
    folder.mkdir(parents=True)
    (folder / "contact.yaml").write_text(CONTACT)
    return Context(configured(tmp_path))


@pytest.fixture
def journal(context: Context):
    opened = open_journal(context.settings().database, upgrade=True)
    yield opened
    opened.close()


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(cases, arguments, obj=context)


def open_case(journal: Journal, number: int, category: Category, age: timedelta, **fields: object) -> CaseView:
    """A case whose request came in that long ago, with its clocks; `fields` are those of its view."""
    at = datetime.now(UTC) - age
    view = case_view(number, category=category, opened_at=at, **fields)
    found = Classification(category=category)
    wanted = clocks_of(view, found, at=at, first_answer_minutes=MINUTES, preservation_days=90)
    (arrival_id,) = journal.take_in([incoming(received_at=at)])
    made = outcome(number, case=view, category=category, contact=view.contact)
    with_clocks = type(made)(**{name: getattr(made, name) for name in made.__slots__} | {"clocks": wanted})
    record(journal, arrival_id, with_clocks, now=at)
    return view


def shown(context: Context, number: int) -> dict[str, object]:
    return json.loads(run(context, "show", reference_of(number), "--json").output)


def stands(context: Context, number: int) -> dict[str, str | None]:
    return {one["clock"]: one["ended_by"] for one in shown(context, number)["clocks"]}


def last_event(context: Context, number: int) -> dict[str, object]:
    return shown(context, number)["events"][-1]


def test_a_call_to_the_directorys_number_confirms_an_emergency(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(minutes=20))
    assert "OVERDUE" in run(context, "list").output
    said = run(
        context,
        "call",
        reference_of(1),
        "--outcome",
        "confirmed",
        "--number",
        "00000 1234567",
        "--spoke-with",
        "A. Roe",
    )
    assert said.exit_code == 0, said.output
    assert shown(context, 1)["assurance"] == "confirmed"
    assert stands(context, 1) == {"first-answer": None, "call-back": "confirmed"}
    event = last_event(context, 1)
    assert event["happening"] == "called"
    assert event["facts"] == {
        "by": getpass.getuser(), "outcome": "confirmed", "number": "00000 1234567", "spoke_with": "A. Roe",
    }  # fmt: skip


@pytest.mark.parametrize("number", ["+000 1 234 568", "+99 000 1234567", "-", ""])
def test_any_other_number_is_refused_with_the_one_to_call(context: Context, journal: Journal, number: str) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(minutes=20))
    said = run(context, "call", reference_of(1), "--outcome", "confirmed", "--number", number)
    assert said.exit_code == 2
    assert PHONE in said.output
    assert shown(context, 1)["assurance"] == "none"
    assert stands(context, 1)["call-back"] is None


def test_nobody_of_the_directory_cannot_be_confirmed_by_telephone(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(), contact=None, origin=None)
    said = run(context, "call", reference_of(1), "--outcome", "confirmed", "--number", PHONE)
    assert said.exit_code == 2
    assert "cases note" in said.output
    assert shown(context, 1)["assurance"] == "none"


@pytest.mark.parametrize(("outcome_word", "ended"), [("not-reached", None), ("denied", "denied")])
def test_a_call_that_confirms_nothing_gives_no_assurance(
    context: Context, journal: Journal, outcome_word: str, ended: str | None
) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(minutes=20))
    assert run(context, "call", reference_of(1), "--outcome", outcome_word, "--number", PHONE).exit_code == 0
    assert shown(context, 1)["assurance"] == "none"
    assert stands(context, 1)["call-back"] == ended


def test_a_note_about_a_call_leaves_the_case_unanswered(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(minutes=20))
    said = run(context, "note", reference_of(1), "told them the subscriber's name", "--phone", PHONE)
    assert said.exit_code == 0
    assert shown(context, 1)["state"] == "open"
    assert stands(context, 1) == {"first-answer": None, "call-back": None}
    assert last_event(context, 1)["facts"] == {
        "by": getpass.getuser(), "phone": PHONE, "text": "told them the subscriber's name",
    }  # fmt: skip
    assert "told them" in run(context, "show", reference_of(1)).output


def test_a_note_about_another_number_is_kept_and_says_that_it_confirms_nothing(
    context: Context, journal: Journal
) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(minutes=20))
    said = run(context, "note", reference_of(1), "somebody called", "--phone", "+99 1")
    assert said.exit_code == 0
    assert "confirms nothing" in said.output
    assert last_event(context, 1)["happening"] == "noted"


def test_a_closed_case_waits_for_nothing(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.EMERGENCY, timedelta(hours=2), contact=None, origin=None)
    assert run(context, "close", reference_of(1), "--reason", "forged; told the network").exit_code == 0
    assert shown(context, 1)["state"] == "closed"
    assert set(stands(context, 1).values()) == {"closed"}
    assert run(context, "list", "--overdue", "--json").output == ""
    again = run(context, "close", reference_of(1), "--reason", "once more")
    assert isinstance(again.exception, NotPermitted)


def test_a_reason_and_a_note_are_words(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.OTHER, timedelta())
    assert run(context, "close", reference_of(1), "--reason", " ").exit_code == 2
    assert run(context, "note", reference_of(1), " ").exit_code == 2


def test_a_preservation_is_extended_and_never_shortened(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.PRESERVATION, timedelta(days=80))
    later, sooner = TODAY + timedelta(days=40), TODAY + timedelta(days=3)
    assert run(context, "extend", reference_of(1), "--until", f"{later:%Y-%m-%d}").exit_code == 0
    found = {one["clock"]: one for one in shown(context, 1)["clocks"]}["preservation-end"]
    assert found["until"] == f"{later:%Y-%m-%d}T00:00:00Z"
    assert found["told"] is None
    refused = run(context, "extend", reference_of(1), "--until", f"{sooner:%Y-%m-%d}")
    assert isinstance(refused.exception, NotPermitted)
    assert run(context, "extend", reference_of(1), "--until", "2020-01-01").exit_code == 2


def test_data_stay_preserved_while_mutual_assistance_is_pending(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.PRESERVATION, timedelta(days=59))
    received = TODAY - timedelta(days=1)
    assert run(context, "mla", reference_of(1), "--received", f"{received:%Y-%m-%d}").exit_code == 0
    assert stands(context, 1) == {
        "first-answer": None, "preservation-end": "mla-received", "mla-follow-up": "mla-received",
    }  # fmt: skip
    assert "preserve until it is decided" in run(context, "show", reference_of(1)).output
    tomorrow = TODAY + timedelta(days=2)
    assert run(context, "mla", reference_of(1), "--received", f"{tomorrow:%Y-%m-%d}").exit_code == 2


def test_nothing_is_extended_where_nothing_is_preserved(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.SUBSCRIBER_INFO, timedelta())
    for arguments in (
        ("extend", reference_of(1), "--until", "2099-01-01"),
        ("mla", reference_of(1), "--received", "2026-01-01"),
    ):
        assert isinstance(run(context, *arguments).exception, NotPermitted)


def test_a_case_that_is_not_there_is_said_to_be_so(context: Context, journal: Journal) -> None:
    said = run(context, "note", reference_of(9), "x")
    assert isinstance(said.exception, NotPermitted)
    assert "cases list" in str(said.exception)


def test_list_tells_what_is_due_and_what_is_over(context: Context, journal: Journal) -> None:
    open_case(journal, 1, Category.SUBSCRIBER_INFO, timedelta(minutes=5))
    open_case(journal, 2, Category.SUBSCRIBER_INFO, timedelta(hours=2))
    open_case(journal, 3, Category.OTHER, timedelta(hours=3))
    over = [json.loads(line) for line in run(context, "list", "--overdue", "--json").output.splitlines()]
    assert [one["reference"] for one in over] == [reference_of(3), reference_of(2)]
    assert over[0]["overdue"] == ["first-answer"]
    (line,) = (one for one in run(context, "list").output.splitlines() if reference_of(1) in one)
    assert "first-answer" in line
    assert "OVERDUE" not in line
