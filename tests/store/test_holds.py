"""Held answers: kept with their bytes, counted, told of once, and out of the hold exactly once."""

from dataclasses import replace

import pytest
from journal_samples import MAILBOX, NOW, SUBMITTED, answer_mail, case_view, dispatch, incoming, outcome, reference_of
from journal_steps import record

from gateway.channel.patience import Step
from gateway.model.channel import Act, Dispatch, Waiver
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.verdict import Category
from gateway.store.journal import Journal
from gateway.store.tables import Happening

CONTENT = b"Subject: answer\r\n\r\nPreserved.\r\n"
NUMBER = "D-HELD00"


def notice(name: str = "notice") -> OutMail:
    return OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), f"<{name}@gw.example>", b"Subject: held\r\n\r\n")


def held() -> Dispatch:
    made = dispatch(None, notice(), act=Act.HOLD, reply=f"250 2.0.0 HELD: ... [{NUMBER}]")
    decision = replace(made.decision, number=NUMBER, rule="H2", waiver=Waiver.TWO, case=reference_of(1))
    return replace(made, decision=decision, sender=MAILBOX, login="officer")


def submitted(journal: Journal, made: Dispatch, content: bytes = CONTENT) -> None:
    journal.dispatch(made, mailbox=MAILBOX, envelope=SUBMITTED, content=content, now=NOW)


@pytest.fixture
def case(journal: Journal) -> str:
    (arrival,) = journal.take_in([incoming()])
    judged = outcome(1, receipts=(), category=Category.EMERGENCY)
    record(journal, arrival, judged)
    return reference_of(1)


def balance(journal: Journal) -> tuple[int, int, int, int]:
    figures = journal.figures()
    queued, returned = figures.queued[Purpose.ANSWER], figures.returned[Purpose.ANSWER]
    assert figures.dispatched == queued + figures.sent[Purpose.ANSWER] + figures.held + returned + figures.recorded
    return figures.dispatched, queued, figures.held, returned


def notices(journal: Journal) -> int:
    return journal.figures().queued[Purpose.NOTICE]


def test_a_held_answer_is_kept_with_its_bytes_and_told_of_once(journal: Journal, case: str) -> None:
    for _ in range(3):
        submitted(journal, held())
    (hold,) = journal.holds(limit=9)
    assert journal.content(hold.content_id) == CONTENT
    assert (hold.number, hold.rule, hold.case, hold.category) == (NUMBER, "H2", case, Category.EMERGENCY)
    assert hold.envelope == SUBMITTED
    assert balance(journal) == (1, 0, 1, 0)
    assert notices(journal) == 1


def test_a_reply_to_the_notice_means_the_case(journal: Journal, case: str) -> None:
    submitted(journal, held())
    file = journal.case(case)
    assert file is not None
    assert "<notice@gw.example>" in file.view.thread


def test_what_leaves_is_held_no_more(journal: Journal, case: str) -> None:
    submitted(journal, held())
    for _ in range(2):
        submitted(journal, dispatch(case_view(1), answer_mail()))
    assert journal.holds(limit=9) == ()
    assert balance(journal) == (1, 1, 0, 0)
    file = journal.case(case)
    assert file is not None
    assert [one.happening for one in file.events].count(Happening.RELEASED) == 1


def test_another_answer_releases_nothing(journal: Journal, case: str) -> None:
    submitted(journal, held())
    submitted(journal, dispatch(case_view(1), answer_mail()), b"Subject: another\r\n\r\n")
    assert len(journal.holds(limit=9)) == 1
    assert balance(journal) == (2, 1, 1, 0)


@pytest.mark.parametrize("step", [Step.REMIND, Step.PAGE, Step.RETURN])
def test_each_step_is_taken_once(journal: Journal, case: str, step: Step) -> None:
    submitted(journal, held())
    (hold,) = journal.holds(limit=9)
    taken = [journal.mark_hold(hold.id, step=step, notice=notice(step.value), now=NOW) for _ in range(3)]
    assert taken == [True, False, False]
    assert notices(journal) == 2


def test_an_answer_given_back_is_returned_and_may_be_sent_again(journal: Journal, case: str) -> None:
    submitted(journal, held())
    (hold,) = journal.holds(limit=9)
    assert journal.mark_hold(hold.id, step=Step.RETURN, notice=notice("back"), now=NOW)
    assert journal.holds(limit=9) == ()
    assert balance(journal) == (1, 0, 0, 1)
    submitted(journal, held())
    assert balance(journal) == (2, 0, 1, 1)
    submitted(journal, dispatch(case_view(1), answer_mail()))
    assert balance(journal) == (2, 1, 0, 1)
