"""Mail made by a machine gets no answer from a machine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.automatic import automatic, kind_of, suppressed
from gateway.mail.scan import scan
from gateway.mail.subject import AUTO_REPLY_WORDS
from gateway.model.message import Envelope, Message
from gateway.model.verdict import Kind, Withheld

HUMAN = Envelope(mail_from="247cp@police.example", rcpt_tos=("247cp@institution.example",))
FROM = b"From: 247cp@police.example"


def mail(*fields: bytes, sender: bytes = FROM) -> Message:
    return scan(b"\r\n".join((sender, *fields)) + b"\r\n\r\nbody\r\n")


@pytest.mark.parametrize(
    ("field", "ground"),
    [
        (b"Auto-Submitted: auto-replied", Withheld.AUTO_SUBMITTED),
        (b"Auto-Submitted: auto-generated; owner-email=x", Withheld.AUTO_SUBMITTED),
        (b"Auto-Submitted: (comment) AUTO-NOTIFIED", Withheld.AUTO_SUBMITTED),
        (b"Auto-Submitted: something-new", Withheld.AUTO_SUBMITTED),
        (b"Auto-Submitted: no\r\nAuto-Submitted: auto-replied", Withheld.AUTO_SUBMITTED),
        (b"List-Id: <x.lists.example>", Withheld.LIST),
        (b"List-Unsubscribe: <mailto:x@lists.example>", Withheld.LIST),
        (b"Mailing-List: x", Withheld.LIST),
        (b"Precedence: bulk", Withheld.PRECEDENCE),
        (b"Precedence: LIST", Withheld.PRECEDENCE),
        (b"Precedence: junk", Withheld.PRECEDENCE),
        (b"precedence: auto_reply", Withheld.PRECEDENCE),
        (b"X-Loop: 247cp@police.example", Withheld.LOOP),
        (b"X-Autoreply: yes", Withheld.LOOP),
        (b"X-Autorespond:", Withheld.LOOP),
        (b"Subject: Automatic reply: Data Preservation Request", Withheld.LOOP),
        (b"Subject: =?utf-8?q?R=C3=A9ponse_automatique?= : request", Withheld.LOOP),
        (b"Content-Type: multipart/report; report-type=delivery-status; boundary=b", Withheld.REPORT),
        (b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b", Withheld.REPORT),
        (b"Content-Type: message/delivery-status", Withheld.REPORT),
        (b"X-Failed-Recipients: a@b.example", Withheld.REPORT),
        (b"TLS-Report-Domain: police.example", Withheld.REPORT),
        (b"Subject: Report Domain: police.example Submitter: mx.example Report-ID: <1>", Withheld.REPORT),
    ],
)
def test_each_mark_of_a_machine_is_seen(field, ground):
    assert automatic(mail(field), HUMAN) is ground


@pytest.mark.parametrize(
    "field",
    [
        b"Auto-Submitted: no",
        b"Auto-Submitted: No (a human)",
        b"Precedence: first-class",
        b"X-Loop: no",
        b"X-Auto-Response-Suppress: All",
        b"Subject: Auto: request",
        b"Subject: Re: Automatic reply: request",
        b"Subject: Out of office fraud ring, preservation request",
        b"X-List-Id: x",
        b"Content-Type: multipart/mixed; boundary=b",
        b"Subject: Mailer-Daemon",
        b"To: noreply@institution.example",
    ],
)
def test_a_human_stays_a_human(field):
    assert automatic(mail(field), HUMAN) is None


@pytest.mark.parametrize("words", AUTO_REPLY_WORDS)
def test_absence_notices_are_seen_in_every_language(words):
    assert automatic(mail(f"Subject: {words.capitalize()}: request".encode()), HUMAN) is Withheld.LOOP


def test_the_null_sender_is_the_first_ground():
    envelope = Envelope(mail_from="", rcpt_tos=HUMAN.rcpt_tos)
    assert automatic(mail(b"Auto-Submitted: auto-replied"), envelope) is Withheld.NULL_SENDER


def test_an_unknown_sender_is_no_null_sender():
    assert automatic(mail(), Envelope(mail_from=None, rcpt_tos=())) is None


@pytest.mark.parametrize(
    "local",
    [
        "MAILER-DAEMON",
        "noreply",
        "no-reply",
        "donotreply",
        "do_not_reply",
        "noreply+1",
        "owner-x",
        "x-owner",
        "x-request",
        "listserv",
    ],
)
def test_robots_are_known_by_envelope_and_by_from(local):
    address = f"{local}@lists.example"
    assert automatic(mail(), Envelope(mail_from=address, rcpt_tos=())) is Withheld.ROBOT
    assert automatic(mail(sender=f"From: Robot <{address}>".encode()), HUMAN) is Withheld.ROBOT


@pytest.mark.parametrize("local", ["owner", "request", "noreplying", "247cp", "requests", "daemon.smith"])
def test_humans_are_no_robots(local):
    assert automatic(mail(), Envelope(mail_from=f"{local}@police.example", rcpt_tos=())) is None


@pytest.mark.parametrize(
    ("value", "asks"),
    [
        (b"All", True),
        (b"DR, RN, AutoReply", True),
        (b"autoreply", True),
        (b"OOF", False),
        (b"DR, RN, NRN", False),
        (b"", False),
    ],
)
def test_suppression_asks_for_no_automatic_answer(value, asks):
    assert suppressed(mail(b"X-Auto-Response-Suppress: " + value)) is asks


def test_a_mail_without_the_field_suppresses_nothing():
    assert not suppressed(mail())


@pytest.mark.parametrize(
    ("ground", "kind"),
    [
        (Withheld.NULL_SENDER, Kind.BOUNCE),
        (Withheld.REPORT, Kind.BOUNCE),
        (Withheld.LIST, Kind.CIRCULAR),
        (Withheld.PRECEDENCE, Kind.CIRCULAR),
        (Withheld.AUTO_SUBMITTED, Kind.AUTO_REPLY),
        (Withheld.LOOP, Kind.AUTO_REPLY),
        (Withheld.ROBOT, Kind.AUTO_REPLY),
    ],
)
def test_the_ground_tells_the_kind(ground, kind):
    assert kind_of(ground) is kind


def test_a_bounce_with_a_forged_sender_is_still_automatic():
    bounce = mail(b"Content-Type: multipart/report; boundary=b", b"Auto-Submitted: no")
    assert automatic(bounce, HUMAN) is Withheld.REPORT


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=40)))
@settings(max_examples=100, deadline=None)
def test_any_mail_is_automatic_or_not(content, mail_from):
    message = scan(content)
    automatic(message, Envelope(mail_from=mail_from, rcpt_tos=()))
    suppressed(message)
