"""No operation of the road reads a table from end to end: its cost must not grow with the mail that is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest
from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    SUBMITTED,
    answer_mail,
    case_view,
    dispatch,
    incoming,
    outcome,
    reference_of,
)
from journal_steps import record
from traced import traced

from gateway.model.clock import Clock, ClockStart
from gateway.model.message import ThreadKeys
from gateway.model.outbox import Fate, HopReply
from gateway.store.clocks import Telling
from gateway.store.journal import Journal

LEASE = timedelta(minutes=5)
SMALL = {"counters", "due", "anon_1", "CONSTANT", "(subquery-1)", "ids", "indexes", "named", "origins", "references"}
"""One row per figure and process; rows a statement has just picked itself; lists it was given."""


def whole_road(journal: Journal) -> None:
    journal.take_in([incoming(), incoming()])
    for claim in journal.claim(limit=9, owner="judge", now=NOW, lease=LEASE):
        arrival = claim.arrival
        keys = ThreadKeys(message_id="<a@x.example>", references=("<b@x.example>",), tags=(reference_of(1),))
        journal.recall(keys, mailbox=MAILBOX, request_key="k", arrival=arrival, recipients=(ASKER,))
        judged = replace(outcome(arrival.number), clocks=(ClockStart(Clock.FIRST_ANSWER, NOW, NOW + LEASE),))
        record(journal, arrival.id, judged, per_contact=9, all_=9)
        journal.postpone(arrival.id, until=NOW, tries=1)
    journal.dispatch(dispatch(case_view(1), answer_mail()), mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)
    for mail in journal.claim_mails(limit=9, owner="courier", now=NOW, lease=LEASE):
        journal.content(mail.content_id)
        journal.settle(mail.id, HopReply(Fate.REFUSED, "550"), now=NOW)
    journal.cases(limit=5)
    journal.case(reference_of(1))
    journal.verdict_of(reference_of(1))
    journal.queue(limit=5)
    journal.figures()
    look_at_clocks(journal)


def look_at_clocks(journal: Journal) -> None:
    later = NOW + LEASE
    due = journal.clocks.due(mailbox=MAILBOX, now=later, limit=9)
    assert due
    journal.clocks.tell([Telling(one.clock, "due", ()) for one in due], now=later)
    journal.clocks.of_case(reference_of(1))
    journal.clocks.overdue(later)
    journal.clocks.figures(later)


@pytest.fixture
def statements(sqlite_journal: Journal) -> set[str]:
    """Every statement of one pass over the road, as SQLite was told it, with its values."""
    with traced(sqlite_journal) as told:
        whole_road(sqlite_journal)
    return set(told)


def scans_of(details: list[str]) -> list[str]:
    scanned = [detail for detail in details if detail.startswith("SCAN ") and " USING " not in detail]
    return [detail for detail in scanned if detail.split()[1] not in SMALL]


def test_no_statement_scans_a_table_that_grows(sqlite_journal: Journal, statements: set[str]) -> None:
    # An INSERT reads nothing; SQLite's plan names its foreign keys, which are checked by key.
    reading = {text for text in statements if text.startswith(("SELECT", "UPDATE", "WITH"))}
    with sqlite_journal.database.reading() as connection:
        driver = connection.connection.driver_connection
        plans = {text: [row[-1] for row in driver.execute(f"EXPLAIN QUERY PLAN {text}")] for text in reading}
    assert len(plans) > 25
    assert {text: scans_of(plan) for text, plan in plans.items() if scans_of(plan)} == {}
