"""Receipts that did not leave: listed with their reason, and sent once when a human says so; never to anybody unproved."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_review import REQUEST, arrive, context, journal, own, police, purposes, short

from gateway.cli.context import Context
from gateway.cli.person import acting_person
from gateway.cli.receipts import receipts
from gateway.errors import NotPermitted
from gateway.model.outbox import Purpose
from gateway.store.journal import Journal

__all__ = ["context", "journal", "own", "police", "short"]
MAILBOX = "247cp@institution.gov.example"
COPIED = "somebody@institution.gov.example"
"""Our mailbox stands in neither To nor Cc: a blind copy, which is never receipted by itself."""


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(receipts, list(arguments), obj=context)


def listed(context: Context) -> list[dict]:
    return [json.loads(line) for line in run(context, "list", "--json").output.splitlines()]


@pytest.fixture
def withheld(context: Context, journal: Journal, police) -> str:
    return arrive(context, journal, police, police.plain(COPIED, *REQUEST))


def test_a_withheld_receipt_is_listed_with_reason_case_contact_and_age(context, withheld) -> None:
    (one,) = listed(context)
    assert (one["case"], one["contact"], one["reason"]) == (withheld, "bx-police", "not-addressed")
    assert 0 <= one["age_seconds"] < 300
    assert withheld in run(context, "list").output


def test_one_that_left_is_not(context, journal, police) -> None:
    arrive(context, journal, police, police.plain(MAILBOX, *REQUEST))
    assert run(context, "list").output == "no withheld receipts\n"


def test_released_it_leaves_once_to_the_address_that_was_proved(context, journal, withheld) -> None:
    done = run(context, "release", withheld, "--reason", "they asked by telephone")
    assert done.exit_code == 0, done.output
    assert "a full receipt leaves (was withheld: not-addressed)" in done.output
    (mail,) = [one for one in journal.case(withheld).mails if one.purpose is Purpose.RECEIPT]
    assert mail.rcpt_to == "247cp@police.gov.b.example"
    assert mail.message_id in journal.case(withheld).view.thread
    last = journal.case(withheld).events[-1]
    facts = json.loads(last.facts)
    assert (last.happening.value, facts["by"], facts["reason"]) == (
        "receipt-released", acting_person(), "they asked by telephone",
    )  # fmt: skip
    assert listed(context) == []
    again = run(context, "release", withheld, "--reason", "once more")
    assert again.exit_code == 2
    assert purposes(journal, withheld).count(Purpose.RECEIPT) == 1


def test_a_held_request_gets_the_minimal_one(context, journal, police) -> None:
    reference = arrive(context, journal, police, police.signed(COPIED, *REQUEST))
    assert "a minimal receipt leaves" in run(context, "release", reference, "--reason", "x").output


def test_no_unproved_sender_and_no_machine_is_ever_in_the_list(context, journal, police) -> None:
    unproved = police.forged(MAILBOX, *REQUEST).replace(b"247cp@police.gov.b", b"247cp@police.gov.x")
    stranger = arrive(context, journal, police, unproved)
    machine = arrive(context, journal, police, b"Auto-Submitted: auto-replied\r\n" + police.plain(MAILBOX, *REQUEST))
    assert listed(context) == []
    for reference in (stranger, machine):
        assert run(context, "release", reference, "--reason", "x").exit_code == 2
        assert Purpose.RECEIPT not in purposes(journal, reference)


def test_a_sender_that_left_the_directory_meanwhile_gets_none(context, journal, withheld) -> None:
    folder = Path(context.settings().keys, "bx-police")
    text = (folder / "contact.yaml").read_text()
    (folder / "contact.yaml").write_text(text.replace("247cp@police", "desk@police"))
    done = run(context, "release", withheld, "--reason", "x")
    assert isinstance(done.exception, NotPermitted)
    assert Purpose.RECEIPT not in purposes(journal, withheld)
    assert len(listed(context)) == 1


def test_a_reason_is_words(context, withheld) -> None:
    assert run(context, "release", withheld, "--reason", "  ").exit_code == 2
