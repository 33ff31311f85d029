"""What leaves: settled per recipient, answers with their case, refusals and repeats."""

from datetime import timedelta

from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    SUBMITTED,
    answer_mail,
    case_view,
    dispatch,
    reference_of,
)
from journal_steps import LEASE, REFUSED, RETRY, SENT, claim_mails, recorded

from gateway.model.case import CaseState
from gateway.model.channel import Act
from gateway.model.outbox import Fate, Hop, HopReply, OutMail, Purpose
from gateway.model.verdict import Category
from gateway.store.journal import Journal
from gateway.store.tables import Happening, MailState


def test_settled_mail_is_gone_and_stays_so(journal: Journal) -> None:
    recorded(journal)
    for one in claim_mails(journal):
        assert journal.settle(one.id, SENT, now=NOW).state is MailState.SENT
        assert journal.settle(one.id, RETRY, now=NOW, retry_at=NOW).state is MailState.SENT
    assert claim_mails(journal, now=NOW + 2 * LEASE) == ()
    figures = journal.figures()
    assert figures.sent[Purpose.DELIVERY] == figures.sent[Purpose.RECEIPT] == 1
    assert figures.queued[Purpose.DELIVERY] == figures.unaccounted == 0


def test_each_hop_claims_its_own_mail(journal: Journal) -> None:
    recorded(journal)
    wanted = {"limit": 8, "owner": "courier", "now": NOW, "lease": LEASE}
    assert [one.purpose for one in journal.claim_mails(hop=Hop.RELAY, **wanted)] == [Purpose.RECEIPT]
    assert journal.claim_mails(hop=Hop.RELAY, **wanted) == ()
    assert [one.purpose for one in journal.claim_mails(hop=Hop.MAILBOX, **wanted)] == [Purpose.DELIVERY]


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
