"""Reminders as they leave: notices in the mailbox, calls that wake, and the counterpart where it is configured."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from journal_samples import ASKER, MAILBOX, case_view, configured, incoming, outcome, reference_of
from journal_steps import record
from ports import wait_until

from gateway.config import load_settings
from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.clock import Clock, ClockStart
from gateway.model.message import Field
from gateway.model.outbox import Hop, Purpose
from gateway.model.settings import Reminders
from gateway.model.trust import Assurance, Contact, PinnedKey, Protection
from gateway.model.verdict import Category
from gateway.pipeline.reminders import counterpart_reminder, reminder
from gateway.service.reminding import Reminding
from gateway.store.journal import open_journal

NOW = datetime.now(UTC)
LEASE = timedelta(minutes=5)
CONTACT = Contact("bx-police", "Police of Borduria", "BX", ())


@pytest.fixture
def settings(tmp_path):
    return load_settings(configured(tmp_path))


@pytest.fixture
def journal(settings):
    opened = open_journal(settings.database, upgrade=True)
    yield opened
    opened.close()


def open_case(journal, number, *clocks, **fields):
    (arrival_id,) = journal.take_in([incoming()])
    made = replace(outcome(number, receipts=(), **fields), clocks=clocks)
    record(journal, arrival_id, made, now=NOW - timedelta(days=100))


def reminding(journal, settings, *, to_counterpart=lambda *_: None, filled=lambda: None):
    return Reminding(journal.clocks, settings, to_counterpart=to_counterpart, outbox_filled=filled)


def notices(journal):
    mails = journal.claim_mails(limit=99, owner="courier", now=NOW + timedelta(days=1), lease=LEASE)
    return [parse(journal.content(one.content_id)) for one in mails if one.purpose is Purpose.NOTICE]


def said(message):
    return " ".join(read(message).body.split())


def value(message, name):
    field: Field | None = message.header.first(name)
    return field.value.decode().strip() if field else None


def call_back(age, **fields):
    return ClockStart(Clock.CALL_BACK, NOW - age, NOW - age + timedelta(minutes=15), **fields)


def test_an_unconfirmed_emergency_is_told_and_paged_after_a_quarter_and_an_hour(journal, settings):
    emergency = {
        "category": Category.EMERGENCY,
        "case": case_view(1, category=Category.EMERGENCY, assurance=Assurance.LISTED),
    }
    open_case(journal, 1, call_back(timedelta(minutes=16)), **emergency)
    one = reminding(journal, settings)
    assert one.look(NOW) == 1
    assert one.look(NOW) == 0
    assert one.look(NOW + timedelta(minutes=45)) == 1
    calls = journal.claim_calls(limit=9, owner="pager", now=NOW + timedelta(hours=1), lease=LEASE)
    assert [(due.call.why.value, due.call.case) for due in calls] == [("emergency-unconfirmed", reference_of(1))] * 2
    first, _ = notices(journal)
    assert value(first, "subject") == f"NOT CONFIRMED: an emergency [{reference_of(1)}]"
    assert value(first, "auto-submitted") == "auto-notified"
    assert value(first, "to") == MAILBOX
    assert "never at one that stands in a mail" in said(first)
    assert f"cp247 cases call {reference_of(1)}" in said(first)


def test_unproved_emergencies_share_their_calls_and_proved_ones_do_not(journal, settings):
    for number, assurance in ((1, Assurance.NONE), (2, Assurance.NONE), (3, Assurance.SIGNED)):
        view = case_view(number, category=Category.EMERGENCY, assurance=assurance)
        open_case(journal, number, call_back(timedelta(minutes=16)), category=Category.EMERGENCY, case=view)
    reminding(journal, settings).look(NOW)
    calls = journal.claim_calls(limit=9, owner="pager", now=NOW + LEASE, lease=LEASE)
    assert {due.call.case: due.call.shared for due in calls} == {
        reference_of(1): True, reference_of(2): True, reference_of(3): False,
    }  # fmt: skip


def test_the_thread_tells_by_itself(journal, settings):
    open_case(journal, 1, call_back(timedelta(minutes=16)), category=Category.EMERGENCY)
    told = []
    thread = reminding(journal, settings, filled=lambda: told.append(1))
    thread.start()
    wait_until(lambda: told)
    thread.close()
    assert len(notices(journal)) == 1


@pytest.mark.parametrize(
    ("clock", "length", "age", "words"),
    [
        (Clock.FIRST_ANSWER, timedelta(hours=4), timedelta(hours=3), "It is due at"),
        (Clock.FIRST_ANSWER, timedelta(hours=4), timedelta(hours=5), "NO ANSWER HAS LEFT"),
        (Clock.PRESERVATION_END, timedelta(days=90), timedelta(days=77), "ends in 13 days"),
        (Clock.PRESERVATION_END, timedelta(days=90), timedelta(days=91), "is at its end"),
        (Clock.EXTENSION, timedelta(hours=4), timedelta(hours=3), "The end has not moved"),
        (Clock.MLA_FOLLOW_UP, timedelta(days=60), timedelta(days=46), "46 days after the request to preserve"),
    ],
)
def test_each_notice_says_what_is_due_and_what_to_type(journal, settings, clock, length, age, words):
    open_case(journal, 1, ClockStart(clock, NOW - age, NOW - age + length))
    assert reminding(journal, settings).look(NOW) == 1
    (notice,) = notices(journal)
    assert words in said(notice)
    assert "cp247 cases" in said(notice)
    assert reference_of(1) in value(notice, "subject")


def due_preservation(journal, **fields):
    open_case(
        journal, 1, ClockStart(Clock.PRESERVATION_END, NOW - timedelta(days=77), NOW + timedelta(days=13)), **fields
    )
    (due,) = journal.clocks.due(mailbox=MAILBOX, now=NOW, limit=9)
    return due


class Sealed:
    """Seals as our key would, so that one can see what was asked of it."""

    def sign(self, payload):
        return b"-----BEGIN PGP SIGNATURE-----\n", "pgp-sha256"

    def encrypt(self, payload, *, keys):
        return b"-----BEGIN PGP MESSAGE-----\n" + ",".join(key.fingerprint for key in keys).encode()

    def dkim_field(self, content, *, at):
        return b"DKIM-Signature: v=1\r\n"

    def recipients_of(self, message):
        return frozenset()


def to_them(due, settings, contact=CONTACT):
    return counterpart_reminder(
        due, "14-days", contact, at=NOW, settings=settings, secret=b"0123456789abcdef", seal=Sealed()
    )


def test_nobody_outside_hears_of_a_clock_unless_it_is_configured(settings):
    assert settings.reminders == Reminders(counterpart=False)


def test_the_counterpart_is_told_signed_on_the_channel_of_the_case(journal, settings):
    due = due_preservation(journal)
    mail = to_them(due, settings)
    assert (mail.hop, mail.rcpt_tos, mail.purpose) == (Hop.RELAY, (ASKER,), Purpose.RECEIPT)
    assert b"multipart/signed" in mail.content
    assert b"Auto-Submitted: auto-generated" in mail.content
    assert b"It is not a decision" in mail.content
    assert mail.mail_from.startswith("247cp+r.")
    told = reminding(journal, settings, to_counterpart=lambda *_: mail).look(NOW)
    assert told == 1
    kinds = [line.purpose for line in journal.queue(limit=9)]
    assert sorted(kinds) == [Purpose.DELIVERY, Purpose.NOTICE, Purpose.RECEIPT]


def test_an_encrypted_case_is_told_encrypted_or_not_at_all(journal, settings):
    due = due_preservation(journal, case=case_view(1, floor=Protection(enc=True)))
    assert to_them(due, settings) is None
    key = PinnedKey("A" * 40, b"", NOW)
    mail = to_them(due, settings, replace(CONTACT, keys=(key,)))
    assert b"multipart/encrypted" in mail.content
    assert b"preservation you asked for" not in mail.content


def test_a_case_that_nobody_proved_and_other_clocks_are_not_told_outside(journal, settings):
    due = due_preservation(journal)
    assert to_them(due, settings, None) is None
    assert to_them(replace(due, case=replace(due.case, origin=None)), settings) is None
    assert to_them(replace(due, clock=replace(due.clock, clock=Clock.FIRST_ANSWER)), settings) is None


def test_the_same_step_has_the_same_message_id(journal, settings):
    due = due_preservation(journal)
    first, again = (reminder(due, "14-days", at=NOW + wait, settings=settings) for wait in (timedelta(), LEASE))
    assert first.message_id == again.message_id
