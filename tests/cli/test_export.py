"""`cp247 cases export`: what a case names, safe for the program that opens it."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_samples import NOW, configured, incoming, outcome, reference_of

from gateway.cli.cases import cases
from gateway.cli.context import Context
from gateway.cli.export import cell_of
from gateway.model.outcome import Outcome
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
    journal.record(arrival_id, named(1), now=NOW, per_contact_hour=30, all_hour=300)
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
    from gateway.cli.export import as_case_uco

    every = tuple(Identifier(kind, "AS1" if kind == "asn" else "x") for kind in IDENTIFIER_KINDS)
    journal = open_journal(Context(configured(tmp_path)).settings().database, upgrade=True)
    arrival, _ = journal.verdict_of(reference_of(1))
    journal.close()
    assert len(json.loads(as_case_uco("247CP", arrival, named(1, every).verdict))["uco-core:object"]) == 1 + len(every)


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
