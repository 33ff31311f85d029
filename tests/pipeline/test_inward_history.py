"""Who is remembered: proved mail of a human that is not held. A forger writes no history and is compared with none."""

from datetime import timedelta

from pipeline_world import MAILBOX, NOW, PRESERVATION, World, reference

from gateway.model.history import History, Sighting, Trait
from gateway.model.trust import Assurance, SigLevel
from gateway.model.verdict import Disposition, Reason

KEY_OF_ANOTHER = "A" * 40
PAST = History(
    (
        Sighting(Trait.SIGNATURE, "openpgp", NOW, NOW, 9),
        Sighting(Trait.KEY, KEY_OF_ANOTHER, NOW, NOW, 9),
        Sighting(Trait.ENCRYPTION, "none", NOW, NOW, 9),
    )
)


def traits(outcome) -> dict[Trait, str]:
    return dict(outcome.appearance.traits)


def test_signed_mail_is_remembered_by_its_key_and_path(world: World) -> None:
    outcome = world.receive(world.bx.signed(MAILBOX, *PRESERVATION), sender=world.bx)
    shown = traits(outcome)
    assert outcome.appearance.address == world.bx.mailbox
    assert shown[Trait.SIGNATURE] == "openpgp"
    assert shown[Trait.KEY] == world.bx.key.fingerprint
    assert shown[Trait.DKIM] == f"mail._domainkey.{world.bx.domain}"
    assert shown[Trait.MAIL_FROM] == world.bx.domain
    assert (shown[Trait.ENCRYPTION], shown[Trait.LANGUAGE], shown[Trait.ZONE]) == ("none", "en", "0")


def test_listed_mail_is_remembered_as_unsigned(world: World) -> None:
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)
    assert traits(outcome)[Trait.SIGNATURE] == "none"


def test_a_forgery_is_neither_remembered_nor_compared(world: World) -> None:
    forged = world.bx.forged(MAILBOX, *PRESERVATION)
    outcome = world.receive(forged, sender=world.sx, mail_from=world.bx.mailbox, facts={"history": PAST})
    assert outcome.verdict.reasons[0] is Reason.FORGED_CONTACT
    assert (outcome.appearance, outcome.verdict.signals) == (None, ())


def test_a_key_nobody_pinned_teaches_nothing(world: World) -> None:
    outcome = world.receive(world.sx.signed(MAILBOX, *PRESERVATION), sender=world.sx)
    assert (outcome.verdict.disposition, outcome.appearance) == (Disposition.HOLD, None)


def test_a_machine_and_a_repeat_teach_nothing_and_are_not_compared(world: World) -> None:
    content = world.bx.plain(MAILBOX, *PRESERVATION)
    machine = world.receive(b"Auto-Submitted: auto-replied\r\n" + content, sender=world.bx, facts={"history": PAST})
    repeat = world.receive(content, sender=world.bx, facts={"history": PAST, "repeat_of": reference(1)})
    for outcome in (machine, repeat):
        assert outcome.appearance is None
        assert outcome.verdict.signals == ()


def test_an_alarm_costs_no_trust_no_receipt_and_no_floor(world: World) -> None:
    content = world.bx.signed(MAILBOX, *PRESERVATION)
    usual = world.receive(content, sender=world.bx)
    alarmed = world.receive(content, sender=world.bx, facts={"history": PAST})
    assert alarmed.verdict.signals[0].reason is Reason.KEY_CHANGE
    assert KEY_OF_ANOTHER in alarmed.verdict.signals[0].detail
    assert Reason.KEY_CHANGE in alarmed.verdict.reasons
    for outcome in (usual, alarmed):
        assert (outcome.verdict.assurance, outcome.verdict.disposition) == (Assurance.SIGNED, Disposition.ACCEPT)
        assert outcome.verdict.receipt == usual.verdict.receipt
        assert outcome.case.floor.sig is SigLevel.OPENPGP


def test_a_missing_signature_is_told_and_the_mail_is_listed_all_the_same(world: World) -> None:
    content = world.bx.plain(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.bx, facts={"history": PAST})
    assert outcome.verdict.assurance is Assurance.LISTED
    assert [one.detail for one in outcome.verdict.signals] == ["not signed as a whole; 9 of 9 mails so far were"]
    assert len(outcome.receipts) == 1


def test_a_late_receipt_is_dated_when_it_is_written(world: World) -> None:
    content = world.bx.signed(MAILBOX, *PRESERVATION)
    later = NOW + timedelta(days=3)
    outcome = world.receive(content, sender=world.bx, facts={"receipt_at": later})
    (receipt,) = outcome.receipts
    assert f"Date: {later:%a, %d %b %Y %H:%M:%S} +0000".encode() in receipt.content
    assert f".{later.toordinal()}." in receipt.mail_from
