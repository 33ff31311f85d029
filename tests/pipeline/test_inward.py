"""The inward road: who is proved, what is delivered, what is said; never more than was proved, never a word of what was secret."""

import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest
from counterpart import field
from pipeline_world import EMERGENCY, HOSTNAME, MAILBOX, PRESERVATION, reference

from gateway.model.outcome import Facts
from gateway.model.trust import Assurance
from gateway.model.verdict import Category, Disposition, Level, Reason, Withheld
from gateway.pipeline.inward import assess, inward, judge_error
from gateway.service.judging import JUDGE_SECONDS
from gateway.service.requests import OUTCOME
from gateway.service.tools import make_check


def test_a_signed_request_of_a_contact_is_accepted_as_signed(world):
    outcome = world.receive(world.bx.signed(MAILBOX, *PRESERVATION), sender=world.bx)
    verdict = outcome.verdict
    assert (verdict.assurance, verdict.disposition) == (Assurance.SIGNED, Disposition.ACCEPT)
    assert verdict.classification.category is Category.PRESERVATION
    assert verdict.contact == "bx-police"
    assert verdict.receipt.level is Level.FULL
    assert not verdict.page


def test_a_request_that_only_dkim_proves_is_listed(world):
    outcome = world.receive(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)
    assert outcome.verdict.assurance is Assurance.LISTED
    assert outcome.verdict.receipt.send


def test_what_is_written_in_a_contacts_name_proves_nothing_and_gets_nothing(world):
    outcome = world.receive(world.bx.forged(MAILBOX, *PRESERVATION), sender=world.bx, peer="203.0.113.66")
    assert outcome.verdict.assurance is Assurance.NONE
    assert outcome.verdict.disposition is Disposition.HOLD
    assert outcome.verdict.reasons[0] is Reason.FORGED_CONTACT
    assert outcome.receipts == ()
    assert outcome.case.contact is outcome.case.origin is None
    assert outcome.case.thread == ()


def test_a_signature_by_a_key_pinned_for_nobody_is_never_signed(world):
    content = world.sx.signed(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.sx)
    assert outcome.verdict.assurance is Assurance.LISTED
    assert outcome.verdict.reasons[0] is Reason.WRONG_KEY
    assert outcome.verdict.receipt.level is Level.MINIMAL


def test_an_encrypted_request_is_read_and_told_to_nobody(world):
    outcome = world.receive(world.bx.encrypted(MAILBOX, *PRESERVATION, key=world.own_key), sender=world.bx)
    verdict = outcome.verdict
    assert verdict.assurance is Assurance.SIGNED
    assert verdict.classification.category is Category.PRESERVATION
    assert verdict.classification.hits
    assert all(hit.text == "" for hit in verdict.classification.hits)
    kept = OUTCOME.dump_json(replace(outcome, receipts=(), prepend=b"")).decode() + outcome.prepend.decode()
    for secret in ("canary-7731", "BX/2026/1187", "shop.example", "stored computer data"):
        assert secret not in kept


def test_an_emergency_is_accepted_and_paged_whoever_wrote_it(world):
    listed = world.receive(world.bx.plain(MAILBOX, *EMERGENCY), sender=world.bx).verdict
    forged = world.receive(world.bx.forged(MAILBOX, *EMERGENCY), sender=world.bx, peer="203.0.113.66").verdict
    assert [one.classification.category for one in (listed, forged)] == [Category.EMERGENCY] * 2
    assert [one.disposition for one in (listed, forged)] == [Disposition.ACCEPT] * 2
    assert [one.page for one in (listed, forged)] == [True, True]
    assert [one.receipt.send for one in (listed, forged)] == [True, False]
    assert forged.assurance is Assurance.NONE


def test_the_block_names_case_class_assurance_and_disposition(world):
    outcome = world.receive(world.bx.signed(MAILBOX, *PRESERVATION), sender=world.bx)
    block = outcome.prepend + b"\r\n"
    names = [line.partition(b":")[0].decode() for line in outcome.prepend.split(b"\r\n") if line[:1].strip()]
    assert names == [
        "Received",
        "Authentication-Results",
        "X-247CP-Case",
        "X-247CP-Class",
        "X-247CP-Assurance",
        "X-247CP-Disposition",
    ]
    assert field(block, "X-247CP-Case") == outcome.case.reference
    assert field(block, "X-247CP-Disposition") == "accept"
    assert field(block, "Authentication-Results").startswith(HOSTNAME)


def test_forged_fields_of_ours_are_renamed_and_reported(world):
    forged = b"X-247CP-Assurance: signed\r\nAuthentication-Results: " + HOSTNAME.encode() + b"; dkim=pass\r\n"
    content = forged + world.bx.plain(MAILBOX, *PRESERVATION)
    outcome = world.receive(content, sender=world.bx)
    assert Reason.FOREIGN_FIELD_RENAMED in outcome.verdict.reasons
    assert [content[at : at + 8] for at in outcome.insertions] == [b"X-247CP-", b"Authenti"]


def test_a_message_that_dns_keeps_open_is_deferred_and_then_held(world):
    world.stub.publish({**world.zone, "mail._domainkey.police.gov.b.example": ["SERVFAIL"],
                        "_dmarc.police.gov.b.example": ["SERVFAIL"]})  # fmt: skip
    try:
        tools = fresh_dns(world)
        content = world.bx.plain(MAILBOX, *PRESERVATION)
        first = world.receive(content, sender=world.bx, tools=tools, facts={"final": False})
        last = world.receive(content, sender=world.bx, tools=tools)
        signed = world.receive(world.bx.signed(MAILBOX, *PRESERVATION), sender=world.bx, tools=tools)
    finally:
        world.stub.publish(world.zone)
    assert (first.verdict.disposition, first.verdict.reasons[0]) == (Disposition.DEFER, Reason.DNS)
    assert first.verdict.receipt.reason is Withheld.WAITS_FOR_DNS
    assert (last.verdict.disposition, last.verdict.reasons[0]) == (Disposition.HOLD, Reason.DNS)
    assert last.receipts == ()
    assert signed.verdict.assurance is Assurance.SIGNED
    again = world.receive(content, sender=world.bx, tools=fresh_dns(world), facts={"final": False})
    assert again.verdict.disposition is Disposition.ACCEPT
    assert again.receipts


def test_the_same_bytes_give_the_same_outcome(world):
    arrival = world.arrival(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)
    facts = Facts(reference=reference(arrival.number), final=True)
    first, second = (inward(arrival, facts, world.tools) for _ in range(2))
    assert first.verdict == second.verdict == assess(arrival, facts, world.tools).verdict
    assert first.prepend == second.prepend
    assert [one.message_id for one in first.receipts] == [one.message_id for one in second.receipts]


def test_a_message_that_defeated_its_judges_is_delivered_paged_and_not_answered(world):
    arrival = world.arrival(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)
    outcome = judge_error(arrival, Facts(reference=reference(arrival.number)), settings=world.tools.settings)
    assert outcome.verdict.page
    assert outcome.verdict.reasons == (Reason.JUDGE_ERROR,)
    assert outcome.verdict.receipt.reason is Withheld.JUDGE_ERROR
    assert outcome.receipts == ()
    assert field(outcome.prepend + b"\r\n", "X-247CP-Assurance") == "none"
    assert outcome.case.reference == reference(arrival.number)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"no header at all", b"\xff\x00" * 50, b"From: \r\n\r\n"])
def test_any_bytes_are_delivered_with_a_verdict(world, content):
    outcome = world.receive(content, sender=world.bx)
    assert outcome.verdict.assurance is Assurance.NONE
    assert outcome.prepend
    assert outcome.receipts == ()


def test_an_agent_that_hangs_puts_a_message_off_in_less_time_than_a_judge_has(world):
    content = world.bx.encrypted(MAILBOX, *PRESERVATION, key=world.own_key)
    asked = ["gpg-connect-agent", "--homedir", world.tools.seal.home.path, "getinfo pid", "/bye"]
    agent = int(subprocess.run(asked, capture_output=True, check=True).stdout.split()[1])
    os.kill(agent, signal.SIGSTOP)
    try:
        began = time.monotonic()
        outcome = world.receive(content, sender=world.bx, facts={"final": False})
        assert time.monotonic() - began < JUDGE_SECONDS[0]
    finally:
        os.kill(agent, signal.SIGCONT)
    assert outcome.verdict.disposition is Disposition.DEFER
    assert outcome.receipts == ()


def fresh_dns(world):
    """The same tools with a resolver that has cached nothing."""
    return replace(world.tools, check=make_check(world.tools.settings.dns))
