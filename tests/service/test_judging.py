"""The judge loop lets nothing go: not the message that defeats judges, not those behind it."""

import os
import signal
import threading
import time
from datetime import UTC, datetime

import pytest
from ports import wait_until

from gateway.errors import StoreUnavailable
from gateway.model.call import Why
from gateway.model.message import Envelope, Incoming, Source
from gateway.model.outbox import Purpose
from gateway.service.judging import CLOSE_SECONDS, SPARE_JUDGES, JudgeLoop
from gateway.service.nursery import Nursery
from gateway.transport.body import SpooledBody

MAILBOX = "247cp@institution.gov.example"


def incoming(tmp_path, number, text="Good morning."):
    body = SpooledBody(str(tmp_path))
    body.write(f"From: a@b.example\r\nMessage-ID: <{number}@b.example>\r\n\r\n{text}\r\n".encode())
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
    assert [call.why for call in calls] == [Why.JUDGE_ERROR]
    assert journal.figures().queued[Purpose.DELIVERY] == 1
    line, card = journal.queue(limit=10)
    assert (line.purpose, card.purpose) == (Purpose.DELIVERY, Purpose.NOTICE)
    assert line.recipients == card.recipients == (MAILBOX,)
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
    run(faulty, nursery, seconds=(20, 10), until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 12)
    assert journal.figures().promised == 0


class Slow:
    """A journal whose commits of verdicts wait until they may go on."""

    def __init__(self, journal):
        self.journal = journal
        self.asked = 0
        self.go_on = threading.Event()

    def __getattr__(self, name):
        return getattr(self.journal, name)

    def recall(self, *arguments, **keys):
        self.asked += 1
        return self.journal.recall(*arguments, **keys)

    def record(self, *arguments, **keys):
        self.go_on.wait(60)
        return self.journal.record(*arguments, **keys)


def test_judges_go_on_while_verdicts_are_committed(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, number) for number in range(12)])
    slow = Slow(journal)

    def all_but_committed():
        if slow.asked > 2 * nursery.equipment.settings.judges:
            slow.go_on.set()
        return journal.figures().queued.get(Purpose.DELIVERY) == 12

    run(slow, nursery, seconds=(20, 10), until=all_but_committed)
    assert journal.figures().promised == 0


class Unwritten:
    """What came of a verdict over which the program has a fault."""

    def outcome(self):
        raise RuntimeError("a mistake of ours")


class Unwilling:
    """A journal that has a fault of the program over the first verdicts."""

    def __init__(self, journal, failures):
        self.journal = journal
        self.failures = failures

    def __getattr__(self, name):
        return getattr(self.journal, name)

    def record(self, judgements, **keys):
        failing = min(self.failures, len(judgements))
        self.failures -= failing
        return [Unwritten() for _ in range(failing)] + self.journal.record(judgements[failing:], **keys)


def test_a_verdict_that_cannot_be_committed_is_given_again(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, number) for number in range(4)])
    unwilling = Unwilling(journal, failures=3)
    run(unwilling, nursery, seconds=(20, 10), until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 4)
    assert journal.figures().promised == 0


class Broken:
    """A journal that has a fault of its own over every message but not over its verdict."""

    def __init__(self, journal, fault):
        self._journal = journal
        self._fault = fault

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def recall(self, *_arguments, **_more):
        raise self._fault


@pytest.mark.parametrize("fault", [ValueError("canary"), RuntimeError("canary"), AssertionError()])
def test_a_fault_of_ours_over_a_message_delivers_it_as_it_is(journal, nursery, tmp_path, fault, capfd):
    journal.take_in([incoming(tmp_path, 1)])
    calls = run(
        Broken(journal, fault), nursery, seconds=(20, 10),
        until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 1,
    )  # fmt: skip
    assert [call.why for call in calls] == [Why.JUDGE_ERROR]
    assert journal.figures().waiting == 0
    assert "canary" not in "".join(capfd.readouterr())


def test_a_database_that_is_away_defeats_no_message(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, 1)])
    away = Broken(journal, StoreUnavailable("away"))
    failed = threading.Event()
    away.claim = lambda **more: (failed.set(), journal.claim(**more))[1] if not failed.is_set() else ()
    assert run(away, nursery, seconds=(20, 10), until=failed.is_set) == []
    assert journal.figures().waiting == 1
    assert journal.figures().queued[Purpose.DELIVERY] == 0


def test_stopping_does_not_wait_for_a_judge_that_hangs(journal, nursery, tmp_path):
    loop = JudgeLoop(journal, nursery, owner="test", page=print, outbox_filled=lambda: None, seconds=(60, 60))
    loop.start()
    for driver in loop._drivers:
        os.kill(driver.judge._pid, signal.SIGSTOP)
    journal.take_in([incoming(tmp_path, number) for number in range(9)])
    loop.wake()
    wait_until(lambda: all(driver.busy_since is not None for driver in tuple(loop._drivers)[:2]))
    began = time.monotonic()
    loop.close()
    assert time.monotonic() - began < CLOSE_SECONDS + 2
    figures = journal.figures()
    assert figures.waiting + figures.queued.get(Purpose.DELIVERY, 0) >= 9
    assert not any(driver.thread.is_alive() for driver in loop._drivers)


def test_messages_behind_many_that_freeze_judges_wait_two_seconds_at_most(journal, nursery, tmp_path):
    frozen = set()

    def freeze():
        while len(frozen) < SPARE_JUDGES + 1 and not stopping.wait(0.002):
            for judge in [driver.judge for driver in tuple(loop._drivers) if driver.judge is not None]:
                if judge._pid not in frozen and len(frozen) < SPARE_JUDGES + 1:
                    os.kill(judge._pid, signal.SIGSTOP)
                    frozen.add(judge._pid)

    stopping = threading.Event()
    loop = JudgeLoop(journal, nursery, owner="test", page=print, outbox_filled=lambda: None, seconds=(60, 60))
    freezing = threading.Thread(target=freeze)
    loop.start()
    freezing.start()
    wait_until(lambda: len(frozen) == nursery.equipment.settings.judges)
    journal.take_in([incoming(tmp_path, number) for number in range(SPARE_JUDGES + 2)])
    loop.wake()
    began = time.monotonic()
    try:
        wait_until(lambda: journal.figures().queued.get(Purpose.DELIVERY) == 1, seconds=60)
        # two seconds on a machine of our own; tests share theirs, and what is frozen stays so for a minute
        assert time.monotonic() - began < 15.0
    finally:
        stopping.set()
        freezing.join()
        loop.close()


def test_judges_come_back_when_the_nursery_in_hand_was_closed(journal, nursery, tmp_path):
    old = Nursery(nursery.equipment)
    old.close()
    loop = JudgeLoop(journal, old, owner="test", page=print, outbox_filled=lambda: None)
    starting = threading.Thread(target=loop.start)
    starting.start()
    loop.equip(nursery)
    starting.join()
    journal.take_in([incoming(tmp_path, 1)])
    loop.wake()
    try:
        wait_until(lambda: journal.figures().queued.get(Purpose.DELIVERY) == 1)
    finally:
        loop.close()


def test_stopping_does_not_wait_for_judges_that_cannot_be_born(journal, nursery):
    dead = Nursery(nursery.equipment)
    dead.close()
    loop = JudgeLoop(journal, dead, owner="test", page=print, outbox_filled=lambda: None)
    threading.Thread(target=loop.start, daemon=True).start()
    wait_until(lambda: len(loop._drivers) == 2)
    began = time.monotonic()
    loop.close()
    assert time.monotonic() - began < CLOSE_SECONDS + 2


def test_an_emergency_that_dns_keeps_open_calls_at_once_and_for_one_cause(journal, nursery, tmp_path):
    (arrival,) = journal.take_in(
        [incoming(tmp_path, 1, "Emergency disclosure request: there is an imminent threat to life.")]
    )
    judged = []

    def twice():
        if journal.figures().queued.get(Purpose.DELIVERY) == 1 and not judged:
            judged.append(journal.postpone(arrival, until=datetime.now(UTC), tries=6))
        return journal.figures().waiting == 0

    calls = run(journal, nursery, seconds=(20, 10), until=twice)
    assert {call.cause for call in calls} == {f"arrival {arrival} unproved"}
    assert journal.figures().queued[Purpose.DELIVERY] == 1
