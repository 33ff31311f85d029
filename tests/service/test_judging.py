"""The judge loop lets nothing go: not the message that defeats judges, not those behind it."""

import threading
from datetime import UTC, datetime

from ports import wait_until

from gateway.model.message import Envelope, Incoming, Source
from gateway.model.outbox import Purpose
from gateway.service.judging import JudgeLoop
from gateway.transport.body import SpooledBody

MAILBOX = "247cp@institution.gov.example"


def incoming(tmp_path, number):
    body = SpooledBody(str(tmp_path))
    body.write(f"From: a@b.example\r\nMessage-ID: <{number}@b.example>\r\n\r\nGood morning.\r\n".encode())
    envelope = Envelope(mail_from="a@b.example", rcpt_tos=(MAILBOX,), peer="192.0.2.1")
    return Incoming(MAILBOX, datetime.now(UTC), Source.SMTP, envelope, body)


def run(journal, nursery, *, seconds, until):
    """Run the loop until something holds; the calls it made for a human."""
    calls, filled = [], threading.Event()
    loop = JudgeLoop(journal, nursery, owner="test", page=calls.append, outbox_filled=filled.set, seconds=seconds)
    loop.start()
    try:
        wait_until(until)
    finally:
        loop.close()
    return calls


def test_arrivals_are_judged_and_their_deliveries_wait_in_the_outbox(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, number) for number in range(5)])
    calls = run(journal, nursery, seconds=(20, 10), until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 5)
    assert calls == []
    figures = journal.figures()
    assert figures.accepted == 5
    assert figures.promised == 0


def test_a_message_that_defeats_two_judges_is_delivered_as_it_is_and_paged(journal, nursery, tmp_path):
    (arrival,) = journal.take_in([incoming(tmp_path, 1)])
    calls = run(journal, nursery, seconds=(0.0005, 0.0005), until=lambda: journal.figures().waiting == 0)
    assert [call.what for call in calls] == ["judge-error"]
    assert journal.figures().queued[Purpose.DELIVERY] == 1
    (line,) = journal.queue(limit=10)
    assert line.recipients == (MAILBOX,)
    _, outcome = journal.verdict_of(line.case)
    assert [reason.value for reason in outcome.verdict.reasons] == ["judge-error"]
    assert not outcome.verdict.receipt.send
    assert arrival == 1


def test_dns_that_does_not_answer_defers_and_still_delivers(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, 1)])
    run(journal, nursery, seconds=(20, 10), until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 1)
    assert journal.figures().waiting == 1


class Faulty:
    """A journal with a fault of the program over the first messages."""

    def __init__(self, journal, failures):
        self.journal = journal
        self.failures = failures

    def __getattr__(self, name):
        return getattr(self.journal, name)

    def recall(self, *arguments, **keys):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a mistake of ours")
        return self.journal.recall(*arguments, **keys)


def test_a_fault_over_one_message_leaves_the_others_their_judges(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, number) for number in range(12)])
    faulty = Faulty(journal, failures=8)
    run(faulty, nursery, seconds=(20, 10), until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 4)
    assert journal.figures().promised == 8
