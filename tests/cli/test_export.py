"""`cp247 cases export`: what a case names, safe for the program that opens it."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from golden import CASES, DATA, OWN_KEY, SECRET, TESTS, own_home
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_samples import case_view, configured, incoming, outcome, reference_of
from journal_steps import record

from gateway.cli.cases import cases
from gateway.cli.context import Context
from gateway.cli.demo.stub_dns import StubDns
from gateway.cli.export import as_case_uco, cell_of
from gateway.model.outcome import Outcome
from gateway.model.trust import Protection
from gateway.model.verdict import IDENTIFIER_KINDS, Identifier
from gateway.store.journal import open_journal

FOUND = (
    Identifier(
        "ip", "203.0.113.7", "203.0.113[.]7", port=51234, at="2026-03-12T14:22:05Z", context="=cmd|' /C calc'!A0"
    ),
    Identifier("phone", "+442079460958"),
    Identifier("account", "@night_jar", context="\x1b[31mred\u202e"),
    Identifier("asn", "AS64500"),
    Identifier("hash", "d41d8cd98f00b204e9800998ecf8427e"),
    Identifier("timestamp", "2026-03-12T14:22:05Z"),
)


def named(number: int, found: tuple[Identifier, ...] = FOUND) -> Outcome:
    made = outcome(number)
    verdict = made.verdict
    return replace(made, verdict=replace(verdict, classification=replace(verdict.classification, identifiers=found)))


@pytest.fixture
def exported(tmp_path: Path):
    context = Context(configured(tmp_path))
    journal = open_journal(context.settings().database, upgrade=True)
    (arrival_id,) = journal.take_in([incoming(b"From: a@x.example\r\nSubject: s\r\n\r\n")])
    record(journal, arrival_id, named(1))
    journal.close()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cases, ["export", *arguments], obj=context)

    return run


def test_json_has_the_verdict_and_every_identifier(exported):
    said = json.loads(exported(reference_of(1)).output)
    assert said["case"] == reference_of(1)
    assert said["identifiers"]["ip"] == ["203.0.113.7"]
    assert (said["identifiers_detail"][0]["port"], said["identifiers_detail"][0]["at"]) == (
        51234,
        "2026-03-12T14:22:05Z",
    )


def test_csv_has_a_row_for_each_and_no_formula_or_control(exported):
    text = exported(reference_of(1), "--format", "csv").output
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["case", "kind", "value", "port", "at", "place", "written", "context"]
    assert [row[1] for row in rows] == [one.kind for one in FOUND]
    assert rows[0][2:5] == ["203.0.113.7", "51234", "2026-03-12T14:22:05Z"]
    assert rows[0][7] == "'=cmd|' /C calc'!A0"
    assert rows[1][2] == "'+442079460958"
    assert rows[2][2] == "'@night_jar"
    assert rows[2][7] == "\\x1b[31mred\\u202e"


def test_case_uco_names_every_object_once_and_always_alike(exported):
    first, again = (exported(reference_of(1), "--format", "case-uco").output for _ in range(2))
    assert first == again
    action, *objects = json.loads(first)["uco-core:object"]
    assert [one["@id"] for one in action["uco-core:object"]] == [one["@id"] for one in objects]
    facets = [one["uco-core:hasFacet"][0]["@type"].removeprefix("uco-observable:") for one in objects]
    assert facets == [
        "IPAddressFacet", "PhoneAccountFacet", "AccountFacet", "AutonomousSystemFacet", "ContentDataFacet", "EventRecordFacet",
    ]  # fmt: skip


def test_every_kind_of_identifier_can_be_written(exported, tmp_path):
    every = tuple(Identifier(kind, "AS1" if kind == "asn" else "x") for kind in IDENTIFIER_KINDS)
    journal = open_journal(Context(configured(tmp_path)).settings().database, upgrade=True)
    arrival, _ = journal.verdict_of(reference_of(1))
    journal.close()
    assert len(json.loads(as_case_uco("247CP", arrival, named(1, every).verdict))["uco-core:object"]) == 1 + len(every)


CONFIG = """\
hostname: gw.institution.gov.example
contact_point: {{name: 24/7 Contact Point, country: XX, mailbox: 247cp@institution.gov.example}}
dkim: {{domain: institution.gov.example, key: {data}/secrets/gateway.dkim.pem}}
secret: secret
database: "sqlite:gateway.db"
rules: {rules}
keys: {data}/directory
openpgp: {{home: {home}, signing_key: {key}}}
dns: {{nameservers: ["{nameserver}"], timeout: 0.3}}
"""


def test_identifiers_of_encrypted_mail_are_read_again_with_the_key_and_never_stored(tmp_path: Path):
    content = (CASES / "accept-encrypted" / "message.eml").read_bytes()
    with own_home() as home, StubDns({}) as stub:
        values = {"data": DATA, "rules": TESTS.parent / "rules", "home": home, "key": OWN_KEY}
        (tmp_path / "gateway.yaml").write_text(CONFIG.format(**values, nameserver=stub.nameserver), encoding="utf-8")
        (tmp_path / "secret").write_bytes(SECRET)
        context = Context(str(tmp_path / "gateway.yaml"))
        journal = open_journal(context.settings().database, upgrade=True)
        (arrival_id,) = journal.take_in([incoming(content)])
        sealed = outcome(1, case=case_view(1, floor=Protection(enc=True)))
        record(journal, arrival_id, sealed)
        said = json.loads(CliRunner().invoke(cases, ["export", reference_of(1)], obj=context).output)
        stored = journal.verdict_of(reference_of(1))
        journal.close()
    assert said["identifiers"]["ip"] == ["198.51.100.23"]
    assert stored is not None
    assert stored[1].verdict.classification.identifiers == ()


def test_a_case_that_is_not_there_is_a_usage_error(exported):
    result = exported("247CP-2026-000099-AAAA")
    assert result.exit_code == 2
    assert "cases list" in result.output


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_cell_starts_a_formula_or_holds_a_control(words):
    cell = cell_of(words)
    assert cell == "" or cell[0] not in "=+-@\t\r"
    assert all(one.isprintable() or one > "\x9f" for one in cell)
