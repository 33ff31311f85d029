"""The road of a message through the journal, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    SUBMITTED,
    MemoryBody,
    answer_mail,
    case_view,
    dispatch,
    incoming,
    outcome,
    receipt_mail,
    reference_of,
)

from gateway.errors import StoreUnavailable
from gateway.model.case import CaseState
from gateway.model.channel import Act
from gateway.model.message import Envelope, ThreadKeys
from gateway.model.outbox import Fate, Hop, HopReply, OutMail, Purpose
from gateway.model.verdict import Category, Disposition, RuleFiles, Withheld
from gateway.store.journal import Journal, Recorded
from gateway.store.tables import Happening, MailState, arrivals

LEASE = timedelta(minutes=5)
SENT = HopReply(Fate.SENT, "250 2.0.0 Ok")
REFUSED = HopReply(Fate.REFUSED, "550 5.1.1 unknown user")
RETRY = HopReply(Fate.RETRY, "451 4.3.0 later")


def claim(journal: Journal, now: datetime = NOW, limit: int = 100, owner: str = "judge"):
    return journal.claim(limit=limit, owner=owner, now=now, lease=LEASE)


def claim_mails(journal: Journal, now: datetime = NOW, owner: str = "courier"):
    return journal.claim_mails(limit=100, owner=owner, now=now, lease=LEASE)


def record(journal: Journal, arrival_id: int, result, now: datetime = NOW, per_contact: int = 30, all_: int = 300):
    return journal.record(arrival_id, result, now=now, per_contact_hour=per_contact, all_hour=all_)


def taken(journal: Journal, **fields: object):
    journal.take_in([incoming(**fields)])
    return claim(journal)[-1].arrival


def recorded(journal: Journal, **fields: object) -> Recorded:
    arrival = taken(journal)
    return record(journal, arrival.id, outcome(arrival.number, **fields))


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


def test_settled_mail_is_gone_and_stays_so(journal: Journal) -> None:
    recorded(journal)
    for one in claim_mails(journal):
        assert journal.settle(one.id, SENT, now=NOW).state is MailState.SENT
        assert journal.settle(one.id, RETRY, now=NOW, retry_at=NOW).state is MailState.SENT
    assert claim_mails(journal, now=NOW + 2 * LEASE) == ()
    figures = journal.figures()
    assert figures.sent[Purpose.DELIVERY] == figures.sent[Purpose.RECEIPT] == 1
    assert figures.queued[Purpose.DELIVERY] == figures.unaccounted == 0


def test_a_refused_delivery_is_never_given_up(journal: Journal) -> None:
    recorded(journal, receipts=())
    (mail,) = claim_mails(journal)
    assert journal.settle(mail.id, REFUSED, now=NOW).state is MailState.QUEUED
    assert claim_mails(journal, now=NOW + timedelta(minutes=59)) == ()
    (again,) = claim_mails(journal, now=NOW + timedelta(hours=1))
    assert (again.id, again.tries) == (mail.id, 2)
    assert journal.queue(limit=5)[0].reply == REFUSED.text


def test_a_retry_is_due_at_its_time(journal: Journal) -> None:
    recorded(journal, receipts=())
    (mail,) = claim_mails(journal)
    journal.settle(mail.id, RETRY, now=NOW, retry_at=NOW + timedelta(seconds=30))
    assert claim_mails(journal, now=NOW + timedelta(seconds=29)) == ()
    assert len(claim_mails(journal, now=NOW + timedelta(seconds=30))) == 1


def test_a_refused_receipt_is_returned(journal: Journal) -> None:
    recorded(journal)
    receipt = next(one for one in claim_mails(journal) if one.purpose is Purpose.RECEIPT)
    settled = journal.settle(receipt.id, REFUSED, now=NOW)
    assert (settled.state, settled.failed_answer) == (MailState.RETURNED, None)
    assert journal.figures().returned[Purpose.RECEIPT] == 1


def test_a_reply_of_the_hop_is_cut_and_cleaned(journal: Journal) -> None:
    recorded(journal, receipts=())
    (mail,) = claim_mails(journal)
    journal.settle(mail.id, HopReply(Fate.RETRY, "4\0" + "x" * 900), now=NOW)
    assert journal.queue(limit=1)[0].reply == "4\ufffd" + "x" * 498


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


def test_an_answer_is_queued_with_its_case(journal: Journal) -> None:
    recorded(journal)
    answered = case_view(1, state=CaseState.ANSWERED)
    journal.dispatch(
        dispatch(answered, answer_mail()), mailbox=MAILBOX, envelope=SUBMITTED, content=b"Subject: a\r\n\r\n", now=NOW
    )
    answer = next(one for one in claim_mails(journal) if one.purpose is Purpose.ANSWER)
    assert (answer.case, answer.rcpt_to, answer.hop) == (reference_of(1), ASKER, Hop.RELAY)
    file = journal.case(reference_of(1))
    assert file is not None
    assert file.view.state is CaseState.ANSWERED
    assert answer_mail().message_id in file.view.thread
    figures = journal.figures()
    assert figures.dispatched == figures.queued[Purpose.ANSWER] == 1
    assert figures.cases[Category.PRESERVATION, CaseState.ANSWERED] == 1
    assert figures.cases[Category.PRESERVATION, CaseState.OPEN] == 0


def test_the_same_submission_is_not_sent_twice_whatever_its_trace_says(journal: Journal) -> None:
    recorded(journal, receipts=())
    passing = dispatch(case_view(1), answer_mail())
    for tick in range(3):
        content = f"Received: from pc\r\n\tby mx; tick {tick}\r\nreceived: x\r\nSubject: a\r\n\r\nbody\r\n".encode()
        journal.dispatch(passing, mailbox=MAILBOX, envelope=SUBMITTED, content=content, now=NOW)
    assert len([one for one in claim_mails(journal) if one.purpose is Purpose.ANSWER]) == 1
    assert journal.figures().dispatched == 1


def test_a_returned_answer_fails_its_case_and_may_be_submitted_again(journal: Journal) -> None:
    recorded(journal, receipts=())
    passing = dispatch(case_view(1, state=CaseState.ANSWERED), answer_mail())
    journal.dispatch(passing, mailbox=MAILBOX, envelope=SUBMITTED, content=b"S: a\r\n\r\n", now=NOW)
    answer = next(one for one in claim_mails(journal) if one.purpose is Purpose.ANSWER)
    notice = OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), "<n@gw.example>", b"Subject: not sent\r\n\r\n")
    for _ in range(2):
        settled = journal.settle(answer.id, REFUSED, now=NOW, notice=notice)
        assert settled.state is MailState.RETURNED
    file = journal.case(reference_of(1))
    assert file is not None
    assert file.view.state is CaseState.ANSWER_FAILED
    assert file.events[-1].happening is Happening.RETURNED
    assert [one.purpose for one in claim_mails(journal)] == [Purpose.NOTICE]
    journal.dispatch(passing, mailbox=MAILBOX, envelope=SUBMITTED, content=b"S: a\r\n\r\n", now=NOW)
    assert [one.purpose for one in claim_mails(journal)] == [Purpose.ANSWER]
    figures = journal.figures()
    assert figures.dispatched == figures.queued[Purpose.ANSWER] + figures.returned[Purpose.ANSWER] == 2


def test_a_notice_waits_for_the_end_of_the_mail(journal: Journal) -> None:
    journal.dispatch(dispatch(case_view(1), answer_mail()), mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)
    (answer,) = claim_mails(journal)
    journal.settle(answer.id, RETRY, now=NOW, notice=answer_mail("notice"))
    assert journal.figures().queued[Purpose.ANSWER] == 1


def test_a_refused_submission_leaves_only_its_decision(journal: Journal) -> None:
    recorded(journal, receipts=())
    claim_mails(journal)
    refused = dispatch(case_view(1), act=Act.REJECT, reply="550 5.7.1 NOT SENT: ... [D-7K3QX2]")
    journal.dispatch(refused, mailbox=MAILBOX, envelope=SUBMITTED, content=b"Subject: a\r\n\r\n", now=NOW)
    assert claim_mails(journal) == ()
    file = journal.case(reference_of(1))
    assert file is not None
    assert file.events[-1].happening is Happening.DECIDED
    assert "D-7K3QX2" in file.events[-1].facts
    assert journal.figures().dispatched == 0


def test_a_read_receipt_is_kept_and_goes_nowhere(journal: Journal) -> None:
    journal.dispatch(dispatch(None, act=Act.DISCARD), mailbox=MAILBOX, envelope=SUBMITTED, content=b"read\r\n", now=NOW)
    figures = journal.figures()
    assert (figures.dispatched, figures.recorded) == (1, 1)
    assert journal.content(1) == b"read\r\n"
    assert claim_mails(journal) == ()


def test_an_internal_forward_ends_no_waiting(journal: Journal) -> None:
    recorded(journal, receipts=())
    forward = dispatch(
        case_view(1, state=CaseState.ANSWERED), answer_mail("forward", ("a@institution.gov.example",)), internal=True
    )
    journal.dispatch(forward, mailbox=MAILBOX, envelope=SUBMITTED, content=b"f", now=NOW)
    view = journal.cases(limit=1)[0]
    assert view.state is CaseState.OPEN
    assert answer_mail("forward").message_id not in view.thread


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


def test_the_last_good_rules_come_back(journal: Journal) -> None:
    assert journal.last_ruleset() is None
    old, new = (RuleFiles((("scoring.yaml", octets),)) for octets in (b"\xff\x00old", b"new"))
    journal.keep_ruleset("a", old, NOW)
    journal.keep_ruleset("b", new, NOW + timedelta(hours=1))
    assert journal.last_ruleset() == new
    journal.keep_ruleset("a", old, NOW + timedelta(hours=2))
    assert journal.last_ruleset() == old
    assert journal.ruleset("b") == new
    assert journal.ruleset("c") is None


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
