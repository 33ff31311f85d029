"""An officer hears 250 only for what is queued, a refusal only from the table, and 451 for everything that is our fault."""

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from ports import wait_until
from test_judges import alive

from gateway.errors import JudgeDefeated, StoreUnavailable
from gateway.model.channel import Act, Decision, Dispatch
from gateway.model.message import Envelope
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.service.answering import Answering, _sound
from gateway.service.nursery import Nursery
from gateway.store.journal import open_journal

MAILBOX = "247cp@institution.gov.example"
COLLEAGUE = "prosecutor@institution.gov.example"
STRANGER = "x@gmail.example"
NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path):
    opened = open_journal(f"sqlite:{tmp_path}/gateway.db", upgrade=True)
    yield opened
    opened.close()


@pytest.fixture
def answering(journal, nursery):
    made = Answering(journal, nursery, outbox_filled=lambda: None)
    yield made
    made.close()


def submit(answering, to, *, number=1):
    content = (
        f"From: {MAILBOX}\r\nTo: {to}\r\nSubject: hello\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
        f"Message-ID: <{number}@laptop.example>\r\n\r\nGood morning.\r\n"
    ).encode()
    return answering.answer(Envelope(mail_from=MAILBOX, rcpt_tos=(to,), peer="127.0.0.1"), content)


def test_what_may_leave_is_queued_before_its_250(answering, journal):
    assert submit(answering, COLLEAGUE) == "250 2.0.0 Ok: queued"
    assert journal.figures().queued[Purpose.ANSWER] == 1


def test_what_may_not_is_refused_word_for_word_and_not_queued(answering, journal):
    assert submit(answering, STRANGER).startswith("550 5.7.1 NOT SENT: x@gmail.example is not in the contact-point")
    assert journal.figures().queued[Purpose.ANSWER] == 0


def test_one_judge_decides_one_mail_after_the_other(answering):
    for number in range(3):
        submit(answering, STRANGER, number=number)
    assert len(answering._idle) == 1


def test_a_judge_that_died_while_idle_costs_nobody_a_451(answering):
    submit(answering, STRANGER)
    (judge,) = answering._idle
    os.kill(judge._pid, signal.SIGKILL)
    wait_until(lambda: not alive(judge._pid), what="the end of the judge")
    assert submit(answering, STRANGER).startswith("550 ")


def test_judges_of_old_rules_decide_no_more(answering, nursery):
    submit(answering, STRANGER)
    (old,) = answering._idle
    fresh = Nursery(nursery.equipment)
    try:
        answering.equip(fresh)
        submit(answering, STRANGER)
        assert [judge.nursery for judge in answering._idle] == [fresh]
        wait_until(lambda: not alive(old._pid), what="the end of the judge")
    finally:
        fresh.close()


def test_without_judges_it_is_451(journal, nursery, capfd):
    dead = Nursery(nursery.equipment)
    dead.close()
    answering = Answering(journal, dead, outbox_filled=lambda: None)
    assert submit(answering, COLLEAGUE).startswith("451 4.3.0 NOT SENT: ")
    assert journal.figures().queued[Purpose.ANSWER] == 0
    answering.close()


class Away:
    """A journal that fails where it is told to."""

    def __init__(self, journal, *names):
        self._journal = journal
        self._names = names

    def __getattr__(self, name):
        if name not in self._names:
            return getattr(self._journal, name)

        def fail(*_arguments, **_more):
            raise StoreUnavailable("away")

        return fail


@pytest.mark.parametrize("name", ["recall", "dispatch"])
def test_without_the_database_it_is_451_and_no_judge_is_lost(journal, nursery, name, capfd):
    answering = Answering(Away(journal, name), nursery, outbox_filled=lambda: None)
    for number in range(3):
        assert submit(answering, COLLEAGUE, number=number).startswith("451 4.3.0 ")
    assert len(answering._idle) <= 1
    assert not answering._busy
    answering.close()


class UsedUp:
    """A journal in which somebody revokes the exception between the decision and its commit."""

    def __init__(self, journal, number):
        self._journal = journal
        self._number = number

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def dispatch(self, *arguments, **more):
        self._journal.revoke(self._number, mailbox=MAILBOX, by="second", now=datetime.now(UTC))
        return self._journal.dispatch(*arguments, **more)


def granted(journal, number):
    told = OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), f"<{number}@gw.example>", b"Subject: granted\r\n\r\n")
    journal.grant(
        number,
        mailbox=MAILBOX,
        by="admin",
        reason="a test",
        life=timedelta(hours=1),
        uses=1,
        now=datetime.now(UTC),
        notice=lambda *_: told,
    )


def test_an_exception_that_ends_before_its_commit_is_451_and_a_refusal_the_next_time(journal, nursery, capfd):
    first = Answering(journal, nursery, outbox_filled=lambda: None)
    refusal = submit(first, STRANGER)
    number = refusal.rpartition("[")[2].rstrip("]")
    granted(journal, number)
    answering = Answering(UsedUp(journal, number), nursery, outbox_filled=lambda: None)
    assert submit(answering, STRANGER).startswith("451 4.3.0 NOT SENT: ")
    assert journal.figures().queued[Purpose.ANSWER] == 0
    assert submit(first, STRANGER) == refusal
    for one in (first, answering):
        one.close()


def test_an_exception_lets_the_mail_leave_once_and_the_mailbox_reads_of_it(answering, journal):
    refusal = submit(answering, STRANGER)
    granted(journal, refusal.rpartition("[")[2].rstrip("]"))
    assert submit(answering, STRANGER) == "250 2.0.0 Ok: queued"
    assert submit(answering, STRANGER, number=2).startswith("550 5.7.1 NOT SENT: x@gmail.example is not in")
    assert (journal.figures().queued[Purpose.ANSWER], journal.figures().queued[Purpose.NOTICE]) == (1, 2)


def test_a_judge_that_hangs_holds_up_no_stop(answering, capfd):
    submit(answering, STRANGER)
    (judge,) = answering._idle
    os.kill(judge._pid, signal.SIGSTOP)
    replies = []
    waiting = threading.Thread(target=lambda: replies.append(submit(answering, COLLEAGUE)))
    waiting.start()
    wait_until(lambda: answering._busy)
    began = time.monotonic()
    answering.close()
    waiting.join()
    assert time.monotonic() - began < 2
    assert replies[0].startswith("451 4.3.0 ")


MAIL = OutMail(Purpose.ANSWER, Hop.RELAY, MAILBOX, (COLLEAGUE,), "<1@x>", b"")
TWO = Envelope(mail_from=MAILBOX, rcpt_tos=(COLLEAGUE, STRANGER))
ONE = Envelope(mail_from=MAILBOX, rcpt_tos=(COLLEAGUE,))


@pytest.mark.parametrize(
    ("act", "reply", "mails", "envelope", "sound"),
    [
        (Act.ALLOW, "", (MAIL,), ONE, True),
        (Act.ALLOW, "", (), ONE, False),
        (Act.ALLOW, "", (MAIL,), TWO, False),
        (Act.REJECT, "550 no", (), ONE, True),
        (Act.REJECT, "550 no", (MAIL,), ONE, False),
        (Act.REJECT, "", (), ONE, False),
        (Act.REJECT, "250 ok", (), ONE, False),
        (Act.DISCARD, "", (), ONE, True),
        (Act.DEFER, "451 later", (), ONE, True),
    ],
)
def test_a_250_means_that_every_recipient_has_the_mail(act, reply, mails, envelope, sound):
    dispatch = Dispatch(Decision(act=act, rule="A1", reply=reply), NOW, "<1@x>", mails)
    if sound:
        assert _sound(dispatch, envelope) is dispatch
    else:
        with pytest.raises(JudgeDefeated):
            _sound(dispatch, envelope)
