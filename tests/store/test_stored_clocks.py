"""The clocks in the journal: set going with the verdict, ended by the answer, told once, begun again by a new message."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from journal_samples import (
    MAILBOX,
    NOW,
    SUBMITTED,
    answer_mail,
    case_view,
    dispatch,
    incoming,
    outcome,
    receipt_mail,
    reference_of,
)
from journal_steps import record

from gateway.channel.clocks import due_step
from gateway.model.call import Call, Why
from gateway.model.case import CaseState
from gateway.model.clock import Clock, ClockStart, Ending
from gateway.model.outbox import Fate, Hop, HopReply, Purpose
from gateway.model.verdict import Category
from gateway.store.clocks import Telling
from gateway.store.journal import Journal

HOUR = timedelta(hours=1)
ANSWER = ClockStart(Clock.FIRST_ANSWER, NOW, NOW + 4 * HOUR)
CALL_BACK = ClockStart(Clock.CALL_BACK, NOW, NOW + timedelta(minutes=15))
PRESERVED = ClockStart(Clock.PRESERVATION_END, NOW, NOW + timedelta(days=90))


def open_case(journal: Journal, number: int, *clocks: ClockStart, **fields: object) -> None:
    (arrival_id,) = journal.take_in([incoming()])
    made = replace(outcome(number, **fields), clocks=clocks)
    record(journal, arrival_id, made)


def answer(journal: Journal, number: int, *, after: timedelta, **fields: object) -> timedelta | None:
    answered = dispatch(case_view(number, state=CaseState.ANSWERED), answer_mail(), **fields)
    return journal.dispatch(answered, mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW + after)


def stands(journal: Journal, number: int = 1) -> dict[Clock, Ending | None]:
    return {one.clock: one.ended_by for one in journal.clocks.of_case(reference_of(number))}


def tellings(journal: Journal, after: timedelta) -> list[Telling]:
    due = journal.clocks.due(mailbox=MAILBOX, now=NOW + after, limit=50)
    return [
        Telling(
            one.clock,
            due_step(one.clock, NOW + after).name,
            (replace(receipt_mail(9, MAILBOX), purpose=Purpose.NOTICE, hop=Hop.MAILBOX),),
            Call(Why.EMERGENCY_UNCONFIRMED, cause="clock", case=one.case.reference),
        )
        for one in due
    ]


def test_an_answer_ends_the_waiting_and_says_how_long_it_was(journal: Journal) -> None:
    open_case(journal, 1, ANSWER, PRESERVED)
    assert answer(journal, 1, after=HOUR) == HOUR
    assert stands(journal) == {Clock.FIRST_ANSWER: Ending.ANSWERED, Clock.PRESERVATION_END: None}
    assert answer(journal, 1, after=2 * HOUR) is None


def test_a_forward_inside_the_institution_ends_nothing(journal: Journal) -> None:
    open_case(journal, 1, ANSWER)
    assert answer(journal, 1, after=HOUR, internal=True) is None
    assert stands(journal) == {Clock.FIRST_ANSWER: None}


def test_an_answer_that_came_back_is_waited_for_as_before(journal: Journal) -> None:
    open_case(journal, 1, ANSWER, receipts=())
    answer(journal, 1, after=HOUR)
    mails = journal.claim_mails(limit=9, owner="courier", now=NOW + HOUR, lease=HOUR)
    (sent,) = (mail for mail in mails if mail.purpose is Purpose.ANSWER)
    journal.settle(sent.id, HopReply(Fate.REFUSED, "550 5.1.1 no such user"), now=NOW + HOUR)
    (waiting,) = journal.clocks.of_case(reference_of(1))
    assert (waiting.running, waiting.since) == (True, NOW)


def test_a_new_message_of_the_counterpart_opens_a_closed_case_with_its_periods(journal: Journal) -> None:
    open_case(journal, 1, ANSWER, PRESERVED)
    journal.acts.extend(reference_of(1), until=NOW + timedelta(days=200), by="j.doe", now=NOW + HOUR)
    journal.acts.close(reference_of(1), reason="done", by="j.doe", now=NOW + HOUR)
    assert set(stands(journal).values()) == {Ending.CLOSED}
    later = NOW + timedelta(days=3)
    joined = case_view(1, state=CaseState.OPEN)
    asked_again = ClockStart(Clock.FIRST_ANSWER, later, later + 4 * HOUR)
    open_case(journal, 2, asked_again, case=joined, opens=False, request_key="another")
    assert journal.case(reference_of(1)).view.state is CaseState.OPEN
    found = {one.clock: one for one in journal.clocks.of_case(reference_of(1))}
    assert (found[Clock.FIRST_ANSWER].since, found[Clock.FIRST_ANSWER].running) == (later, True)
    assert found[Clock.PRESERVATION_END].until == NOW + timedelta(days=200)
    assert found[Clock.PRESERVATION_END].running


def test_a_message_that_joins_a_waiting_case_does_not_put_its_answer_off(journal: Journal) -> None:
    open_case(journal, 1, ANSWER)
    later = NOW + HOUR
    open_case(journal, 2, ClockStart(Clock.FIRST_ANSWER, later, later + 4 * HOUR), CALL_BACK,
           case=case_view(1, category=Category.EMERGENCY), opens=False, request_key="another")  # fmt: skip
    found = {one.clock: one for one in journal.clocks.of_case(reference_of(1))}
    assert found[Clock.FIRST_ANSWER].since == NOW
    assert found[Clock.CALL_BACK].running


def test_a_step_is_told_once_however_many_look(journal: Journal) -> None:
    for number in range(1, 6):
        open_case(journal, number, CALL_BACK, category=Category.EMERGENCY, receipts=())
    due = tellings(journal, timedelta(minutes=16))
    assert len(due) == 5
    with ThreadPoolExecutor(4) as several:
        told = list(several.map(lambda _: journal.clocks.tell(due, now=NOW + timedelta(minutes=16)), range(4)))
    assert sum(told) == 5
    assert tellings(journal, timedelta(minutes=16)) == []
    notices = [line for line in journal.queue(limit=99) if line.purpose is Purpose.NOTICE]
    assert len(notices) == 5


def test_what_ended_while_its_notice_was_written_is_not_told(journal: Journal) -> None:
    open_case(journal, 1, CALL_BACK, category=Category.EMERGENCY, receipts=())
    due = tellings(journal, timedelta(minutes=16))
    journal.acts.close(reference_of(1), reason="forged", by="j.doe", now=NOW + timedelta(minutes=16))
    assert journal.clocks.tell(due, now=NOW + timedelta(minutes=16)) == 0
    assert journal.claim_calls(limit=9, owner="pager", now=NOW + HOUR, lease=HOUR) == ()


def test_a_period_that_was_made_longer_meanwhile_is_not_told_of(journal: Journal) -> None:
    open_case(journal, 1, PRESERVED)
    due = tellings(journal, timedelta(days=80))
    journal.acts.extend(reference_of(1), until=NOW + timedelta(days=300), by="j.doe", now=NOW + timedelta(days=80))
    assert journal.clocks.tell(due, now=NOW + timedelta(days=80)) == 0


def test_another_mailbox_is_told_of_by_its_own_gateway(journal: Journal) -> None:
    open_case(journal, 1, CALL_BACK, category=Category.EMERGENCY)
    assert journal.clocks.due(mailbox="other@institution.gov.example", now=NOW + HOUR, limit=9) == ()


def test_a_note_by_mail_is_kept_with_its_bytes_and_sends_nothing(journal: Journal) -> None:
    open_case(journal, 1, ANSWER, receipts=())
    kept = dispatch(None)
    note = replace(kept, note="spoke with A. Roe", login="j.doe", decision=replace(
        kept.decision, act=type(kept.decision.act).DISCARD, rule="M2", row=22, case=reference_of(1)))  # fmt: skip
    assert journal.dispatch(note, mailbox=MAILBOX, envelope=SUBMITTED, content=b"note", now=NOW) is None
    file = journal.case(reference_of(1))
    assert [one.happening.value for one in file.events] == ["judged", "noted"]
    assert file.events[-1].facts == '{"by":"j.doe","phone":"","text":"spoke with A. Roe"}'
    assert file.view.state is CaseState.OPEN
    assert stands(journal) == {Clock.FIRST_ANSWER: None}
