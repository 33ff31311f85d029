"""The bench: examples against rules, with nothing but the live functions between them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_pack import pack, pack_files, with_rules

from gateway.triage.bench import EXPECT_FIELD, Example, examples_of, run

REQUEST = "Data preservation request: please preserve all records of the account. Our ref: B-7."


def example(category="preservation", *, words=REQUEST, subject="Request", name="en-one.eml", **fields):
    head = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items())
    mail = (
        f"From: 247cp@police.gov.b.example\nTo: 247cp@institution.gov.a.example\nSubject: {subject}\n{head}\n{words}\n"
    )
    return Example(f"examples/{category}/{name}", mail.encode())


def differences(*examples):
    return [(one.what, one.expected, one.found) for one in run(examples, ruleset=pack()).differences]


def test_example_as_expected_differs_in_nothing():
    assert differences(example()) == []
    assert differences(example("other", words="The canteen is closed.")) == []


def test_wrong_category_is_a_difference_and_names_the_hits():
    report = run((example("other"),), ruleset=pack())
    (one,) = report.differences
    assert (one.path, one.what, one.expected, one.found) == (
        "examples/other/en-one.eml",
        "category",
        "other",
        "preservation",
    )
    assert one.hits[0] == "preservation.en.title body 15 data preservation request"
    assert not report.good


def test_folder_must_be_a_category():
    assert differences(example("requests"))[0][0] == "folder"


EXPECTATIONS = [
    ("kind=new; urgent=no; language=en; reference=B-7", []),
    ("missing=P2,P3,P5,P6; secondary=; doubtful=no", []),
    ("kind=extension", [("kind", "extension", "new")]),
    ("urgent=yes;", [("urgent", "yes", "no")]),
    ("language=fr", [("language", "fr", "en")]),
    ("missing=P2", [("missing", "P2", "P2,P3,P5,P6")]),
    ("reference=", [("reference", "", "B-7")]),
    ("secondary=emergency", [("secondary", "emergency", "")]),
    ("colour=red", [(EXPECT_FIELD, "kind | urgent | secondary | language | missing | reference | doubtful", "colour")]),
]


@pytest.mark.parametrize(("field", "expected"), EXPECTATIONS, ids=[row[0] for row in EXPECTATIONS])
def test_expected_facts_are_compared(field, expected):
    words = f"{REQUEST} We thank you for the help that is given by your office in this and in all other things."
    assert differences(example(words=words, X_Expect=field)) == expected


def test_automatic_mail_is_recognised_as_live_mail_is():
    assert differences(example("other", Auto_Submitted="auto-replied", X_Expect="kind=auto-reply")) == []
    assert differences(example("other", Return_Path="<>", X_Expect="kind=bounce")) == []
    assert differences(example("other", List_Id="<l.example>", X_Expect="kind=circular")) == []


def test_rule_that_no_example_hits_is_named():
    ruleset = with_rules("{id: a.one, category: preservation, phrases: [records], weight: 1, why: test}")
    report = run((example("other"),), ruleset=ruleset)
    assert report.differences == ()
    assert "a.one" not in report.idle
    assert "t.danger" in report.idle
    assert not report.good


def test_nothing_to_run_is_not_good():
    assert not run((), ruleset=pack()).good


def test_every_rule_exercised_and_no_difference_is_good():
    ruleset = with_rules("{id: a.one, category: preservation, phrases: [records], weight: 9, why: test}")
    examples = (example(), example("emergency", words="zzdanger zzrequest " * 3, subject="zzdanger zzrequest"))
    assert not run(examples, ruleset=ruleset).good
    idle = run(examples, ruleset=ruleset).idle
    assert all(rule.endswith((".fr.p2", ".fr.title")) for rule in idle)


def test_examples_are_the_mails_below_examples():
    files = (
        ("examples/other/b.eml", b"2"),
        ("examples/other/a.eml", b"1"),
        ("examples/other/notes.txt", b""),
        ("examples/loose.eml", b""),
        ("scoring.yaml", b""),
    )
    assert [one.path for one in examples_of(files)] == ["examples/other/a.eml", "examples/other/b.eml"]
    assert examples_of(tuple(pack_files().items())) == ()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged(content):
    assert run((Example("examples/other/x.eml", content),), ruleset=pack()).examples == 1
