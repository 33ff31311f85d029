"""Exceptions: who may grant which, that one frees one mail once, and that each step is told for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest
from journal_samples import (
    ASKER,
    MAILBOX,
    NOW,
    SUBMITTED,
    answer_mail,
    case_view,
    dispatch,
    incoming,
    outcome,
    reference_of,
)
from journal_steps import record

from gateway.errors import NotPermitted
from gateway.model.channel import Act, Dispatch, Waiver
from gateway.model.hold import ChannelException, ExceptionState, Refusal
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.store.journal import Journal
from gateway.store.tables import Happening

NUMBER = "D-7K3QX2"
HOUR = timedelta(hours=1)


def refused(waiver: Waiver = Waiver.ONE, act: Act = Act.REJECT) -> Dispatch:
    made = dispatch(case_view(1), act=act, reply=f"550 5.7.1 NOT SENT: ... [{NUMBER}]")
    return replace(made, decision=replace(made.decision, number=NUMBER, waiver=waiver), sender=MAILBOX, login="officer")


def submitted(journal: Journal, made: Dispatch, content: bytes = b"Subject: a\r\n\r\n") -> None:
    journal.dispatch(made, mailbox=MAILBOX, envelope=SUBMITTED, content=content, now=NOW)


@pytest.fixture
def case(journal: Journal) -> str:
    (arrival,) = journal.take_in([incoming()])
    record(journal, arrival, outcome(1, receipts=()))
    return reference_of(1)


def granted(journal: Journal, by: str, *, uses: int = 1, life: timedelta = HOUR):
    return journal.grant(
        NUMBER.lower(),
        mailbox=MAILBOX,
        by=by,
        reason="the prosecutor asks",
        life=life,
        uses=uses,
        now=NOW,
        notice=told,
    )


def told(made: ChannelException, refusal: Refusal) -> OutMail:
    """What the mailbox hears of it."""
    content = f"Subject: {refusal.rule} {made.state(NOW).value}\r\n\r\n".encode()
    return OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), f"<{made.id}.{made.granted_by}@gw.example>", content)


def happenings(journal: Journal, reference: str) -> list[Happening]:
    file = journal.case(reference)
    assert file is not None
    return [one.happening for one in file.events]


def test_pressing_send_five_times_is_one_entry(journal: Journal, case: str) -> None:
    for _ in range(5):
        submitted(journal, refused())
    refusal = journal.refusal(MAILBOX, NUMBER)
    assert refusal is not None
    assert (refusal.times, refusal.case, refusal.sender, refusal.login) == (5, case, MAILBOX, "officer")
    assert refusal.recipients == SUBMITTED.rcpt_tos


def test_one_person_is_enough_where_the_row_says_so(journal: Journal, case: str) -> None:
    submitted(journal, refused())
    assert granted(journal, "admin").state(NOW) is ExceptionState.ACTIVE
    assert journal.waived(MAILBOX, now=NOW) == {NUMBER}
    assert journal.waived(MAILBOX, now=NOW + HOUR) == frozenset()
    assert journal.waived("other@institution.gov.example", now=NOW) == frozenset()


def test_two_people_are_two_people(journal: Journal, case: str) -> None:
    submitted(journal, refused(Waiver.TWO))
    assert granted(journal, "admin").state(NOW) is ExceptionState.PROPOSED
    assert journal.waived(MAILBOX, now=NOW) == frozenset()
    with pytest.raises(NotPermitted, match="a second person"):
        granted(journal, "admin")
    assert journal.waived(MAILBOX, now=NOW) == frozenset()
    made = granted(journal, "second")
    assert (made.proposed_by, made.granted_by, made.state(NOW)) == ("admin", "second", ExceptionState.ACTIVE)
    assert journal.waived(MAILBOX, now=NOW) == {NUMBER}


def test_who_wrote_the_mail_permits_nothing(journal: Journal, case: str) -> None:
    submitted(journal, refused(Waiver.TWO))
    with pytest.raises(NotPermitted, match="another person"):
        granted(journal, "officer")
    granted(journal, "admin")
    with pytest.raises(NotPermitted, match="another person"):
        granted(journal, "officer")


def test_nobody_sends_by_his_own_permission(journal: Journal, case: str) -> None:
    submitted(journal, refused(Waiver.TWO))
    granted(journal, "admin")
    granted(journal, "second")
    for login in ("admin", "second@institution.gov.example"):
        assert journal.waived(MAILBOX, now=NOW, login=login) == frozenset()
    assert journal.waived(MAILBOX, now=NOW, login="officer") == {NUMBER}


@pytest.mark.parametrize("login", ["Officer", "officer@institution.gov.example"])
def test_a_login_is_the_same_person_however_the_server_writes_it(journal: Journal, case: str, login: str) -> None:
    submitted(journal, replace(refused(), login=login))
    with pytest.raises(NotPermitted, match="another person"):
        granted(journal, "officer")


def test_the_mailbox_is_told_of_each_word(journal: Journal, case: str) -> None:
    submitted(journal, refused(Waiver.TWO))
    granted(journal, "admin")
    granted(journal, "second")
    assert journal.figures().queued[Purpose.NOTICE] == 2


AGAIN = OutMail(Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,), "<again@gw.example>", b"Subject: again\r\n\r\n")


@pytest.mark.parametrize(
    ("seconds", "notices"), [((0, 30, 59), 0), ((0, 61), 1), ((0, 30, 61, 300, 9000), 1), ((0, 5, 65, 66), 1)]
)
def test_a_refused_mail_that_comes_again_by_itself_is_told_of_once(
    journal: Journal, case: str, seconds: tuple[int, ...], notices: int
) -> None:
    made = replace(refused(), again=AGAIN)
    for one in seconds:
        journal.dispatch(made, mailbox=MAILBOX, envelope=SUBMITTED, content=b"a\r\n", now=NOW + timedelta(seconds=one))
    assert journal.figures().queued[Purpose.NOTICE] == notices


def test_another_mail_that_is_refused_is_not_the_same_again(journal: Journal, case: str) -> None:
    for number in range(3):
        made = replace(refused(), again=AGAIN, message_id=f"<{number}@laptop.example>")
        at = NOW + timedelta(minutes=number * 5)
        journal.dispatch(made, mailbox=MAILBOX, envelope=SUBMITTED, content=b"a\r\n", now=at)
    assert journal.figures().queued[Purpose.NOTICE] == 0


def test_what_nobody_may_waive_stays_refused(journal: Journal, case: str) -> None:
    submitted(journal, refused(Waiver.NOBODY))
    with pytest.raises(NotPermitted, match="nobody may waive"):
        granted(journal, "admin")


def test_a_number_nobody_was_given_frees_nothing(journal: Journal) -> None:
    with pytest.raises(NotPermitted, match="no officer was given"):
        granted(journal, "admin")


@pytest.mark.parametrize("life", [timedelta(0), timedelta(hours=-1), timedelta(hours=24, seconds=1)])
def test_an_exception_lives_a_day_at_most(journal: Journal, case: str, life: timedelta) -> None:
    submitted(journal, refused())
    with pytest.raises(NotPermitted, match="24 hours"):
        granted(journal, "admin", life=life)


def test_an_exception_is_used_once(journal: Journal, case: str) -> None:
    submitted(journal, refused())
    granted(journal, "admin")
    passing = dispatch(case_view(1), answer_mail())
    passing = replace(passing, decision=replace(passing.decision, waived=(NUMBER,)))
    submitted(journal, passing)
    assert journal.waived(MAILBOX, now=NOW) == frozenset()
    assert journal.exceptions(limit=1)[0].state(NOW) is ExceptionState.USED
    with pytest.raises(NotPermitted, match="used up"):
        submitted(journal, passing, b"Subject: another\r\n\r\n")
    assert journal.figures().dispatched == 1
    assert happenings(journal, case)[1:] == [
        Happening.DECIDED,
        Happening.EXCEPTION_PROPOSED,
        Happening.EXCEPTION_GRANTED,
        Happening.EXCEPTION_USED,
        Happening.DECIDED,
    ]


def test_a_revoked_exception_frees_nothing(journal: Journal, case: str) -> None:
    submitted(journal, refused())
    granted(journal, "admin")
    assert journal.revoke(NUMBER.lower(), mailbox=MAILBOX, by="second", now=NOW) == 1
    assert journal.revoke(NUMBER, mailbox=MAILBOX, by="second", now=NOW) == 0
    assert journal.waived(MAILBOX, now=NOW) == frozenset()
    assert happenings(journal, case)[-1] is Happening.EXCEPTION_REVOKED


def test_a_refusal_names_its_recipients_to_who_grants(journal: Journal, case: str) -> None:
    submitted(journal, refused())
    refusal = journal.refusal(MAILBOX, NUMBER.lower())
    assert refusal is not None
    assert ASKER in refusal.recipients
