"""What hops took is written down: together where it came together, and nothing of it waits for a fault over another."""

import threading
from datetime import UTC, datetime

import pytest
from ports import wait_until

from gateway.errors import StoreUnavailable
from gateway.service.settling import Settling
from gateway.store.outbox import Sent

NOW = datetime(2026, 5, 4, tzinfo=UTC)


class Book:
    """A journal that keeps what it is told, and has a fault over some of it."""

    def __init__(self, *, fault=None, over=frozenset()):
        self.written, self.tries = [], []
        self.fault, self.over = fault or RuntimeError("canary"), over
        self.go_on = threading.Event()
        self.go_on.set()

    def settle_sent(self, mails):
        self.go_on.wait(10)
        self.tries.append(len(mails))
        if self.over & {one.row_id for one in mails}:
            raise self.fault
        self.written += [one.row_id for one in mails]


def settling(book):
    made = Settling(book)
    made.start()
    return made


def add(settling, *numbers):
    for number in numbers:
        settling.add(Sent(number, "250 ok", NOW))


def test_what_comes_while_others_are_written_down_is_written_down_together():
    book = Book()
    book.go_on.clear()
    one = settling(book)
    add(one, 1)
    wait_until(one._waiting.empty, what="the first to be taken")
    add(one, *range(2, 9))
    book.go_on.set()
    assert one.close(10)
    assert sorted(book.written) == list(range(1, 9))
    assert len(book.tries) <= 3


def test_a_fault_over_one_leaves_the_others_written_down(capfd):
    book = Book(over={2})
    one = settling(book)
    add(one, 1, 2, 3)
    assert one.close(10)
    assert book.written == [1, 3]
    logged = "".join(capfd.readouterr())
    assert logged.count("not-settled") == 1
    assert "canary" not in logged


def test_a_database_that_is_away_is_told_for_each(capfd):
    one = settling(Book(fault=StoreUnavailable("away"), over={1, 2}))
    add(one, 1, 2)
    assert one.close(10)
    assert "".join(capfd.readouterr()).count("not-settled") == 2


def test_what_is_sent_after_the_end_is_written_down_at_once():
    book = Book()
    one = settling(book)
    assert one.close(10)
    add(one, 7)
    assert book.written == [7]


@pytest.mark.parametrize("started", [True, False])
def test_nothing_to_write_ends_at_once(started):
    one = Settling(Book())
    if started:
        one.start()
    assert one.close(10)
