"""Verdict cards: one for a request while nothing proves it, one when something does, and few an hour of the unproved."""

from dataclasses import replace
from datetime import timedelta

from journal_samples import MAILBOX, NOW, outcome
from journal_steps import record, taken

from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.outcome import SHARED_CARDS_PER_HOUR
from gateway.model.trust import Assurance
from gateway.store.journal import Journal


def card(number: int) -> OutMail:
    return OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), f"<card.{number}@gw.institution.gov.example>", b"x\r\n")


def carded(number: int, *, proved: bool = False, **fields: object):
    found = outcome(number, receipts=(), **fields)
    verdict = replace(found.verdict, assurance=Assurance.SIGNED if proved else Assurance.NONE)
    case = found.case if proved else replace(found.case, origin=None)
    return replace(found, verdict=verdict, card=card(number), case=case)


def recorded(journal: Journal, result, now=NOW):
    return record(journal, taken(journal).id, result, now=now).outcome


def queued(journal: Journal) -> int:
    return journal.figures().queued[Purpose.NOTICE]


def test_a_card_waits_in_the_outbox_with_the_delivery(journal: Journal) -> None:
    recorded(journal, carded(1))
    assert queued(journal) == 1


def test_the_same_request_has_one_card_unproved_and_one_proved(journal: Journal) -> None:
    for proved in (False, False, True, True):
        recorded(journal, carded(1, proved=proved, opens=False, request_key="same"))
    assert queued(journal) == 2


def test_a_flood_of_unproved_mail_has_few_cards_and_a_proved_one_all_the_same(journal: Journal) -> None:
    for number in range(1, SHARED_CARDS_PER_HOUR + 4):
        recorded(journal, carded(number))
    assert queued(journal) == SHARED_CARDS_PER_HOUR
    recorded(journal, carded(90, proved=True))
    assert queued(journal) == SHARED_CARDS_PER_HOUR + 1
    recorded(journal, carded(91), now=NOW + timedelta(minutes=61))
    assert queued(journal) == SHARED_CARDS_PER_HOUR + 2


def test_an_answer_to_the_card_finds_a_case_that_can_be_answered(journal: Journal) -> None:
    assert card(1).message_id in recorded(journal, carded(1, proved=True)).case.thread
    assert card(2).message_id not in recorded(journal, carded(2)).case.thread
