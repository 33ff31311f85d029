"""The verdict card: who gets one, what it says, and what it never says."""

import pytest
from counterpart import field
from pipeline_world import EMERGENCY, MAILBOX, PRESERVATION, message_id

from gateway.model.outbox import Hop, Purpose
from gateway.model.verdict import Reason
from gateway.pipeline.cards import COLUMNS
from gateway.triage.reason_words import WORDS

UNREADABLE = (
    b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=request.bin\r\n"
    b"Content-Disposition: attachment; filename=request.bin\r\n\r\nAAAA\r\n"
)


def text_of(card):
    return card.content.partition(b"\r\n\r\n")[2].decode()


def alone(world, name, *, body=UNREADABLE):
    """A mail that is one attachment which nobody can read."""
    header = world.bx.forged(MAILBOX, "x", "y").partition(b"MIME-Version")[0].partition(b"\r\n\r\n")[0].rstrip(b"\r\n")
    return header.replace(b"247cp@police.gov.b.example", name) + b"\r\n" + body


def test_every_reason_has_words():
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize("sealed", ["plain", "signed"])
def test_a_proved_emergency_gets_a_card_in_its_thread_for_the_mailbox_alone(world, sealed):
    content = getattr(world.bx, sealed)(MAILBOX, *EMERGENCY)
    outcome = world.receive(content, sender=world.bx)
    card = outcome.card
    assert (card.purpose, card.hop, card.mail_from, card.rcpt_tos) == (Purpose.NOTICE, Hop.MAILBOX, "", (MAILBOX,))
    assert field(card.content, "Auto-Submitted") == "auto-notified"
    assert field(card.content, "In-Reply-To") == field(card.content, "References") == message_id(content)
    assert field(card.content, "To") == MAILBOX
    assert "EMERGENCY: bx-police" in field(card.content, "Subject").replace("\r\n", "")
    assert outcome.case.reference in text_of(card)


def test_its_id_is_the_same_however_often_it_is_judged(world):
    content = world.bx.plain(MAILBOX, *EMERGENCY)
    ids = {
        world.receive(content, sender=world.bx, facts={"reference": "247CP-2026-000007-AAAA"}).card.message_id
        for _ in range(2)
    }
    assert len(ids) == 1


def test_a_forged_emergency_says_that_nothing_is_proved_and_names_the_directorys_number(world):
    content = world.bx.forged(MAILBOX, EMERGENCY[0], EMERGENCY[1] + "Call me at +999 555 0100.\r\n")
    outcome = world.receive(content, sender=world.bx, peer="203.0.113.66")
    text = " ".join(text_of(outcome.card).split())
    assert "NOTHING proves who wrote it" in text
    assert "NOT PROVED" in field(outcome.card.content, "Subject")
    assert "Telephone Police of Borduria" in text
    assert "555 0100" not in text
    assert WORDS[Reason.FORGED_CONTACT] in text
    assert f"cp247 cases call {outcome.case.reference}" in text
    assert "COVERED BY NO SIGNATURE" in text


def test_nothing_that_was_encrypted_stands_in_it(world):
    content = world.bx.encrypted(
        MAILBOX, "kidnapping of Jane Roe", EMERGENCY[1] + "canary-7731@shop.example\r\n", key=world.own_key
    )
    card = world.receive(content, sender=world.bx).card
    for secret in (b"Jane", b"kidnapping", b"canary", b"abductor", b"midnight"):
        assert secret not in card.content


def test_each_line_fits_a_terminal(world):
    content = world.bx.forged(MAILBOX, *EMERGENCY)
    card = world.receive(content, sender=world.bx, peer="203.0.113.66").card
    assert max(map(len, text_of(card).splitlines())) <= COLUMNS


def test_an_ordinary_request_gets_none(world):
    assert world.receive(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx).card is None
    assert world.receive(world.sx.signed(MAILBOX, *PRESERVATION), sender=world.bx).card is not None


def test_a_machine_gets_none(world):
    content = b"Auto-Submitted: auto-generated\r\n" + world.bx.plain(MAILBOX, *EMERGENCY)
    outcome = world.receive(content, sender=world.bx)
    assert (outcome.card, outcome.verdict.page) == (None, False)


def test_a_broken_signature_says_so(world):
    content = world.bx.signed(MAILBOX, *PRESERVATION).replace(b"canary-7731", b"canary-7732")
    outcome = world.receive(content, sender=world.bx)
    assert "openpgp fail" in text_of(outcome.card)


def test_missing_items_are_named_and_nothing_else_of_the_request(world):
    outcome = world.receive(world.bx.forged(MAILBOX, *PRESERVATION), sender=world.bx, peer="203.0.113.66")
    text = text_of(outcome.card)
    assert "NOT FOUND IN THE REQUEST" in text
    for quoted in ("canary-7731", "BX/2026/1187", "shop.example"):
        assert quoted not in text


def test_a_mail_that_cannot_be_opened_is_paged_whoever_wrote_it(world):
    content = world.bx.encrypted(MAILBOX, *PRESERVATION, key=world.bx.key.armored)
    outcome = world.receive(content, sender=world.bx)
    assert Reason.CANNOT_DECRYPT in outcome.verdict.reasons
    assert outcome.verdict.page
    assert "Try to open it with your own key" in " ".join(text_of(outcome.card).split())


def test_a_lone_attachment_nobody_can_read_is_paged_only_in_a_contacts_name(world):
    named = world.receive(alone(world, b"247cp@police.gov.b.example"), sender=world.bx, peer="203.0.113.66")
    stranger = world.receive(alone(world, b"somebody@elsewhere.example"), sender=world.bx, peer="203.0.113.66")
    assert {Reason.ATTACHMENT_ONLY, Reason.ATTACHMENT_UNREAD} <= set(named.verdict.reasons) & set(
        stranger.verdict.reasons
    )
    assert (named.verdict.page, stranger.verdict.page) == (True, False)
    assert stranger.card is None


def test_the_card_is_plain_text_that_any_program_shows(world):
    card = world.receive(world.bx.plain(MAILBOX, *EMERGENCY), sender=world.bx).card
    assert field(card.content, "Content-Type").startswith("text/plain; charset=utf-8")
    assert "Telephone Police of Borduria" in " ".join(text_of(card).split())
