"""Judges can be killed, and what they answer is believed only if it is an answer."""

import os
import signal
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ports import wait_until

from gateway.errors import JudgeDefeated
from gateway.model.message import Arrival, Envelope
from gateway.model.outcome import Facts
from gateway.model.verdict import Disposition, Reason
from gateway.service.judges import Judge
from gateway.service.wire import receive, send

CONTENT = (
    b"From: a@b.example\r\nTo: 247cp@institution.gov.example\r\nSubject: hello\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
    b"Message-ID: <1@b.example>\r\n\r\nGood morning.\r\n"
)
ARRIVAL = Arrival(
    id=1,
    mailbox="247cp@institution.gov.example",
    received_at=datetime(2026, 11, 21, 20, 0, tzinfo=UTC),
    envelope=Envelope(mail_from="a@b.example", rcpt_tos=("247cp@institution.gov.example",), peer="192.0.2.1"),
    content=CONTENT,
    sha256="",
)
FACTS = Facts(reference="247CP-2026-000001-AAAA", final=True)


@pytest.fixture
def judge(nursery):
    one = Judge(nursery)
    yield one
    one.kill()


def pid_of(judge):
    return judge._pid


def test_a_judge_answers_one_message_after_the_other(judge):
    for number in range(3):
        outcome = judge.judge(replace(ARRIVAL, id=number), FACTS, seconds=30)
        assert outcome.verdict.disposition is Disposition.HOLD
        assert outcome.verdict.reasons[0] is Reason.DNS
        assert outcome.prepend.startswith(b"Received: ")


def test_a_large_message_reaches_the_judge_whole(judge):
    large = CONTENT + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 150_000
    assert judge.judge(replace(ARRIVAL, content=large), FACTS, seconds=30).request_key


def test_a_judge_out_of_time_is_dead(nursery):
    judge = Judge(nursery)
    pid = pid_of(judge)
    with pytest.raises(JudgeDefeated, match="no answer within"):
        judge.judge(ARRIVAL, FACTS, seconds=0.0005)
    wait_until(lambda: not alive(pid), what="the end of the judge")


def test_a_judge_that_dies_over_a_message_defeats_only_itself(nursery):
    judge = Judge(nursery)
    os.kill(pid_of(judge), signal.SIGKILL)
    with pytest.raises(JudgeDefeated):
        judge.judge(ARRIVAL, FACTS, seconds=30)
    fresh = Judge(nursery)
    assert fresh.judge(ARRIVAL, FACTS, seconds=30).verdict.results
    fresh.kill()


def test_killing_twice_is_harmless(nursery):
    judge = Judge(nursery)
    judge.kill()
    judge.kill()


def test_the_same_bytes_give_the_same_verdict(judge):
    first, second = (judge.assess(ARRIVAL, FACTS, seconds=30) for _ in range(2))
    assert first == second


def alive(pid):
    """Whether the process runs; a dead one that nobody has waited for yet is dead."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_judge_that_answers_nonsense_is_gone(nursery):
    ours, theirs = socket.socketpair()
    judge = Judge(nursery)
    pid, link, judge._link = pid_of(judge), judge._link, ours
    link.close()
    liar = threading.Thread(target=lambda: (receive(theirs), send(theirs, b"{}", (b"",))))
    liar.start()
    with pytest.raises(JudgeDefeated, match="nonsense"):
        judge.judge(ARRIVAL, FACTS, seconds=30)
    liar.join()
    theirs.close()
    wait_until(lambda: not alive(pid), what="the end of the judge")
