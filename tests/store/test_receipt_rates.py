"""Receipts: how many may leave, and when a repeated request has another."""

from dataclasses import replace
from datetime import datetime, timedelta

from journal_samples import (
    MAILBOX,
    NOW,
    case_view,
    incoming,
    outcome,
    receipt_mail,
)
from journal_steps import REFUSED, claim, claim_mails, record, recorded, taken

from gateway.model.message import ThreadKeys
from gateway.model.outbox import Purpose
from gateway.model.verdict import Category, Withheld
from gateway.store.journal import Journal


def test_a_receipt_joins_the_thread_only_when_it_leaves(journal: Journal) -> None:
    first = recorded(journal)
    assert receipt_mail(1).message_id in first.outcome.case.thread
    view = case_view(2, thread=("<request-2@police.gov.b.example>", receipt_mail(2).message_id))
    arrival = taken(journal)
    second = record(journal, arrival.id, outcome(2, case=view), per_contact=1)
    assert second.outcome.case.thread == ("<request-2@police.gov.b.example>",)
    assert second.outcome.verdict.receipt.reason is Withheld.RATE_CONTACT
    assert second.outcome.receipts == ()


def test_receipts_are_limited_per_contact_and_in_all(journal: Journal) -> None:
    reasons = []
    for number in range(1, 8):
        arrival = taken(journal)
        result = outcome(number, contact=f"contact-{number % 2}")
        reasons.append(record(journal, arrival.id, result, per_contact=2, all_=3).outcome.verdict.receipt.reason)
    assert reasons[:3] == [None, None, None]
    assert set(reasons[3:]) == {Withheld.RATE_ALL, Withheld.RATE_CONTACT}
    assert journal.figures().receipts == 3
    assert len([one for one in claim_mails(journal) if one.purpose is Purpose.DELIVERY]) == 7


def test_the_rate_window_slides(journal: Journal) -> None:
    def reason_at(number: int, now: datetime) -> Withheld | None:
        arrival = taken(journal)
        return record(journal, arrival.id, outcome(number), now=now, per_contact=1).outcome.verdict.receipt.reason

    assert reason_at(1, NOW) is None
    assert reason_at(2, NOW + timedelta(minutes=59)) is Withheld.RATE_CONTACT
    assert reason_at(3, NOW + timedelta(minutes=60)) is None


def test_an_emergency_has_rate_windows_of_its_own(journal: Journal) -> None:
    recorded(journal)
    arrival = taken(journal)
    done = record(journal, arrival.id, outcome(2, category=Category.EMERGENCY), per_contact=1, all_=1)
    assert done.outcome.verdict.receipt.send


def test_a_repeated_request_gets_no_second_receipt_before_an_hour(journal: Journal) -> None:
    recorded(journal, request_key="same")

    def reason_at(minutes: int) -> Withheld | None:
        at = NOW + timedelta(minutes=minutes)
        journal.take_in([incoming(received_at=at)])
        arrival = claim(journal, now=at)[-1].arrival
        joined = outcome(arrival.number, case=case_view(1), opens=False, request_key="same")
        return record(journal, arrival.id, joined, now=at).outcome.verdict.receipt.reason

    assert [reason_at(minutes) for minutes in (5, 60, 65, 120, 240)] == [
        Withheld.REPEATED,
        None,
        Withheld.REPEATED,
        None,
        Withheld.REPEATED,  # three are the most
    ]


def test_recall_says_whether_a_repeat_may_have_a_receipt(journal: Journal) -> None:
    recorded(journal, request_key="same")
    repeat = taken(journal)

    def due(minutes: int) -> bool:
        later = replace(repeat, received_at=NOW + timedelta(minutes=minutes))
        return journal.recall(ThreadKeys(), mailbox=MAILBOX, request_key="same", arrival=later).receipt_due

    assert not due(59)
    assert due(60)
    assert journal.recall(ThreadKeys(), mailbox=MAILBOX, request_key="other", arrival=repeat).receipt_due


def test_a_repeat_after_a_failed_receipt_may_have_another(journal: Journal) -> None:
    recorded(journal, request_key="same")
    receipt = next(one for one in claim_mails(journal) if one.purpose is Purpose.RECEIPT)
    journal.settle(receipt.id, REFUSED, now=NOW)
    assert journal.recall(ThreadKeys(), mailbox=MAILBOX, request_key="same", arrival=taken(journal)).receipt_due
