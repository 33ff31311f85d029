"""Mail of our own: 7-bit, CRLF, checked; signed bytes stand between the boundaries exactly as they were signed."""

import email
import email.policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.compose import (
    encoded_text,
    field_line,
    is_robust,
    mailbox,
    message,
    multipart_encrypted,
    multipart_signed,
    protected_fields,
    text_entity,
)
from gateway.mail.scan import scan

INSIDE = (("From", "247cp@institution.gov.example"), ("Subject", "Réponse"))
OUTSIDE = (("From", "247cp@institution.gov.example"), ("Subject", "[247CP-2026-000042-K7QA]"))
printable = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=300)


def unfolded(line):
    return line.decode().removesuffix("\r\n").replace("\r\n", "")


# header fields


def test_field_is_folded_at_blanks():
    line = field_line("References", " ".join(f"<{n}@police.gov.b.example>" for n in range(9)))
    assert all(len(one) <= 78 for one in line.split(b"\r\n"))
    assert unfolded(line) == "References: " + " ".join(f"<{n}@police.gov.b.example>" for n in range(9))


def test_first_line_is_never_the_name_alone():
    assert field_line("Subject", "x" * 200) == b"Subject: " + b"x" * 200 + b"\r\n"


def test_text_beyond_ascii_is_an_encoded_word():
    line = field_line("Subject", "Demande de conservation accélérée " * 5)
    assert line.isascii()
    assert all(len(one) <= 78 for one in line.split(b"\r\n"))
    shown = str(make_header(decode_header(unfolded(line).partition(": ")[2])))
    assert shown == ("Demande de conservation accélérée " * 5).strip()


@pytest.mark.parametrize(
    "odd", ["a\r\nBcc: x@x.example", "a\nb", "a\rb", "a\0b", "a\tb", "a\x7fb", "a\x85b", "a\u2028b"]
)
def test_control_character_stops_the_field(odd):
    with pytest.raises(ValueError, match="control character"):
        field_line("Subject", odd)
    with pytest.raises(ValueError, match="control character"):
        mailbox(odd, "a@x.example")
    with pytest.raises(ValueError, match="control character"):
        mailbox("a", odd)


@pytest.mark.parametrize("name", ["", "Subject:", "Sub ject", "Sübject", "X\r\nY", "-X", "X" * 77])
def test_field_name_is_checked(name):
    with pytest.raises(ValueError, match="not a field name"):
        field_line(name, "x")


def test_word_no_line_can_hold_is_refused():
    with pytest.raises(ValueError, match="a word of Subject is too long"):
        field_line("Subject", "x" * 1000)


@given(printable)
@settings(max_examples=200, deadline=None)
def test_any_printable_value_survives(value):
    line = field_line("Subject", value)
    assert line.isascii()
    assert max(map(len, line.split(b"\r\n"))) <= 998
    assert email.message_from_bytes(line + b"\r\n").keys() == ["Subject"]
    shown = str(make_header(decode_header(unfolded(line).partition(":")[2].strip(" "))))
    assert shown.split() == value.split() or "=?" in value


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", "<a@x.example>"),
        ("Duty Officer", "Duty Officer <a@x.example>"),
        ("Contact Point, Police", '"Contact Point, Police" <a@x.example>'),
        ('The "Boss" \\', r'"The \"Boss\" \\" <a@x.example>'),
        ("Préfecture", "=?utf-8?q?Pr=C3=A9fecture?= <a@x.example>"),
    ],
)
def test_mailbox_is_quoted_or_encoded(name, written):
    assert mailbox(name, "a@x.example") == written


def test_long_name_is_many_short_words():
    written = mailbox("Préfecture de police " * 10, "a@x.example")
    assert all(len(word) <= 75 for word in written.split(" "))
    assert str(make_header(decode_header(written))).startswith("Préfecture de police Préfecture de police")


@given(printable)
@settings(max_examples=100, deadline=None)
def test_any_display_name_leaves_the_address_alone(name):
    content = message((("From", mailbox(name, "a@x.example")),), text_entity("x"))
    assert scan(content).sender.spec == "a@x.example"


# entities


@pytest.mark.parametrize(
    "body", ["plain\n", "ends with blanks  \n", "From here\n", "Größe\n", "x" * 2000, "a\r\nb\rc\n", "", "-- \nme"]
)
def test_text_is_read_back_as_it_was(body):
    entity = text_entity(body)
    assert is_robust(entity.partition(b"\r\n\r\n")[2])
    parsed = email.message_from_bytes(entity)
    assert parsed.get_content_type() == "text/plain"
    shown = parsed.get_payload(decode=True).decode("utf-8").splitlines()
    assert shown == (body.splitlines() or [""])


def test_plain_text_is_not_encoded():
    assert encoded_text(b"plain\n") == ("7bit", b"plain\r\n")


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_becomes_robust(text):
    _, octets = encoded_text(text.encode("utf-8", "surrogatepass"))
    assert is_robust(octets)


def test_clear_entity_protects_its_fields():
    entity = text_entity("x", fields=INSIDE)
    assert entity.startswith(b'Content-Type: text/plain; charset=utf-8; hp="clear"; protected-headers="v1"\r\n')
    parsed = email.message_from_bytes(entity)
    assert parsed["From"] == "247cp@institution.gov.example"
    assert str(make_header(decode_header(parsed["Subject"]))) == "Réponse"
    assert parsed.get_all("HP-Outer") is None


def test_cipher_entity_says_what_stands_outside():
    parsed = email.message_from_bytes(text_entity("x", fields=INSIDE, cipher=True, outer=OUTSIDE))
    assert dict(parsed.get_params())["hp"] == "cipher"
    assert parsed.get_all("HP-Outer") == ["From: 247cp@institution.gov.example", "Subject: [247CP-2026-000042-K7QA]"]


def test_clear_payload_has_no_outer_copies():
    assert b"HP-Outer" not in protected_fields(INSIDE, cipher=False, outer=OUTSIDE)


def test_signed_payload_stands_between_the_boundaries_as_it_is():
    payload = text_entity("signed\n\n", fields=INSIDE)
    content = message(OUTSIDE, multipart_signed(payload, b"ARMOR\nX\n", micalg="pgp-sha256", boundary="b1"))
    scanned = scan(content)
    assert scanned.root.content_type == "multipart/signed"
    assert dict(scanned.root.parameters) == {
        "micalg": "pgp-sha256",
        "protocol": "application/pgp-signature",
        "boundary": "b1",
    }
    first, second = scanned.root.children
    assert scanned.raw(first) == payload
    assert second.content_type == "application/pgp-signature"
    assert scanned.body(second) == b"ARMOR\r\nX\r\n"


def test_encrypted_entity_has_version_and_ciphertext():
    content = message(OUTSIDE, multipart_encrypted(b"ARMOR\nX\n", boundary="b1"))
    scanned = scan(content)
    version, ciphertext = scanned.root.children
    assert scanned.root.parameter("protocol") == "application/pgp-encrypted"
    assert (version.content_type, scanned.body(version)) == ("application/pgp-encrypted", b"Version: 1\r\n")
    assert (ciphertext.content_type, scanned.body(ciphertext)) == ("application/octet-stream", b"ARMOR\r\nX\r\n")


@pytest.mark.parametrize(
    ("payload", "boundary", "micalg", "complaint"),
    [
        (b"a\r\n--b1\r\n", "b1", "pgp-sha256", "boundary occurs"),
        (b"a\xff", "b1", "pgp-sha256", "7-bit"),
        (b"a", "", "pgp-sha256", "not a boundary"),
        (b"a", 'b"1', "pgp-sha256", "not a boundary"),
        (b"a", "b" * 71, "pgp-sha256", "not a boundary"),
        (b"a", "b1", 'sha256"; x="', "not a hash name"),
    ],
)
def test_what_cannot_be_wrapped_is_refused(payload, boundary, micalg, complaint):
    with pytest.raises(ValueError, match=complaint):
        multipart_signed(payload, b"ARMOR\n", micalg=micalg, boundary=boundary)


def test_message_has_each_field_once():
    with pytest.raises(ValueError, match="given twice"):
        message((*OUTSIDE, ("subject", "x")), text_entity("x"))


def test_content_fields_are_the_entitys():
    with pytest.raises(ValueError, match="entity's"):
        message((("Content-Type", "text/html"),), text_entity("x"))


def test_whole_message_is_robust_and_clean_to_every_reader():
    content = message((*OUTSIDE, ("MIME-Version", "1.0")), text_entity("Größe\n"))
    assert scan(content).defects == ()
    assert email.message_from_bytes(content, policy=email.policy.default).defects == []
    assert content.isascii()
