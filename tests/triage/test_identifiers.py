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


MORE = [
    ("account", "Instagram account night.jar_77", ["night.jar_77"]),
    ("account", "o perfil do Instagram fox_77 e", ["fox_77"]),
    ("account", "пользователь Телеграм @fox_ru", ["@fox_ru"]),
    ("account", "Telegram hesabı fox_77", ["fox_77"]),
    ("account", "Discord user Foo#1234", ["Foo#1234"]),
    ("account", "Discord ID 123456789012345678", ["123456789012345678"]),
    ("account", "Snapchat, Name raven.k07", ["raven.k07"]),
    ("account", "Steam 76561198000000000", ["76561198000000000"]),
    ("account", 'TikTok account "shadowfox"', ["shadowfox"]),
    ("account", "usuario de Instagram: luna.perez", ["luna.perez"]),
    ("account", "usuario: nombre completo", []),
    ("account", "https://t.me/night_jar and https://instagram.com/luna_p/", ["night_jar", "luna_p"]),
    ("account", "https://www.facebook.com/profile.php?id=100012345678901", ["100012345678901"]),
    ("account", "Instagramアカウント「fox_77」", ["fox_77"]),
    ("account", "「yoake_mae」という利用者", ["yoake_mae"]),
    ("account", "حساب انستغرام fox_77", ["fox_77"]),
    ("account", "contul de Facebook ion.popescu99", ["ion.popescu99"]),
    ("account", "fox_77 on Instagram", ["fox_77"]),
    ("account", "IBAN DE89 3704 0044 0532 0130 00", ["DE89370400440532013000"]),
    ("account", "Telegram (id 5233410987)", ["5233410987"]),
    ("account", "Facebook messages dated 2026-03-12", []),
    ("account", "the file “evidence_2.zip”", []),
    ("phone", "+44 113 496 0222 (24 h)", ["+441134960222"]),
    ("phone", "+44 20 7946 0958 2026-03-12", ["+442079460958"]),
    ("ip", "from 2001:db8::1.", ["2001:db8::1"]),
    ("ip", "IPアドレス203.0.113.7から", ["203.0.113.7"]),
    ("ip", "٢٠٣.٠.١١٣.٧", ["203.0.113.7"]),
    ("imei", "IMEI numbers: 490154203237518, 356938035643809", ["490154203237518", "356938035643809"]),
    ("imei", "IMSI: 310150123456789", ["310150123456789"]),
    ("imei", "ICCID 8991101200003204510", ["8991101200003204510"]),
    ("crypto", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", ["rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"]),
    ("crypto", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", []),
    ("email", "fox at mail dot example", ["fox@mail.example"]),
    ("email", "メールアドレスfox@mail.exampleの", ["fox@mail.example"]),
    ("url", "www.evil.example/path/x", ["www.evil.example/path/x"]),
    ("url", "hxxps[://]evil[.]example/x", ["https://evil.example/x"]),
    ("asn", "AS 64500 (ISP)", ["AS64500"]),
    ("asn", "autonomous system number 64500", ["AS64500"]),
]


@pytest.mark.parametrize(("kind", "words", "expected"), MORE, ids=[f"{row[0]} {row[1][:40]}" for row in MORE])
def test_is_found_in_the_words_of_requests(kind, words, expected):
    assert values(words, kind) == expected


BOUND = [
    ("203.0.113.7:51234 on 12 March 2026 at 14:22 UTC", 51234, "2026-03-12T14:22:00Z"),
    ("203.0.113.7, source port 51234, 2026-03-12T14:22:05Z", 51234, "2026-03-12T14:22:05Z"),
    ("[2001:db8::1]:51234", 51234, None),
    ("2026-03-12 14:22:05 UTC | 203.0.113.7 | порт 51234", 51234, "2026-03-12T14:22:05Z"),
    ("203.0.113.7\tpuerto de origen: 51234", 51234, None),
    ("203.0.113.7（ポート51234）", 51234, None),
    ("203.0.113.7 port 70000", None, None),
    ("2001:db8::1", None, None),
    ("2026-03-11 10:00 UTC 198.51.100.1\n2026-03-12 10:00 UTC 203.0.113.7", None, "2026-03-12T10:00:00Z"),
]


@pytest.mark.parametrize(("words", "port", "at"), BOUND, ids=[row[0][:40] for row in BOUND])
def test_an_address_is_bound_to_its_port_and_its_moment(words, port, at):
    last = [one for one in read(words) if one.kind == "ip"][-1]
    assert (last.port, last.at) == (port, at)


TARGET = "Please identify the user of +44 20 7946 0958.\n"
OWN_DATA = [
    TARGET + "\nKind regards\nA. Doe\nTel. +33 1 23 45 67 89, a.doe@ministry.example",
    TARGET + "\nMit freundlichen Grüßen\nA. Doe\n+33 1 23 45 67 89",
    TARGET + "\nС уважением,\nА. Доу\nтел. +33 1 23 45 67 89",
    "Tel: +33 1 23 45 67 89\nDear colleagues,\n" + TARGET,
    TARGET + "Please call us back at +33 1 23 45 67 89.\n",
    TARGET + "Our duty officer: +33 1 23 45 67 89\n",
    TARGET + "\nSupervisor Roe, +33 1 23 45 67 89\n",
    TARGET + "\nInspector Roe\nTel. +33 1 23 45 67 89\n",
    "Requesting authority: Police, +33 1 23 45 67 89\n" + TARGET,
]


@pytest.mark.parametrize("words", OWN_DATA)
def test_how_to_reach_the_sender_is_kept_apart(words):
    named = find(Text(body=words), sender_domain=SENDER_DOMAIN, own_addresses=OWN)
    assert [one.value for one in named.asked if one.kind in ("phone", "email")] == ["+442079460958"]
    assert "+33123456789" in [one.value for one in named.own]


def test_the_fields_of_the_form_about_its_author_are_kept_apart():
    words = "Telephone\t+33 1 23 45 67 89\nE-mail: a.doe@ministry.example\nAccount\tfox_77@mail.example"
    named = find(Text(attachments=(words,), template="T-CY(2018)11"), sender_domain=None, own_addresses=())
    assert [one.value for one in named.asked] == ["fox_77@mail.example"]


def test_what_is_asked_about_stays_asked_about_where_it_stands_in_the_signature_too():
    words = TARGET + "\nKind regards\nA. Doe, +44 20 7946 0958"
    assert values(words, "phone") == ["+442079460958"]


def test_an_annex_behind_the_signature_is_asked_about():
    assert values("Kind regards\nA. Doe\nAnnex: numbers\n+44 20 7946 0958", "phone") == ["+442079460958"]
