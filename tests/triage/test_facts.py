"""The requester's own reference and the period asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_pack import pack

from gateway.model.case import make_reference
from gateway.model.message import Text
from gateway.triage.facts import MAX_CHARACTERS, MAX_DAYS, preservation_days, reference
from gateway.triage.normal import fold
from gateway.triage.ruleset import Labels

LABELS = pack().labels


def read(words, subject=""):
    text = Text(subject=subject, body=words)
    return reference(text, folded=(fold(subject), fold(words)), labels=LABELS)


REFERENCES = [
    ("with a colon", "Our ref: CC/2024/1187. We ask", "CC/2024/1187"),
    ("without a colon", "Our reference 55-DIICOT/2025 of today", "55-DIICOT/2025"),
    ("case number", "Case number: 2026-0042", "2026-0042"),
    ("abbreviated number", "Ref. no. A-12/26", "A-12/26"),
    ("number sign", "Case no. # 7781", "7781"),
    ("bilingual label of the form", "Reference / case number: UK-2026/55", "UK-2026/55"),
    ("label with accent", "Notre référence : PJ/2026/12", "PJ/2026/12"),
    ("label in capitals", "OUR REF: xy-1", "xy-1"),
    ("word and number", "Ref: CC 2024/1187 of the police", "CC 2024/1187"),
    ("German file number", "ref: 120 Js 55/25", "120 Js 55/25"),
    ("letters of another script", "Ref: ДЕЛО-77/2026", "ДЕЛО-77/2026"),
    ("behind brackets", "(our ref: X-77)", "X-77"),
    ("the second label, where the first has nothing", "With reference to our talk. Case no: 12-3", "12-3"),
    ("own reference of ours skipped", f"Your reference: {make_reference(b's', 2026, 42)}. Our ref: B-7", "B-7"),
]


@pytest.mark.parametrize(("words", "expected"), [row[1:] for row in REFERENCES], ids=[row[0] for row in REFERENCES])
def test_reference_is_read_as_written(words, expected):
    assert read(words) == expected


NO_REFERENCE = [
    ("nothing", ""),
    ("no label", "CC/2024/1187"),
    ("no digit", "Our ref: above"),
    ("label inside a word", "preference: 12"),
    ("only ours", f"reference {make_reference(b's', 2026, 42)}"),
    ("behind the head of the letter", "word " * MAX_CHARACTERS + "our ref: 12"),
]


@pytest.mark.parametrize("words", [row[1] for row in NO_REFERENCE], ids=[row[0] for row in NO_REFERENCE])
def test_reference_is_not_guessed(words):
    assert read(words) is None


def test_subject_is_asked_first():
    assert read("Our ref: B-2", subject="Request, ref. A-1") == "A-1"


def test_reference_split_by_a_line_break_is_given_as_it_stood():
    assert read("Our ref: CC\n2024/1187") == "CC\n2024/1187"


def test_without_labels_nothing_is_read():
    text = Text(body="Our ref: 12")
    assert reference(text, folded=("our ref: 12",), labels=Labels()) is None
    assert preservation_days("preserve for 90 days", labels=Labels()) is None


PERIODS = [
    ("figures", "We ask for preservation for 90 days.", 90),
    ("words and figures", "Preserve the data for a period of ninety (90) days", 90),
    ("hyphen", "a 60-days preservation", 60),
    ("calendar days", "preserved for 120 calendar days", 120),
    ("French", "conservation pendant 90 jours", 90),
    ("before the word", "for 30 days the data shall be preserved", 30),
    ("the nearest to preservation", "We answer in 10 days. " + "x " * 60 + "Preservation for 90 days", 90),
    ("none", "Preserve the data", None),
    ("days of something else", "The shop was open for 30 days." + " x" * 60 + " preserve", None),
    ("no number", "preserved for some days", None),
    ("nil", "preserved for 0 days", None),
    ("beyond reason", f"preserved for {MAX_DAYS + 1} days", None),
    ("part of a longer number", "preserved for 12.90 days", None),
    ("thousands of figures", f"preserved for {'9' * 5000} days", None),
    ("five figures", "preserved for 12345 days", None),
]


@pytest.mark.parametrize(("words", "days"), [row[1:] for row in PERIODS], ids=[row[0] for row in PERIODS])
def test_period(words, days):
    assert preservation_days(fold(words), labels=LABELS) == days


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["our ref", ":", "A-1", "2/3", "é", " ", "\n", "no.", "case no", "247CP-2026-000042-K7QA", "days", "90"]
        ),
        max_size=12,
    )
)
def test_any_text_is_read_or_not(pieces):
    words = "".join(pieces)
    found = read(words)
    assert found is None or any(map(str.isdigit, found))
    days = preservation_days(fold(words), labels=LABELS)
    assert days is None or 0 < days <= MAX_DAYS
