"""Identifiers: refanged, normalised, checked; and what is none of them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_pack import OWN, SENDER_DOMAIN

from gateway.model.message import Text
from gateway.model.verdict import IDENTIFIER_KINDS, Place
from gateway.triage.identifiers import MAX_IDENTIFIERS, find
from gateway.triage.readings import refang


def read(words, **places):
    return find(Text(body=words, **places), sender_domain=SENDER_DOMAIN, own_addresses=OWN).asked


def values(words, kind):
    return [one.value for one in read(words) if one.kind == kind]


FOUND = [
    ("ip", "from 203.0.113.7 yesterday", ["203.0.113.7"]),
    ("ip", "from 203.0.113.7.", ["203.0.113.7"]),
    ("ip", "203.0.113.7:51234 (source port)", ["203.0.113.7"]),
    ("ip", "203.0.113[.]7, 203[.]0[.]113[.]8 and 203(.)0(.)113(.)9", ["203.0.113.7", "203.0.113.8", "203.0.113.9"]),
    ("ip", "203.0.113 [dot] 7", ["203.0.113.7"]),
    ("ip", "IP:203.0.113.7", ["203.0.113.7"]),
    ("ip", "(203.0.113.7)", ["203.0.113.7"]),
    ("ip", "2001:db8::1 and 2001:0DB8:0000:0000:0000:FF00:0042:8329", ["2001:db8::1", "2001:db8::ff00:42:8329"]),
    ("ip", "[2001:db8::2]:443", ["2001:db8::2"]),
    ("ip", "fe80::1%eth0", ["fe80::1"]),
    ("ip", "2001[:]db8[:][:]5", ["2001:db8::5"]),
    ("ip", "::ffff:203.0.113.9", ["203.0.113.9"]),
    ("ip", "http://198.51.100.77/login", ["198.51.100.77"]),
    ("email", "write to shadow.fox@mail.example.", ["shadow.fox@mail.example"]),
    ("email", "shadow[at]mail[.]example, bad (at) mail (dot) example", ["shadow@mail.example", "bad@mail.example"]),
    ("email", "Shadow.Fox+x@MAIL.Example", ["Shadow.Fox+x@mail.example"]),
    ("email", "<o'neil@mail.example>", ["o'neil@mail.example"]),
    ("email", "info@bücher.example", ["info@bücher.example"]),
    ("url", "see https://Evil.example/Path?x=1.", ["https://evil.example/Path?x=1"]),
    ("url", "hxxps://evil[.]example/a, hxxp[:]//evil.example/b", ["https://evil.example/a", "http://evil.example/b"]),
    ("url", "hXXp://EVIL[.]example", ["http://evil.example"]),
    ("url", "(http://evil.example/x)", ["http://evil.example/x"]),
    ("domain", "the domain evil-shop.example was used", ["evil-shop.example"]),
    ("domain", "evil[.]example and EVIL2.EXAMPLE", ["evil.example", "evil2.example"]),
    ("domain", "evil[.]zip", ["evil.zip"]),
    ("domain", "shop.evil.co.uk", ["shop.evil.co.uk"]),
    ("domain", "hiddenservice.onion", ["hiddenservice.onion"]),
    ("phone", "+44 20 7946 0958", ["+442079460958"]),
    ("phone", "+44 (0)20 7946-0958", ["+442079460958"]),
    ("phone", "0033 1 23 45 67 89", ["+33123456789"]),
    ("phone", "tel.+1.202.555.0143", ["+12025550143"]),
    ("account", "Telegram @night_jar", ["@night_jar"]),
    ("account", "username: shadow.fox,", ["shadow.fox"]),
    ("account", "User-ID = 100012345678901", ["100012345678901"]),
    ("account", 'account name: "shadow"', ["shadow"]),
    ("account", "Facebook account 100012345678901", ["100012345678901"]),
    ("account", "compte : renard77", ["renard77"]),
    ("account", "Discord user shadow_fox", ["shadow_fox"]),
    ("crypto", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]),
    ("crypto", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", ["3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"]),
    ("crypto", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"]),
    ("crypto", "0x52908400098527886E0F7030069857D2E4169EE7", ["0x52908400098527886E0F7030069857D2E4169EE7"]),
    ("crypto", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", ["TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"]),
    ("imei", "IMEI: 490154203237518", ["490154203237518"]),
    ("imei", "IMEI no. 49-015420-323751-8", ["490154203237518"]),
    ("asn", "AS64500, ASN 64501 and ASN: 64502", ["AS64500", "AS64501", "AS64502"]),
    ("hash", "MD5 D41D8CD98F00B204E9800998ECF8427E", ["d41d8cd98f00b204e9800998ecf8427e"]),
    ("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709", ["da39a3ee5e6b4b0d3255bfef95601890afd80709"]),
    (
        "hash",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ),
    ("timestamp", "on 12/03/2026 14:22:05 UTC from", ["2026-03-12T14:22:05Z"]),
]


@pytest.mark.parametrize(("kind", "words", "expected"), FOUND, ids=[f"{row[0]} {row[1][:30]}" for row in FOUND])
def test_is_found_in_its_normal_form(kind, words, expected):
    assert values(words, kind) == expected


NONE = [
    ("ip", "version 1.2.3.4.5"),
    ("ip", "999.0.0.1 and 256.1.1.1"),
    ("ip", "v1.2.3.4-beta"),
    ("ip", "at 12:30:45"),
    ("ip", "aa:bb:cc:dd:ee:ff"),
    ("ip", "std::string"),
    ("ip", "1.2.3"),
    ("ip", "::"),
    ("email", "at mail example"),
    ("email", "shadow@localhost"),
    ("email", "shadow@mail.nosuchtld"),
    ("url", "https://localhost/"),
    ("url", "ftp"),
    ("domain", "report.pdf, notes.docx, image.jpeg"),
    ("domain", "evidence.zip"),
    ("domain", "We came back.It was late"),
    ("domain", "e.g. this, i.e. that"),
    ("domain", "art.29"),
    ("domain", "3.14"),
    ("phone", "020 7946 0958"),
    ("phone", "+44 20"),
    ("phone", "+1 234 567 890 123 456 789"),
    ("phone", "reference 00 12"),
    ("account", "the account of the suspect"),
    ("account", "user: https://evil.example/x"),
    ("account", "a @ b"),
    ("crypto", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
    ("crypto", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
    ("crypto", "bc1qw508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    ("crypto", "0x52908400098527886E0F"),
    ("crypto", "Twelvepoundsofstrangethings1234567"),
    ("imei", "490154203237518"),
    ("imei", "IMEI 490154203237519"),
    ("imei", "IMEI 4901542"),
    ("asn", "AS 400"),
    ("asn", "ASPIRE"),
    ("asn", "AS0"),
    ("asn", "AS99999999999"),
    ("hash", "d41d8cd98f00b204e9800998ecf842"),
    ("hash", "12345678901234567890123456789012"),
    ("timestamp", "12/03/2026"),
]


@pytest.mark.parametrize(("kind", "words"), NONE, ids=[f"{row[0]} {row[1][:30]}" for row in NONE])
def test_is_none(kind, words):
    assert values(words, kind) == []


OURS = [
    ("email", "officer@police.gov.b.example"),
    ("email", "officer@cyber.police.gov.b.example"),
    ("email", "247CP@institution.gov.a.example"),
    ("email", "duty@institution.gov.a.example"),
    ("domain", "www.police.gov.b.example"),
    ("domain", "gov.b.example"),
    ("url", "https://www.police.gov.b.example/contact"),
]


@pytest.mark.parametrize(("kind", "words"), OURS, ids=[row[1] for row in OURS])
def test_what_is_the_senders_or_ours_is_none(kind, words):
    assert values(words, kind) == []
    assert [
        one.value.lower()
        for one in find(Text(body=words), sender_domain=None, own_addresses=()).asked
        if one.kind == kind
    ] == [words.lower()]


def test_a_name_that_only_looks_like_the_senders_is_found():
    assert values("notpolice.gov.b.example", "domain") == ["notpolice.gov.b.example"]
    assert values("x@police.gov.b.example.evil.example", "email") == ["x@police.gov.b.example.evil.example"]


def test_each_value_once_in_the_order_of_kinds():
    found = read(
        "https://evil.example/x then 203.0.113.7, 203.0.113[.]7 and shadow@mail.example", subject="203.0.113.7"
    )
    assert [(one.kind, one.value) for one in found] == [
        ("ip", "203.0.113.7"),
        ("email", "shadow@mail.example"),
        ("url", "https://evil.example/x"),
    ]
    assert found[0].place is Place.SUBJECT


def test_place_offset_writing_and_context_are_kept():
    found = find(
        Text(attachments=("first", "the address 203.0.113[.]7 was used")), sender_domain=None, own_addresses=()
    ).asked[0]
    assert (found.place, found.offset, found.written) == (Place.ATTACHMENT, 12, "203.0.113[.]7")
    assert found.context == "the address 203.0.113[.]7 was used"


def test_what_is_read_once_is_not_read_again():
    found = read("https://mail.example/shadow@mail2.example/203.0.113.7")
    assert [one.kind for one in found] == ["url"]


def test_a_line_break_does_not_hide_an_identifier():
    assert values("on 12 March 2026\nat 14:22 UTC", "timestamp") == ["2026-03-12T14:22:00Z"]


def test_quoted_mail_names_nothing():
    assert read("hello", quoted="203.0.113.7") == ()


def test_there_is_an_end_to_identifiers():
    words = " ".join(f"10.{number // 250}.{number % 250}.1" for number in range(2 * MAX_IDENTIFIERS))
    assert len(read(words)) == MAX_IDENTIFIERS


@pytest.mark.parametrize("prefix", ["", "AS", "ASN ", "IMEI ", "+1", "user id: ", "bc1", "1.2.3.", "0x", "12:30 ", "T"])
def test_no_number_is_too_long_to_be_read(prefix):
    read(f"{prefix}{'9' * 10_000} days {prefix}{'1' * 10_000}.")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hxxps[:]//evil[.]example", "https://evil.example"),
        ("HXXP://evil(dot)example", "http://evil.example"),
        ("shadow [at] mail {.} example", "shadow@mail.example"),
        ("plain.example", "plain.example"),
    ],
)
def test_refang(written, meant):
    assert refang(written) == meant


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses().filter(lambda address: address.version == 4 or str(address).count(":") > 2))
def test_every_address_is_found(address):
    expected = str(getattr(address, "ipv4_mapped", None) or address)
    if address.version == 4 or sum(1 for group in expected.split(":") if group) > 1:
        assert values(f"from {address} yesterday", "ip") == [expected]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab1.@:/[]()+-x \nAS0é%{}dothp", max_size=120))
def test_any_text_is_read(words):
    found = read(words)
    for one in found:
        assert one.kind in IDENTIFIER_KINDS
        assert one.value
        assert one.written in words


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_unicode_text_is_read(words):
    for one in read(words):
        assert one.value


@pytest.mark.parametrize(
    "piece", ["a.", "1.", "1:", "a@", "+1 ", "@a", "http://", "[.]", "0x", "12:30 ", "IMEI 1", "1/1/2026 12:30 "]
)
def test_reading_is_linear(piece):
    read(piece * (60_000 // len(piece)))


@pytest.mark.parametrize("piece", ["a:\n", "1.2.3.4 ", "::1 ", "a@b.example "])
def test_a_megabyte_of_candidates_takes_bounded_time(piece):
    start = time.process_time()
    read(piece * (1_000_000 // len(piece)))
    assert time.process_time() - start < 3.0
