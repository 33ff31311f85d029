"""What differs from earlier mail of an address: each signal with a twin that gives none, and none without a history."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan
from gateway.model.history import History, Sighting, Trait
from gateway.model.message import Address
from gateway.model.trust import (
    Assurance,
    AuthResult,
    Checks,
    Contact,
    ContactAddress,
    Identity,
    Method,
    OpenpgpSignature,
    PinnedKey,
    Result,
    Unsealed,
)
from gateway.model.verdict import Category, Classification, Identifier, Reason
from gateway.trust.openpgp_packets import Armor, dearmor, fingerprint_of, packets
from gateway.trust.signals import MANY_TARGETS, appearance, signals

AT = datetime(2026, 6, 15, tzinfo=UTC)
A, B, C = "A" * 40, "B" * 40, "C" * 40
ADDRESS = Address("247cp", "police.gov.b.example")
CONTACT = Contact(
    "bx-police", "Police", "BX", (ContactAddress(ADDRESS, verified=True),),
    keys=(PinnedKey(A, b"", AT), PinnedKey(B, b"", AT)),
)  # fmt: skip
PROVED = Identity(Assurance.LISTED, CONTACT, authenticated=True)
FIELDS = "From: 247cp@police.gov.b.example\r\nDate: Mon, 15 Jun 2026 12:00:00 +0200\r\n"
SPF = AuthResult(Method.SPF, Result.PASS, "police.gov.b.example")
DKIM = AuthResult(Method.DKIM, Result.PASS, "police.gov.b.example", selector="mail")
KEY_FILE = min((Path(__file__).parents[1] / "data" / "directory" / "bx-police").glob("*.asc"))
ARMORED = KEY_FILE.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def signed(fingerprint: str, result: Result = Result.PASS, reason: str = "", *, pinned: bool = True) -> Unsealed:
    return Unsealed(whole=True, signatures=(OpenpgpSignature(result, fingerprint, reason, AT, pinned),))


def past(*sightings: tuple[Trait, str, int]) -> History:
    return History(tuple(Sighting(trait, value, AT, AT, messages) for trait, value, messages in sightings))


USUAL = past(
    (Trait.SIGNATURE, "openpgp", 12), (Trait.KEY, A, 12), (Trait.ENCRYPTION, "none", 12), (Trait.LANGUAGE, "en", 12),
    (Trait.DKIM, "mail._domainkey.police.gov.b.example", 12), (Trait.MAIL_FROM, "police.gov.b.example", 12),
    (Trait.ZONE, "120", 12),
)  # fmt: skip


def told(
    history: History | None = USUAL,
    *,
    unsealed: Unsealed | None = None,
    checks: tuple[AuthResult, ...] = (SPF, DKIM),
    identity: Identity = PROVED,
    found: Classification | None = None,
    fields: str = FIELDS,
    body: bytes = b"Dear colleagues\r\n",
) -> list[Reason]:
    message = scan(fields.encode() + b"\r\n" + body)
    unsealed = unsealed or signed(A)
    found = found or Classification(language="en")
    shown = appearance(message, checks=Checks(checks), unsealed=unsealed, classification=found)
    one = signals(shown, message=message, unsealed=unsealed, identity=identity, classification=found, history=history)
    assert all(signal.detail for signal in one)
    return [signal.reason for signal in one]


def test_mail_as_usual_tells_nothing() -> None:
    assert told() == []


def test_without_a_journal_nothing_is_compared() -> None:
    assert told(None, unsealed=Unsealed()) == []


def test_the_first_mail_of_an_address_is_said_to_be_the_first() -> None:
    assert told(History(), unsealed=Unsealed()) == [Reason.FIRST_CONTACT]


@pytest.mark.parametrize(
    ("unsealed", "expected"),
    [
        (signed(B), [Reason.KEY_CHANGE]),
        (signed(C, Result.POLICY, "unknown-key", pinned=False), [Reason.KEY_CHANGE]),
        (signed(C, Result.POLICY, "unpinned-key", pinned=False), [Reason.KEY_CHANGE]),
        (signed(A, Result.FAIL, "bad-signature"), []),
        (signed(A, Result.NEUTRAL, "key-expired"), []),
    ],
)
def test_another_key_than_ever_before(unsealed: Unsealed, expected: list[Reason]) -> None:
    assert told(unsealed=unsealed) == expected


def test_the_first_key_of_a_contact_is_no_change() -> None:
    assert told(past((Trait.SIGNATURE, "none", 5)), unsealed=signed(A)) == []


@pytest.mark.parametrize(
    ("with_it", "without", "dropped"), [(3, 0, True), (12, 6, True), (2, 0, False), (12, 7, False), (0, 9, False)]
)
def test_a_signature_is_missed_where_it_was_the_rule(with_it: int, without: int, dropped: bool) -> None:
    history = past((Trait.SIGNATURE, "openpgp", with_it), (Trait.SIGNATURE, "none", without))
    assert told(history, unsealed=Unsealed()) == [Reason.SIGNATURE_DROPPED] * dropped


@pytest.mark.parametrize(
    "unsealed",
    [
        Unsealed(encrypted=True),
        Unsealed(results=(AuthResult(Method.OPENPGP, Result.TEMPERROR, reason="gpg-unavailable"),)),
        signed(A, Result.NEUTRAL, "key-revoked"),
    ],
    ids=["not opened", "gpg silent", "revoked"],
)
def test_a_signature_that_cannot_be_seen_is_not_missed(unsealed: Unsealed) -> None:
    assert Reason.SIGNATURE_DROPPED not in told(unsealed=unsealed)


def test_a_contact_without_a_pinned_key_drops_nothing() -> None:
    identity = replace(PROVED, contact=replace(CONTACT, keys=()))
    assert Reason.SIGNATURE_DROPPED not in told(unsealed=Unsealed(), identity=identity)


@pytest.mark.parametrize(("number", "expected"), [("old", [Reason.SIGNATURE_REPEATED]), ("new", []), (None, [])])
def test_a_signature_that_came_before_in_another_mail(number: str | None, expected: list[Reason]) -> None:
    one = signed(A)
    unsealed = replace(one, signatures=(replace(one.signatures[0], id=number),))
    assert told(past((Trait.KEY, A, 3), (Trait.SIGNATURE_ID, "old", 1)), unsealed=unsealed) == expected


@pytest.mark.parametrize(("encrypted", "dropped"), [(False, True), (True, False)])
def test_encryption_is_missed_where_it_was_the_rule(encrypted: bool, dropped: bool) -> None:
    unsealed = replace(signed(A), encrypted=encrypted, decrypted=encrypted)
    assert told(past((Trait.ENCRYPTION, "openpgp", 4)), unsealed=unsealed) == [Reason.ENCRYPTION_DROPPED] * dropped


@pytest.mark.parametrize(
    ("selector", "domain", "expected"),
    [
        ("mail", "police.gov.b.example", []),
        ("new", "police.gov.b.example", [Reason.DKIM_SELECTOR_CHANGED]),
        ("mail", "gov.b.example", [Reason.DKIM_DOMAIN_CHANGED]),
        ("mail", "relay.example", []),
    ],
)
def test_another_dkim_key(selector: str, domain: str, expected: list[Reason]) -> None:
    assert told(checks=(SPF, replace(DKIM, selector=selector, identity=domain))) == expected


def test_a_second_dkim_signature_beside_the_usual_one_changes_nothing() -> None:
    assert told(checks=(SPF, DKIM, replace(DKIM, selector="second"))) == []


@pytest.mark.parametrize(
    ("result", "expected"), [(Result.PASS, [Reason.MAIL_PATH_CHANGED]), (Result.FAIL, []), (Result.NONE, [])]
)
def test_another_mail_path(result: Result, expected: list[Reason]) -> None:
    assert told(checks=(AuthResult(Method.SPF, result, "cloud.example"), DKIM)) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("+0100", []), ("+0300", []), ("-0500", [Reason.DATE_ZONE_CHANGED]), ("-0000", []), ("+9999", []), ("abc", []),
    ],
)  # fmt: skip
def test_another_time_zone_but_not_summer_time(zone: str, expected: list[Reason]) -> None:
    assert told(fields=FIELDS.replace("+0200", zone)) == expected


@pytest.mark.parametrize(("language", "expected"), [("fr", [Reason.LANGUAGE_CHANGED]), ("en", []), (None, [])])
def test_another_language(language: str | None, expected: list[Reason]) -> None:
    assert told(found=Classification(language=language)) == expected


def test_two_mails_make_no_habit_of_zone_or_language() -> None:
    history = past((Trait.ZONE, "120", 2), (Trait.LANGUAGE, "en", 2))
    assert told(history, found=Classification(language="fr"), fields=FIELDS.replace("+0200", "-0500")) == []


def test_a_forgery_that_dmarc_refuses_says_nothing_of_the_contact() -> None:
    forged = replace(PROVED, assurance=Assurance.NONE, authenticated=False, dmarc_failed=True)
    assert told(unsealed=Unsealed(), identity=forged, checks=()) == []


def test_a_stranger_is_compared_with_nothing() -> None:
    assert told(History(), identity=Identity(Assurance.DOMAIN, authenticated=True)) == []


@pytest.mark.parametrize(("count", "category", "expected"), [
    (MANY_TARGETS + 1, Category.PRESERVATION, [Reason.MANY_TARGETS]),
    (MANY_TARGETS, Category.PRESERVATION, []),
    (MANY_TARGETS + 1, Category.OTHER, []),
])  # fmt: skip
def test_many_targets_in_one_request(count: int, category: Category, expected: list[Reason]) -> None:
    named = tuple(Identifier("ip", f"198.51.100.{number}") for number in range(count))
    twice = (*named, *named, Identifier("timestamp", "2026"))
    assert told(found=Classification(category=category, language="en", identifiers=twice)) == expected


def announced(
    content_type: str = "application/pgp-keys", body: bytes = ARMORED, autocrypt: bytes = b"", pinned: str = A
):
    fields = f"{FIELDS}Content-Type: {content_type}\r\n" + (
        f"Autocrypt: addr=a@b.example; keydata={b64encode(autocrypt).decode()}\r\n" if autocrypt else ""
    )
    contact = replace(CONTACT, keys=(PinnedKey(pinned, b"", AT),))
    return told(
        past((Trait.SIGNATURE, "none", 1)), unsealed=Unsealed(), fields=fields, body=body,
        identity=replace(PROVED, contact=contact),
    )  # fmt: skip


def test_a_key_that_is_not_pinned_and_comes_by_mail() -> None:
    octets = dearmor(ARMORED, Armor.PUBLIC_KEY)
    own = next(fingerprint_of(one) for one in packets(octets))
    assert announced() == [Reason.KEY_ANNOUNCED]
    assert announced("text/plain", b"Our new key:\r\n" + ARMORED + b"\r\nRegards\r\n") == [Reason.KEY_ANNOUNCED]
    assert announced("text/plain", b"Dear colleagues\r\n", octets) == [Reason.KEY_ANNOUNCED]
    assert announced(pinned=own) == announced("text/plain", b"x", octets, pinned=own) == []
    assert announced(body=ARMORED[:200]) == announced("text/plain", b"x", b"\x00") == []


TRAITS = st.sampled_from(sorted(Trait))
SIGHTINGS = st.builds(
    Sighting, TRAITS.map(Trait), st.sampled_from(["openpgp", "none", A, B, "0", "120", "-300", "en"]), st.just(AT),
    st.just(AT), st.integers(1, 99),
).filter(lambda one: one.trait is not Trait.ZONE or one.value.lstrip("-").isdecimal())  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.lists(SIGHTINGS, max_size=8), st.sampled_from([Unsealed(), signed(A), signed(C, Result.POLICY, "unknown-key")])
)
def test_no_past_makes_it_fail_or_tells_one_thing_twice(sightings: list[Sighting], unsealed: Unsealed) -> None:
    found = told(History(tuple(sightings)), unsealed=unsealed)
    assert len(set(found)) == len(found)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.binary(max_size=60))
def test_no_octets_in_the_place_of_a_key_make_it_fail(octets: bytes, raw: bytes) -> None:
    block = (
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n"
        + b64encode(octets)
        + b"\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n"
    )
    for body in (block, raw + block, block.replace(b64encode(octets), raw)):
        assert set(announced("text/plain", body, octets)) <= {Reason.KEY_ANNOUNCED}


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=200))
def test_no_date_makes_it_fail(date: str) -> None:
    assert set(told(fields=f"From: 247cp@police.gov.b.example\r\nDate: {date}\r\n")) <= {Reason.DATE_ZONE_CHANGED}
