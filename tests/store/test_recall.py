"""Which cases the journal remembers for a message, and how a case grows."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
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
from journal_steps import claim, record

from gateway.model.case import CaseState, CaseView
from gateway.model.message import Arrival, ThreadKeys
from gateway.model.trust import Protection, SigLevel, TlsLevel
from gateway.model.verdict import Category
from gateway.store.cases import ATTENTION, CATEGORIES, MAX_CANDIDATES, joined
from gateway.store.journal import Journal

OTHER_MAILBOX = "247cp@other.gov.example"


def opened(journal: Journal, number: int, **fields: object) -> Arrival:
    """A case as an arrival opened it."""
    journal.take_in([incoming()])
    arrival = journal.claim(limit=1, owner="judge", now=NOW, lease=timedelta(days=1))[0].arrival
    record(journal, arrival.id, outcome(number, case=case_view(number, **fields)), per_contact=99, all_=99)
    return arrival


def found(journal: Journal, keys: ThreadKeys, mailbox: str = MAILBOX, **more: object) -> list[str]:
    recall = journal.recall(keys, mailbox=mailbox, request_key=None, **more)  # type: ignore[arg-type]
    return [one.reference for one in recall.candidates]


def test_any_id_of_a_thread_names_its_case(journal: Journal) -> None:
    opened(journal, 1)
    opened(journal, 2)
    request, receipt = "<request-1@police.gov.b.example>", "<rcpt.1@gw.institution.gov.example>"
    for keys in (
        ThreadKeys(in_reply_to=(request,)),
        ThreadKeys(references=("<unknown@x.example>", receipt)),
        ThreadKeys(message_id=request),
    ):
        assert found(journal, keys) == [reference_of(1)]
    assert found(journal, ThreadKeys(in_reply_to=("<REQUEST-1@police.gov.b.example>",))) == []
    assert found(journal, ThreadKeys()) == []


def test_ids_of_two_cases_name_both(journal: Journal) -> None:
    opened(journal, 1)
    opened(journal, 2, opened_at=NOW + timedelta(hours=1))
    keys = ThreadKeys(in_reply_to=("<request-1@police.gov.b.example>",), tags=(reference_of(2),))
    assert found(journal, keys) == [reference_of(2), reference_of(1)]


def test_a_conversation_index_names_its_case(journal: Journal) -> None:
    opened(journal, 1, thread_indexes=("01d9" * 11,))
    assert found(journal, ThreadKeys(thread_index="01d9" * 11)) == [reference_of(1)]
    assert found(journal, ThreadKeys(in_reply_to=("01d9" * 11,))) == []


def test_recipients_name_the_cases_they_opened_that_are_not_closed(journal: Journal) -> None:
    opened(journal, 1, origin="247CP@police.gov.b.example")
    opened(journal, 2, opened_at=NOW + timedelta(hours=1))
    opened(journal, 3, state=CaseState.CLOSED)
    opened(journal, 4, origin="stranger@x.example")
    opened(journal, 5, origin=None)
    assert found(journal, ThreadKeys(), recipients=("247cp@police.gov.b.example", "z@x.example")) == [
        reference_of(2),
        reference_of(1),
    ]
    assert found(journal, ThreadKeys()) == []


def test_no_mailbox_sees_the_cases_of_another(journal: Journal) -> None:
    opened(journal, 1)
    keys = ThreadKeys(in_reply_to=("<request-1@police.gov.b.example>",), tags=(reference_of(1),))
    assert found(journal, keys, mailbox=OTHER_MAILBOX, recipients=(ASKER,)) == []


def test_candidates_are_bounded_whatever_a_message_names(journal: Journal) -> None:
    for number in range(1, MAX_CANDIDATES + 10):
        opened(journal, number)
    assert len(found(journal, ThreadKeys(), recipients=(ASKER,))) == MAX_CANDIDATES
    everything = ThreadKeys(references=tuple(f"<{one}@x.example>" for one in range(5000)))
    assert found(journal, everything) == []


def test_an_arrival_is_no_repeat_of_itself(journal: Journal) -> None:
    arrival = opened(journal, 1)
    own = ThreadKeys(message_id="<request-1@police.gov.b.example>")
    itself = journal.recall(own, mailbox=MAILBOX, request_key="key 1", arrival=arrival)
    assert (itself.repeat_of, itself.candidates) == (None, ())
    again = journal.recall(own, mailbox=MAILBOX, request_key="key 1", arrival=replace(arrival, id=arrival.id + 1))
    assert again.repeat_of == reference_of(1)
    assert [one.reference for one in again.candidates] == [reference_of(1)]


def test_an_answer_judged_beside_its_request_is_judged_again_knowing_it(journal: Journal) -> None:
    journal.take_in([incoming(), incoming()])
    request, reminder = (one.arrival for one in claim(journal))
    asked = case_view(1)
    record(journal, request.id, outcome(1, case=asked))
    keys = ThreadKeys(message_id="<reminder@police.gov.b.example>", in_reply_to=asked.thread)
    alone = outcome(2, case=case_view(2))
    assert record(journal, reminder.id, alone, keys=keys).again
    assert found(journal, keys) == [reference_of(1)]
    (again,) = claim(journal)
    assert (again.arrival.id, again.tries) == (reminder.id, 2)
    assert not record(journal, reminder.id, alone, keys=keys).again, "it is judged anew once"


def test_a_mail_of_a_known_thread_may_open_a_case_of_its_own(journal: Journal) -> None:
    opened(journal, 1)
    journal.take_in([incoming()])
    (stranger,) = claim(journal)
    keys = ThreadKeys(in_reply_to=case_view(1).thread)
    known = frozenset(found(journal, keys))
    assert not record(journal, stranger.arrival.id, outcome(2), keys=keys, known=known).again


def test_a_case_comes_back_as_it_was_kept(journal: Journal) -> None:
    whole = {
        "urgent": True,
        "floor": Protection(sig=SigLevel.OPENPGP, enc=True, tls=TlsLevel.TLS),
        "thread": ("<a@x.example>", "<b@x.example>"),
        "thread_indexes": ("ab" * 22,),
        "request_id": "<a@x.example>",
        "references": ("<z@x.example>",),
        "reply_to": "other@police.gov.b.example",
        "reply_to_proved": True,
        "language": "fr",
    }
    opened(journal, 1, **whole)
    (view,) = journal.recall(ThreadKeys(tags=(reference_of(1),)), mailbox=MAILBOX, request_key=None).candidates
    assert view == replace(case_view(1, **whole), thread=(*whole["thread"], "<rcpt.1@gw.institution.gov.example>"))  # type: ignore[misc]


def test_a_follow_up_raises_the_case_and_never_lowers_it(journal: Journal) -> None:
    sealed = Protection(sig=SigLevel.OPENPGP, enc=True)
    opened(journal, 1, floor=sealed, category=Category.OTHER)
    journal.take_in([incoming(), incoming()])
    for follow_up, category in zip(
        journal.claim(limit=2, owner="judge", now=NOW, lease=timedelta(days=1)),
        (Category.EMERGENCY, Category.PRESERVATION),
        strict=True,
    ):
        plain = case_view(1, floor=Protection(), category=category, thread=(f"<{follow_up.arrival.id}@x.example>",))
        judged = outcome(90 + follow_up.arrival.id, case=plain, opens=False, receipts=())
        record(journal, follow_up.arrival.id, judged, per_contact=99, all_=99)
    (view,) = journal.cases(limit=5)
    assert (view.category, view.floor, view.opened_at) == (Category.EMERGENCY, sealed, NOW)
    assert len(view.thread) == 4
    counts = {key: value for key, value in journal.figures().cases.items() if value}
    assert counts == {(Category.EMERGENCY, CaseState.OPEN): 1}
    assert len(journal.case(reference_of(1)).arrivals) == 3  # type: ignore[union-attr]


def test_an_old_view_does_not_hide_a_failed_answer(journal: Journal) -> None:
    opened(journal, 1, state=CaseState.ANSWER_FAILED)
    journal.take_in([incoming()])
    (late,) = journal.claim(limit=1, owner="judge", now=NOW, lease=timedelta(days=1))
    stale = outcome(7, case=case_view(1, state=CaseState.ANSWERED), opens=False, receipts=())
    record(journal, late.arrival.id, stale, per_contact=99, all_=99)
    assert journal.cases(limit=1)[0].state is CaseState.ANSWER_FAILED
    answered = dispatch(case_view(1, state=CaseState.ANSWERED), answer_mail())
    journal.dispatch(answered, mailbox=MAILBOX, envelope=SUBMITTED, content=b"x", now=NOW)
    assert journal.cases(limit=1)[0].state is CaseState.ANSWERED


words = st.none() | st.sampled_from(["a@x.example", "b@x.example"])
views = st.builds(
    CaseView,
    reference=st.just(reference_of(1)),
    mailbox=st.just(MAILBOX),
    opened_at=st.just(NOW),
    category=st.sampled_from(Category),
    urgent=st.booleans(),
    state=st.sampled_from(CaseState),
    contact=words,
    origin=words,
    floor=st.builds(Protection, sig=st.sampled_from(SigLevel), enc=st.booleans(), tls=st.sampled_from(TlsLevel)),
    thread=st.lists(st.sampled_from(["<1>", "<2>", "<3>"]), unique=True).map(tuple),
    reply_to=words,
    reply_to_proved=st.booleans(),
)


@settings(max_examples=200, deadline=None, database=None)
@given(views, views)
def test_joining_never_lowers_and_never_moves_the_channel(stored: CaseView, view: CaseView) -> None:
    after = joined(stored, view)
    assert after.floor.reaches(stored.floor)
    assert after.floor.reaches(view.floor)
    assert CATEGORIES.index(after.category) <= min(CATEGORIES.index(stored.category), CATEGORIES.index(view.category))
    assert ATTENTION.index(after.state) <= min(ATTENTION.index(stored.state), ATTENTION.index(view.state))
    assert set(after.thread) == {*stored.thread, *view.thread}
    assert after.urgent == (stored.urgent or view.urgent)
    for name in ("contact", "origin", "reply_to"):
        assert getattr(after, name) == (getattr(stored, name) or getattr(view, name))
    if after.reply_to_proved:
        assert (
            (stored.reply_to_proved and stored.reply_to == after.reply_to)
            or (view.reply_to_proved and view.reply_to == after.reply_to)
            or after.reply_to is None
            or stored.reply_to_proved
        )
    assert joined(after, view) == after


@settings(max_examples=100, deadline=None, database=None)
@given(views, views, views)
def test_the_order_of_joining_decides_nothing_that_protects(stored: CaseView, one: CaseView, two: CaseView) -> None:
    first, second = joined(joined(stored, one), two), joined(joined(stored, two), one)
    assert (first.floor, first.category, first.urgent, first.state) == (
        second.floor,
        second.category,
        second.urgent,
        second.state,
    )
    assert set(first.thread) == set(second.thread)
