"""What came back to a return path of ours: given up, delayed, or no report at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.bounce import undelivered
from gateway.mail.parse import parse


def report(*actions, kind="delivery-status", sender="MAILER-DAEMON@mx.example", encoding="7bit"):
    status = "".join(f"\r\nFinal-Recipient: rfc822; a@b.example\r\n{one}\r\n" for one in actions)
    return (
        f"From: {sender}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="x"\r\n\r\n'
        f"--x\r\n\r\nSorry.\r\n--x\r\nContent-Type: message/{kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        f"Reporting-MTA: dns; mx.example\r\n{status}\r\n--x--\r\n"
    ).encode()


def plain(*fields):
    return "\r\n".join([*fields, "", "Hello.", ""]).encode()


@pytest.mark.parametrize(
    ("content", "gone"),
    [
        (report("Action: failed"), True),
        (report("action:  FAILED (bad address)"), True),
        (report("Action: delayed"), False),
        (report("Action: relayed", "Action: failed"), True),
        (report("Action: delivered"), False),
        (report("Disposition: automatic-action; displayed", kind="disposition-notification"), False),
        (report("Feedback-Type: abuse", kind="feedback-report"), False),
        (report("nothing a program reads"), True),
        (plain("From: MAILER-DAEMON@mx.example", "Subject: failure notice"), True),
        (plain("From: clerk@b.example", "Auto-Submitted: auto-replied (vacation)"), False),
        (plain("From: clerk@b.example", "Auto-Submitted: auto-replied", "X-Failed-Recipients: a@b.example"), True),
        (plain("From: clerk@b.example"), True),
        (plain("Subject: no From at all"), True),
    ],
)
def test_only_what_was_given_up_counts(content, gone):
    assert undelivered(parse(content)) is gone


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_have_an_answer(content):
    assert undelivered(parse(content)) in (True, False)
