"""What the gateway tells its own mailbox."""

from datetime import UTC, datetime

from gateway.model.outbox import Fate, Hop, HopReply, OutboxRow, Purpose
from gateway.model.settings import ContactPoint, Dkim, Settings
from gateway.pipeline.notices import returned_notice

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
MAILBOX = "247cp@institution.gov.example"
SETTINGS = Settings(
    hostname="gw.institution.gov.example",
    contact_point=ContactPoint(name="24/7 Contact Point", country="SY", mailbox=MAILBOX),
    dkim=Dkim(domain="institution.gov.example"),
)
ROW = OutboxRow(
    id=7,
    purpose=Purpose.ANSWER,
    hop=Hop.RELAY,
    mail_from=MAILBOX,
    rcpt_to="247cp@police.gov.b.example",
    content_id=1,
    size=1,
    sha256="",
    created_at=AT,
    tries=1,
    message_id="<answer@institution.gov.example>",
    case="247CP-2026-000042-K7QA",
)


def notice(reply):
    return returned_notice(ROW, HopReply(Fate.REFUSED, reply), at=AT, settings=SETTINGS)


def test_a_returned_answer_is_told_to_the_mailbox_with_case_recipient_and_reply():
    mail = notice("554 5.7.1 not wanted here")
    assert (mail.purpose, mail.hop, mail.mail_from, mail.rcpt_tos) == (Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,))
    assert b"Subject: NOT DELIVERED: an answer of case 247CP-2026-000042-K7QA\r\n" in mail.content
    assert b"Auto-Submitted: auto-notified\r\n" in mail.content
    for said in (b"247cp@police.gov.b.example", b"<answer@institution.gov.example>", b"554 5.7.1 not wanted here"):
        assert said in mail.content


def test_the_same_answer_gives_the_same_notice():
    assert notice("554 no").message_id == notice("554 no").message_id


def test_control_characters_of_a_foreign_server_do_not_reach_the_officers_terminal():
    content = notice("554 \x1b[2Jno\r\nX-Forged: yes").content
    assert b"\x1b" not in content
    assert b"\nX-Forged" not in content
