"""Receipts: to whom the request was proved to come from, protected as it was, saying nothing of what it said."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from counterpart import body_of, dkim_verifies, field, pieces
from dkim_signer import sign
from pipeline_world import (
    EMERGENCY,
    HOSTNAME,
    MAILBOX,
    NOW,
    PRESERVATION,
    PRESERVATION_FR,
    SECRET,
    message_id,
    reference,
)

from gateway.mail import return_path
from gateway.model.outbox import Hop, Purpose
from gateway.model.outcome import Facts
from gateway.model.settings import Dkim, Receipts, UnknownReceipts
from gateway.model.trust import PinnedKey
from gateway.model.verdict import Level, Withheld
from gateway.pipeline.inward import inward

OUTSIDE = (
    "DKIM-Signature", "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
)  # fmt: skip


def names(content):
    header = content.partition(b"\r\n\r\n")[0]
    return [one.decode() for one in re.findall(rb"^([!-9;-~]+):", header, re.MULTILINE)]


def only_receipt(outcome):
    (mail,) = outcome.receipts
    return mail


def opened(world, mail):
    """What the counterpart's own gpg finds inside an encrypted receipt."""
    return world.bx.decrypts(body_of(pieces(mail.content)[1]), key=world.own_key)


def signed_text(world, mail):
    """What the counterpart's own gpg calls signed by us."""
    payload, signature = pieces(mail.content)
    assert world.bx.verifies(body_of(signature), payload, key=world.own_key) == own_fingerprint(world)
    return payload


def own_fingerprint(world):
    return world.tools.settings.openpgp.signing_key


def test_the_receipt_of_a_plain_request_is_signed_and_names_the_case(world):
    content = world.bx.plain(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.bx)
    mail = only_receipt(outcome)
    assert (mail.purpose, mail.hop, mail.rcpt_tos) == (Purpose.RECEIPT, Hop.RELAY, ("247cp@police.gov.b.example",))
    assert names(mail.content) == list(OUTSIDE)
    assert field(mail.content, "Subject") == f"Auto: receipt [{outcome.case.reference}]"
    assert field(mail.content, "Message-ID") == mail.message_id
    assert mail.message_id == f"<rcpt.{outcome.case.reference}.{outcome.request_key[:16]}@{HOSTNAME}>"
    assert field(mail.content, "In-Reply-To") == field(mail.content, "References") == message_id(content)
    assert field(mail.content, "Auto-Submitted") == "auto-replied"
    assert field(mail.content, "X-Auto-Response-Suppress") == "DR, RN, NRN, OOF, AutoReply"
    assert dkim_verifies(mail.content, world.zone)
    assert outcome.case.reference.encode() in signed_text(world, mail)


def test_its_return_path_leads_back_to_the_case(world):
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)
    found = return_path.read(SECRET, only_receipt(outcome).mail_from, mailbox=MAILBOX, today=NOW.toordinal())
    assert (found.case, found.answer) == (outcome.case.reference, False)


def test_it_says_what_arrived_and_quotes_nothing(world):
    content = world.bx.signed(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.bx)
    text = signed_text(world, only_receipt(outcome)).decode().replace("=\r\n", "")
    arrival_digest = re.search(r"[0-9a-f]{64}", text)
    assert arrival_digest
    assert "PRESERVATION" in text
    for quoted in ("canary-7731", "BX/2026/1187", "shop.example"):
        assert quoted not in text


def test_the_receipt_of_an_encrypted_request_is_encrypted_to_the_pinned_key(world):
    content = world.bx.encrypted(MAILBOX, "...", PRESERVATION[1], key=world.own_key)
    outcome = world.receive(content, sender=world.bx)
    mail = only_receipt(outcome)
    assert field(mail.content, "Content-Type").startswith("multipart/encrypted")
    assert field(mail.content, "Subject") == f"Auto: receipt [{outcome.case.reference}]"
    for hidden in (b"PRESERVATION", b"SHA-256", b"Article"):
        assert hidden not in mail.content
    inside, signer = opened(world, mail)
    assert signer == own_fingerprint(world)
    assert b"PRESERVATION" in inside
    assert dkim_verifies(mail.content, world.zone)


def test_without_a_key_the_receipt_of_an_encrypted_request_says_only_that_mail_arrived(world):
    expired = tuple(replace(key, encryption_expires=NOW - timedelta(days=1)) for key in keys_of_bx(world))
    tools = with_keys_of_bx(world, expired)
    content = world.bx.encrypted(MAILBOX, "...", PRESERVATION[1], key=world.own_key)
    outcome = world.receive(content, sender=world.bx, tools=tools)
    mail = only_receipt(outcome)
    assert outcome.verdict.receipt.level is Level.MINIMAL
    assert field(mail.content, "Content-Type").startswith("multipart/signed")
    text = signed_text(world, mail).decode()
    for hidden in ("PRESERVATION", "SHA-256", "preserv"):
        assert hidden not in text


def test_an_emergency_is_told_to_telephone_first(world):
    outcome = world.receive(world.bx.plain(MAILBOX, *EMERGENCY), sender=world.bx)
    text = signed_text(world, only_receipt(outcome)).decode()
    assert text.partition("\r\n\r\n")[2].lstrip().startswith("CALL NOW: +000 1 234 567")


def test_a_french_request_is_told_in_both_languages(world):
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION_FR), sender=world.bx)
    assert outcome.verdict.classification.language == "fr"
    text = signed_text(world, only_receipt(outcome)).decode()
    assert "This is an automatic receipt" in text
    assert "\r\n----------\r\n" in text


def test_a_language_that_is_not_configured_is_answered_in_english(world):
    tools = world.with_settings(receipts=Receipts(languages=("en",)))
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION_FR), sender=world.bx, tools=tools)
    assert "\r\n----------\r\n" not in signed_text(world, only_receipt(outcome)).decode()


def test_a_language_without_words_in_rules_is_answered_in_english_once(world):
    silent = {key: text for key, text in world.tools.ruleset.receipts.items() if key[0] != "fr"}
    tools = replace(world.tools, ruleset=replace(world.tools.ruleset, receipts=silent))
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION_FR), sender=world.bx, tools=tools)
    text = signed_text(world, only_receipt(outcome)).decode()
    assert text.count("This is an automatic receipt") == 1
    assert "\r\n----------\r\n" not in text


def test_one_arrival_has_one_message_id_however_often_it_is_judged(world):
    arrival = world.arrival(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)
    facts = Facts(reference=reference(arrival.number), final=True)
    ids = {only_receipt(inward(arrival, facts, world.tools)).message_id for _ in range(3)}
    assert len(ids) == 1


def test_the_receipt_goes_to_from_and_never_to_reply_to_or_the_envelope(world):
    content = b"Reply-To: officer@elsewhere.example\r\n" + world.bx.signed(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.bx, mail_from="bounces@mailer.example")
    assert only_receipt(outcome).rcpt_tos == ("247cp@police.gov.b.example",)


@pytest.mark.parametrize(
    ("fields", "envelope", "reason"),
    [
        ("", {"mail_from": ""}, Withheld.NULL_SENDER),
        ("Auto-Submitted: auto-generated\r\n", {}, Withheld.AUTO_SUBMITTED),
        ("List-Id: <x.example>\r\n", {}, Withheld.LIST),
        ("Precedence: bulk\r\n", {}, Withheld.PRECEDENCE),
        ("X-Loop: yes\r\n", {}, Withheld.LOOP),
        ("Subject: twice\r\n", {}, Withheld.AMBIGUOUS),
        ("", {"mail_from": "bounces@mailer.example"}, Withheld.MAIL_FROM_DIFFERS),
    ],
)
def test_what_is_withheld_has_a_reason(world, fields, envelope, reason):
    content = fields.encode() + world.bx.plain(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.bx, **envelope)
    assert outcome.receipts == ()
    assert outcome.verdict.receipt.reason is reason


def test_a_blind_copy_is_not_receipted(world):
    outcome = world.receive(world.bx.plain("somebody@else.example", *PRESERVATION), sender=world.bx)
    assert outcome.verdict.receipt.reason is Withheld.NOT_ADDRESSED


def test_a_known_contact_that_asks_for_no_automatic_answers_gets_its_receipt(world):
    content = b"X-Auto-Response-Suppress: All\r\n" + world.bx.plain(MAILBOX, *PRESERVATION)
    assert world.receive(content, sender=world.bx).receipts


def test_a_stranger_gets_a_minimal_receipt_only_where_the_administrator_says_so(world):
    content = sign(
        world.bx.forged(MAILBOX, *PRESERVATION).replace(b"247cp@police.gov.b.example", b"officer@police.gov.b.example"),
        d=world.bx.domain, s="mail", h="from:from:to:subject:date:message-id",
    )  # fmt: skip
    never = world.receive(content, sender=world.bx)
    allowed = world.with_settings(receipts=Receipts(unknown=UnknownReceipts.DOMAIN))
    once = world.receive(content, sender=world.bx, tools=allowed)
    assert never.verdict.receipt.reason is Withheld.UNKNOWN_CONTACT
    assert once.verdict.receipt.level is Level.MINIMAL
    assert only_receipt(once).rcpt_tos == ("officer@police.gov.b.example",)


def test_receipts_can_be_switched_off(world):
    tools = world.with_settings(receipts=Receipts(enabled=False))
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx, tools=tools)
    assert (outcome.receipts, outcome.verdict.receipt.reason) == ((), Withheld.DISABLED)


@pytest.mark.parametrize("broken", ["openpgp", "dkim"])
def test_a_receipt_that_cannot_be_sealed_is_withheld_and_the_request_stands(world, broken, tmp_path):
    tools = replace(world.tools, seal=broken_seal(world, broken, tmp_path))
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx, tools=tools)
    assert outcome.receipts == ()
    assert outcome.verdict.receipt.reason is Withheld.SEAL_FAILED
    assert outcome.case.origin == "247cp@police.gov.b.example"
    assert outcome.prepend


def broken_seal(world, broken, folder):
    seal = world.tools.seal
    if broken == "dkim":
        return type(seal)(home=seal.home, signing_key=seal.signing_key,
                          dkim=Dkim(domain="institution.gov.example", key=str(folder / "none.pem")))  # fmt: skip
    return type(seal)(home=seal.home, signing_key="AB" * 20, dkim=seal.dkim)


def keys_of_bx(world) -> tuple[PinnedKey, ...]:
    return world.tools.contacts["bx-police"].keys


def with_keys_of_bx(world, keys):
    contact = replace(world.tools.contacts["bx-police"], keys=keys)
    book = {
        key: (contact if one.id == contact.id else one, address) for key, (one, address) in world.tools.book.items()
    }
    return replace(world.tools, book=book, contacts={**world.tools.contacts, contact.id: contact})
