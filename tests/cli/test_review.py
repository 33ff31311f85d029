"""A key that comes late: its messages are named, judged again on request, and nothing that was there is changed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from counterpart import Counterpart
from journal_samples import MAILBOX, MemoryBody
from journal_steps import record
from rule_pack import FOLDER

from gateway.cli.cases import cases
from gateway.cli.context import Context
from gateway.cli.demo.stub_dns import StubDns
from gateway.cli.init import make_dkim_key
from gateway.cli.keys import keys
from gateway.mail.scan import scan_header, sender_of
from gateway.mail.thread import keys_of
from gateway.model.case import make_reference
from gateway.model.message import Envelope, Incoming, Source
from gateway.model.outbox import Purpose
from gateway.model.outcome import Facts
from gateway.model.trust import Assurance
from gateway.model.verdict import Reason, Withheld
from gateway.pipeline.cases import request_key
from gateway.pipeline.inward import inward
from gateway.service.single import equipment_of_files
from gateway.service.tools import make_tools
from gateway.store.journal import Journal, open_journal
from gateway.trust.gnupg_home import GnupgHome

CONTACT = """\
name: Police of Borduria
country: BX
addresses:
  - {address: 247cp@police.gov.b.example, verified: true}
"""
REQUEST = (
    "Request for expedited preservation of stored computer data",
    "Under Article 29 of the Budapest Convention we request the expedited preservation of stored computer data.\n",
)
SECRET = b"a secret of forty-eight octets, good for nothing"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")


@pytest.fixture(scope="module")
def police(short: Path):
    made = Counterpart("247cp@police.gov.b.example", "192.0.2.10", short / "bx")
    yield made
    made.key.end()


@pytest.fixture(scope="module")
def own(short: Path):
    home = GnupgHome(str(short / "own"))
    yield home, home.make_own_key(name="Us", mailbox=MAILBOX)
    home.kill_agent()


@pytest.fixture
def context(tmp_path: Path, own) -> Context:
    home, fingerprint = own
    make_dkim_key(tmp_path / "dkim.pem")
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "keys" / "bx-police").mkdir(parents=True)
    (tmp_path / "keys" / "bx-police" / "contact.yaml").write_text(CONTACT)
    (tmp_path / "gateway.yaml").write_text(
        "hostname: gw.institution.gov.example\n"
        f"contact_point: {{name: Contact Point, country: XX, mailbox: {MAILBOX}}}\n"
        f"dkim: {{domain: institution.gov.example, key: {tmp_path}/dkim.pem}}\n"
        f"secret: {tmp_path}/secret\nrules: {FOLDER}\ndatabase: 'sqlite:{tmp_path}/gateway.db'\n"
        f"openpgp: {{home: {home.home}, signing_key: {fingerprint}}}\n"
        # nobody answers there: whatever is judged again must do with the answers that were kept
        'dns: {nameservers: ["127.0.0.1:9"], timeout: 1}\n'
    )
    return Context(str(tmp_path / "gateway.yaml"))


@pytest.fixture
def journal(context: Context):
    opened = open_journal(context.settings().database, upgrade=True)
    yield opened
    opened.close()


@pytest.fixture
def key_file(tmp_path: Path, police: Counterpart) -> str:
    path = tmp_path / "police.asc"
    path.write_bytes(police.key.armored)
    return str(path)


def arrive(context: Context, journal: Journal, police: Counterpart, content: bytes) -> str:
    """The message judged while DNS answers; returns its case."""
    envelope = Envelope(police.mailbox, (MAILBOX,), peer=police.peer, helo="mail.police.gov.b.example")
    now = datetime.now(UTC)
    journal.take_in([Incoming(MAILBOX, now, Source.SMTP, envelope, MemoryBody(content))])
    (claim,) = journal.claim(limit=1, owner="test", now=now, lease=timedelta(minutes=5))
    with StubDns(police.zone) as stub:
        settings = context.settings()
        asking = replace(settings, dns=replace(settings.dns, nameservers=(stub.nameserver,)))
        facts = Facts(
            make_reference(SECRET, now.year, claim.arrival.number), final=True, history=past(journal, content)
        )
        outcome = inward(claim.arrival, facts, make_tools(equipment_of_files(asking)))
    record(journal, claim.arrival.id, outcome, now=now)
    return outcome.case.reference


def past(journal: Journal, content: bytes):
    sender, _ = sender_of(scan_header(content)[0])
    found = journal.recall(
        keys_of(scan_header(content)[0], ()), mailbox=MAILBOX, request_key=request_key(content), sender=sender.key
    )
    return found.history


def add(context: Context, key_file: str, *more: str) -> Result:
    return CliRunner().invoke(keys, ["add", "247cp@police.gov.b.example", key_file, *more], obj=context)


def verdicts(journal: Journal, reference: str):
    arrival, _ = journal.verdict_of(reference)
    return [one.outcome.verdict for one in journal.again.judgements(arrival.id)]


def purposes(journal: Journal, reference: str) -> list[Purpose]:
    return [one.purpose for one in journal.case(reference).mails]


def test_a_late_key_names_its_messages_and_says_how_to_judge_them_again(context, journal, police, key_file) -> None:
    reference = arrive(context, journal, police, police.signed(MAILBOX, *REQUEST))
    plain = arrive(context, journal, police, police.plain(MAILBOX, *REQUEST))
    done = add(context, key_file)
    assert done.exit_code == 0, done.output
    assert "1 stored message may be judged otherwise" in done.output
    assert f"{reference}  " in done.output
    assert plain not in done.output
    assert f"cp247 cases judge-again {reference}" in done.output
    assert len(verdicts(journal, reference)) == 1


def test_judged_again_it_is_signed_and_both_verdicts_stand_in_order(context, journal, police, key_file) -> None:
    reference = arrive(context, journal, police, police.signed(MAILBOX, *REQUEST))
    before = journal.case(reference)
    done = add(context, key_file, "--judge-again")
    assert done.exit_code == 0, done.output
    assert f"{reference}  arrival 1: listed hold (wrong-key" in done.output
    first, second = verdicts(journal, reference)
    assert (first.assurance, first.reasons[0]) == (Assurance.LISTED, Reason.WRONG_KEY)
    assert (second.assurance, second.ruleset) == (Assurance.SIGNED, first.ruleset)
    # held as wrong-key it had its minimal receipt; there is never a second one
    assert second.receipt.reason is Withheld.REPEATED
    after = journal.case(reference)
    assert [one.id for one in after.mails] == [one.id for one in before.mails]
    shown = CliRunner().invoke(cases, ["show", reference], obj=context)
    assert shown.output.index("wrong-key") < shown.output.index("judged again")
    found = json.loads(CliRunner().invoke(cases, ["show", reference, "--json"], obj=context).output)
    assert [one["assurance"] for one in found["verdicts"]] == ["listed", "signed"]
    assert found["verdict"]["assurance"] == "signed"
    assert [one["happening"] for one in found["events"]] == ["judged", "judged-again"]


def test_a_receipt_that_never_left_leaves_once_and_is_dated_now(context, journal, police, key_file) -> None:
    stranger = Path(context.settings().keys, "bx-police", "contact.yaml")
    stranger.unlink()
    stranger.parent.rmdir()
    reference = arrive(context, journal, police, police.signed(MAILBOX, *REQUEST))
    (first,) = verdicts(journal, reference)
    assert (first.assurance, first.receipt.send) == (Assurance.DOMAIN, False)
    enrolled = ("--name", "Police", "--country", "BX", "--folder", "bx-police", "--verified-how", "call-back")
    done = add(context, key_file, *enrolled, "--judge-again")
    assert "a full receipt leaves" in done.output, done.output
    assert purposes(journal, reference) == [Purpose.DELIVERY, Purpose.RECEIPT]
    again = CliRunner().invoke(cases, ["judge-again", reference, "--json"], obj=context)
    found = json.loads(again.output)
    assert (found["number"], found["after"]["assurance"], found["receipt"]["reason"]) == (3, "signed", "repeated")
    assert purposes(journal, reference) == [Purpose.DELIVERY, Purpose.RECEIPT]
    assert journal.case(reference).view.origin == "247cp@police.gov.b.example"


def test_a_key_that_is_revoked_or_removed_names_the_mail_that_rests_on_it(context, journal, police, tmp_path) -> None:
    person = Counterpart("247cp@police.gov.b.example", "192.0.2.10", tmp_path / "p")
    key_file = tmp_path / "p.asc"
    key_file.write_bytes(person.key.armored)
    assert add(context, str(key_file)).exit_code == 0
    reference = arrive(context, journal, person, person.signed(MAILBOX, *REQUEST))
    assert verdicts(journal, reference)[0].assurance is Assurance.SIGNED
    key_file.write_bytes(person.key.revoked())
    refused = add(context, str(key_file))
    assert "--replace" in str(refused.exception)
    done = add(context, str(key_file), "--replace", "--judge-again")
    assert done.exit_code == 0, done.output
    second = verdicts(journal, reference)[1]
    assert second.assurance is Assurance.LISTED
    assert Reason.KEY_REVOKED in second.reasons
    assert purposes(journal, reference).count(Purpose.RECEIPT) == 1
    gone = CliRunner().invoke(keys, ["remove", "bx-police", person.key.fingerprint, "--yes"], obj=context)
    assert f"judge them again: cp247 cases judge-again {reference}" in gone.output
    person.key.end()


def test_a_second_pinned_key_is_an_alarm_and_no_loss_of_trust(context, journal, police, key_file, tmp_path) -> None:
    assert add(context, key_file).exit_code == 0
    arrive(context, journal, police, police.signed(MAILBOX, *REQUEST))
    other = Counterpart("247cp@police.gov.b.example", "192.0.2.10", tmp_path / "o")
    (tmp_path / "o.asc").write_bytes(other.key.armored)
    assert add(context, str(tmp_path / "o.asc")).exit_code == 0
    reference = arrive(context, journal, other, other.signed(MAILBOX, *REQUEST))
    (verdict,) = verdicts(journal, reference)
    assert (verdict.assurance, verdict.receipt.send) == (Assurance.SIGNED, True)
    assert Reason.KEY_CHANGE in verdict.reasons
    shown = CliRunner().invoke(cases, ["show", reference], obj=context).output
    assert f"key-change signed by {other.key.fingerprint}" in " ".join(shown.split())
    other.key.end()


def test_a_signature_in_a_second_mail_is_told_and_judged_again_it_repeats_not_itself(
    context, journal, police, key_file
) -> None:
    assert add(context, key_file).exit_code == 0
    content = police.signed(MAILBOX, *REQUEST)
    first = arrive(context, journal, police, content)
    entity = content.partition(b"MIME-Version: 1.0\r\n")[2]
    replayed = police._complete(MAILBOX, "The same once more", entity)
    second = arrive(context, journal, police, replayed)
    assert [Reason.SIGNATURE_REPEATED in verdicts(journal, one)[0].reasons for one in (first, second)] == [False, True]
    CliRunner().invoke(cases, ["judge-again", first], obj=context)
    again = verdicts(journal, first)[1]
    assert again.assurance is Assurance.SIGNED
    assert Reason.SIGNATURE_REPEATED not in again.reasons


def test_a_case_that_is_none_is_named(context, journal) -> None:
    done = CliRunner().invoke(cases, ["judge-again", "247CP-2026-000001-AAAA"], obj=context)
    assert done.exit_code == 2
    assert "no judged message in 247CP-2026-000001-AAAA" in done.output


def test_a_key_is_pinned_before_the_gateway_ever_ran(context: Context, key_file: str) -> None:
    done = add(context, key_file)
    assert done.exit_code == 0
    assert "stored" not in done.output


def test_a_journal_that_does_not_answer_is_named_and_the_key_is_pinned(context: Context, key_file: str, police) -> None:
    Path(context.settings().database.removeprefix("sqlite:")).write_bytes(b"no database at all" * 100)
    done = add(context, key_file)
    assert done.exit_code == 0
    assert "stored messages were not looked through" in done.output
    assert Path(context.settings().keys, "bx-police", f"{police.key.fingerprint}.asc").is_file()
