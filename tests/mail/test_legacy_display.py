"""Fields repeated for old programs are no words of the letter, and no words of the letter are taken for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.legacy_display import without_repeated_fields
from gateway.mail.scan import scan, scan_header
from gateway.mail.text import read

FIELDS = b"Subject: Request 7\r\nFrom: 247cp@police.gov.b.example\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\n"
LETTER = "Please preserve the account."
HEADER = scan_header(FIELDS + b"\r\n")[0]


def sealed(kind: bytes, body: bytes, fields: bytes = FIELDS):
    return read(scan(fields + b"Content-Type: " + kind + b"\r\n\r\n" + body))


def test_fields_before_the_letter_are_not_its_words() -> None:
    text = sealed(b'text/plain; hp="cipher"; hp-legacy-display="1"', b"Subject: Request 7\r\n\r\n" + LETTER.encode())
    assert (text.subject, text.body, text.quoted) == ("Request 7", LETTER, "")


def test_fields_that_look_like_a_quotation_do_not_hide_the_letter() -> None:
    text = sealed(b'text/plain; hp="cipher"; hp-legacy-display="1"', FIELDS + b"\r\n" + LETTER.encode())
    assert (text.body, text.quoted) == (LETTER, "")


def test_fields_in_html_are_not_its_words() -> None:
    body = b'<div class="header-protection-legacy-display"><pre>Subject: Request 7</pre></div><p>' + LETTER.encode()
    text = sealed(b'text/html; hp="cipher"; hp-legacy-display="1"', body)
    assert text.body == LETTER


@pytest.mark.parametrize("kind", [b"text/plain", b"text/rfc822-headers"])
def test_part_of_fields_as_clients_made_it_before_the_standard_is_not_read(kind: bytes) -> None:
    parts = (
        b"--b\r\nContent-Type: " + kind + b'; protected-headers="v1"\r\nContent-Disposition: inline\r\n\r\n'
        b"Subject: Request 7\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n" + LETTER.encode() + b"\r\n--b--\r\n"
    )
    text = sealed(b'multipart/mixed; boundary=b; protected-headers="v1"', parts)
    assert text.body.strip() == LETTER
    assert "".join(text.attachments) == ""


@pytest.mark.parametrize(
    "line", [b"Subject: Stop all work", b"Subject", b"Please: preserve", b"X-Unknown: x", b"Subject Request 7"]
)
def test_line_that_repeats_no_field_is_read(line: bytes) -> None:
    body = line + b"\r\n\r\n" + LETTER.encode()
    text = sealed(b'text/plain; hp="cipher"; hp-legacy-display="1"', body)
    assert text.body.startswith(line.decode())


def test_text_that_does_not_say_so_keeps_its_first_lines() -> None:
    assert (
        "Subject: Request 7" in sealed(b'text/plain; hp="cipher"', b"Subject: Request 7\r\n\r\n" + LETTER.encode()).body
    )


def signed(subject: bytes, kind: bytes) -> bytes:
    return (
        b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nSubject: " + subject + b"\r\nContent-Type: " + kind
        + b"\r\n\r\n" + LETTER.encode() + b"\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outside", "inside", "kind", "read_as"),
    [
        (b"", b"Request 7", b'text/plain; hp="cipher"', "Request 7"),
        (b"Subject: Request 7\r\n", b"Request 7", b'text/plain; hp="clear"', "Request 7"),
        (b"Subject: ...\r\n", b"Request 7", b'text/plain; protected-headers="v1"', "... Request 7"),
        (b"Subject: Request 7\r\n", b"Request 8", b"text/plain", "Request 7"),
    ],
)
def test_protected_subject_is_read(outside: bytes, inside: bytes, kind: bytes, read_as: str) -> None:
    assert read(scan(outside + signed(inside, kind))).subject == read_as


def test_endless_repetition_is_read_from_some_point_on() -> None:
    kept = without_repeated_fields("Subject: Request 7\n" * 50_000, HEADER)
    assert kept.startswith("Subject: Request 7\n")


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("Subject: Rq7\n\t-x"), max_size=60))
def test_nothing_is_left_out_that_no_field_says(text: str) -> None:
    kept = without_repeated_fields(text, HEADER)
    said = FIELDS.decode()
    assert text.endswith(kept.rstrip("\0"))
    left_out = text[: len(text) - len(kept)]
    assert all(" ".join(line.partition(":")[2].split()) in said for line in left_out.split("\n"))
