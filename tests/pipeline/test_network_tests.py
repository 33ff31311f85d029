"""A responsiveness test that comes in is a request like any other: receipted, told apart, answered by a human on the same road."""

from pipeline_world import MAILBOX, draft, message_id

from gateway.model.case import CaseState
from gateway.model.channel import Act
from gateway.model.verdict import Category, Kind

TEST = (
    "Responsiveness exercise - please reply",
    (
        "This is the half-yearly availability check of the network. No action is required besides a reply to this message\r\n"
        "stating the name of the officer on duty. Exercise - exercise - exercise\r\n"
    ),
)


def test_it_is_recognised_receipted_and_kept_as_what_it_is(world):
    outcome = world.receive(world.bx.signed(MAILBOX, *TEST), sender=world.bx)
    assert (outcome.case.kind, outcome.case.category) == (Kind.NETWORK_TEST, Category.OTHER)
    assert (outcome.case.state, outcome.verdict.page, outcome.card) == (CaseState.OPEN, False, None)
    assert outcome.receipts


def test_a_human_answers_it_on_the_same_road(world):
    content = world.bx.signed(MAILBOX, *TEST)
    case = world.case_of(content, sender=world.bx)
    answer = draft(text="Officer on duty: J. Doe, read at 09:00.\n", parent=message_id(content))
    dispatch = world.answer(answer, world.bx.mailbox, cases=(case,))
    assert dispatch.decision.act in (Act.ALLOW, Act.UPGRADE)
    assert (dispatch.case.reference, dispatch.case.state) == (case.reference, CaseState.ANSWERED)
