"""What comes in, on both databases: taken in, claimed, recorded, delivered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    MemoryBody,
    case_view,
    incoming,
    outcome,
    receipt_mail,
    reference_of,
)
from journal_steps import LEASE, claim, claim_mails, record, recorded, taken

from gateway.errors import StoreUnavailable
from gateway.model.message import Envelope, ThreadKeys
from gateway.model.outbox import Hop, Purpose
from gateway.model.verdict import Category, Disposition
from gateway.store.journal import Journal
from gateway.store.tables import Happening, arrivals


def test_what_was_taken_in_is_claimed_as_it_came(journal: Journal) -> None:
    octets = bytes(range(256)) * 3000  # three rows
    (arrival_id,) = journal.take_in([incoming(octets, rcpt_tos=("a@x.example", "b@x.example"))])
    (one,) = claim(journal)
    assert one.arrival.id == arrival_id
    assert one.arrival.content == octets
    assert one.arrival.sha256 == MemoryBody(octets).sha256
    assert one.arrival.received_at == NOW
    assert one.arrival.envelope == incoming(rcpt_tos=("a@x.example", "b@x.example")).envelope
    assert one.tries == 1


def test_an_empty_message_is_a_message(journal: Journal) -> None:
    journal.take_in([incoming(b"")])
    assert claim(journal)[0].arrival.content == b""


def test_ids_come_in_the_order_of_the_batch(journal: Journal) -> None:
    bodies = [f"Subject: {number}\r\n\r\n".encode() * (1 + number * 700) for number in range(40)]
    ids = journal.take_in([incoming(body) for body in bodies])
    by_id = {one.arrival.id: one.arrival for one in claim(journal)}
    assert [by_id[arrival_id].content for arrival_id in ids] == bodies
    assert [by_id[arrival_id].number for arrival_id in ids] == list(range(1, 41))


def test_numbers_run_per_mailbox_and_utc_year(journal: Journal) -> None:
    late = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    early = late + timedelta(minutes=2)
    west = early.astimezone(tz=datetime.fromisoformat("2026-12-31T20:00-05:00").tzinfo)
    batch = [
        incoming(received_at=late),
        incoming(received_at=west),
        incoming(received_at=late),
        incoming(received_at=early, mailbox="other@institution.gov.example"),
        incoming(received_at=early),
    ]
    journal.take_in(batch)
    found = sorted(claim(journal, now=early + LEASE), key=lambda one: one.arrival.id)
    assert [one.arrival.number for one in found] == [1, 1, 2, 1, 2]


def test_an_empty_batch_takes_nothing(journal: Journal) -> None:
    assert journal.take_in([]) == ()
    assert journal.figures().accepted == 0


def test_a_body_that_shrinks_takes_the_whole_batch_back(journal: Journal) -> None:
    class Shrinking(MemoryBody):
        @property
        def size(self) -> int:
            return len(self.octets) + 1

    broken = replace(incoming(), body=Shrinking(b"abc"))
    with pytest.raises(StoreUnavailable, match="4 octets gave 3"):
        journal.take_in([incoming(), broken])
    assert claim(journal) == ()
    assert journal.figures().accepted == 0


def test_a_leased_arrival_is_not_claimed_again_before_its_end(journal: Journal) -> None:
    journal.take_in([incoming()])
    assert len(claim(journal)) == 1
    assert claim(journal, now=NOW + LEASE - timedelta(seconds=1)) == ()
    (again,) = claim(journal, now=NOW + LEASE)
    assert again.tries == 2


def test_claims_are_limited_and_the_oldest_come_first(journal: Journal) -> None:
    journal.take_in([incoming(received_at=NOW - timedelta(seconds=one)) for one in (1, 3, 2)])
    assert [one.arrival.received_at.second for one in claim(journal, limit=2)] != []
    (last,) = claim(journal, limit=2)
    assert last.arrival.received_at == NOW - timedelta(seconds=1)


def test_postponed_is_due_at_the_time_given(journal: Journal) -> None:
    arrival = taken(journal)
    journal.postpone(arrival.id, until=NOW + timedelta(seconds=20), tries=1)
    assert claim(journal, now=NOW + timedelta(seconds=19)) == ()
    assert claim(journal, now=NOW + timedelta(seconds=20))[0].tries == 2


def test_release_ends_only_the_leases_of_that_owner(journal: Journal) -> None:
    journal.take_in([incoming(), incoming()])
    claim(journal, limit=1, owner="dead")
    claim(journal, limit=1, owner="alive")
    journal.release("dead", NOW)
    assert len(claim(journal)) == 1


def test_record_commits_case_delivery_and_receipt(journal: Journal) -> None:
    arrival = taken(journal, rcpt_tos=(MAILBOX, "second@institution.gov.example", MAILBOX))
    done = record(journal, arrival.id, outcome(arrival.number))
    assert done.outcome.verdict.receipt.send
    mails = claim_mails(journal)
    assert sorted((one.purpose, one.rcpt_to) for one in mails) == [
        (Purpose.DELIVERY, MAILBOX),
        (Purpose.DELIVERY, "second@institution.gov.example"),
        (Purpose.RECEIPT, ASKER),
    ]
    delivery = next(one for one in mails if one.purpose is Purpose.DELIVERY)
    assert journal.content(delivery.content_id) == arrival.content
    assert (delivery.size, delivery.sha256) == (len(arrival.content), arrival.sha256)
    assert delivery.prepend == done.outcome.prepend
    assert delivery.insertions == (3, 7)
    assert (delivery.hop, delivery.mail_from, delivery.tries) == (Hop.MAILBOX, ASKER, 1)
    assert {one.case for one in mails} == {reference_of(arrival.number)}
    receipt = next(one for one in mails if one.purpose is Purpose.RECEIPT)
    assert journal.content(receipt.content_id) == receipt_mail(1).content
    assert claim(journal, now=NOW + LEASE) == ()


def test_a_second_record_changes_nothing(journal: Journal) -> None:
    arrival = taken(journal)
    first = record(journal, arrival.id, outcome(arrival.number))
    before = journal.figures()
    second = record(journal, arrival.id, outcome(arrival.number, category=Category.EMERGENCY))
    assert second.outcome == replace(first.outcome, receipts=())
    assert journal.figures() == before
    assert len(claim_mails(journal)) == 2


def test_record_of_an_unknown_arrival_is_refused(journal: Journal) -> None:
    with pytest.raises(StoreUnavailable):
        record(journal, 99, outcome(1))


def test_a_deferred_arrival_is_delivered_once_and_judged_again(journal: Journal) -> None:
    arrival = taken(journal)
    deferred = record(journal, arrival.id, outcome(arrival.number, disposition=Disposition.DEFER))
    assert deferred.outcome.receipts == ()
    assert [one.purpose for one in claim_mails(journal)] == [Purpose.DELIVERY]
    assert claim(journal, now=NOW + timedelta(seconds=59)) == ()
    (again,) = claim(journal, now=NOW + timedelta(seconds=60))
    record(journal, again.arrival.id, outcome(arrival.number), now=NOW + timedelta(seconds=60))
    assert [one.purpose for one in claim_mails(journal, now=NOW + timedelta(seconds=61))] == [Purpose.RECEIPT]
    file = journal.case(reference_of(arrival.number))
    assert file is not None
    assert [one.happening for one in file.events] == [Happening.DEFERRED, Happening.JUDGED]
    assert journal.figures().unaccounted == 0


def test_a_delivery_before_the_verdict_is_the_only_one(journal: Journal) -> None:
    arrival = taken(journal)
    journal.add_delivery(arrival.id, prepend=b"X: early\r\n", now=NOW)
    journal.add_delivery(arrival.id, prepend=b"X: twice\r\n", now=NOW)
    record(journal, arrival.id, outcome(arrival.number, receipts=()))
    (delivery,) = claim_mails(journal)
    assert delivery.prepend == b"X: early\r\n"
    assert delivery.case == reference_of(arrival.number)
    assert journal.figures().unaccounted == 0


def test_two_copies_judged_at_once_end_in_one_case(journal: Journal) -> None:
    first, second = (taken(journal) for _ in range(2))
    record(journal, first.id, outcome(first.number, request_key="same"))
    overtaken = record(journal, second.id, outcome(second.number, request_key="same"))
    assert overtaken.again
    (again,) = claim(journal)
    recall = journal.recall(ThreadKeys(), mailbox=MAILBOX, request_key="same", arrival=again.arrival)
    assert recall.repeat_of == reference_of(first.number)
    joined = outcome(second.number, case=case_view(first.number), opens=False, request_key="same")
    assert not record(journal, second.id, joined).again
    assert len(journal.cases(limit=9)) == 1
    assert journal.figures().unaccounted == 0


def test_judgement_that_insists_on_its_own_case_gets_it(journal: Journal) -> None:
    first, second = (taken(journal) for _ in range(2))
    record(journal, first.id, outcome(first.number, request_key="same"))
    record(journal, second.id, outcome(second.number, request_key="same"))
    claim(journal)
    assert not record(journal, second.id, outcome(second.number, request_key="same")).again
    assert len(journal.cases(limit=9)) == 2


def test_text_no_database_takes_does_not_stop_a_delivery(journal: Journal) -> None:
    envelope = Envelope(mail_from="\udcff@x.example", rcpt_tos=("a\0b@x.example",), helo="\ud800")
    journal.take_in([replace(incoming(), envelope=envelope)])
    (one,) = claim(journal)
    assert one.arrival.envelope.mail_from == "\ufffd\ufffd\ufffd@x.example"
    view = case_view(1, thread=("<\0\udcff@x.example>",), origin="\udc80@x.example")
    record(journal, one.arrival.id, outcome(1, case=view, request_key="\udcff\0"))
    assert {mail.rcpt_to for mail in claim_mails(journal)} == {"a\ufffdb@x.example", ASKER}
    keys = ThreadKeys(in_reply_to=("<\0\udcff@x.example>",))
    assert len(journal.recall(keys, mailbox=MAILBOX, request_key="\udcff\0").candidates) == 1


def test_the_verdict_is_given_again_as_it_was(journal: Journal) -> None:
    done = recorded(journal)
    follow_up = taken(journal, octets=b"Subject: more\r\n\r\n")
    record(journal, follow_up.id, outcome(2, case=case_view(1), opens=False))
    found = journal.verdict_of(reference_of(1).lower())
    assert found is not None
    arrival, stored = found
    assert arrival.content == incoming().body.octets  # type: ignore[attr-defined]
    assert stored.verdict == done.outcome.verdict
    assert stored.dns == done.outcome.dns
    assert stored.prepend == done.outcome.prepend
    assert journal.verdict_of("247CP-2026-000099-AAAA") is None


def test_ping_says_that_the_database_answers(journal: Journal) -> None:
    journal.ping()


def test_chunks_are_bounded(journal: Journal) -> None:
    octets = b"0123456789" * 60_000
    arrival = taken(journal, octets=octets)
    record(journal, arrival.id, outcome(1, receipts=()))
    (mail,) = claim_mails(journal)
    sizes = [len(chunk) for chunk in journal.chunks(mail.content_id)]
    assert max(sizes) <= 262_144
    assert sum(sizes) == len(octets)


def test_no_two_arrivals_share_a_number(journal: Journal) -> None:
    taken(journal)
    columns = [one for one in arrivals.c if one.name != "id"]
    copy = arrivals.insert().from_select([one.name for one in columns], arrivals.select().with_only_columns(*columns))
    with pytest.raises(StoreUnavailable):
        journal.database.write(lambda connection: connection.execute(copy))
