"""What a human reads of a verdict: each result, what every signature covers, and what none does."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from gateway.cli.verdict_view import show_verdict
from gateway.model.message import Arrival, Envelope
from gateway.model.outcome import Verdict
from gateway.model.trust import AuthResult, Method, Result
from gateway.pipeline.inward import DEFEATED

CONTENT = (
    b"From: 247cp@police.gov.b.example\r\nTo: 247cp@institution.gov.example\r\nSubject: Request\r\n"
    b"Reply-To: desk@police.gov.b.example\r\n\r\nPlease.\r\n"
)
ARRIVAL = Arrival(
    id=1, mailbox="247cp@institution.gov.example", received_at=datetime(2026, 6, 15, tzinfo=UTC),
    envelope=Envelope(mail_from="", rcpt_tos=()), content=CONTENT, sha256="0" * 64,
)  # fmt: skip
DOMAIN, KEY = "police.gov.b.example", "A" * 40
DKIM = AuthResult(Method.DKIM, Result.PASS, DOMAIN, covers=("from", "to", "subject", "date", "from"))
OPENPGP = AuthResult(Method.OPENPGP, Result.PASS, KEY, covers=("from", "reply-to"))


def verdict(*results: AuthResult) -> Verdict:
    return replace(DEFEATED, results=results)


def shown(*results: AuthResult) -> list[str]:
    out = StringIO()
    show_verdict(Console(file=out, width=200, highlight=False), verdict(*results), ARRIVAL, file="x.eml")
    return [line.strip() for line in out.getvalue().splitlines()]


def test_each_good_signature_says_what_it_covers() -> None:
    lines = shown(DKIM, OPENPGP)
    assert f"dkim {DOMAIN} covers the body, from, to, subject" in lines
    assert f"openpgp {KEY} covers the body, from, reply-to" in lines
    assert "no signature covers -" in lines


def test_openpgp_without_protected_fields_covers_the_body_alone() -> None:
    lines = shown(replace(OPENPGP, covers=()))
    assert f"openpgp {KEY} covers the body" in lines
    assert "no signature covers from, reply-to, to, subject" in lines


@pytest.mark.parametrize("result", sorted(set(Result) - {Result.PASS}))
def test_signature_that_is_not_good_covers_nothing(result: Result) -> None:
    lines = shown(replace(DKIM, result=result), replace(OPENPGP, result=result))
    assert not [line for line in lines if "covers the body" in line]
    assert "no signature covers from, reply-to, to, subject" in lines


def test_smime_is_named_in_words() -> None:
    smime = AuthResult(Method.SMIME, Result.NEUTRAL, reason="unsupported")
    assert "S/MIME: unsupported, treated as unsigned" in shown(smime)
    assert not [line for line in shown(DKIM) if "S/MIME" in line]


def test_identity_of_a_stranger_is_shown_without_effect() -> None:
    evil = replace(DKIM, identity="[red]x[/red]\x1b[2J.example")
    assert any("[red]x[/red]" in line and "\x1b" not in line for line in shown(evil) if "covers" in line)
