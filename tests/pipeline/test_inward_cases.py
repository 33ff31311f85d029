"""Who joins which case, and what a case becomes: a forger never gets into a thread, a floor never sinks."""

from dataclasses import replace

import pytest
from dkim_signer import sign
from pipeline_world import ALIAS, EMERGENCY, MAILBOX, NOW, PRESERVATION, SECRET, message_id, reference

from gateway.mail import return_path
from gateway.model.case import CaseState
from gateway.model.trust import Assurance, Protection, SigLevel
from gateway.model.verdict import Category, Disposition, Reason, Withheld
from gateway.pipeline.cases import request_key

FOLLOW_UP = ("Re: our request", "Kind reminder: we are waiting for your answer in this matter.\r\n")


def with_fields(content, fields):
    """The mail without its DKIM signature, with more fields, signed anew over the fields given."""
    start = content.index(b"From: ")
    return fields.encode() + content[start:]


def signed_again(world, content, fields, covers):
    domain = world.bx.domain
    return sign(with_fields(content, fields), d=domain, s="mail", h=f"from:from:to:subject:date:message-id{covers}")


@pytest.fixture(scope="module")
def asked(world):
    """A case that a DKIM-signed request of bx opened and that was receipted."""
    return world.case_of(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)


def follow_up(world, parent, *, signature=True):
    fields = f"In-Reply-To: {parent}\r\nReferences: {parent}\r\n"
    content = world.bx.plain(MAILBOX, *FOLLOW_UP)
    if not signature:
        return with_fields(content, fields)
    return signed_again(world, content, fields, ":in-reply-to:references")


class TestNewCase:
    def test_a_proved_request_opens_a_case_with_its_channel(self, world):
        content = world.bx.plain(MAILBOX, *PRESERVATION)
        outcome = world.receive(content, sender=world.bx)
        case = outcome.case
        assert outcome.opens
        assert (case.contact, case.origin) == ("bx-police", "247cp@police.gov.b.example")
        assert case.thread == (message_id(content),)
        assert case.request_id == message_id(content)
        assert case.floor == Protection(sig=SigLevel.DKIM)
        assert case.state is CaseState.OPEN
        assert case.category is Category.PRESERVATION

    def test_the_floor_is_what_the_request_had(self, world):
        signed = world.receive(world.bx.signed(MAILBOX, *PRESERVATION), sender=world.bx).case.floor
        sealed = world.receive(
            world.bx.encrypted(MAILBOX, *PRESERVATION, key=world.own_key), sender=world.bx
        ).case.floor
        assert signed == Protection(sig=SigLevel.OPENPGP)
        assert sealed == Protection(sig=SigLevel.OPENPGP, enc=True)

    def test_the_floor_is_never_below_the_contacts_minimum(self, world):
        content = sign(
            world.sx.forged(MAILBOX, *PRESERVATION).replace(b"247cp@gov.c.example", b"247cp@gov.l.example"),
            d="gov.l.example", s="mail", h="from:from:to:subject:date:message-id",
        )  # fmt: skip
        world.stub.publish({**world.zone, "mail._domainkey.gov.l.example": world.zone["mail._domainkey.gov.c.example"],
                            "_dmarc.gov.l.example": [{"TXT": "v=DMARC1; p=reject"}]})  # fmt: skip
        outcome = world.receive(content, sender=world.sx, mail_from="247cp@gov.l.example")
        assert outcome.verdict.reasons[0] is Reason.BELOW_MINIMUM
        assert outcome.case.floor.enc

    def test_an_unproved_request_opens_a_case_without_a_channel(self, world):
        case = world.receive(world.bx.forged(MAILBOX, *PRESERVATION), sender=world.bx, peer="203.0.113.1").case
        assert (case.contact, case.origin, case.thread, case.request_id) == (None, None, (), None)

    def test_automatic_mail_opens_no_work(self, world):
        content = b"Auto-Submitted: auto-replied\r\n" + world.bx.plain(MAILBOX, *PRESERVATION)
        outcome = world.receive(content, sender=world.bx)
        assert outcome.case.state is CaseState.CLOSED
        assert outcome.verdict.reasons[0] is Reason.AUTOMATIC


class TestReplyTo:
    def test_a_verified_address_of_the_same_contact_under_a_signature_is_proved(self, world):
        content = signed_again(
            world, world.bx.plain(MAILBOX, *PRESERVATION), "Reply-To: answers@police.gov.b.example\r\n", ":reply-to"
        )
        case = world.receive(content, sender=world.bx).case
        assert (case.reply_to, case.reply_to_proved) == ("answers@police.gov.b.example", True)

    @pytest.mark.parametrize(
        ("address", "covers"),
        [
            ("answers@police.gov.b.example", ""),
            ("new@police.gov.b.example", ":reply-to"),
            ("247cp@gov.c.example", ":reply-to"),
            ("officer@elsewhere.example", ":reply-to"),
        ],
        ids=["unsigned field", "unverified address", "another contact", "stranger"],
    )
    def test_any_other_is_told_and_not_proved(self, world, address, covers):
        content = signed_again(world, world.bx.plain(MAILBOX, *PRESERVATION), f"Reply-To: {address}\r\n", covers)
        outcome = world.receive(content, sender=world.bx)
        assert (outcome.case.reply_to, outcome.case.reply_to_proved) == (address, False)
        assert Reason.REPLY_TO_DIFFERS in outcome.verdict.reasons
        assert outcome.receipts[0].rcpt_tos == ("247cp@police.gov.b.example",)

    def test_the_passing_signature_of_a_stranger_proves_no_reply_to(self, world):
        content = world.bx.plain(MAILBOX, *PRESERVATION)
        with_reply_to = b"Reply-To: answers@police.gov.b.example\r\n" + content
        strangers = sign(with_reply_to, d=world.sx.domain, s="mail", h="from:to:subject:date:message-id:reply-to")
        outcome = world.receive(strangers, sender=world.bx)
        assert outcome.verdict.assurance is Assurance.LISTED
        assert not outcome.case.reply_to_proved


class TestJoining:
    def test_a_follow_up_of_the_counterpart_joins_and_adds_its_id(self, world, asked):
        content = follow_up(world, asked.request_id)
        outcome = world.receive(content, sender=world.bx, facts={"candidates": (asked,)})
        assert not outcome.opens
        assert outcome.case.reference == asked.reference
        assert outcome.case.thread == (*asked.thread, message_id(content))

    def test_an_answer_to_our_receipt_joins(self, world, asked):
        outcome = world.receive(follow_up(world, asked.thread[-1]), sender=world.bx, facts={"candidates": (asked,)})
        assert outcome.case.reference == asked.reference

    def test_a_case_number_in_the_subject_joins(self, world, asked):
        content = world.bx.plain(MAILBOX, f"Reminder [{asked.reference}]", FOLLOW_UP[1])
        outcome = world.receive(content, sender=world.bx, facts={"candidates": (asked,)})
        assert outcome.case.reference == asked.reference

    def test_a_forger_who_knows_the_thread_stays_outside(self, world, asked):
        content = follow_up(world, asked.request_id, signature=False)
        outcome = world.receive(content, sender=world.bx, peer="203.0.113.1", facts={"candidates": (asked,)})
        assert outcome.opens
        assert outcome.case.reference != asked.reference
        assert outcome.case.thread == ()

    def test_another_contact_who_knows_the_thread_stays_outside(self, world, asked):
        content = world.sx.plain(MAILBOX, f"Re: {asked.reference}", FOLLOW_UP[1])
        outcome = world.receive(content, sender=world.sx, facts={"candidates": (asked,)})
        assert outcome.case.reference != asked.reference
        assert outcome.case.contact == "sx"

    def test_two_cases_named_at_once_are_never_a_choice(self, world, asked):
        other = replace(asked, reference=reference(99), thread=("<other@police.gov.b.example>",))
        content = signed_again(
            world, world.bx.plain(MAILBOX, *FOLLOW_UP),
            f"References: <other@police.gov.b.example> {asked.request_id}\r\n", ":references",
        )  # fmt: skip
        outcome = world.receive(content, sender=world.bx, facts={"candidates": (asked, other)})
        assert outcome.opens

    def test_a_later_plain_message_never_lowers_the_floor(self, world, asked):
        high = replace(asked, floor=Protection(sig=SigLevel.OPENPGP, enc=True))
        outcome = world.receive(follow_up(world, asked.request_id), sender=world.bx, facts={"candidates": (high,)})
        assert outcome.case.floor == high.floor

    def test_a_follow_up_may_raise_the_category_and_never_lowers_it(self, world, asked):
        content = signed_again(
            world, world.bx.plain(MAILBOX, *EMERGENCY), f"In-Reply-To: {asked.request_id}\r\n", ":in-reply-to"
        )
        raised = world.receive(content, sender=world.bx, facts={"candidates": (asked,)}).case
        assert raised.category is Category.EMERGENCY
        after = world.receive(follow_up(world, asked.request_id), sender=world.bx, facts={"candidates": (raised,)})
        assert after.case.category is Category.EMERGENCY

    def test_a_new_message_opens_an_answered_case_again(self, world, asked):
        answered = replace(asked, state=CaseState.ANSWERED)
        outcome = world.receive(follow_up(world, asked.request_id), sender=world.bx, facts={"candidates": (answered,)})
        assert outcome.case.state is CaseState.OPEN

    def test_an_absence_notice_changes_nothing(self, world, asked):
        content = signed_again(
            world, world.bx.plain(MAILBOX, *FOLLOW_UP),
            f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {asked.request_id}\r\n", ":in-reply-to",
        )  # fmt: skip
        answered = replace(asked, state=CaseState.ANSWERED)
        outcome = world.receive(content, sender=world.bx, facts={"candidates": (answered,)})
        assert (outcome.opens, outcome.case) == (False, answered)


class TestRepeats:
    def test_a_repeat_joins_the_case_it_opened(self, world, asked):
        content = world.bx.plain(MAILBOX, *PRESERVATION)
        outcome = world.receive(
            content, sender=world.bx,
            facts={"candidates": (asked,), "repeat_of": asked.reference, "receipt_due": False},
        )  # fmt: skip
        assert (outcome.opens, outcome.case) == (False, asked)
        assert Reason.REPEATED in outcome.verdict.reasons
        assert outcome.verdict.receipt.reason is Withheld.REPEATED
        assert outcome.receipts == ()

    def test_a_repeat_whose_receipt_failed_gets_one(self, world, asked):
        outcome = world.receive(
            world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx,
            facts={"candidates": (asked,), "repeat_of": asked.reference},
        )  # fmt: skip
        assert len(outcome.receipts) == 1
        assert outcome.case.reference == asked.reference

    def test_a_repeat_that_is_proved_gives_the_channel_the_first_copy_lacked(self, world):
        content = world.bx.plain(MAILBOX, *PRESERVATION)
        bare = world.receive(world.bx.forged(MAILBOX, *PRESERVATION), sender=world.bx, peer="203.0.113.1").case
        outcome = world.receive(content, sender=world.bx, facts={"candidates": (bare,), "repeat_of": bare.reference})
        assert not outcome.opens
        assert outcome.case.reference == bare.reference
        assert (outcome.case.contact, outcome.case.origin) == ("bx-police", "247cp@police.gov.b.example")
        assert message_id(content) in outcome.case.thread

    def test_a_repeat_that_is_not_proved_gives_nothing(self, world, asked):
        content = world.bx.forged(MAILBOX, *PRESERVATION)
        outcome = world.receive(
            content, sender=world.bx, peer="203.0.113.1",
            facts={"candidates": (asked,), "repeat_of": asked.reference},
        )  # fmt: skip
        assert outcome.case == asked
        assert outcome.receipts == ()

    def test_the_key_of_a_request_is_its_id_and_its_body(self):
        first = b"Received: a\r\nMessage-ID: <1@b.example>\r\n\r\nbody\r\n"
        assert request_key(first) == request_key(
            b"Received: b\r\nSubject: x\r\nMessage-ID: <1@b.example>\r\n\r\nbody\r\n"
        )
        assert request_key(first) != request_key(first.replace(b"body", b"other"))
        assert request_key(first) != request_key(first.replace(b"<1@", b"<2@"))


class TestBounces:
    def bounce(
        self, world, case, *, mail_from="", day=0, secret=SECRET, kind="multipart/report; report-type=delivery-status"
    ):
        to = return_path.make(secret, mailbox=MAILBOX, case=case.reference, day=NOW.toordinal() + day)
        content = (
            f"From: MAILER-DAEMON@mx.police.gov.b.example\r\nTo: {to}\r\nSubject: Undelivered\r\n"
            f'Content-Type: {kind}; boundary="b"\r\n\r\n--b\r\n\r\nNo.\r\n--b--\r\n'
        ).encode()
        return world.receive(
            content, sender=world.bx, mail_from=mail_from, rcpt_tos=(to,), facts={"candidates": (case,)}
        )

    def test_a_bounce_is_bound_to_its_case_and_changes_nothing(self, world, asked):
        outcome = self.bounce(world, asked)
        assert (outcome.opens, outcome.case) == (False, asked)
        assert outcome.verdict.disposition is Disposition.ACCEPT
        assert outcome.verdict.receipt.reason is Withheld.NULL_SENDER

    def test_a_report_with_a_sender_is_bound_as_well(self, world, asked):
        assert self.bounce(world, asked, mail_from="postmaster@mx.police.gov.b.example").case == asked

    def test_other_mail_there_is_bound_to_nothing_and_never_answered(self, world, asked):
        outcome = self.bounce(world, asked, mail_from=world.bx.mailbox, kind="multipart/mixed")
        assert outcome.opens
        to = return_path.make(SECRET, mailbox=MAILBOX, case=asked.reference, day=NOW.toordinal())
        request = world.bx.plain(MAILBOX, *PRESERVATION)
        there = world.receive(request, sender=world.bx, rcpt_tos=(to,))
        assert there.verdict.receipt.reason is Withheld.RETURN_PATH

    @pytest.mark.parametrize("wrong", [{"secret": b"not ours, but as long as ours is......"}, {"day": -15}, {"day": 1}])
    def test_a_return_path_that_is_not_ours_or_too_old_binds_nothing(self, world, asked, wrong):
        assert self.bounce(world, asked, **wrong).opens


def test_a_request_to_an_alias_is_a_request(world):
    outcome = world.receive(world.bx.plain(ALIAS, *PRESERVATION), sender=world.bx, rcpt_tos=(ALIAS,))
    assert outcome.receipts


def test_the_same_words_under_another_contacts_proof_are_no_repeat(world, asked):
    outcome = world.receive(
        world.sx.plain(MAILBOX, *PRESERVATION), sender=world.sx,
        facts={"candidates": (asked,), "repeat_of": asked.reference},
    )  # fmt: skip
    assert outcome.opens
    assert outcome.case.contact == "sx"
