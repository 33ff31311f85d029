"""Which DKIM signatures count: every refusal beside the twin that passes, and the messages of other projects."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim
import pytest
from dkim_signer import COVERS, MAIL, ed25519_key, record, rsa_key, sign, zone
from dns_answers import nothing_else
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan
from gateway.model.trust import AuthResult, Method, Result
from gateway.trust.dkim_check import check_dkim
from gateway.trust.resolver import Recorded

DATA = Path(__file__).parents[1] / "data/dkim"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
FOREIGN = json.loads((DATA / "cases.json").read_text())
OF_OTHERS = [one for one in FOREIGN if "arc" not in one["expected"]]
STRICTER = {"dkim_verifier/unsigned_header-reply_to-not_in_domain": "fail"}
"""This message has Reply-To twice, of which none is signed; RFC 5322 section 3.6 allows one."""


def check(content: bytes, published: dict | None = None, *, at: datetime = AT) -> tuple[AuthResult, ...]:
    published = zone(s=record(rsa_key()), e=record(ed25519_key())) if published is None else published
    return check_dkim(scan(content), questions=nothing_else(published), at=at)


def verdict(content: bytes, published: dict | None = None, *, at: datetime = AT) -> tuple[str, str]:
    (found,) = check(content, published, at=at)
    return str(found.result), found.reason


@pytest.mark.parametrize("case", OF_OTHERS, ids=[one["id"] for one in OF_OTHERS])
def test_messages_of_other_projects_give_the_expected_results(case: dict) -> None:
    found = [str(one.result) for one in check((DATA / case["file"]).read_bytes(), case["zone"])]
    if case["id"] in STRICTER:
        assert found == [STRICTER[case["id"]]]
        return
    expected = case["expected"].get("dkim")
    if expected is None or "pass" not in expected:
        assert "pass" not in found
    assert expected is None or set(found) & set(expected)


@pytest.mark.parametrize("form", ["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple", "relaxed"])
@pytest.mark.parametrize("selector", ["s", "e"])
def test_right_signature_passes(form: str, selector: str) -> None:
    key = rsa_key() if selector == "s" else ed25519_key()
    (found,) = check(sign(key=key, s=selector, c=form))
    assert found == AuthResult(
        Method.DKIM, Result.PASS, "police.example", "", selector=selector, covers=tuple(COVERS.split(":"))
    )


def test_unsigned_message_is_none() -> None:
    assert verdict(MAIL) == ("none", "no-signature")


@pytest.mark.parametrize("bits", [1024, 3072, 4096])
def test_keys_of_usual_sizes_pass(bits: int) -> None:
    key = rsa_key(bits)
    assert verdict(sign(key=key), zone(s=record(key))) == ("pass", "")


INNOCENT_TAGS: list[dict[str, str]] = [
    {"i": "officer@police.example"},
    {"i": "@unit.police.example"},
    {"q": "dns/txt"},
    {"t": str(NOW), "x": str(NOW + 60)},
    {"t": str(NOW + 240)},
    {"x": str(NOW - 240)},
    {"l": "38"},
    {"h": "From : To : Subject : Date"},
    {"h": COVERS + ":from:subject:reply-to:x-none"},
    {"h": COVERS + ":"},
    {"d": "POLICE.example"},
    {"a": "RSA-SHA256"},
    {"z": "From:officer@police.example"},
    {"unknown": "tag"},
]


@pytest.mark.parametrize("tags", INNOCENT_TAGS, ids=str)
def test_unusual_but_allowed_tags_pass(tags: dict[str, str]) -> None:
    assert verdict(sign(**tags)) == ("pass", "")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"v": "2"}, ("permerror", "version")),
        ({"a": "rsa-sha1"}, ("permerror", "weak-hash")),
        ({"a": "rsa-sha512"}, ("permerror", "algorithm")),
        ({"a": "ed25519-sha256"}, ("permerror", "key-type")),
        ({"c": "nowsp/relaxed"}, ("permerror", "canonicalization")),
        ({"c": "relaxed/nofws"}, ("permerror", "canonicalization")),
        ({"d": "example"}, ("permerror", "domain")),
        ({"d": "police.example'a.evil.example"}, ("permerror", "domain")),
        ({"d": "police.example(.evil.example"}, ("permerror", "domain")),
        ({"d": "police.example\x00.evil.example"}, ("permerror", "domain")),
        ({"d": '"police.example'}, ("permerror", "domain")),
        ({"d": ""}, ("permerror", "domain")),
        ({"d": "-police.example"}, ("permerror", "domain")),
        ({"s": "s'x"}, ("permerror", "selector")),
        ({"s": ""}, ("permerror", "selector")),
        ({"s": "s\x00"}, ("permerror", "selector")),
        ({"i": "officer@other.example"}, ("permerror", "identity")),
        ({"i": "officer@notpolice.example"}, ("permerror", "identity")),
        ({"i": "police.example"}, ("permerror", "identity")),
        ({"q": "dns/other"}, ("permerror", "query-method")),
        ({"h": ""}, ("permerror", "header-list")),
        ({"h": "from:sub ject"}, ("permerror", "header-list")),
        ({"h": ":".join(["from"] * 257)}, ("permerror", "header-list")),
        ({"h": "to:subject"}, ("permerror", "from-not-signed")),
        ({"l": "4x"}, ("permerror", "number")),
        ({"l": ""}, ("permerror", "number")),
        ({"l": "-1"}, ("permerror", "number")),
        ({"l": "9" * 80}, ("permerror", "number")),
        ({"t": "yesterday"}, ("permerror", "number")),
        ({"t": str(NOW), "x": str(NOW)}, ("permerror", "expiry")),
        ({"l": "39"}, ("permerror", "body-length")),
        ({"l": "37"}, ("policy", "body-length")),
        ({"l": "0"}, ("policy", "body-length")),
        ({"x": str(NOW - 360)}, ("fail", "expired")),
        ({"t": str(NOW + 360)}, ("neutral", "signed-in-future")),
        ({"s": "unknown"}, ("permerror", "no-key")),
    ],
    ids=str,
)
def test_signature_that_breaks_one_rule_never_passes(tags: dict[str, str], expected: tuple[str, str]) -> None:
    assert verdict(sign(**tags)) == expected


@pytest.mark.parametrize("missing", ["v", "a", "d", "s", "h", "bh"])
def test_signature_without_a_required_tag_is_permerror(missing: str) -> None:
    assert verdict(sign(without=(missing,))) == ("permerror", "tag-missing")


@pytest.mark.parametrize(
    "tags",
    ["v=DKIM1; ", "", "v=DKIM1; h=sha1:sha256; ", "s=email; ", "s=other:*; ", "t=s; ", "n=note; ", "k=rsa; ", "g=*; "],
)
def test_key_records_that_allow_it_pass(tags: str) -> None:
    assert verdict(sign(), zone(s=record(rsa_key(), tags))) == ("pass", "")


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("v=DKIM2; p=x", ("permerror", "key-version")),
        ("v=DKIM1; p=", ("permerror", "key-revoked")),
        ("v=DKIM1", ("permerror", "key-syntax")),
        ("no tags at all", ("permerror", "key-syntax")),
        ("", ("permerror", "key-syntax")),
        ("v=DKIM1; p=!!!", ("permerror", "key-syntax")),
        ("v=DKIM1; p=QUJD", ("permerror", "key-syntax")),
        ("v=DKIM1; k=dsa; p=QUJD", ("permerror", "key-type")),
        ("v=DKIM1; k=ed25519; p=QUJD", ("permerror", "key-syntax")),
        ("v=DKIM1; n=" + "x" * 5000 + "; p=QUJD", ("permerror", "key-too-large")),
    ],
)
def test_unusable_key_record_is_permerror(published: str, expected: tuple[str, str]) -> None:
    assert verdict(sign(), zone(s=published)) == expected


@pytest.mark.parametrize(
    ("tags", "signature", "expected"),
    [
        ("h=sha1; ", {}, ("permerror", "key-hash")),
        ("s=tlsrpt; ", {}, ("permerror", "key-service")),
        ("g=someone; ", {}, ("permerror", "key-granularity")),
        ("g=; ", {}, ("permerror", "key-granularity")),
        ("t=s; ", {"i": "@unit.police.example"}, ("permerror", "key-same-domain")),
        ("t=s:y; ", {}, ("neutral", "key-testing")),
        ("t=y; ", {}, ("neutral", "key-testing")),
    ],
)
def test_key_record_that_forbids_it_never_passes(tags: str, signature: dict, expected: tuple[str, str]) -> None:
    assert verdict(sign(**signature), zone(s=record(rsa_key(), tags))) == expected


def test_two_key_records_are_no_key() -> None:
    published = {"s._domainkey.police.example": [{"TXT": record(rsa_key())}, {"TXT": record(rsa_key(1024))}]}
    assert verdict(sign(), published) == ("permerror", "several-keys")


def test_dns_trouble_is_temperror_never_a_missing_key() -> None:
    assert verdict(sign(), {"s._domainkey.police.example": ["SERVFAIL"]}) == ("temperror", "dns")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"Please", b"please", ("fail", "body-changed")),
        (b"\r\nOfficer\r\n", b"\r\nOfficer\r\n\r\nP.S. and this\r\n", ("fail", "body-changed")),
        (b"Subject: Request", b"Subject: request", ("fail", "signature-wrong")),
        (b"officer@police.example>", b"chief@police.example>", ("fail", "signature-wrong")),
        (b"From: Officer", b"From: evil@evil.example\r\nFrom: Officer", ("fail", "signature-wrong")),
        (b"Content-Type:", b"From: evil@evil.example\r\nContent-Type:", ("fail", "signature-wrong")),
        (b"From: Officer", b"Subject: other\r\nFrom: Officer", ("fail", "added-field")),
        (b"From: Officer", b"Content-Type: text/html\r\nFrom: Officer", ("fail", "added-field")),
        (b"From: Officer", b"To: other@here.example\r\nFrom: Officer", ("fail", "added-field")),
        (b"From: Officer", b"Date: x\r\nFrom: Officer", ("fail", "added-field")),
        (b"s=s;", b"s=e;", ("permerror", "key-type")),
        (b"\n b=", b"\n b=!", ("permerror", "base64")),
        (b" bh=", b" bh=!", ("permerror", "base64")),
    ],
)
def test_change_after_signing_never_passes(old: bytes, new: bytes, expected: tuple[str, str]) -> None:
    signed = sign()
    assert signed.count(old) == 1
    assert verdict(signed.replace(old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"From: Officer", b"Received: from a by b; now\r\nFrom: Officer"),
        (b"From: Officer", b"Comments: added\r\nFrom: Officer"),
        (b"From: Officer", b"from:   Officer"),
        (b"Request for\r\n  expedited", b"Request\r\n for expedited"),
        (b"data. \r\n", b"data.\t \r\n"),
        (b"\r\n\r\n\r\n", b"\r\n"),
        (b"\r\n b=", b"\r\n\t b="),
    ],
)
def test_change_that_relaxed_allows_still_passes(old: bytes, new: bytes) -> None:
    signed = sign()
    assert verdict(signed.replace(old, new)) == ("pass", "")


def test_unsigned_reply_to_passes_and_is_not_covered() -> None:
    (found,) = check(sign().replace(b"From: Officer", b"Reply-To: evil@evil.example\r\nFrom: Officer"))
    assert found.result is Result.PASS
    assert "reply-to" not in found.covers


def test_oversigned_field_added_later_fails() -> None:
    signed = sign(h=COVERS + ":reply-to")
    assert verdict(signed) == ("pass", "")
    added = signed.replace(b"From: Officer", b"Reply-To: evil@evil.example\r\nFrom: Officer")
    assert verdict(added) == ("fail", "signature-wrong")


def test_each_signature_has_its_own_result() -> None:
    content = sign(sign(sign(s="gone"), key=ed25519_key(), s="e"), a="rsa-sha1")
    found = [(str(one.result), one.selector) for one in check(content)]
    assert found == [("permerror", "s"), ("pass", "e"), ("permerror", "gone")]


def test_signatures_after_the_eighth_are_not_evaluated() -> None:
    content = sign()
    for _ in range(9):
        content = sign(content, a="rsa-sha1")
    found = check(content)
    assert [one.reason for one in found] == ["weak-hash"] * 8


def test_clock_is_the_time_of_arrival_not_of_today() -> None:
    old = datetime(2003, 7, 11, tzinfo=UTC)
    signed = sign(t=str(int(old.timestamp())), x=str(int(old.timestamp()) + 3600))
    assert verdict(signed, at=old + timedelta(minutes=1)) == ("pass", "")
    assert verdict(signed) == ("fail", "expired")


def test_international_domain_is_named_by_its_a_labels() -> None:
    published = {"s._domainkey.xn--bcher-kva.example": [{"TXT": record(rsa_key())}]}
    (found,) = check(sign(d="b\u00fccher.example"), published)
    assert (found.result, found.identity) == (Result.PASS, "xn--bcher-kva.example")


def test_identity_is_left_out_where_it_is_no_domain() -> None:
    (found,) = check(sign(d="evil.example; dkim=pass"))
    assert found.identity in {None, "evil.example"}
    (found,) = check(sign(d='"x y".example'))
    assert found.identity is None


def test_recorded_answers_give_the_same_results_again() -> None:
    live = nothing_else(zone(s=record(rsa_key())))
    message = scan(sign())
    first = check_dkim(message, questions=live, at=AT)
    assert check_dkim(message, questions=Recorded(live.answers).for_message(), at=AT) == first


def test_content_type_that_lies_about_the_body_start_changes_nothing() -> None:
    assert verdict(sign(MAIL.replace(b"text/plain", b'multipart/mixed; boundary="x"'))) == ("pass", "")


def test_message_without_body_passes() -> None:
    assert verdict(sign(MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")) == ("pass", "")


def test_bare_line_feed_in_the_body_is_not_repaired_for_the_signature() -> None:
    signed = sign()
    assert verdict(signed.replace(b"Please  preserve", b"Please\npreserve"))[0] == "fail"


HUGE_BLANKS = b"From: x@police.example\r\nSubject:" + b" " * 60_000 + b"x\r\n\r\n" + b" " * 200_000 + b"x\r\n"


def with_eight_lengths() -> bytes:
    signed = sign(MAIL + b"a \t " * 500_000, l="5")
    field, mail = signed[: signed.index(b"From:")], signed[signed.index(b"From:") :]
    return b"".join(field.replace(b"l=5", b"l=%d" % length) for length in range(8)) + mail


@pytest.mark.parametrize(
    ("content", "published"),
    [
        (with_eight_lengths(), None),
        (sign(HUGE_BLANKS), None),
        (sign(MAIL + b"\r\n" * 500_000), None),
        (sign(MAIL + b"a \t " * 250_000), None),
        (sign(MAIL.replace(b"Subject:", b"X: y\r\n" * 800 + b"Subject:"), h=":".join(["x"] * 200 + ["from"])), None),
        (b"DKIM-Signature: v=1; b" + b"\r\n \t" * 20_000 + b"=x\r\n" + MAIL, None),
        (b"DKIM-Signature: v=1; b=" + b"\r\n  a" * 1500 + b"\r\n" + MAIL, None),
        (b"DKIM-Signature:" + b" ;" * 60_000 + b"\r\n" + MAIL, None),
        (b"DKIM-Signature: h=" + b":" * 60_000 + b"\r\n" + MAIL, None),
        (b"DKIM-Signature: a=b; h=from" + b" " * 8000 + b":to\r\n" + MAIL, None),
        ((b"DKIM-Signature: v=1\r\n" * 900) + MAIL, None),
        (sign(), zone(s="v=DKIM1; p=" + base64.b64encode(b"\x30\x82" + b"\xff" * 2900).decode())),
    ],
    ids=range(12),
)
def test_hostile_input_costs_little(content: bytes, published: dict | None) -> None:
    message = scan(content)
    started = time.perf_counter()
    check_dkim(message, questions=nothing_else(published or zone(s=record(rsa_key()))), at=AT)
    assert time.perf_counter() - started < 0.5


def test_key_of_16384_bits_is_refused_before_any_arithmetic() -> None:
    numbers = bytes.fromhex("02820801 00".replace(" ", "")) + b"\xff" * 2048
    inner = b"\x30\x82" + (2 * len(numbers)).to_bytes(2, "big") + numbers * 2
    started = time.perf_counter()
    assert verdict(sign(), zone(s="p=" + base64.b64encode(inner).decode()))[0] == "permerror"
    assert time.perf_counter() - started < 0.2


def test_exponent_of_33_bits_is_refused() -> None:
    key = rsa_key()
    numbers = key.public_key().public_numbers()
    wide = type(numbers)(2**32 + 1, numbers.n).public_key()
    holder = type("Holder", (), {"public_key": lambda _self: wide})()
    assert verdict(sign(), zone(s=record(holder))) == ("permerror", "key-too-large")


def test_dkimpy_alone_accepts_what_we_refuse() -> None:
    """Why the rules are ours: should dkimpy ever learn them, this says so."""
    published = record(rsa_key()).encode()
    without_from = sign(h="to:subject")
    assert dkim.verify(without_from, dnsfunc=lambda _name, timeout=5: published)
    assert verdict(without_from) == ("permerror", "from-not-signed")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_signature_field_gives_a_result_and_never_passes(octets: bytes) -> None:
    value = octets.replace(b"\r", b"").replace(b"\n", b"\r\n ")
    for found in check(b"DKIM-Signature:" + value + b"\r\n" + MAIL):
        assert found.result is not Result.PASS


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_changed_octet_of_a_signed_field_or_body_never_passes(data: st.DataObject) -> None:
    signed = sign(c="simple/simple")
    at = data.draw(st.integers(signed.index(b"From:"), len(signed) - len(b"\r\n\r\n") - 1))
    octet = data.draw(st.integers(33, 126))
    changed = signed[:at] + bytes([octet]) + signed[at + 1 :]
    if changed == signed:
        return
    for found in check(changed):
        assert found.result is not Result.PASS


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_key_record_gives_a_result(text: str) -> None:
    octets = text.encode().decode("latin-1")
    for published in (octets, f"v=DKIM1; p={octets}", f"v=DKIM1; k=ed25519; p={octets}"):
        assert verdict(sign(), zone(s=published))[0] == "permerror"
