"""Receipts: fixed facts in the administrator's words, header fields that no robot answers, templates that cannot do harm."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.compose import message, text_entity
from gateway.mail.receipt import ReceiptContext, compile_check, message_id, receipt_fields, render
from gateway.model.verdict import Category, Kind, Level

CASE = "247CP-2026-000042-K7QA"
AT = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
CONTEXT = ReceiptContext(
    reference=CASE,
    level=Level.FULL,
    category=Category.PRESERVATION,
    kind=Kind.NEW,
    urgent=False,
    received_at="2026-05-05T09:00:00Z",
    received_local="2026-05-05 11:00 +02:00",
    sha256="ab" * 32,
    message_id="<request-1@police.gov.b.example>",
    missing=(("P5", "necessity of the preservation"), ("P6", "intention to send a request for mutual assistance")),
    phone="+000 1 234",
    contact_point_name="24/7 Contact Point",
    country="AX",
    preservation_days=90,
    preservation_until="2026-08-03",
    mla_intended=None,
)
TEMPLATE = """\
This is an automatic receipt from {{ contact_point_name }}, {{ country }}. No officer has read your message yet.
{% if category == "emergency" %}
CALL NOW: {{ phone }}
{% endif %}
Received: {{ received_at }} ({{ received_local }}). Our reference: {{ reference }}.
{% if missing %}
Missing so far: {{ missing | map(attribute=1) | join("; ") }}.
{% for id, name in missing %}
  {{ id }} {{ name }}
{% endfor %}
{% endif %}
"""
FIELDS = {
    "name": "24/7 Contact Point",
    "mailbox": "247cp@institution.gov.example",
    "to": "247cp@police.gov.b.example",
    "reference": CASE,
    "at": AT,
    "hostname": "gw.institution.gov.example",
    "request_key": "0123456789abcdef" * 4,
    "in_reply_to": "<request-1@police.gov.b.example>",
}


def made(**changes):
    return dict(receipt_fields(**{**FIELDS, **changes}))


def test_receipt_says_the_facts():
    assert render(TEMPLATE, context=CONTEXT) == (
        "This is an automatic receipt from 24/7 Contact Point, AX. No officer has read your message yet.\n"
        "Received: 2026-05-05T09:00:00Z (2026-05-05 11:00 +02:00). Our reference: 247CP-2026-000042-K7QA.\n"
        "Missing so far: necessity of the preservation; intention to send a request for mutual assistance.\n"
        "  P5 necessity of the preservation\n"
        "  P6 intention to send a request for mutual assistance\n"
    )


def test_emergency_names_the_telephone():
    said = render(TEMPLATE, context=replace(CONTEXT, category=Category.EMERGENCY, missing=()))
    assert "CALL NOW: +000 1 234\n" in said
    assert "Missing" not in said


def test_every_fact_has_its_name_in_a_template():
    for one in fields(ReceiptContext):
        compile_check(f"{{{{ {one.name} }}}}")


def test_unknown_name_is_refused_before_it_is_used():
    with pytest.raises(ValueError, match="unknown name subject; a receipt knows category, contact_point_name"):
        compile_check("Your request {{ subject }}")


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10**10 }}",
        "{{ 10 ** 10 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ 'a' ~ phone }}",
        "{{ phone + phone }}",
        "{{ '{:>9999999999}'.format(phone) }}",
        "{{ range(10**9) }}",
        "{{ phone.__class__.__mro__[1].__subclasses__() }}",
        "{% set a = phone %}{{ a }}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'other' %}",
        "{% import 'other' as o %}",
        "{% extends 'other' %}",
        "{% for a in phone %}{% for b in phone %}{% for c in phone %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ phone | upper | lower | upper | lower | upper }}",
        "{{ phone | join('0123456789abc') }}",
        "{{ phone | join(phone) }}",
        "{{ missing | map('join', '0123456789abc') | first }}",
    ],
)
def test_what_could_do_harm_is_not_allowed(template):
    with pytest.raises(ValueError, match=r"^line 1: \w+ is not allowed here$"):
        compile_check(template)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("one\n{{ phone", "line 2: "),
        ("{% if urgent %}", "line 1: Unexpected end of template"),
        ("{{ phone | center(10) }}", "line 1: No filter named 'center'"),
        ("x" * 16_385, "more than 16384 characters"),
        ("{{ " + "(" * 8000 + " }}", "brackets stand in each other too deep"),
    ],
)
def test_complaint_names_the_line(template, complaint):
    with pytest.raises(ValueError, match=complaint):
        compile_check(template)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ phone.__class__ }}", "the template fails: "),
        ("{{ phone.nothing }}", "the template fails: "),
        ("{{ preservation_days | join }}", "the template fails: "),
        ("{% if urgent %}x{% endif %}\n \n", "the template says nothing"),
        ("{% for a in sha256 %}{% for b in sha256 %}xxxxx{% endfor %}{% endfor %}", "more than 16384 characters"),
        ("{{ unknown }}", "unknown name"),
    ],
)
def test_template_that_fails_is_no_receipt(template, complaint):
    with pytest.raises(ValueError, match=complaint):
        render(template, context=CONTEXT)


def test_control_characters_do_not_leave():
    assert render("{{ phone }}\r\n", context=replace(CONTEXT, phone="+1\x1b[31m\x00 2\u202e")) == "+1[31m 2\n"


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_template_renders_or_is_refused(template):
    try:
        text = render(template, context=CONTEXT)
    except ValueError:
        return
    assert text.endswith("\n")
    assert all(char.isprintable() or char == "\n" for char in text)


def test_fields_are_those_of_an_automatic_reply():
    assert made() == {
        "From": "24/7 Contact Point <247cp@institution.gov.example>",
        "To": "<247cp@police.gov.b.example>",
        "Subject": f"Auto: receipt [{CASE}]",
        "Date": "Tue, 05 May 2026 09:00:00 +0000",
        "Message-ID": f"<rcpt.{CASE}.0123456789abcdef@gw.institution.gov.example>",
        "In-Reply-To": "<request-1@police.gov.b.example>",
        "References": "<request-1@police.gov.b.example>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "MIME-Version": "1.0",
    }


def test_same_request_gets_the_same_message_id():
    assert made()["Message-ID"] == made(at=datetime(2027, 1, 1, tzinfo=UTC))["Message-ID"]
    assert made()["Message-ID"] == message_id(CASE, request_key=FIELDS["request_key"], hostname=FIELDS["hostname"])
    assert made(request_key="f" * 64)["Message-ID"] != made()["Message-ID"]


def test_references_of_the_request_come_first():
    assert made(references=("<a@x.example>", "<b@x.example>"))["References"] == (
        "<a@x.example> <b@x.example> <request-1@police.gov.b.example>"
    )


def test_long_thread_keeps_its_first_and_its_nearest():
    ids = tuple(f"<{n}@x.example>" for n in range(60))
    kept = made(references=ids)["References"].split(" ")
    assert len(kept) == 20
    assert (kept[0], kept[1], kept[-1]) == (ids[0], "<42@x.example>", FIELDS["in_reply_to"])


@pytest.mark.parametrize(
    "odd", ["", "no id", "<a b@x.example>", "<a@x.example>\r\nBcc: x@x.example", "<\N{SNOWMAN}@x>", "<a@x>" * 2, None]
)
def test_what_is_no_message_id_is_left_out(odd):
    fields = made(in_reply_to=odd)
    assert "In-Reply-To" not in fields
    assert "References" not in fields
    message(tuple(fields.items()), text_entity("x"))
