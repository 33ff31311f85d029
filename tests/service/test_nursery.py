"""The nursery is not what the gateway's life hangs on."""

import os
import signal
import subprocess
import sys

import pytest
from ports import wait_until
from test_judges import ARRIVAL, FACTS

from gateway.errors import JudgeDefeated
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery


@pytest.fixture
def mortal(nursery):
    """A nursery of one test's own."""
    made = Nursery(nursery.equipment)
    yield made
    made.close()


def test_a_nursery_that_died_is_started_again(mortal, capfd):
    os.kill(mortal._process.pid, signal.SIGKILL)
    judge = Judge(mortal)
    try:
        assert judge.judge(ARRIVAL, FACTS, seconds=30).verdict.results
    finally:
        judge.kill()


def test_judges_outlive_their_nursery(mortal):
    judge = Judge(mortal)
    os.kill(mortal._process.pid, signal.SIGKILL)
    wait_until(lambda: mortal._process.poll() is not None, what="the end of the nursery")
    try:
        assert judge.judge(ARRIVAL, FACTS, seconds=30).verdict.results
    finally:
        judge.kill()


def test_a_closed_nursery_gives_no_judge(nursery):
    closed = Nursery(nursery.equipment)
    closed.close()
    with pytest.raises(JudgeDefeated, match="closed"):
        Judge(closed)


def test_closing_twice_is_harmless(nursery):
    closed = Nursery(nursery.equipment)
    closed.close()
    closed.close()


def test_judges_do_not_even_load_what_speaks_with_a_database():
    rooms = "gateway.service.nursery, gateway.service.judge_child, gateway.service.tools"
    names = "sorted({'sqlalchemy', 'alembic', 'aiosmtpd', 'gateway.store'} & set(sys.modules))"
    command = [sys.executable, "-c", f"import sys, {rooms}; print({names})"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
