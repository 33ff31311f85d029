"""What did not arrive: an answer fails its case once and calls once; two receipts of one contact that came back call once."""

from dataclasses import replace
from datetime import timedelta

from journal_samples import MAILBOX, NOW, SUBMITTED, answer_mail, case_view, dispatch, outcome, reference_of
from journal_steps import LEASE, REFUSED, claim_mails, record, taken

from gateway.model.call import Why
from gateway.model.case import CaseState
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.verdict import ReceiptDecision
from gateway.store.journal import Journal

NOTICE = OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), "<notice@gw.institution.gov.example>", b"x\r\n")


def asked(journal: Journal, number: int = 1, now=NOW, **fields: object) -> None:
    record(journal, taken(journal).id, outcome(number, **fields), now=now)


def answered(journal: Journal) -> None:
    case = replace(case_view(1), state=CaseState.ANSWERED)
    journal.dispatch(dispatch(case, answer_mail()), mailbox=MAILBOX, envelope=SUBMITTED, content=b"a", now=NOW)


def came_back(journal: Journal, purpose: Purpose, number: int = 1, now=NOW) -> None:
    arrival = taken(journal)
    found = outcome(number, opens=False, receipts=(), request_key=f"bounce {arrival.id}")
    verdict = replace(found.verdict, receipt=ReceiptDecision(send=False))
    card = NOTICE if purpose is Purpose.ANSWER else None
    state = journal.case(reference_of(number)).view.state
    found = replace(found, case=replace(found.case, state=state), verdict=verdict, bounced=purpose, card=card)
    record(journal, arrival.id, found, now=now)


def calls(journal: Journal, now=NOW) -> list[Why]:
    found = journal.claim_calls(limit=99, owner="x", now=now + timedelta(seconds=1), lease=LEASE)
    return [one.call.why for one in found]


def notices(journal: Journal) -> int:
    return journal.figures().queued[Purpose.NOTICE]


def test_the_return_of_an_answer_fails_its_case_tells_the_mailbox_and_calls(journal: Journal) -> None:
    asked(journal)
    answered(journal)
    came_back(journal, Purpose.ANSWER)
    file = journal.case(reference_of(1))
    assert file.view.state is CaseState.ANSWER_FAILED
    assert [one.happening.value for one in file.events][-2:] == ["judged", "returned"]
    assert notices(journal) == 1
    assert calls(journal) == [Why.ANSWER_FAILED]


def test_a_thousand_reports_about_it_are_told_once(journal: Journal) -> None:
    asked(journal)
    answered(journal)
    for _ in range(4):
        came_back(journal, Purpose.ANSWER)
    assert notices(journal) == 1
    assert calls(journal) == [Why.ANSWER_FAILED]


def test_an_answer_the_relay_refuses_calls_in_the_same_step(journal: Journal) -> None:
    asked(journal)
    answered(journal)
    for mail in claim_mails(journal):
        if mail.purpose is Purpose.ANSWER:
            journal.settle(mail.id, REFUSED, now=NOW)
    assert calls(journal) == [Why.ANSWER_FAILED]


def test_the_second_receipt_of_a_contact_that_comes_back_calls_and_one_does_not(journal: Journal) -> None:
    asked(journal, 1)
    came_back(journal, Purpose.RECEIPT, 1)
    came_back(journal, Purpose.RECEIPT, 1)
    assert calls(journal) == []
    asked(journal, 2)
    came_back(journal, Purpose.RECEIPT, 2)
    assert calls(journal) == [Why.UNREACHABLE]


def test_receipts_that_came_back_long_ago_do_not_count(journal: Journal) -> None:
    asked(journal, 1)
    came_back(journal, Purpose.RECEIPT, 1)
    later = NOW + timedelta(days=15)
    asked(journal, 2, now=later)
    came_back(journal, Purpose.RECEIPT, 2, now=later)
    assert calls(journal, now=later) == []


def test_a_relay_that_refuses_receipts_counts_as_well(journal: Journal) -> None:
    for number in (1, 2):
        asked(journal, number)
    for mail in claim_mails(journal):
        if mail.purpose is Purpose.RECEIPT:
            journal.settle(mail.id, REFUSED, now=NOW)
    assert calls(journal) == [Why.UNREACHABLE]


def test_somebody_outside_the_directory_is_nobodys_counterpart(journal: Journal) -> None:
    for number in (1, 2):
        asked(journal, number, contact=None)
        came_back(journal, Purpose.RECEIPT, number)
    assert calls(journal) == []
