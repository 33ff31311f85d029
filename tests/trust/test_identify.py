"""Whom a message proves to be from: the table of assurances, each row beside its twin."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_mail import PART, mail

from gateway.mail.scan import scan
from gateway.model.message import Address, Envelope
from gateway.model.trust import (
    Assurance,
    AuthResult,
    Checks,
    Contact,
    ContactAddress,
    Identity,
    Method,
    OpenpgpSignature,
    Result,
    SigLevel,
    TlsLevel,
    Unsealed,
)
from gateway.model.verdict import AMBIGUOUS, Reason
from gateway.trust.directory import identify

AT = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
DOMAIN = "police.gov.b.example"
ADDRESS = ContactAddress(Address("247cp", DOMAIN), verified=True)
CONTACT = Contact(id="bx-police", name="B", country="BX", addresses=(ADDRESS,))
MESSAGE = scan(mail(PART))

GOOD = Unsealed(whole=True, signatures=(OpenpgpSignature(Result.PASS, "A" * 40, pinned=True),))
BAD = Unsealed(whole=True, signatures=(OpenpgpSignature(Result.FAIL, "A" * 40),))
PARTLY = replace(GOOD, whole=False)
PLAIN = Unsealed()


def checks(dmarc: Result = Result.NONE, dkim: Result = Result.NONE, domain: str = DOMAIN) -> Checks:
    return Checks((AuthResult(Method.DKIM, dkim, domain), AuthResult(Method.DMARC, dmarc, DOMAIN)))


AUTHENTICATED = checks(Result.PASS)


def found(
    *, checked: Checks = AUTHENTICATED, unsealed: Unsealed = PLAIN, contact: Contact | None = CONTACT, message=MESSAGE,
    tls: str | None = None,
) -> Identity:  # fmt: skip
    book = {one.address.key: (contact, one) for one in contact.addresses} if contact else {}
    envelope = Envelope(mail_from=None, rcpt_tos=(), tls=tls)
    return identify(message, envelope=envelope, checks=checked, unsealed=unsealed, book=book, at=AT)


@pytest.mark.parametrize(
    ("dmarc", "dkim", "unsealed", "assurance"),
    [
        (Result.PASS, Result.NONE, PLAIN, Assurance.LISTED),
        (Result.PASS, Result.PASS, GOOD, Assurance.SIGNED),
        (Result.PASS, Result.PASS, BAD, Assurance.LISTED),
        (Result.PASS, Result.PASS, PARTLY, Assurance.LISTED),
        (Result.NONE, Result.PASS, PLAIN, Assurance.LISTED),
        (Result.NONE, Result.NONE, GOOD, Assurance.SIGNED),
        (Result.FAIL, Result.NONE, GOOD, Assurance.SIGNED),
        (Result.FAIL, Result.NONE, PLAIN, Assurance.NONE),
        (Result.FAIL, Result.PASS, PLAIN, Assurance.NONE),
        (Result.FAIL, Result.NONE, BAD, Assurance.NONE),
        (Result.NONE, Result.NONE, PLAIN, Assurance.NONE),
        (Result.NONE, Result.NONE, PARTLY, Assurance.NONE),
        (Result.TEMPERROR, Result.PASS, PLAIN, Assurance.NONE),
    ],
)
def test_assurance_is_what_the_proofs_carry(
    dmarc: Result, dkim: Result, unsealed: Unsealed, assurance: Assurance
) -> None:
    assert found(checked=checks(dmarc, dkim), unsealed=unsealed).assurance is assurance


def test_dkim_of_another_domain_proves_nothing_without_dmarc() -> None:
    for domain in ("evil.example", "gov.b.example", f"x.{DOMAIN}", "b.example"):
        assert found(checked=checks(Result.NONE, Result.PASS, domain)).assurance is Assurance.NONE


def test_stranger_is_at_best_a_domain() -> None:
    assert found(contact=None).assurance is Assurance.DOMAIN
    assert found(contact=None, unsealed=GOOD).assurance is Assurance.DOMAIN
    assert not found(contact=None, unsealed=GOOD).openpgp_good
    assert not found(contact=None, unsealed=BAD).openpgp_wrong


def test_address_that_is_not_verified_gives_no_trust() -> None:
    contact = replace(CONTACT, addresses=(replace(ADDRESS, verified=False),))
    assert found(contact=contact, unsealed=GOOD).assurance is Assurance.DOMAIN
    assert found(contact=contact).contact == contact


def test_contact_past_its_date_loses_signed_alone() -> None:
    contact = replace(CONTACT, valid_until=date(2026, 5, 31))
    assert found(contact=contact, unsealed=GOOD).assurance is Assurance.LISTED
    assert found(contact=contact, unsealed=GOOD, checked=checks(Result.FAIL)).assurance is Assurance.NONE
    assert found(contact=replace(contact, valid_until=date(2026, 6, 1)), unsealed=GOOD).assurance is Assurance.SIGNED


@pytest.mark.parametrize("defect", sorted(AMBIGUOUS))
def test_ambiguous_message_has_no_assurance(defect) -> None:
    assert found(message=replace(MESSAGE, defects=(defect,)), unsealed=GOOD).assurance is Assurance.NONE


@pytest.mark.parametrize("unsealed", [GOOD, PLAIN])
def test_message_whose_sealed_from_is_another_has_no_assurance(unsealed: Unsealed) -> None:
    contradicted = replace(unsealed, reasons=(Reason.PROTECTED_FROM_DIFFERS,))
    assert found(unsealed=contradicted).assurance is Assurance.NONE
    told = replace(unsealed, reasons=(Reason.SUBJECT_DIFFERS, Reason.DUPLICATED_SINGLETON))
    assert found(unsealed=told).assurance is found(unsealed=unsealed).assurance


def test_message_without_sender_is_from_nobody() -> None:
    assert found(message=replace(MESSAGE, sender=None), unsealed=GOOD) == Identity(Assurance.NONE)


@pytest.mark.parametrize(
    ("dmarc", "dkim", "unsure"),
    [
        (Result.TEMPERROR, Result.NONE, True),
        (Result.NONE, Result.TEMPERROR, True),
        (Result.PASS, Result.TEMPERROR, False),
        (Result.FAIL, Result.TEMPERROR, False),
        (Result.NONE, Result.NONE, False),
    ],
)
def test_only_an_answer_that_matters_makes_unsure(dmarc: Result, dkim: Result, unsure: bool) -> None:
    assert found(checked=checks(dmarc, dkim)).unsure is unsure


def relayed(dmarc: Result, arc: Result, *, vouches: bool) -> Checks:
    return Checks((*checks(dmarc).results, AuthResult(Method.ARC, arc, "relay.example", vouches=vouches)))


def test_listed_sealers_stand_for_the_dmarc_pass_they_saw() -> None:
    forwarded = found(checked=relayed(Result.FAIL, Result.PASS, vouches=True))
    assert (forwarded.assurance, forwarded.authenticated, forwarded.dmarc_failed) == (Assurance.LISTED, True, False)
    assert forwarded.protection.sig is SigLevel.NONE
    assert found(checked=relayed(Result.FAIL, Result.PASS, vouches=True), contact=None).assurance is Assurance.DOMAIN


@pytest.mark.parametrize(
    ("arc", "vouches"),
    [(Result.PASS, False), (Result.FAIL, True), (Result.NONE, True), (Result.POLICY, True), (Result.TEMPERROR, False)],
)
def test_any_other_chain_changes_nothing(arc: Result, vouches: bool) -> None:
    assert found(checked=relayed(Result.FAIL, arc, vouches=vouches)) == found(checked=checks(Result.FAIL))


@pytest.mark.parametrize("dmarc", [Result.NONE, Result.TEMPERROR])
def test_a_chain_stands_for_nothing_but_a_failure_on_the_way(dmarc: Result) -> None:
    assert found(checked=relayed(dmarc, Result.PASS, vouches=True)) == found(checked=checks(dmarc))


def test_silence_about_a_chain_that_could_vouch_makes_unsure() -> None:
    silent = found(checked=relayed(Result.FAIL, Result.TEMPERROR, vouches=True))
    assert (silent.unsure, silent.authenticated, silent.assurance) == (True, False, Assurance.NONE)
    assert not found(checked=relayed(Result.PASS, Result.TEMPERROR, vouches=True)).unsure


def test_gpg_that_did_not_answer_makes_unsure() -> None:
    silent = Unsealed(whole=True, signatures=(OpenpgpSignature(Result.TEMPERROR, None),))
    assert found(unsealed=silent).unsure
    assert found(unsealed=silent).assurance is Assurance.LISTED


def test_facts_are_kept_apart() -> None:
    forged = found(checked=checks(Result.FAIL), unsealed=GOOD)
    assert (forged.dmarc_failed, forged.authenticated, forged.openpgp_good) == (True, False, True)
    wrong = found(unsealed=BAD)
    assert (wrong.openpgp_wrong, wrong.authenticated) == (True, True)


@pytest.mark.parametrize(
    ("checked", "unsealed", "level"),
    [
        (checks(Result.PASS), PLAIN, SigLevel.NONE),
        (checks(Result.PASS, Result.PASS), PLAIN, SigLevel.DKIM),
        (checks(Result.PASS, Result.PASS, "gov.b.example"), PLAIN, SigLevel.DKIM),
        (checks(Result.PASS, Result.PASS, "example"), PLAIN, SigLevel.NONE),
        (checks(Result.PASS, Result.PASS, "evil.example"), PLAIN, SigLevel.NONE),
        (checks(Result.FAIL, Result.PASS), PLAIN, SigLevel.NONE),
        (checks(Result.FAIL), GOOD, SigLevel.OPENPGP),
        (checks(Result.PASS, Result.PASS), BAD, SigLevel.DKIM),
    ],
)
def test_protection_by_signature(checked: Checks, unsealed: Unsealed, level: SigLevel) -> None:
    assert found(checked=checked, unsealed=unsealed).protection.sig is level


def test_protection_of_content_and_hop() -> None:
    assert found(unsealed=replace(PLAIN, encrypted=True)).protection.enc
    assert found(tls="TLSv1.3").protection.tls is TlsLevel.TLS
    assert found().protection.tls is TlsLevel.NONE


RESULTS = st.sampled_from(sorted(Result))


@given(
    dmarc=RESULTS, dkim=RESULTS, domain=st.sampled_from([DOMAIN, "evil.example"]), signature=RESULTS,
    pinned=st.booleans(), whole=st.booleans(), verified=st.booleans(), known=st.booleans(),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_signed_needs_a_good_pinned_signature_over_the_whole(
    dmarc, dkim, domain, signature, pinned, whole, verified, known
) -> None:
    unsealed = Unsealed(whole=whole, signatures=(OpenpgpSignature(signature, "A" * 40, pinned=pinned),))
    contact = replace(CONTACT, addresses=(replace(ADDRESS, verified=verified),)) if known else None
    one = found(checked=checks(dmarc, dkim, domain), unsealed=unsealed, contact=contact)
    if one.assurance is Assurance.SIGNED:
        assert whole
        assert signature is Result.PASS
        assert pinned
        assert verified
        assert known
    if one.assurance in {Assurance.LISTED, Assurance.DOMAIN}:
        assert dmarc is Result.PASS or (dmarc is Result.NONE and dkim is Result.PASS and domain == DOMAIN)
