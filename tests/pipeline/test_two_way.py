"""An answer to our own request that comes by another channel is delivered, marked and told of."""

from dataclasses import replace

import pytest
from dkim_signer import sign
from pipeline_world import MAILBOX, NOW, PRESERVATION, reference

from gateway.model.case import CaseView
from gateway.model.trust import Protection, SigLevel
from gateway.model.verdict import Disposition, Reason

OUR_REQUEST = "<request-1@institution.gov.example>"
ANSWER = ("Re: our request", "The data you asked for are attached to our next mail.\r\n")
THREAD = f"In-Reply-To: {OUR_REQUEST}\r\nReferences: {OUR_REQUEST}\r\n"


def our_case(**changes):
    asked = CaseView(
        reference=reference(900), mailbox=MAILBOX, opened_at=NOW, ours=True, contact="bx-police",
        origin="247cp@police.gov.b.example", floor=Protection(sig=SigLevel.OPENPGP), thread=(OUR_REQUEST,),
    )  # fmt: skip
    return replace(asked, **changes)


def threaded(world, content, *, domain):
    start = content.index(b"From: ")
    header = "from:from:to:subject:date:message-id:in-reply-to:references"
    return sign(THREAD.encode() + content[start:], d=domain, s="mail", h=header)


def answered(world, content, case, *, sender):
    return world.receive(content, sender=sender, facts={"candidates": (case,)})


def test_an_answer_on_the_channel_we_asked_on_says_nothing(world):
    signed = world.bx.signed(MAILBOX, *ANSWER)
    outcome = answered(world, THREAD.encode() + signed, our_case(), sender=world.bx)
    assert Reason.OFF_CHANNEL not in outcome.verdict.reasons
    assert outcome.case.reference == reference(900)
    assert b"off-channel" not in outcome.prepend


def test_an_answer_from_another_address_is_marked_delivered_and_told_of(world):
    content = threaded(world, world.sx.plain(MAILBOX, *ANSWER), domain=world.sx.domain)
    outcome = answered(world, content, our_case(), sender=world.sx)
    assert Reason.OFF_CHANNEL in outcome.verdict.reasons
    assert b"reason=off-channel" in outcome.prepend or b",off-channel" in outcome.prepend
    (signal,) = (one for one in outcome.verdict.signals if one.reason is Reason.OFF_CHANNEL)
    assert reference(900) in signal.detail
    assert "ask again at 247cp@police.gov.b.example" in signal.detail
    assert outcome.card is not None
    assert b"ask again at" in outcome.card.content


def test_the_number_of_our_case_alone_is_enough_to_be_marked(world):
    content = world.sx.plain(MAILBOX, f"Re: [{reference(900)}]", ANSWER[1])
    outcome = answered(world, content, our_case(), sender=world.sx)
    assert Reason.OFF_CHANNEL in outcome.verdict.reasons
    assert outcome.case.reference != reference(900)


def test_an_answer_in_clear_to_an_encrypted_request_is_marked(world):
    case = our_case(floor=Protection(sig=SigLevel.OPENPGP, enc=True))
    outcome = answered(world, THREAD.encode() + world.bx.signed(MAILBOX, *ANSWER), case, sender=world.bx)
    assert Reason.OFF_CHANNEL in outcome.verdict.reasons
    assert outcome.verdict.disposition is Disposition.ACCEPT
    assert b"X-247CP-Disposition: accept; reason=off-channel\r\n" in outcome.prepend


def test_an_unsigned_answer_of_one_who_can_sign_is_marked(world):
    content = threaded(world, world.bx.plain(MAILBOX, *ANSWER), domain=world.bx.domain)
    outcome = answered(world, content, our_case(), sender=world.bx)
    assert Reason.OFF_CHANNEL in outcome.verdict.reasons


@pytest.mark.parametrize("case", [our_case(ours=False), our_case(thread=("<other@x.example>",))])
def test_a_request_of_theirs_and_a_mail_of_no_thread_are_not_asked_for_a_channel(world, case):
    content = threaded(world, world.sx.plain(MAILBOX, *PRESERVATION), domain=world.sx.domain)
    assert Reason.OFF_CHANNEL not in answered(world, content, case, sender=world.sx).verdict.reasons
