"""An officer's mail on its way out: nothing of the laptop leaves, everything written arrives, every octet is 7-bit."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import SealFailed
from gateway.mail.compose import is_robust, message, multipart_signed
from gateway.mail.outgoing import login_of, outer_fields, payload, subject_of
from gateway.mail.scan import body_of, scan, scan_header

CASE = "247CP-2026-000042-K7QA"
NEVER = (
    "laptop",
    "j.doe",
    "192.0.2.44",
    "Mail 1.0",
    "Received",
    "Sender",
    "Bcc",
    "User-Agent",
    "X-",
    "Receipt",
    "\nReply-To",
)


def officer(name):
    return scan((Path(__file__).parent / "data" / f"officer-{name}.eml").read_bytes())


def changed(name, old, new):
    content = officer(name).content
    assert old in content
    return scan(content.replace(old, new, 1))


def read_back(entity):
    return email.message_from_bytes(entity, policy=email.policy.default)


def leaves_of(parsed):
    return [one for one in parsed.walk() if not one.is_multipart()]


# fields outside


def test_outer_fields_are_exactly_these():
    fields = outer_fields(officer("plain"), case=CASE, cipher=False, message_id="<42.a1@gw.institution.gov.example>")
    assert fields == (
        ("From", '"24/7 Contact Point, Duty" <247cp@institution.gov.example>'),
        ("To", "<247cp@police.gov.b.example>"),
        ("Cc", "=?utf-8?q?Pr=C3=A9fecture?= <joint@police.gov.b.example>"),
        ("Subject", "Réponse à votre demande"),
        ("Date", "Tue, 05 May 2026 11:00:00 +0200"),
        ("Message-ID", "<42.a1@gw.institution.gov.example>"),
        ("In-Reply-To", "<request-1@police.gov.b.example>"),
        ("References", "<earlier@police.gov.b.example> <request-1@police.gov.b.example>"),
        ("MIME-Version", "1.0"),
    )


def test_subject_of_an_encrypted_answer_is_the_case_alone():
    assert dict(outer_fields(officer("plain"), case=CASE, cipher=True))["Subject"] == f"[{CASE}]"


def test_lost_thread_is_written_as_given():
    lost = changed("plain", b"In-Reply-To:", b"X-Lost:")
    fields = dict(
        outer_fields(
            lost, case=CASE, cipher=False, in_reply_to="<r@x.example>", references=("<a@x.example>", "<r@x.example>")
        )
    )
    assert (fields["In-Reply-To"], fields["References"]) == ("<r@x.example>", "<a@x.example> <r@x.example>")


def test_parent_alone_becomes_the_references():
    single = changed("plain", b"References:", b"X-Lost:")
    assert dict(outer_fields(single, case=CASE, cipher=False))["References"] == "<request-1@police.gov.b.example>"


def test_long_thread_is_shortened():
    ids = tuple(f"<{n}@x.example>" for n in range(50))
    kept = dict(outer_fields(officer("plain"), case=CASE, cipher=False, references=ids))["References"].split(" ")
    assert (len(kept), kept[0], kept[1], kept[-1]) == (20, ids[0], ids[31], ids[-1])


@pytest.mark.parametrize("date", [b"X-Date: now", b"Date: yesterday", b"Date: \xff", b"Date: 99999999999999999999"])
def test_unusable_date_gets_ours(date):
    odd = changed("plain", b"Date: Tue, 5 May 2026 11:00:00 +0200", date)
    fields = dict(outer_fields(odd, case=CASE, cipher=False, date=datetime(2026, 5, 5, 9, 1, tzinfo=UTC)))
    assert fields["Date"] == "Tue, 05 May 2026 09:01:00 +0000"
    assert "Date" not in dict(outer_fields(odd, case=CASE, cipher=False))


def test_mail_without_subject_has_none():
    assert "Subject" not in dict(outer_fields(changed("plain", b"Subject:", b"X-None:"), case=CASE, cipher=False))


def test_endless_subject_still_fits_into_a_line():
    endless = changed("plain", b"Subject: ", b"Subject: " + b"x" * 5000)
    written = message(outer_fields(endless, case=CASE, cipher=False), b"\r\n")
    assert max(map(len, written.split(b"\r\n"))) <= 998


def test_address_beyond_ascii_cannot_leave():
    with pytest.raises(SealFailed, match="address beyond ASCII"):
        outer_fields(changed("plain", b"To: 247cp@", "To: büro@".encode()), case=CASE, cipher=False)


def test_control_characters_in_names_do_not_leave():
    odd = changed("plain", b"=?utf-8?q?Pr=C3=A9fecture?=", b"=?utf-8?q?a=0D=0ABcc:_x=E2=80=A8b?=")
    assert message(outer_fields(odd, case=CASE, cipher=False), b"\r\n").count(b"\r\nBcc") == 0


# what is signed


@pytest.mark.parametrize("name", ["plain", "mixed", "signed"])
@pytest.mark.parametrize("cipher", [False, True])
def test_payload_is_robust(name, cipher):
    entity = payload(officer(name), cipher=cipher, case=CASE)
    assert is_robust(entity)
    assert read_back(entity).defects == []


@pytest.mark.parametrize("name", ["plain", "mixed", "signed"])
def test_nothing_of_the_laptop_leaves(name):
    source = officer(name)
    outer = outer_fields(source, case=CASE, cipher=False, message_id="<1@gw.institution.gov.example>")
    entity = payload(source, cipher=False, case=CASE, outer=outer)
    leaving = message(outer, multipart_signed(entity, b"ARMOR\n", micalg="pgp-sha256", boundary="b1")).decode()
    assert [word for word in NEVER if word in leaving] == []


def test_text_arrives_as_it_was_written():
    entity = read_back(payload(officer("plain"), cipher=False, case=CASE))
    assert entity["Content-Transfer-Encoding"] == "quoted-printable"
    assert entity.get_payload(decode=True) == "Les données sont conservées. \r\nFrom now on: ninety days.\r\n".encode()
    assert entity.get_param("format") == "flowed"
    assert entity["Content-Language"] == "fr"


def test_payload_protects_the_header():
    entity = read_back(payload(officer("plain"), cipher=False, case=CASE))
    assert entity.get_param("hp") == "clear"
    assert entity.get_param("protected-headers") == "v1"
    assert entity["Subject"] == "Réponse à votre demande"
    assert entity["To"] == "247cp@police.gov.b.example"
    assert entity["HP-Outer"] is None


def test_encrypted_payload_keeps_the_subject_inside_and_says_what_is_outside():
    entity = read_back(payload(officer("plain"), cipher=True, case=CASE))
    assert entity.get_param("hp") == "cipher"
    assert entity["Subject"] == "Réponse à votre demande"
    assert f"Subject: [{CASE}]" in entity.get_all("HP-Outer")
    assert "MIME-Version: 1.0" not in entity.get_all("HP-Outer")


def test_outer_fields_as_given_are_the_protected_ones():
    source = officer("plain")
    outer = outer_fields(source, case=CASE, cipher=True, message_id="<1@gw.institution.gov.example>")
    entity = read_back(payload(source, cipher=True, case=CASE, outer=outer))
    assert entity["Message-ID"] == "<1@gw.institution.gov.example>"
    assert "Message-ID: <1@gw.institution.gov.example>" in entity.get_all("HP-Outer")


def test_every_part_arrives_as_it_was_written():
    parsed = read_back(payload(officer("mixed"), cipher=False, case=CASE))
    plain, html, binary, nested, table = leaves_of(parsed)
    assert plain.get_payload(decode=True) == b"d\xe9j\xe0 vu"
    assert plain.get_content_charset() == "iso-8859-1"
    assert "déjà encodé" in html.get_content()
    assert binary.get_payload(decode=True) == bytes(range(14, 256))
    assert binary.get_filename() == "données.bin"
    assert nested.get_payload(decode=True).decode() == "où"
    assert table.get_payload(decode=True) == b"a,b"
    assert [one.get_content_type() for one in parsed.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/octet-stream",
        "message/rfc822",
        "text/plain",
        "text/csv",
    ]


def test_part_that_survives_every_relay_keeps_its_bytes():
    entity = payload(officer("mixed"), cipher=False, case=CASE)
    assert b"<p>d=C3=A9j=C3=A0 encod=C3=A9</p>" in entity
    assert b"Content-Type: text/csv; name=plain.csv\r\nContent-Transfer-Encoding: 7bit\r\n\r\na,b\r\n--" in entity


def test_composite_parts_have_no_transfer_encoding():
    for one in read_back(payload(officer("mixed"), cipher=False, case=CASE)).walk():
        assert not one.is_multipart() or one["Content-Transfer-Encoding"] is None


def test_our_own_parameters_are_written_once():
    entity = payload(officer("mixed"), cipher=True, case=CASE)
    assert entity.count(b'hp="') == 1
    assert b'hp="cipher"' in entity
    assert b'boundary="outer 1"' in entity


def test_signature_of_the_client_is_left_out():
    entity = read_back(payload(officer("signed"), cipher=False, case=CASE))
    assert entity.get_content_type() == "text/plain"
    assert "Signed by the officer's own key." in entity.get_payload()
    assert entity["Subject"] == "The real subject"
    assert "PGP" not in entity.as_string()


def test_decrypted_entity_takes_the_place_of_the_ciphertext():
    outer = changed("plain", b"Content-Type: text/plain", b"Content-Type: multipart/encrypted")
    inner = scan(b'Content-Type: text/plain; protected-headers="v1"\r\nSubject: inside\r\n\r\nsecret\r\n')
    entity = read_back(payload(outer, cipher=True, case=CASE, inner=inner))
    assert (entity.get_content_type(), entity["Subject"], entity.get_payload()) == (
        "text/plain",
        "inside",
        "secret\r\n",
    )
    assert entity["To"] == "247cp@police.gov.b.example"


def test_decrypted_entity_without_subject_keeps_the_outer_one():
    inner = scan(b"Content-Type: text/plain\r\n\r\nsecret\r\n")
    assert (
        read_back(payload(officer("plain"), cipher=True, case=CASE, inner=inner))["Subject"]
        == "Réponse à votre demande"
    )


def test_text_of_unnamed_charset_is_named():
    bare = scan(b"From: a@x.example\r\n\r\nGr\xc3\xb6\xc3\x9fe\r\n")
    assert read_back(payload(bare, cipher=False, case=CASE)).get_content() == "Größe\r\n"
    plain = scan(b"From: a@x.example\r\n\r\nsize\r\n")
    assert read_back(payload(plain, cipher=False, case=CASE)).get_content_charset() == "us-ascii"


def test_part_that_may_not_be_encoded_stops_the_mail():
    partial = scan(b"From: a@x.example\r\nContent-Type: message/external-body\r\n\r\n\xff\r\n")
    with pytest.raises(SealFailed, match="message/external-body is not 7-bit"):
        payload(partial, cipher=False, case=CASE)


def test_text_with_zero_octets_is_base64():
    wide = scan(b"From: a@x.example\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n" + "é".encode("utf-16"))
    entity = payload(wide, cipher=False, case=CASE)
    assert read_back(entity)["Content-Transfer-Encoding"] == "base64"
    assert read_back(entity).get_payload(decode=True) == "é".encode("utf-16")


def test_payload_made_twice_is_the_same():
    first = payload(officer("mixed"), cipher=False, case=CASE)
    assert payload(officer("mixed"), cipher=False, case=CASE) == first


@given(st.binary(max_size=300), st.sampled_from(["7bit", "8bit", "base64", "quoted-printable", "x-unknown"]))
@settings(max_examples=200, deadline=None)
def test_any_body_becomes_robust_and_means_the_same(body, encoding):
    content = f"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    source = scan(content.replace(b"\r", b"").replace(b"\n", b"\r\n"))
    entity = payload(source, cipher=False, case=CASE)
    assert is_robust(entity)
    again = scan(entity)
    assert body_of(again, again.root) == body_of(source, source.root)


@given(st.lists(st.binary(max_size=60), max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_mail_becomes_robust_or_is_refused(lines):
    source = scan(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"\r\n".join(lines) + b"\r\n--b--\r\n")
    try:
        entity = payload(source, cipher=True, case=CASE)
    except SealFailed:
        return
    assert entity.isascii()
    assert b"\0" not in entity


# the login


def login(*lines):
    header, _, _ = scan_header(b"\r\n".join(lines) + b"\r\n\r\n")
    return login_of(header)


RECEIVED = b"Received: from [192.0.2.44] (Authenticated sender: j.doe)\r\n\tby mx.institution.gov.example"


def test_bare_line_ends_do_not_leave():
    inner = scan(
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\npre\ramble\r\n--b\r\n'
        b"Content-Type: text/plain; charset=utf-8\rx\r\n\r\none\rtwo\r\n--b--\r\nepi\rlogue"
    )
    entity = payload(officer("plain"), cipher=True, case=CASE, inner=inner)
    assert entity.count(b"\r") == entity.count(b"\n") == entity.count(b"\r\n")


def test_login_stands_in_the_topmost_received():
    found, rest = login_of(officer("plain").header)
    assert found == "j.doe"
    assert rest.first("received") is None
    assert len(rest.fields) == len(officer("plain").header.fields) - 1


def test_login_may_be_an_address():
    assert login(b"Received: x (Authenticated sender: j.doe@institution.gov.example) by mx")[0] == (
        "j.doe@institution.gov.example"
    )


@pytest.mark.parametrize(
    "lines",
    [
        (b"Received: from x by y", RECEIVED),
        (b"Subject: (Authenticated sender: j.doe)",),
        (b"X-Received: from x (Authenticated sender: j.doe)",),
        (b"Received: from (Authenticated sender: boss) (Authenticated sender: j.doe) by mx",),
        (b"Received: from (authenticated sender boss) (Authenticated sender: j.doe) by mx",),
        (b"Received: from x (Authenticated sender: j doe) by mx",),
        (b"Received: from x (Authenticated sender: j(doe) by mx",),
        (b"Received: from x (Authenticated sender: ) by mx",),
        (b"Received: from x Authenticated sender: j.doe by mx",),
        (),
    ],
)
def test_what_is_not_the_login_is_none(lines):
    assert login(*lines)[0] is None


def test_only_the_topmost_received_is_taken_away():
    _, rest = login(RECEIVED, b"Received: from older by x", b"Subject: x")
    assert [one.name for one in rest.fields] == ["Received", "Subject"]


def test_subject_is_one_printable_line():
    header, _, _ = scan_header(b"Subject: =?utf-8?q?a=0D=0Ab=E2=80=AE?= c\r\n\r\n")
    assert subject_of(header).isprintable()
    assert subject_of(replace(header, fields=())) == ""
