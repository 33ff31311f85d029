"""What the command line is shown: newest cases, one case whole, what waits."""

from datetime import timedelta

from journal_samples import ASKER, MAILBOX, NOW, case_view, incoming, outcome, reference_of
from journal_steps import RETRY, claim, claim_mails, record, recorded, taken

from gateway.model.case import CaseState
from gateway.model.outbox import Purpose
from gateway.store.journal import Journal
from gateway.store.tables import ArrivalState, Happening, MailState


def test_cases_come_newest_first_and_by_state(journal: Journal) -> None:
    for number, state in enumerate((CaseState.OPEN, CaseState.CLOSED, CaseState.OPEN), start=1):
        arrival = taken(journal)
        view = case_view(number, opened_at=NOW + timedelta(hours=number), state=state)
        record(journal, arrival.id, outcome(number, case=view))
    assert [one.reference for one in journal.cases(limit=2)] == [reference_of(3), reference_of(2)]
    assert [one.reference for one in journal.cases(limit=9, state=CaseState.OPEN)] == [reference_of(3), reference_of(1)]


def test_a_case_file_holds_all_that_came_went_and_happened(journal: Journal) -> None:
    recorded(journal)
    follow_up = taken(journal, octets=b"Subject: more\r\n\r\n", rcpt_tos=(MAILBOX, "b@institution.gov.example"))
    record(journal, follow_up.id, outcome(2, case=case_view(1), opens=False, receipts=()))
    file = journal.case(reference_of(1))
    assert file is not None
    assert [(one.size, one.mail_from, one.state) for one in file.arrivals] == [
        (38, ASKER, ArrivalState.JUDGED),
        (17, ASKER, ArrivalState.JUDGED),
    ]
    assert file.arrivals[1].rcpt_tos == (MAILBOX, "b@institution.gov.example")
    assert [one.purpose for one in file.mails] == [
        Purpose.DELIVERY,
        Purpose.RECEIPT,
        Purpose.DELIVERY,
        Purpose.DELIVERY,
    ]
    assert {one.state for one in file.mails} == {MailState.QUEUED}
    assert [one.happening for one in file.events] == [Happening.JUDGED, Happening.JUDGED]
    assert '"disposition":"accept"' in file.events[0].facts


def test_a_reference_nobody_gave_names_nothing(journal: Journal) -> None:
    for reference in ("247CP-2026-000099-AAAA", "", "\0", "\udcff"):
        assert journal.case(reference) is None
        assert journal.verdict_of(reference) is None


def test_the_queue_shows_what_waits_oldest_first(journal: Journal) -> None:
    journal.take_in([incoming(received_at=NOW + timedelta(minutes=5)), incoming()])
    first = claim(journal)[0].arrival
    record(journal, first.id, outcome(first.number), now=NOW + timedelta(minutes=2))
    delivery = next(
        one for one in claim_mails(journal, now=NOW + timedelta(minutes=2)) if one.purpose is Purpose.DELIVERY
    )
    journal.settle(delivery.id, RETRY, now=NOW, retry_at=NOW + timedelta(minutes=9))
    lines = journal.queue(limit=9)
    assert [(one.purpose, one.since.minute, one.tries) for one in lines] == [
        (Purpose.DELIVERY, 2, 1),
        (Purpose.RECEIPT, 2, 1),
        (None, 5, 0),
    ]
    assert lines[0].reply == RETRY.text
    assert lines[0].due_at == NOW + timedelta(minutes=9)
    assert lines[2].recipients == (MAILBOX,)
    assert len(journal.queue(limit=1)) == 1


def test_figures_tell_how_old_the_oldest_is(journal: Journal) -> None:
    empty = journal.figures()
    assert (empty.oldest_waiting, empty.oldest_queued) == (None, {})
    journal.take_in([incoming(received_at=NOW + timedelta(minutes=1)), incoming()])
    assert journal.figures().oldest_waiting == NOW
    for one in claim(journal, now=NOW + timedelta(minutes=1)):
        record(journal, one.arrival.id, outcome(one.arrival.number), now=NOW + timedelta(hours=one.arrival.id))
    figures = journal.figures()
    assert figures.oldest_waiting is None
    assert figures.oldest_queued[Purpose.DELIVERY] == NOW + timedelta(hours=1)
    assert figures.queued[Purpose.DELIVERY] == 2
    assert (figures.accepted, figures.promised, figures.waiting, figures.receipts) == (2, 0, 0, 2)
