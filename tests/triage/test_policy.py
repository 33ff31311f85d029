"""The disposition table row by row and in its order, and the tests before a receipt."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan
from gateway.model.message import Address, Envelope
from gateway.model.settings import ContactPoint, Dkim, Receipts, Settings, UnknownReceipts
from gateway.model.trust import Assurance, Contact, ContactAddress, Identity, Protection, SigLevel, TlsLevel
from gateway.model.verdict import AMBIGUOUS, Category, Disposition, Level, Reason, ReceiptDecision, Ruling, Withheld
from gateway.triage import policy

ADDRESS = ContactAddress(Address("247cp", "police.gov.b.example"), verified=True)
CONTACT = Contact("b-police", "Police of B", "BX", (ADDRESS,))
STRICT = replace(CONTACT, minimum=Protection(sig=SigLevel.OPENPGP))

NOBODY = Identity(Assurance.NONE)
STRANGER = Identity(Assurance.DOMAIN, authenticated=True)
LISTED = Identity(Assurance.LISTED, contact=CONTACT, address=ADDRESS, authenticated=True)
SIGNED = replace(LISTED, assurance=Assurance.SIGNED, openpgp_good=True)
FORGED = Identity(Assurance.NONE, contact=CONTACT, address=ADDRESS, dmarc_failed=True)
UNPROVED = Identity(Assurance.NONE, contact=CONTACT, address=ADDRESS)
WRONG_KEY = replace(LISTED, openpgp_wrong=True)
REPLAYED = Identity(Assurance.SIGNED, contact=CONTACT, address=ADDRESS, dmarc_failed=True, openpgp_good=True)
SIGNED_ALONE = replace(REPLAYED, dmarc_failed=False)
UNSURE = replace(UNPROVED, unsure=True)
UNSURE_STRANGER = replace(NOBODY, unsure=True)
BELOW = replace(LISTED, contact=STRICT)

ACCEPT, HOLD, DEFER = Disposition.ACCEPT, Disposition.HOLD, Disposition.DEFER


def decide(identity, *, category=Category.PRESERVATION, defects=(), automatic=None, final=False):
    return policy.decide(
        message_defects=defects, automatic=automatic, category=category, identity=identity, final=final
    )


ROWS = [
    ("automatic", LISTED, {"automatic": Withheld.LIST}, Ruling(ACCEPT, Reason.AUTOMATIC, "listed", Level.NONE)),
    ("automatic emergency", SIGNED, {"automatic": Withheld.AUTO_SUBMITTED, "category": Category.EMERGENCY}, Ruling(ACCEPT, Reason.AUTOMATIC, "signed", Level.NONE)),
    ("emergency, signed", SIGNED, {"category": Category.EMERGENCY}, Ruling(ACCEPT, Reason.EMERGENCY, "signed", Level.FULL, page=True)),
    ("emergency, listed", LISTED, {"category": Category.EMERGENCY}, Ruling(ACCEPT, Reason.EMERGENCY, "listed", Level.FULL, page=True)),
    ("emergency, domain", STRANGER, {"category": Category.EMERGENCY}, Ruling(ACCEPT, Reason.EMERGENCY, "domain", Level.NONE, page=True)),
    ("emergency, nobody", NOBODY, {"category": Category.EMERGENCY}, Ruling(ACCEPT, Reason.EMERGENCY, "none", Level.NONE, page=True)),
    ("emergency, forged", FORGED, {"category": Category.EMERGENCY}, Ruling(ACCEPT, Reason.EMERGENCY, "none", Level.NONE, page=True)),
    ("emergency, ambiguous", LISTED, {"category": Category.EMERGENCY, "defects": (Reason.FROM_NOT_ONE,)}, Ruling(ACCEPT, Reason.EMERGENCY, "none", Level.NONE, page=True)),
    ("emergency while DNS is silent", UNSURE, {"category": Category.EMERGENCY}, Ruling(DEFER, Reason.DNS, "none", Level.NONE, page=True)),
    ("emergency, DNS silent to the end", UNSURE, {"category": Category.EMERGENCY, "final": True}, Ruling(ACCEPT, Reason.EMERGENCY, "none", Level.NONE, page=True)),
    ("emergency, ambiguous, DNS silent", UNSURE, {"category": Category.EMERGENCY, "defects": (Reason.FROM_NOT_ONE,)}, Ruling(ACCEPT, Reason.EMERGENCY, "none", Level.NONE, page=True)),
    ("ambiguous", SIGNED, {"defects": (Reason.DUPLICATED_SINGLETON,)}, Ruling(HOLD, Reason.AMBIGUOUS, "none", Level.NONE)),
    ("odd but not ambiguous", SIGNED, {"defects": (Reason.LINE_ENDS_REPAIRED, Reason.MIME_MALFORMED)}, Ruling(ACCEPT, None, "signed", Level.FULL)),
    ("forged contact", FORGED, {}, Ruling(HOLD, Reason.FORGED_CONTACT, "none", Level.NONE)),
    ("unproved contact", UNPROVED, {}, Ruling(HOLD, Reason.UNPROVED_CONTACT, "none", Level.NONE)),
    ("wrong key", WRONG_KEY, {}, Ruling(HOLD, Reason.WRONG_KEY, "listed", Level.MINIMAL)),
    ("wrong key and forged", replace(FORGED, openpgp_wrong=True), {}, Ruling(HOLD, Reason.FORGED_CONTACT, "none", Level.NONE)),
    ("signed, DMARC fails", REPLAYED, {}, Ruling(HOLD, Reason.SIGNED_BUT_UNAUTHENTICATED, "signed", Level.NONE)),
    ("signed, nothing else known", SIGNED_ALONE, {}, Ruling(ACCEPT, None, "signed", Level.FULL)),
    ("DNS silent", UNSURE, {}, Ruling(DEFER, Reason.DNS, "none", Level.NONE)),
    ("DNS silent to the end", UNSURE, {"final": True}, Ruling(HOLD, Reason.DNS, "none", Level.NONE)),
    ("DNS silent about a stranger", UNSURE_STRANGER, {}, Ruling(DEFER, Reason.DNS, "none", Level.NONE)),
    ("gpg silent, DMARC passes", replace(LISTED, unsure=True), {}, Ruling(DEFER, Reason.DNS, "listed", Level.NONE)),
    ("gpg silent, DMARC fails", replace(FORGED, unsure=True), {}, Ruling(DEFER, Reason.DNS, "none", Level.NONE)),
    ("below minimum", BELOW, {}, Ruling(HOLD, Reason.BELOW_MINIMUM, "listed", Level.MINIMAL)),
    ("at minimum", replace(SIGNED, contact=STRICT, protection=Protection(sig=SigLevel.OPENPGP)), {}, Ruling(ACCEPT, None, "signed", Level.FULL)),
    ("listed", LISTED, {}, Ruling(ACCEPT, None, "listed", Level.FULL)),
    ("signed", SIGNED, {}, Ruling(ACCEPT, None, "signed", Level.FULL)),
    ("confirmed", replace(SIGNED, assurance=Assurance.CONFIRMED), {}, Ruling(ACCEPT, None, "confirmed", Level.FULL)),
    ("domain", STRANGER, {}, Ruling(ACCEPT, Reason.UNKNOWN_CONTACT, "domain", Level.MINIMAL)),
    ("unverified address of a contact", replace(LISTED, assurance=Assurance.DOMAIN), {}, Ruling(ACCEPT, Reason.UNKNOWN_CONTACT, "domain", Level.MINIMAL)),
    ("nobody", NOBODY, {}, Ruling(ACCEPT, Reason.UNKNOWN_CONTACT, "none", Level.NONE)),
    ("nobody asks for nothing", NOBODY, {"category": Category.OTHER}, Ruling(ACCEPT, Reason.UNKNOWN_CONTACT, "none", Level.NONE)),
]  # fmt: skip


@pytest.mark.parametrize(("identity", "given_", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_first_row_that_applies(identity, given_, expected):
    assert replace(decide(identity, **given_), further=()) == expected


def test_an_emergency_says_beside_that_it_is_forged_or_ambiguous():
    assert decide(FORGED, category=Category.EMERGENCY).further == (Reason.FORGED_CONTACT,)
    assert decide(LISTED, category=Category.EMERGENCY).further == ()
    ambiguous = decide(LISTED, category=Category.EMERGENCY, defects=(Reason.FROM_NOT_ONE,))
    assert ambiguous.further == (Reason.AMBIGUOUS,)


@pytest.mark.parametrize("reason", sorted(AMBIGUOUS))
def test_every_ambiguity_takes_all_trust(reason):
    ruling = decide(SIGNED, defects=(Reason.LINE_ENDS_REPAIRED, reason))
    assert (ruling.reason, ruling.assurance, ruling.level) == (Reason.AMBIGUOUS, "none", Level.NONE)


def identities():
    return st.builds(
        Identity,
        assurance=st.sampled_from(Assurance),
        contact=st.sampled_from([None, CONTACT, STRICT]),
        authenticated=st.booleans(),
        dmarc_failed=st.booleans(),
        unsure=st.booleans(),
        openpgp_good=st.booleans(),
        openpgp_wrong=st.booleans(),
        protection=st.sampled_from([Protection(), Protection(sig=SigLevel.OPENPGP, enc=True)]),
    )


@settings(max_examples=200, deadline=None)
@given(
    identities(),
    st.sampled_from(Category),
    st.lists(st.sampled_from(Reason), max_size=3).map(tuple),
    st.sampled_from([None, Withheld.LIST]),
    st.booleans(),
)
def test_table_has_an_answer_for_everything(identity, category, defects, automatic, final):
    ruling = decide(identity, category=category, defects=defects, automatic=automatic, final=final)
    assert ruling.disposition is not DEFER or not final
    assert ruling.assurance in ("none", identity.assurance.value)
    if ruling.level is Level.FULL:
        assert ruling.disposition is ACCEPT
        assert ruling.assurance in ("listed", "signed", "confirmed")
    if ruling.page:
        assert category is Category.EMERGENCY
    if not AMBIGUOUS.isdisjoint(defects):
        assert (ruling.assurance, ruling.level) == ("none", Level.NONE)


@settings(max_examples=100, deadline=None)
@given(identities(), st.booleans())
def test_category_never_raises_trust(identity, final):
    answers = {decide(identity, category=category, final=final).assurance for category in Category}
    assert answers <= {"none", identity.assurance.value}


# Receipts.

SETTINGS = Settings(
    hostname="gw.institution.gov.a.example",
    contact_point=ContactPoint(
        name="CP of A",
        country="AX",
        mailbox="247cp@institution.gov.a.example",
        aliases=("cybercrime@institution.gov.a.example",),
    ),
    dkim=Dkim(domain="institution.gov.a.example"),
)
AT = datetime(2026, 11, 21, tzinfo=UTC)


def mail(sender="247cp@police.gov.b.example", to="247cp@institution.gov.a.example", cc=None):
    lines = [f"From: {sender}", f"To: {to}", *([f"Cc: {cc}"] if cc else []), "Subject: request", "", "words", ""]
    return scan("\r\n".join(lines).encode())


def receipt(
    identity=LISTED,
    *,
    message=None,
    ruling=None,
    mail_from="247cp@police.gov.b.example",
    rcpt_to=None,
    settings=SETTINGS,
    **facts,
):
    given_ = {"automatic": None, "suppressed": False, "repeat": False, "can_encrypt": False, "encrypted": False} | facts
    return policy.receipt(
        ruling=ruling or decide(identity),
        message=message or mail(),
        envelope=Envelope(mail_from=mail_from, rcpt_tos=(rcpt_to or SETTINGS.contact_point.mailbox,)),
        identity=identity,
        settings=settings,
        **given_,
    )


def with_receipts(**changes):
    return replace(SETTINGS, receipts=Receipts(**changes))


def withheld(reason):
    return ReceiptDecision(send=False, reason=reason)


def sent(level):
    return ReceiptDecision(send=True, level=level)


RECEIPTS = [
    ("listed", lambda: receipt(LISTED), sent(Level.FULL)),
    ("signed", lambda: receipt(SIGNED), sent(Level.FULL)),
    ("wrong key: says little", lambda: receipt(WRONG_KEY), sent(Level.MINIMAL)),
    ("below minimum: says little", lambda: receipt(BELOW), sent(Level.MINIMAL)),
    ("emergency of a contact", lambda: receipt(LISTED, ruling=decide(LISTED, category=Category.EMERGENCY)), sent(Level.FULL)),
    ("emergency of a stranger", lambda: receipt(STRANGER, ruling=decide(STRANGER, category=Category.EMERGENCY)), withheld(Withheld.UNKNOWN_CONTACT)),
    ("switched off", lambda: receipt(settings=with_receipts(enabled=False)), withheld(Withheld.DISABLED)),
    ("switched off comes first", lambda: receipt(settings=with_receipts(enabled=False), automatic=Withheld.LIST), withheld(Withheld.DISABLED)),
    ("suppressed, stranger", lambda: receipt(STRANGER, suppressed=True, settings=with_receipts(unknown=UnknownReceipts.DOMAIN)), withheld(Withheld.SUPPRESSED)),
    ("suppressed, contact", lambda: receipt(LISTED, suppressed=True), sent(Level.FULL)),
    ("suppressed, signed", lambda: receipt(SIGNED, suppressed=True), sent(Level.FULL)),
    ("own address", lambda: receipt(message=mail(sender="247CP@institution.gov.a.example")), withheld(Withheld.OWN_ADDRESS)),
    ("own address with detail", lambda: receipt(message=mail(sender="247cp+r.x@institution.gov.a.example")), withheld(Withheld.OWN_ADDRESS)),
    ("own alias", lambda: receipt(message=mail(sender="Cybercrime@institution.gov.a.example")), withheld(Withheld.OWN_ADDRESS)),
    ("colleague", lambda: receipt(message=mail(sender="duty@institution.gov.a.example"), mail_from="duty@institution.gov.a.example"), sent(Level.FULL)),
    ("to the return path", lambda: receipt(rcpt_to="247cp+r.247CP-2026-000042-K7QA.120.abc@institution.gov.a.example"), withheld(Withheld.RETURN_PATH)),
    ("to a case address", lambda: receipt(rcpt_to="247cp+c.247CP-2026-000042-K7QA@institution.gov.a.example"), sent(Level.FULL)),
    ("two From fields", lambda: receipt(message=scan(b"From: a@b.example\r\nFrom: c@d.example\r\nTo: 247cp@institution.gov.a.example\r\n\r\n"), ruling=decide(LISTED)), withheld(Withheld.AMBIGUOUS)),
    ("ambiguous inside", lambda: receipt(ruling=decide(LISTED, defects=(Reason.MIME_TOO_DEEP,))), withheld(Withheld.AMBIGUOUS)),
    ("blind copy", lambda: receipt(message=mail(to="someone@else.example")), withheld(Withheld.NOT_ADDRESSED)),
    ("undisclosed recipients", lambda: receipt(message=mail(to="undisclosed-recipients:;")), withheld(Withheld.NOT_ADDRESSED)),
    ("in Cc", lambda: receipt(message=mail(to="someone@else.example", cc="CP <247cp@institution.gov.a.example>")), sent(Level.FULL)),
    ("to the alias", lambda: receipt(message=mail(to="cybercrime@institution.gov.a.example")), sent(Level.FULL)),
    ("to a case address in To", lambda: receipt(message=mail(to="247cp+c.x@institution.gov.a.example")), sent(Level.FULL)),
    ("display name that only looks like us", lambda: receipt(message=mail(to='"247cp@institution.gov.a.example" <x@else.example>')), withheld(Withheld.NOT_ADDRESSED)),
    ("forged", lambda: receipt(FORGED), withheld(Withheld.FORGED)),
    ("signed, but DMARC fails", lambda: receipt(REPLAYED), withheld(Withheld.FORGED)),
    ("emergency, forged", lambda: receipt(FORGED, ruling=decide(FORGED, category=Category.EMERGENCY)), withheld(Withheld.FORGED)),
    ("nothing authenticates", lambda: receipt(UNPROVED), withheld(Withheld.UNAUTHENTICATED)),
    ("nobody", lambda: receipt(NOBODY), withheld(Withheld.UNAUTHENTICATED)),
    ("other organisation in the envelope", lambda: receipt(mail_from="x@mailer.else.example"), withheld(Withheld.MAIL_FROM_DIFFERS)),
    ("other host of the organisation", lambda: receipt(mail_from="x@bounce.gov.b.example"), sent(Level.FULL)),
    ("other organisation, signed", lambda: receipt(SIGNED, mail_from="x@else.example"), sent(Level.FULL)),
    ("envelope unknown", lambda: receipt(mail_from=None), sent(Level.FULL)),
    ("DNS silent", lambda: receipt(UNSURE), withheld(Withheld.WAITS_FOR_DNS)),
    ("DNS silent to the end", lambda: receipt(UNSURE, ruling=decide(UNSURE, final=True)), withheld(Withheld.WAITS_FOR_DNS)),
    ("gpg silent", lambda: receipt(replace(LISTED, unsure=True)), withheld(Withheld.WAITS_FOR_DNS)),
    ("emergency said to be listed that nothing proves yet", lambda: receipt(UNSURE, ruling=decide(replace(UNSURE, assurance=Assurance.LISTED), category=Category.EMERGENCY)), withheld(Withheld.WAITS_FOR_DNS)),
    ("stranger", lambda: receipt(STRANGER), withheld(Withheld.UNKNOWN_CONTACT)),
    ("stranger, allowed", lambda: receipt(STRANGER, settings=with_receipts(unknown=UnknownReceipts.DOMAIN)), sent(Level.MINIMAL)),
    ("nobody, never", lambda: receipt(replace(NOBODY, authenticated=True), settings=with_receipts(unknown=UnknownReceipts.DOMAIN)), withheld(Withheld.UNKNOWN_CONTACT)),
    ("stranger's emergency, allowed: a human first", lambda: receipt(STRANGER, ruling=decide(STRANGER, category=Category.EMERGENCY), settings=with_receipts(unknown=UnknownReceipts.DOMAIN)), withheld(Withheld.WAITS_FOR_HUMAN)),
    ("repeated", lambda: receipt(repeat=True), withheld(Withheld.REPEATED)),
    ("encrypted without a key to answer to: says little", lambda: receipt(SIGNED, encrypted=True), sent(Level.MINIMAL)),
    ("encrypted with a key", lambda: receipt(SIGNED, encrypted=True, can_encrypt=True), sent(Level.FULL)),
]  # fmt: skip


@pytest.mark.parametrize(("decided", "expected"), [row[1:] for row in RECEIPTS], ids=[row[0] for row in RECEIPTS])
def test_receipt(decided, expected):
    assert decided() == expected


MACHINES = [
    Withheld.NULL_SENDER,
    Withheld.AUTO_SUBMITTED,
    Withheld.LIST,
    Withheld.PRECEDENCE,
    Withheld.LOOP,
    Withheld.REPORT,
    Withheld.ROBOT,
]


@pytest.mark.parametrize(("machine", "identity"), list(product(MACHINES, [SIGNED, LISTED, NOBODY])))
def test_nothing_automatic_is_answered(machine, identity):
    assert receipt(identity, ruling=decide(identity, automatic=machine), automatic=machine) == withheld(machine)


@settings(max_examples=200, deadline=None)
@given(
    identities(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.sampled_from(Category)
)
def test_a_receipt_leaves_only_to_a_proved_sender(
    identity, final, suppressed, repeat, can_encrypt, encrypted, category
):
    ruling = decide(identity, category=category, final=final)
    answer = receipt(
        identity,
        ruling=ruling,
        suppressed=suppressed,
        repeat=repeat,
        can_encrypt=can_encrypt,
        encrypted=encrypted,
        settings=with_receipts(unknown=UnknownReceipts.DOMAIN),
    )
    assert answer.send is (answer.reason is None)
    if answer.send:
        assert identity.authenticated or identity.openpgp_good
        assert not identity.dmarc_failed
        assert ruling.disposition is not DEFER
        assert ruling.level is not Level.NONE
        assert answer.level is (Level.MINIMAL if encrypted and not can_encrypt else ruling.level)
        assert not repeat


def test_a_minimum_that_the_receiving_side_cannot_see_holds_nothing():
    asked = Protection(tls=TlsLevel.VERIFIED)
    contact = replace(LISTED.contact, minimum=asked)
    seen = replace(LISTED, contact=contact, protection=Protection(sig=SigLevel.DKIM, tls=TlsLevel.TLS))
    assert decide(seen).disposition is ACCEPT
    in_clear = replace(seen, protection=Protection(sig=SigLevel.DKIM))
    assert decide(in_clear).reason is Reason.BELOW_MINIMUM
