"""The prepended block, and forged fields: only ours stand on top, a stranger's lose their names unless they are signed."""

import email
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan_header
from gateway.mail.stamp import block, foreign
from gateway.model.message import Envelope, Source
from gateway.model.outcome import Verdict
from gateway.model.trust import Assurance, AuthResult, Method, Result
from gateway.model.verdict import Category, Classification, Disposition, Reason, ReceiptDecision

HOST = "gw.institution.gov.example"
ENVELOPE = Envelope(
    mail_from="247cp@police.gov.b.example",
    rcpt_tos=("247cp@institution.gov.example",),
    peer="192.0.2.7",
    helo="mx.police.gov.b.example",
)


def verdict(category=Category.PRESERVATION, *, urgent=False, disposition=Disposition.ACCEPT, reasons=()):
    return Verdict(
        classification=Classification(category=category, urgent=urgent),
        assurance=Assurance.SIGNED,
        disposition=disposition,
        reasons=reasons,
        results=(AuthResult(Method.DMARC, Result.PASS, identity="police.gov.b.example"),),
        receipt=ReceiptDecision(send=True),
    )


def stamped(judged=None, *, envelope=ENVELOPE, source=Source.SMTP, importance_free=True):
    return block(
        verdict=judged or verdict(),
        reference="247CP-2026-000042-K7QA",
        hostname=HOST,
        envelope=envelope,
        received_at=datetime(2026, 5, 5, 9, 0, tzinfo=UTC),
        arrival_id=42,
        source=source,
        importance_free=importance_free,
    )


def received(**envelope):
    fields = {"mail_from": "", "rcpt_tos": ENVELOPE.rcpt_tos, "peer": "192.0.2.7", "helo": "mx.example", **envelope}
    source = fields.pop("source", Source.SMTP)
    folded = email.message_from_bytes(stamped(envelope=Envelope(**fields), source=source))["Received"]
    return folded.replace("\r\n", "").partition(";")[0]


def test_block_is_exactly_these_fields():
    assert stamped().decode().split("\r\n") == [
        "Received: from mx.police.gov.b.example ([192.0.2.7]) by",
        " gw.institution.gov.example with ESMTP id 42 for",
        " <247cp@institution.gov.example>; Tue, 05 May 2026 09:00:00 +0000",
        "Authentication-Results: gw.institution.gov.example;",
        "\tdmarc=pass header.from=police.gov.b.example",
        "X-247CP-Case: 247CP-2026-000042-K7QA",
        "X-247CP-Class: preservation",
        "X-247CP-Assurance: signed",
        "X-247CP-Disposition: accept",
        "",
    ]


def test_emergency_is_important_and_urgent_is_said():
    said = stamped(verdict(Category.EMERGENCY, urgent=True)).decode()
    assert "X-247CP-Class: emergency\r\nX-247CP-Urgent: yes\r\nX-247CP-Assurance: signed\r\n" in said
    assert said.endswith("X-247CP-Disposition: accept\r\nImportance: high\r\n")


def test_importance_is_never_added_where_a_signature_lists_it():
    assert b"Importance" not in stamped(verdict(Category.EMERGENCY), importance_free=False)


def test_importance_is_for_emergencies_only():
    assert b"Importance" not in stamped(verdict(Category.PRESERVATION, urgent=True))


def test_hold_names_its_reasons():
    held = verdict(disposition=Disposition.HOLD, reasons=(Reason.WRONG_KEY, Reason.DNS))
    assert b"X-247CP-Disposition: hold; reason=wrong-key,dns\r\n" in stamped(held)


def test_many_reasons_stay_one_field():
    held = verdict(disposition=Disposition.HOLD, reasons=tuple(Reason))
    parsed = email.message_from_bytes(stamped(held))
    assert parsed["X-247CP-Disposition"].replace("\r\n", "").endswith(tuple(Reason)[-1].value)
    assert max(map(len, stamped(held).split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    ("envelope", "words"),
    [
        ({"tls": "TLSv1.3"}, "with ESMTPS id"),
        ({"smtputf8": True}, "with UTF8SMTP id"),
        ({"smtputf8": True, "tls": "TLSv1.3"}, "with UTF8SMTPS id"),
        ({"source": Source.LMTP}, "with LMTP id"),
        ({"source": Source.LMTP, "smtputf8": True, "tls": "TLSv1.3"}, "with UTF8LMTPS id"),
        ({"source": Source.EXPLAIN}, "with local id"),
        ({"peer": "2001:db8::7"}, "from mx.example ([IPv6:2001:db8::7]) by"),
        ({"peer": None}, "from mx.example (unknown) by"),
        ({"helo": "[192.0.2.7]"}, "from [192.0.2.7] ([192.0.2.7]) by"),
        ({"helo": None}, "from unknown ([192.0.2.7]) by"),
        ({"helo": "x (Authenticated sender: boss)"}, "from unknown ([192.0.2.7]) by"),
        ({"helo": "x\r\nX-247CP-Class: other"}, "from unknown ([192.0.2.7]) by"),
        ({"rcpt_tos": ("a@x.example", "A@x.example")}, "for <a@x.example>"),
    ],
)
def test_received_says(envelope, words):
    assert words in received(**envelope)


@pytest.mark.parametrize(
    "recipients",
    [("a@x.example", "b@x.example"), (), ("\N{SNOWMAN}@x.example",), ("a b@x.example",), ("a\r\n@x.example",)],
)
def test_received_names_no_recipient_but_a_single_plain_one(recipients):
    assert " for " not in received(rcpt_tos=recipients)


def header_of(*lines):
    return scan_header(b"".join(line + b"\r\n" for line in lines) + b"\r\n")[0]


def renamed(*lines, signed=frozenset()):
    """The header after the courier's insertion, and the reasons."""
    header = header_of(*lines)
    offsets, reasons = foreign(header, hostname=HOST, signed=signed)
    content = b"".join(line + b"\r\n" for line in lines)
    for offset in reversed(offsets):
        content = content[:offset] + b"X-Foreign-" + content[offset:]
    return content.split(b"\r\n")[:-1], reasons


@pytest.mark.parametrize(
    "line",
    [
        b"X-247CP-Class: other",
        b"x-247cp-class: other",
        b"X-247CP: anything",
        b"X-247CP-Class : other",
        b"Authentication-Results: gw.institution.gov.example; dkim=pass",
        b"AUTHENTICATION-RESULTS: GW.Institution.Gov.Example; dkim=pass",
        b"Authentication-Results: gw.institution.gov.example 1; dkim=pass",
        b"Authentication-Results: gw.institution.gov.example.; dkim=pass",
        b'Authentication-Results: "gw.institution.gov.example"; dkim=pass',
        b'Authentication-Results: "gw.\\institution.gov.example"; dkim=pass',
        b"Authentication-Results: (a (nested\\)) comment) gw.institution.gov.example; dkim=pass",
        b"Authentication-Results:gw.institution.gov.example(x); dkim=pass",
        b"Authentication-Results:\r\n gw.institution.gov.example; dkim=pass",
        b"Authentication-Results: gw.institution.gov.example",
    ],
)
def test_forged_field_loses_its_name(line):
    assert renamed(b"From: a@x.example", line) == (
        [b"From: a@x.example", *(b"X-Foreign-" + line).split(b"\r\n")],
        (Reason.FOREIGN_FIELD_RENAMED,),
    )


@pytest.mark.parametrize(
    "line",
    [
        b"Authentication-Results: mx.police.gov.b.example; dkim=pass",
        b"Authentication-Results: gw.institution.gov.example.attacker.example; dkim=pass",
        b"Authentication-Results: (gw.institution.gov.example) other.example; dkim=pass",
        b"Authentication-Results: (gw.institution.gov.example",
        b"Authentication-Results: ;",
        b"Authentication-Results:",
        b"ARC-Authentication-Results: i=1; gw.institution.gov.example; dkim=pass",
        b"Y-247CP-Class: other",
        b"Subject: X-247CP-Class: other",
    ],
)
def test_honest_field_keeps_its_name(line):
    assert renamed(line) == ([line], ())


def test_signed_field_stays_and_the_verdict_says_so():
    line = b"X-247CP-Class: other"
    assert renamed(line, signed=frozenset({"x-247cp-class"})) == ([line], (Reason.FOREIGN_FIELD_SIGNED,))


def test_one_signed_and_one_not():
    lines, reasons = renamed(b"X-247CP-Class: a", b"X-247CP-Case: b", signed=frozenset({"x-247cp-class"}))
    assert lines == [b"X-247CP-Class: a", b"X-Foreign-X-247CP-Case: b"]
    assert reasons == (Reason.FOREIGN_FIELD_RENAMED, Reason.FOREIGN_FIELD_SIGNED)


@given(st.lists(st.binary(max_size=60), max_size=8))
@settings(max_examples=200, deadline=None)
def test_offsets_ascend_and_lie_at_field_names(lines):
    header = header_of(*lines, b"X-247CP-Class: other")
    offsets, _ = foreign(header, hostname=HOST, signed=frozenset())
    assert list(offsets) == sorted(set(offsets))
    assert set(offsets) <= {one.start for one in header.fields}


@given(
    helo=st.one_of(st.none(), st.text(max_size=300)),
    peer=st.one_of(st.none(), st.text(max_size=60)),
    to=st.text(max_size=300),
)
@settings(max_examples=200, deadline=None)
def test_nothing_a_client_says_begins_a_field(helo, peer, to):
    written = stamped(envelope=Envelope(mail_from="", rcpt_tos=(to,), peer=peer, helo=helo))
    assert email.message_from_bytes(written).keys() == [
        "Received",
        "Authentication-Results",
        "X-247CP-Case",
        "X-247CP-Class",
        "X-247CP-Assurance",
        "X-247CP-Disposition",
    ]
    assert written.isascii()
