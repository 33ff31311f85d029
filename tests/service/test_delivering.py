"""The courier loop: one mail in trouble holds up no other."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lmtp_stub import Manners, lmtp_stub
from ports import wait_until
from test_judging import MAILBOX, incoming, run

from gateway.model.outbox import Purpose
from gateway.model.settings import Mailbox
from gateway.service.delivering import CLOSE_SECONDS, CourierLoop


class Faulty:
    """A journal with a fault of the program over one mail."""

    def __init__(self, journal, failures):
        self.journal = journal
        self.failures = failures

    def __getattr__(self, name):
        return getattr(self.journal, name)

    def content(self, content_id):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a mistake of ours")
        return self.journal.content(content_id)


@pytest.fixture
def queued(journal, nursery, tmp_path):
    journal.take_in([incoming(tmp_path, number) for number in range(4)])
    run(journal, nursery, seconds=(20, 10), until=lambda: journal.figures().queued.get(Purpose.DELIVERY) == 4)
    return journal


def test_a_fault_over_one_mail_leaves_the_others_their_courier(queued, nursery):
    loop = CourierLoop(Faulty(queued, failures=3), nursery.equipment.settings, owner="test")
    loop.start()
    try:
        wait_until(lambda: queued.figures().sent.get(Purpose.DELIVERY) == 1)
    finally:
        loop.close()
    waiting = [line for line in queued.queue(limit=10) if line.purpose is Purpose.DELIVERY]
    assert [line.reply for line in waiting] == ["fault of the gateway: RuntimeError"] * 3
    assert all(line.due_at > datetime.now(UTC) for line in waiting)
    assert all(line.recipients == (MAILBOX,) for line in waiting)


def delivering_to(nursery, hop):
    return replace(nursery.equipment.settings, mailbox=Mailbox(deliver_to=hop.target))


def test_a_hop_that_hangs_holds_up_no_stop(queued, nursery):
    with lmtp_stub(Manners(hang_after="dot")) as hop:
        loop = CourierLoop(queued, delivering_to(nursery, hop), owner="test")
        loop.start()
        wait_until(lambda: "DATA" in hop.commands)
        began = time.monotonic()
        assert not loop.close()
        assert time.monotonic() - began < CLOSE_SECONDS + 1
        assert queued.figures().queued[Purpose.DELIVERY] == 4
    for thread in loop._threads:
        thread.join()


def test_what_a_hop_quotes_does_not_reach_the_log(queued, nursery, capfd):
    with lmtp_stub(Manners(rcpt={"*": "550 5.1.1 <somebody@elsewhere.example>: no such user"})) as hop:
        loop = CourierLoop(queued, delivering_to(nursery, hop), owner="test")
        loop.start()
        try:
            wait_until(lambda: any(line.reply for line in queued.queue(limit=10)))
        finally:
            loop.close()
    logged = "".join(capfd.readouterr())
    assert "not-delivered" in logged
    assert "550 5.1.1" in logged
    assert "somebody@elsewhere" not in logged
