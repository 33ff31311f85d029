"""What comes back to our return paths: bound to its case, never answered, and a human is told once that an answer failed."""

import pytest
from counterpart import field
from pipeline_world import MAILBOX, NOW, PRESERVATION, SECRET

from gateway.mail import return_path
from gateway.model.outbox import Hop, Purpose
from gateway.model.verdict import Disposition, Reason

DAEMON = (
    "From: MAILER-DAEMON@mx.police.gov.b.example",
    f"To: {MAILBOX}",
    "Message-ID: <bounce-1@mx.police.gov.b.example>",
)


def bounce(action="failed"):
    lines = [
        *DAEMON, "MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="x"', "",
        "--x", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example", "", f"Action: {action}", "--x--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


@pytest.fixture
def case(world):
    return world.case_of(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)


def path_of(case, *, answer):
    return return_path.make(SECRET, mailbox=MAILBOX, case=case.reference, day=NOW.toordinal(), answer=answer)


def came(world, case, content, *, answer=True, mail_from="", rcpt_to=None):
    rcpt_tos = (rcpt_to or path_of(case, answer=answer),)
    return world.receive(
        content, sender=world.bx, mail_from=mail_from, rcpt_tos=rcpt_tos, facts={"candidates": (case,)}
    )


def test_the_bounce_of_an_answer_is_told_in_its_thread_and_delivered(world, case):
    outcome = came(world, case, bounce())
    assert (outcome.bounced, outcome.case.reference, outcome.opens) == (Purpose.ANSWER, case.reference, False)
    assert (outcome.card.purpose, outcome.card.hop, outcome.card.rcpt_tos) == (Purpose.NOTICE, Hop.MAILBOX, (MAILBOX,))
    assert field(outcome.card.content, "In-Reply-To") == "<bounce-1@mx.police.gov.b.example>"
    assert case.reference in field(outcome.card.content, "Subject")
    assert outcome.verdict.disposition is Disposition.ACCEPT
    assert outcome.verdict.reasons[0] is Reason.AUTOMATIC
    assert outcome.receipts == ()


def test_the_bounce_of_a_receipt_is_told_to_nobody_by_mail(world, case):
    outcome = came(world, case, bounce(), answer=False)
    assert (outcome.bounced, outcome.card) == (Purpose.RECEIPT, None)
    assert outcome.receipts == ()


def test_a_delay_is_no_failure(world, case):
    assert came(world, case, bounce("delayed")).bounced is None


def test_a_guessed_return_path_is_no_case_of_ours(world, case):
    outcome = came(
        world, case, bounce(), rcpt_to=path_of(case, answer=True)[:-22] + "0000000000@institution.gov.example"
    )
    assert (outcome.bounced, outcome.opens) == (None, True)


def test_mail_of_a_human_to_a_return_path_is_judged_like_any_other_and_not_answered(world, case):
    outcome = came(world, case, world.bx.plain(MAILBOX, *PRESERVATION), mail_from=world.bx.mailbox)
    assert outcome.bounced is None
    assert outcome.receipts == ()


def test_a_report_to_the_mailbox_itself_fails_nothing(world, case):
    assert came(world, case, bounce(), rcpt_to=MAILBOX).bounced is None
