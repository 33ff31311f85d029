"""Held answers are looked after: they leave when the table lets them, are told of once for each step, and come back unsent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from journal_samples import MAILBOX, SUBMITTED, case_view, dispatch, incoming, outcome, reference_of
from journal_steps import record
from ports import wait_until

from gateway.errors import StoreUnavailable
from gateway.model.call import Why
from gateway.model.channel import Act, Waiver
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.verdict import Category
from gateway.service.holding import Holding

NOTICE = OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), "<held@gw.example>", b"Subject: held\r\n\r\n")


class Table:
    """What the table says of a held answer whenever it is asked: it stays, it may leave, or nobody knows."""

    def __init__(self, *answers):
        self.asked = 0
        self._answers = answers

    def try_again(self, hold, content):
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def held(journal):
    """Keep an answer as if so long ago, in a case of that category."""

    def keep(waited, category=Category.PRESERVATION, rule="H2"):
        now = datetime.now(UTC)
        (arrival,) = journal.take_in([incoming(received_at=now)])
        opened = case_view(1, category=category, opened_at=now)
        record(
            journal,
            arrival,
            outcome(1, case=opened, receipts=(), category=category),
            now=now,
            per_contact=30,
            all_=300,
        )
        made = dispatch(None, NOTICE, act=Act.HOLD, reply="250 2.0.0 HELD: not sent yet [D-HELD00]")
        decision = replace(made.decision, number="D-HELD00", rule=rule, waiver=Waiver.TWO, case=reference_of(1))
        journal.dispatch(
            replace(made, decision=decision),
            mailbox=MAILBOX,
            envelope=SUBMITTED,
            content=b"Subject: a\r\n\r\n",
            now=now - waited,
        )

    return keep


@pytest.fixture
def looking(journal, configured):
    """The thread at work over such a table; what it called somebody for."""
    started, calls = [], []

    def start(table):
        started.append(Holding(journal, table, configured, page=calls.append, outbox_filled=lambda: None))
        started[-1].start()
        return calls

    yield start
    for one in started:
        one.close()


def subjects(journal):
    with journal.database.reading() as connection:
        found = connection.exec_driver_sql(
            "SELECT content_id FROM outbox WHERE purpose = 'notice' ORDER BY id"
        ).scalars()
        return [journal.content(one).partition(b"Subject: ")[2].split(b"\r\n")[0].decode() for one in found.all()]


def test_after_a_quarter_of_an_hour_somebody_is_paged_once(journal, held, looking):
    held(timedelta(minutes=16))
    table = Table(False)
    calls = looking(table)
    wait_until(lambda: table.asked > 1, seconds=30, what="two looks")
    assert [(one.why, one.case) for one in calls] == [(Why.ANSWER_HELD, reference_of(1))]
    assert len(subjects(journal)) == 2


def test_an_emergency_without_a_key_pages_at_once(journal, held, looking):
    held(timedelta(0), Category.EMERGENCY)
    calls = looking(Table(False))
    wait_until(lambda: calls, seconds=30, what="a page")
    assert calls[0].why is Why.ANSWER_HELD


def test_an_emergency_held_for_another_cause_waits_five_minutes(journal, held, looking):
    held(timedelta(minutes=4), Category.EMERGENCY, rule="H1")
    table = Table(False)
    calls = looking(table)
    wait_until(lambda: table.asked > 1, seconds=30, what="the first look to be over")
    assert calls == []


def test_what_nobody_released_comes_back_unsent_and_somebody_is_called(journal, held, looking):
    held(timedelta(hours=5))
    calls = looking(Table(False))
    wait_until(lambda: not journal.holds(limit=9), seconds=30, what="the answer to be given back")
    wait_until(lambda: calls, seconds=30, what="a page")
    assert [one.why for one in calls] == [Why.ANSWER_GIVEN_BACK]
    assert subjects(journal)[-1].startswith("NOT SENT: an answer of case")
    assert journal.figures().queued[Purpose.ANSWER] == 0


def test_a_table_that_cannot_be_asked_changes_nothing_and_is_asked_again(journal, held, looking, capfd):
    held(timedelta(hours=5))
    table = Table(StoreUnavailable("away"), True)
    calls = looking(table)
    wait_until(lambda: table.asked > 1, seconds=30, what="the second look")
    assert calls == []
    assert len(journal.holds(limit=9)) == 1
