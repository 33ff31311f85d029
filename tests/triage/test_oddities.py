"""What is odd about whom a mail names: every finding of the table, and an innocent mail without any."""

from dataclasses import replace

import pytest

from gateway.mail.scan import scan
from gateway.model.case import make_reference
from gateway.model.message import Envelope, Message
from gateway.model.trust import AuthResult, Checks, Method, Result
from gateway.model.verdict import Reason
from gateway.triage.oddities import oddities, uncovered

US = "247cp@institution.gov.example"
SECRET = b"s" * 48
COVERS = ("from", "to", "subject", "date", "message-id", "content-type")


def mail(**fields: str) -> Message:
    given = {"From": "247cp@police.gov.b.example", "To": US, "Subject": "Request", "Date": "today", **fields}
    return scan(
        "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items()).encode() + b"\r\nx\r\n"
    )


def passing(*covers: str, domain: str = "police.gov.b.example") -> Checks:
    return Checks(results=(AuthResult(Method.DKIM, Result.PASS, domain, covers=covers),))


def odd(message: Message, *, mail_from: str | None = "247cp@police.gov.b.example", checks: Checks | None = None):
    envelope = Envelope(mail_from=mail_from, rcpt_tos=(US,))
    return oddities(message, envelope=envelope, checks=checks or passing(*COVERS), mailboxes=(US,), secret=SECRET)


def test_an_innocent_mail_is_not_odd() -> None:
    assert odd(mail()) == ()


@pytest.mark.parametrize(
    "asked", ["other@attacker.test", "247cp@police.gov.b.example, other@attacker.test", "x:;,y", "@"]
)
def test_answers_asked_for_elsewhere_are_told(asked: str) -> None:
    assert Reason.REPLY_TO_DIFFERS in odd(mail(Reply_To=asked), checks=passing(*COVERS, "reply-to"))


@pytest.mark.parametrize("asked", ["247CP@police.gov.b.example", "Duty <247cp@police.gov.b.example>"])
def test_a_reply_to_that_says_the_same_is_not_odd(asked: str) -> None:
    assert odd(mail(Reply_To=asked), checks=passing(*COVERS, "reply-to")) == ()


@pytest.mark.parametrize(
    ("mail_from", "differs"),
    [("x@mail.police.gov.b.example", False), ("x@attacker.test", True), ("", False), (None, False)],
)
def test_an_envelope_of_another_organisation_is_told(mail_from: str | None, differs: bool) -> None:
    assert (Reason.MAIL_FROM_DIFFERS in odd(mail(), mail_from=mail_from)) == differs


@pytest.mark.parametrize("to", ["other@institution.gov.example", "undisclosed-recipients:;", "(nobody)"])
def test_a_blind_copy_is_told(to: str) -> None:
    assert odd(mail(To=to)) == (Reason.NOT_ADDRESSED,)


def test_our_address_with_a_detail_is_our_address() -> None:
    assert odd(mail(To="247CP+desk@institution.gov.example")) == ()


def test_a_field_that_no_signature_of_the_author_covers_is_told() -> None:
    added = mail(Cc="other@attacker.test")
    assert odd(added) == (Reason.DKIM_PARTIAL,)
    assert uncovered(added, passing(*COVERS)) == ("cc",)


def test_protected_fields_under_a_good_openpgp_signature_are_covered() -> None:
    signed = AuthResult(Method.OPENPGP, Result.PASS, "A" * 40, covers=("subject", "date"))
    left = uncovered(mail(), Checks((signed,)))
    assert "subject" not in left
    assert "from" in left
    failed = replace(signed, result=Result.FAIL)
    assert "subject" in uncovered(mail(), Checks((failed,)))


def test_a_strangers_signature_covers_nothing() -> None:
    both = Checks(results=(*passing(*COVERS).results, *passing("from", "cc", domain="attacker.test").results))
    assert odd(mail(Cc="other@attacker.test"), checks=both) == (Reason.DKIM_PARTIAL,)


@pytest.mark.parametrize("author", ["247cp@police.gov.b.example", "no address"])
def test_without_any_signature_nothing_is_partly_covered(author: str) -> None:
    assert odd(mail(From=author), checks=Checks()) == ()


def test_a_case_tag_that_is_not_ours_is_told() -> None:
    assert odd(mail(Subject="Re: [247CP-2026-000007-0000]")) == (Reason.BAD_CASE_TAG,)
    assert odd(mail(Subject=f"Re: [{make_reference(SECRET, 2026, 7)}]")) == ()


def test_a_message_without_sender_differs_from_nobody() -> None:
    assert Reason.REPLY_TO_DIFFERS not in odd(mail(From="x, y", Reply_To="z@attacker.test"))
