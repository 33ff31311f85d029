"""Thread keys: what may tie a message to a case."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.message import ThreadKeys

TAG = "247CP-2026-000042-K7QA"


def keys(header: bytes, *rcpt_tos: str) -> ThreadKeys:
    return keys_of(scan_header(header + b"\r\n")[0], rcpt_tos)


def test_ids_come_in_order_each_once():
    found = keys(
        b"Message-ID: <m@a.example>\r\n"
        b"In-Reply-To: <r@b.example> (as you wrote)\r\n"
        b"References: <one@b.example>\r\n <two@b.example> <one@b.example>\r\n"
    )
    assert found.message_id == "<m@a.example>"
    assert found.in_reply_to == ("<r@b.example>",)
    assert found.references == ("<one@b.example>", "<two@b.example>")


@pytest.mark.parametrize(
    "value", [b"", b"m@a.example", b"<>", b"<a b@c.example>", b"<a\0@c.example>", b"<" + b"x" * 1000 + b">"]
)
def test_what_is_no_id_is_no_id(value):
    assert keys(b"Message-ID: " + value + b"\r\n").message_id is None


@pytest.mark.parametrize(
    ("header", "rcpt_tos"),
    [
        (f"Subject: Re: [{TAG.lower()}] answer\r\n".encode(), ()),
        (b"Subject: =?utf-8?q?=5B247CP-2026-000042-?=\r\n =?utf-8?q?K7QA=5D?=\r\n", ()),
        (b"Subject: x\r\n", (f"247cp+c.{TAG.lower()}@institution.example",)),
        (f"Subject: {TAG} {TAG}\r\n".encode(), (f"247cp+c.{TAG}@institution.example",)),
    ],
)
def test_tags_are_found_in_subject_and_recipients(header, rcpt_tos):
    assert keys(header, *rcpt_tos).tags == (TAG,)


@pytest.mark.parametrize(
    "rcpt_to", [f"247cp+r.{TAG}@institution.example", f"{TAG}@institution.example", f"x@{TAG}.example"]
)
def test_other_recipients_carry_no_tag(rcpt_to):
    assert keys(b"", rcpt_to).tags == ()


def test_a_conversation_is_the_first_22_octets_of_thread_index():
    value = bytes(range(22)) + b"reply"
    assert keys(b"Thread-Index: " + base64.b64encode(value) + b"\r\n").thread_index == bytes(range(22)).hex()
    assert keys(b"Thread-Index: " + base64.b64encode(value[:21]) + b"\r\n").thread_index is None


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_values_have_keys(value):
    clean = value.replace(b"\r", b"").replace(b"\n", b"")
    header = b"".join(
        name + b": " + clean + b"\r\n" for name in (b"Message-ID", b"References", b"Subject", b"Thread-Index")
    )
    keys(header, clean.decode("latin-1"))


def test_a_megabyte_of_ids_takes_bounded_time(cpu_seconds):
    with cpu_seconds(at_most=4.0):
        keys(b"References: " + b"<a@b.example>" * 70_000 + b"<" * 100_000 + b"\r\n")
