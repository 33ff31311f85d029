"""How verdicts come to be committed: several at a time, and at once where somebody is woken."""

import threading
from dataclasses import replace

import pytest
from journal_samples import ASKER, MAILBOX, NOW, outcome
from ports import wait_until

from gateway.model.message import Arrival, Envelope
from gateway.model.settings import Receipts
from gateway.service.committing import MAX_SHARING, Committer, Judged
from gateway.store.journal import Claim
from gateway.store.verdicts import Recorded


class Written:
    def __init__(self, judgement):
        self.recorded = Recorded(judgement.outcome)

    def outcome(self):
        return self.recorded


class Book:
    """Remembers what was recorded together."""

    def __init__(self):
        self.batches = []

    def record(self, judgements, **_):
        self.batches.append([one.arrival_id for one in judgements])
        return [Written(one) for one in judgements]


def judged(number, *, page=False):
    arrival = Arrival(number, MAILBOX, NOW, Envelope(ASKER, (MAILBOX,)), b"", "")
    made = outcome(number)
    return Judged(Claim(arrival, 1), replace(made, verdict=replace(made.verdict, page=page)), Receipts(), 0.0)


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def committer(book):
    """One whose judges never come to an end."""
    working = Committer(
        book,
        page=lambda _: None,
        outbox_filled=lambda: None,
        courier=None,
        more=lambda: True,
        done=lambda _: None,
        failed=lambda *_: None,
    )
    yield working
    working.close(10)


def test_what_comes_while_judges_are_at_work_shares_a_commit(book, committer):
    for number in range(MAX_SHARING):
        committer.commit(judged(number))
    committer.start()
    wait_until(lambda: book.batches)
    assert book.batches == [list(range(MAX_SHARING))]


def test_what_somebody_is_woken_for_waits_for_no_other(book, committer):
    for number in (1, 2):
        committer.commit(judged(number))
    committer.commit(judged(3, page=True))
    committer.commit(judged(4))
    committer.start()
    wait_until(lambda: book.batches)
    assert book.batches[0] == [1, 2, 3]


def test_what_waits_is_committed_before_the_end(book, committer):
    committer.commit(judged(1))
    committer.start()
    committer.close(10)
    assert book.batches == [[1]]
    assert not any(one.name == "verdicts" for one in threading.enumerate())
