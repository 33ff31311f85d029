"""Refusal lines: one line, ASCII, short, and the same number for the same refusal."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channel.refusals import CANNOT_DECIDE, REFUSALS, decision_number, line

NAMES = ("found", "reason", "mailbox", "origin", "case", "cases")
ANY_NAME = st.one_of(st.text(max_size=400), st.lists(st.text(max_size=400), max_size=9))


def test_line_says_code_what_to_do_and_number():
    said = line("R14", "D-7K3QX2", origin="247cp@police.gov.b.example", found=("x@gmail.example",))
    assert said == (
        "550 5.7.1 NOT SENT: send to 247cp@police.gov.b.example only. "
        "Remove x@gmail.example and press Send again. [D-7K3QX2]"
    )


def test_only_the_first_three_of_a_list_are_named():
    said = line("R17", "D-7K3QX2", found=("a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"))
    assert "a@x.example, b@x.example, c@x.example and 2 more is not in the" in said


@given(rule=st.sampled_from(sorted(REFUSALS)), values=st.tuples(*(ANY_NAME for _ in NAMES)))
@settings(max_examples=200, deadline=None)
def test_whatever_the_names_hold_it_is_one_short_ascii_line(rule, values):
    said = line(rule, "D-7K3QX2", **dict(zip(NAMES, values, strict=True)))
    assert re.fullmatch(r"([45]\d\d [45]\.\d\.\d NOT SENT|250 2\.0\.0 HELD): [ -~]+ \[D-7K3QX2\]", said)
    assert len(said) <= 500
    assert said[0] == said[4], "reply code and enhanced code say the same"


def test_names_cannot_fill_other_placeholders():
    assert "{mailbox}" in line("R17", "D-7K3QX2", found=("{mailbox}",), mailbox="secret")


def test_unknown_rule_is_our_fault():
    with pytest.raises(KeyError):
        line("R99", "D-7K3QX2")


def test_only_not_deciding_is_temporary():
    assert [rule for rule, (code, _) in REFUSALS.items() if code.startswith("4")] == ["D0"]


def test_cannot_decide_says_that_nothing_was_sent():
    assert CANNOT_DECIDE.startswith(
        "451 4.3.0 NOT SENT: the gateway cannot decide now, nothing was sent. Press Send again in a few minutes. [D-"
    )


def test_number_has_the_form_people_read_out():
    assert re.fullmatch(r"D-[0-9A-HJKMNP-TV-Z]{6}", decision_number("R14", None, "a@x.example", ()))


def test_number_is_the_same_for_the_same_refusal():
    first = decision_number("R14", "c", "A@x.example", ("b@x.example", "c@x.example"))
    assert first == decision_number("R14", "c", "a@x.example", ("c@x.example", "B@x.example", "b@x.example"))


@pytest.mark.parametrize(
    "other",
    [
        ("R12", "c", "a@x.example", ("b@x.example",)),
        ("R14", "d", "a@x.example", ("b@x.example",)),
        ("R14", None, "a@x.example", ("b@x.example",)),
        ("R14", "c", "z@x.example", ("b@x.example",)),
        ("R14", "c", "a@x.example", ("b@x.example", "e@x.example")),
    ],
)
def test_number_differs_when_one_thing_differs(other):
    assert decision_number("R14", "c", "a@x.example", ("b@x.example",)) != decision_number(*other)
