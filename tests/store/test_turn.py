"""Turns at writing, between processes: one at a time, in the order of asking, and none is kept by who was killed."""

import subprocess
import sys
import threading

import pytest
from ports import wait_until

from gateway.errors import StoreUnavailable
from gateway.store.turn import Turn

OTHER = """
import sys
from gateway.store.turn import Turn
with Turn(sys.argv[1]).taken():
    print("has it", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path):
    return str(tmp_path / "gateway.db")


@pytest.fixture
def turn(database):
    made = Turn(database)
    yield made
    made.close()


@pytest.fixture
def other(database):
    command = [sys.executable, "-c", OTHER, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_killed_process_gives_its_turn_back(turn, other):
    assert other.stdout.readline() == "has it\n"
    had = threading.Event()

    def take():
        with turn.taken():
            had.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not had.wait(0.2)
    other.kill()
    assert had.wait(10)
    waiting.join()


def test_a_busy_process_cannot_take_turn_after_turn(turn, other):
    with turn.taken():
        wait_until(turn.wanted, what="the other process to ask")
    had = threading.Event()

    def take():
        with turn.taken():
            had.set()

    again = threading.Thread(target=take)
    again.start()
    assert other.stdout.readline() == "has it\n"
    assert not had.is_set()
    other.communicate("")
    assert had.wait(10)
    again.join()


def test_nobody_wants_what_nobody_waits_for(turn):
    with turn.taken():
        assert not turn.wanted()


def test_a_lock_file_that_cannot_be_made_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable, match="lock file"), Turn(str(tmp_path / "none" / "gateway.db")).taken():
        pass
