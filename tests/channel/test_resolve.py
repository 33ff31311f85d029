"""Which case a message belongs to: thread, tag, conversation, the only open case; never a choice."""

from dataclasses import replace

import pytest
from channel_world import A0, CASE, OTHER, REQUEST, REQUEST_ID, SECOND, SECRET, STRANGER

from gateway.channel.resolve import address_key, resolve
from gateway.model.case import CaseState, make_reference
from gateway.model.channel import Resolution
from gateway.model.message import ThreadKeys

OTHER_CASE = replace(
    REQUEST, reference=SECOND, origin=STRANGER, thread=("<second@x.example>",), thread_indexes=("02" * 22,)
)
SAME_ORIGIN = replace(OTHER_CASE, origin=A0)
BOTH = (REQUEST, OTHER_CASE)


def resolved(keys=None, cases=BOTH, recipients=(A0,)):
    return resolve(keys or ThreadKeys(), cases, recipients=recipients, secret=SECRET)


def test_in_reply_to_names_the_case():
    assert resolved(ThreadKeys(in_reply_to=(REQUEST_ID,))) == Resolution(case=REQUEST, by="thread")


def test_our_receipt_names_the_case():
    assert resolved(ThreadKeys(references=("<rcpt.1@gw.institution.gov.example>",))).case == REQUEST


def test_a_thread_needs_no_right_recipient():
    found = resolved(ThreadKeys(in_reply_to=(REQUEST_ID,)), recipients=(STRANGER,))
    assert (found.case, found.by) == (REQUEST, "thread")


def test_unknown_ids_name_nothing():
    assert resolved(ThreadKeys(in_reply_to=("<unknown@x.example>",)), recipients=()) == Resolution()


def test_ids_are_compared_with_case():
    assert resolved(ThreadKeys(in_reply_to=(REQUEST_ID.upper(),)), recipients=()).case is None


def test_tag_names_the_case_of_its_counterpart():
    assert resolved(ThreadKeys(tags=(CASE,))) == Resolution(case=REQUEST, by="tag")


def test_tag_is_compared_without_case():
    assert resolved(ThreadKeys(tags=(CASE.lower(),))).by == "tag"


def test_tag_with_another_recipient_binds_nothing():
    assert resolved(ThreadKeys(tags=(CASE,)), recipients=(OTHER,)) == Resolution(unbound=(CASE,))


def test_guessed_tag_hits_nothing():
    guessed = CASE[:-1] + ("0" if CASE[-1] != "0" else "1")
    assert resolved(ThreadKeys(tags=(guessed,)), recipients=(OTHER,)) == Resolution(bad_tag=True)


def test_tag_of_another_gateway_does_not_hide_the_thread():
    theirs = make_reference(b"their secret", 2026, 42)
    assert resolved(ThreadKeys(in_reply_to=(REQUEST_ID,), tags=(theirs,))) == Resolution(
        case=REQUEST, by="thread", bad_tag=True
    )


def test_thread_of_one_and_tag_of_another_is_a_conflict():
    assert resolved(ThreadKeys(in_reply_to=(REQUEST_ID,), tags=(SECOND,))).conflict == (CASE, SECOND)


def test_thread_and_tag_of_the_same_case_agree():
    assert resolved(ThreadKeys(in_reply_to=(REQUEST_ID,), tags=(CASE,))).case == REQUEST


def test_ids_of_two_cases_are_a_conflict():
    found = resolved(ThreadKeys(in_reply_to=(REQUEST_ID,), references=("<second@x.example>",)))
    assert (found.case, found.conflict) == (None, (CASE, SECOND))


def test_conversation_names_the_case():
    assert resolved(ThreadKeys(thread_index="01" * 22)) == Resolution(case=REQUEST, by="thread-index")


def test_conversation_of_two_cases_is_several():
    twin = replace(OTHER_CASE, thread_indexes=("01" * 22,))
    assert resolved(ThreadKeys(thread_index="01" * 22), (REQUEST, twin)).several == (CASE, SECOND)


def test_thread_of_one_and_conversation_of_another_is_a_conflict():
    found = resolved(ThreadKeys(in_reply_to=(REQUEST_ID,), thread_index="02" * 22))
    assert (found.case, found.conflict) == (None, (CASE, SECOND))
    assert resolved(ThreadKeys(tags=(CASE,), thread_index="02" * 22)).conflict == (CASE, SECOND)


def test_a_conversation_that_two_cases_share_contradicts_neither():
    twin = replace(OTHER_CASE, thread_indexes=("01" * 22,))
    found = resolved(ThreadKeys(in_reply_to=(REQUEST_ID,), thread_index="01" * 22), (REQUEST, twin))
    assert (found.case, found.by) == (REQUEST, "thread")


def test_the_only_open_case_of_the_address_is_it():
    assert resolved() == Resolution(case=REQUEST, by="address")


def test_address_is_compared_as_the_directory_does():
    assert resolved(recipients=("247CP@Police.gov.B.example",)).by == "address"


def test_two_open_cases_of_the_address_are_several():
    assert resolved(cases=(REQUEST, SAME_ORIGIN)).several == (CASE, SECOND)


@pytest.mark.parametrize(
    ("state", "by"),
    [
        (CaseState.OPEN, "address"),
        (CaseState.ANSWERED, "address"),
        (CaseState.ANSWER_FAILED, "address"),
        (CaseState.CLOSED, ""),
    ],
)
def test_a_case_counts_as_open_until_it_is_closed(state, by):
    assert resolved(cases=(replace(REQUEST, state=state),)).by == by


def test_unproved_case_is_never_found_by_address():
    assert resolved(cases=(replace(REQUEST, origin=None),)) == Resolution()


def test_proved_reply_to_finds_the_case():
    case = replace(REQUEST, reply_to=OTHER, reply_to_proved=True)
    assert resolved(cases=(case,), recipients=(OTHER,)).case == case


def test_unproved_reply_to_finds_nothing():
    case = replace(REQUEST, reply_to=OTHER)
    assert resolved(cases=(case,), recipients=(OTHER,)).case is None


def test_a_candidate_given_twice_is_one():
    assert resolved(ThreadKeys(in_reply_to=(REQUEST_ID,)), (REQUEST, REQUEST)).case == REQUEST


def test_what_is_no_address_stays_as_it_is():
    assert address_key("No Address") == "no address"
    assert address_key("") == ""
