"""A stored message judged again: one more verdict beside those there are, at most one receipt, nothing else touched."""

from dataclasses import replace
from datetime import timedelta

import pytest
from journal_samples import (
    ASKER,
    NOW,
    SUBMITTED,
    answer_mail,
    case_view,
    dispatch,
    outcome,
    receipt_mail,
    reference_of,
)
from journal_steps import claim_mails, record, taken

from gateway.model.case import CaseState
from gateway.model.history import Appearance, Trait
from gateway.model.message import ThreadKeys
from gateway.model.outbox import Purpose
from gateway.model.trust import Assurance, AuthResult, Method, Result
from gateway.model.verdict import Disposition, Reason, ReceiptDecision, Withheld
from gateway.store.again import RECEIPT_WITHIN, Judgement
from gateway.store.journal import Journal
from gateway.store.tables import Happening

KEY = "B" * 40
UNKNOWN = AuthResult(Method.OPENPGP, Result.POLICY, KEY, "unknown-key")


def held(journal: Journal, *, receipts=(), case=None, result: AuthResult = UNKNOWN):
    """A request held because nobody knew the key, as it was judged at first."""
    arrival = taken(journal)
    first = outcome(arrival.number, receipts=receipts, disposition=Disposition.HOLD, case=case)
    verdict = replace(
        first.verdict, assurance=Assurance.LISTED, reasons=(Reason.WRONG_KEY,), results=(result,),
        receipt=ReceiptDecision(send=bool(receipts), reason=None if receipts else Withheld.UNAUTHENTICATED),
    )  # fmt: skip
    record(journal, arrival.id, replace(first, verdict=verdict))
    return arrival


def again(journal: Journal, arrival, *, now=NOW + timedelta(hours=1), **fields: object) -> Judgement:
    signed = replace(outcome(arrival.number, **fields), appearance=Appearance(ASKER, ((Trait.KEY, KEY),)))
    return journal.again.record(arrival.id, signed, now=now, per_contact_hour=30, all_hour=300, by="a.roe")


def purposes(journal: Journal, reference: str) -> list[Purpose]:
    file = journal.case(reference)
    assert file is not None
    return [one.purpose for one in file.mails]


def test_the_new_verdict_stands_beside_the_old(journal: Journal) -> None:
    arrival = held(journal)
    before = journal.again.judgements(arrival.id)
    new = again(journal, arrival)
    first, second = journal.again.judgements(arrival.id)
    assert (first,) == before
    assert (first.number, second.number, second.judged_at) == (1, 2, NOW + timedelta(hours=1))
    assert (first.outcome.verdict.assurance, second.outcome.verdict.assurance) == (Assurance.LISTED, Assurance.SIGNED)
    assert new.outcome.verdict == second.outcome.verdict
    shown = journal.verdict_of(arrival_case(journal, arrival))
    assert shown is not None
    assert shown[1].verdict.assurance is Assurance.SIGNED


def arrival_case(journal: Journal, arrival) -> str:
    return journal.again.judgements(arrival.id)[0].outcome.case.reference


def test_the_case_tells_who_asked_and_what_it_was_before(journal: Journal) -> None:
    arrival = held(journal)
    again(journal, arrival)
    file = journal.case(arrival_case(journal, arrival))
    assert file is not None
    assert [one.happening for one in file.events] == [Happening.JUDGED, Happening.JUDGED_AGAIN]
    for word in ('"by":"a.roe"', '"before":"listed"', '"assurance":"signed"'):
        assert word in file.events[-1].facts


def test_nothing_is_delivered_again_and_the_receipt_that_never_left_leaves_once(journal: Journal) -> None:
    arrival = held(journal)
    reference = arrival_case(journal, arrival)
    assert purposes(journal, reference) == [Purpose.DELIVERY]
    assert again(journal, arrival).outcome.verdict.receipt.send
    assert purposes(journal, reference) == [Purpose.DELIVERY, Purpose.RECEIPT]
    assert again(journal, arrival, now=NOW + timedelta(hours=2)).outcome.verdict.receipt.reason is Withheld.REPEATED
    assert purposes(journal, reference) == [Purpose.DELIVERY, Purpose.RECEIPT]
    assert len(claim_mails(journal, now=NOW + timedelta(hours=3))) == 2


def test_a_request_that_had_its_receipt_gets_no_second(journal: Journal) -> None:
    arrival = held(journal, receipts=(receipt_mail(1),))
    assert again(journal, arrival).outcome.verdict.receipt.reason is Withheld.REPEATED
    assert purposes(journal, arrival_case(journal, arrival)).count(Purpose.RECEIPT) == 1


def test_a_receipt_after_fourteen_days_would_only_puzzle(journal: Journal) -> None:
    arrival = held(journal)
    late = again(journal, arrival, now=NOW + RECEIPT_WITHIN + timedelta(minutes=1))
    assert late.outcome.verdict.receipt.reason is Withheld.TOO_LATE


def test_no_receipt_follows_an_answer_and_the_case_stays_answered(journal: Journal) -> None:
    arrival = held(journal)
    reference = arrival_case(journal, arrival)
    answered = dispatch(case_view(1, reference=reference, state=CaseState.ANSWERED), answer_mail())
    journal.dispatch(answered, mailbox=SUBMITTED.mail_from or "", envelope=SUBMITTED, content=b"x", now=NOW)
    assert again(journal, arrival).outcome.verdict.receipt.reason is Withheld.TOO_LATE
    file = journal.case(reference)
    assert file is not None
    assert file.view.state is CaseState.ANSWERED


def test_the_case_gets_the_channel_that_is_proved_now(journal: Journal) -> None:
    bare = case_view(1, reference=reference_of(1), contact=None, origin=None, thread=())
    arrival = held(journal, case=bare)
    again(journal, arrival, case=case_view(1, reference=reference_of(1)))
    file = journal.case(reference_of(1))
    assert file is not None
    assert (file.view.contact, file.view.origin) == ("bx-police", ASKER)


def test_what_is_proved_now_is_remembered_once(journal: Journal) -> None:
    arrival = held(journal)
    for hours in (1, 2):
        again(journal, arrival, now=NOW + timedelta(hours=hours))
    found = journal.recall(ThreadKeys(), mailbox=arrival.mailbox, request_key="k", sender=ASKER).history
    assert found.of(Trait.KEY)[KEY].messages == 1


@pytest.mark.parametrize(("names", "found"), [((KEY,), 1), ((KEY[-16:],), 0), (("C" * 40, KEY), 1), (("C" * 40,), 0)])
def test_messages_are_found_by_the_key_their_latest_verdict_names(journal, names: tuple[str, ...], found: int) -> None:
    arrival = held(journal)
    held(journal, result=AuthResult(Method.OPENPGP, Result.NEUTRAL, reason="inline-signed"))
    concerned = journal.again.signed_by(names)
    assert [one.arrival_id for one in concerned] == [arrival.id] * found
    assert [one.result for one in concerned] == [UNKNOWN] * found


def test_a_message_that_waits_for_its_verdict_is_not_judged_again(journal: Journal) -> None:
    arrival = taken(journal)
    record(journal, arrival.id, outcome(arrival.number, disposition=Disposition.DEFER, receipts=()))
    assert journal.again.stored(arrival_case(journal, arrival)) == ()


def test_the_messages_of_a_case_come_with_their_bytes(journal: Journal) -> None:
    arrival = held(journal)
    (one,) = journal.again.stored(arrival_case(journal, arrival).lower())
    assert (one.arrival.content, one.opened, one.latest.verdict.reasons) == (arrival.content, True, (Reason.WRONG_KEY,))
    assert journal.again.stored("247CP-2026-999999-AAAA") == ()
