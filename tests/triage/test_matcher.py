"""Phrases at the edges of words, RE2 patterns, nearness, and the one pass that says where to look."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.matcher import (
    MAX_OCCURRENCES,
    MAX_REPEAT,
    compile_terms,
    pattern_fault,
    phrase_fault,
)
from gateway.triage.normal import fold
from gateway.triage.term_index import Index


def found(terms, text):
    return [text[start:end] for start, end in terms.spans(text)]


PHRASES = [
    ("alone", "data", "data", 1),
    ("in a sentence", "preserve data", "please preserve data now", 1),
    ("between marks", "data", '("data"), data. data; data!', 4),
    ("inside a word", "data", "database metadata xdatax", 0),
    ("before a digit", "article 29", "article 290", 0),
    ("before a letter", "article 29", "article 29a", 0),
    ("behind an apostrophe", "abonne", "de l'abonne", 1),
    ("beside an underscore", "data", "_data_", 1),
    ("twice with one blank between", "data", "data data", 2),
    ("overlapping itself", "a a", "a a a", 2),
    ("edge that is no letter", "t-cy(2018)11", "see t-cy(2018)11.", 1),
    ("edge that is a bracket", "(data)", "x(data)y", 1),
    ("Cyrillic word", "данные", "все данные.", 1),
    ("Cyrillic inside a word", "данные", "метаданные", 0),
    ("Chinese has no edges", "保存", "请保存数据", 1),
    ("Thai has no edges", "ข้อมูล", "รักษาข้อมูลไว้", 1),
]


@pytest.mark.parametrize(("phrase", "text", "times"), [row[1:] for row in PHRASES], ids=[row[0] for row in PHRASES])
def test_phrase_stands_at_the_edges_of_words(phrase, text, times):
    assert len(compile_terms([phrase], []).spans(fold(text))) == times


def test_phrase_is_folded_like_text():
    assert found(compile_terms(["Données  relatives à l’abonné"], []), fold("DONNÉES RELATIVES\nÀ L'ABONNÉ")) == [
        "donnees relatives a l'abonne"
    ]


def test_pattern_spans_are_characters_in_any_script():
    terms = compile_terms([], [r"preserv\pL*", r"данн\pL*"])
    assert found(terms, fold("☒ preserving все данные ☐ preserved")) == [
        fold("preserving"),
        fold("данные"),
        "preserved",
    ]


def test_pattern_never_crosses_a_line():
    assert found(compile_terms([], [r"data\s+request"]), "data\nrequest data request") == ["data request"]


def test_longer_of_two_that_begin_together_comes_first():
    assert found(compile_terms(["data", "data request"], []), "data request") == ["data request", "data"]


def test_a_flood_is_looked_at_only_so_often():
    assert len(compile_terms(["data"], []).spans("data " * 1000)) == MAX_OCCURRENCES
    assert len(compile_terms([], ["data"]).spans("data " * 1000)) == MAX_OCCURRENCES


def near(terms, text, span, within):
    return Index([terms]).look(text).near(terms, span, within=within)


NEAR = [
    ("touching", "preserve account", 1, True),
    ("exactly within", "preserve 34567 account", 7, True),
    ("one too far", "preserve 34567 account", 6, False),
    ("before", "account of preserve", 4, True),
    ("overlapping", "preserve account", 1, True),
    ("on the next line", "preserve\naccount", 50, False),
    ("on the line before", "account\npreserve", 50, False),
    ("cut out of a longer word", "preserve accountant", 50, False),
    ("at the edge of the window inside a word", "preserve x accounting", 5, False),
]


@pytest.mark.parametrize(("text", "within", "expected"), [row[1:] for row in NEAR], ids=[row[0] for row in NEAR])
def test_nearness_counts_characters_on_one_line(text, within, expected):
    at = text.index("preserve")
    assert near(compile_terms(["account"], []), text, (at, at + 8), within) is expected


def test_nearness_takes_patterns_too():
    terms = compile_terms([], [r"\baccounts?\b"])
    assert near(terms, "preserve the accounts", (0, 8), 10)
    assert not near(terms, "preserve the " + "x" * 60 + " accounts", (0, 8), 30)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["data", "preserve", "x", "\n", "account", "é", "日本"]), max_size=30),
    st.integers(min_value=1, max_value=40),
)
def test_nearness_agrees_with_counting(words, within):
    text = " ".join(words)
    terms = compile_terms(["account"], [])
    accounts = terms.spans(text)
    for start, end in compile_terms(["preserve"], []).spans(text):
        expected = any(
            max(start - there, here - end) <= within and "\n" not in text[min(here, start) : max(there, end)]
            for here, there in accounts
        )
        assert near(terms, text, (start, end), within) is expected


def test_nearness_is_told_also_behind_a_flood_of_the_word():
    terms, text = (
        compile_terms(["account"], []),
        "account " * (MAX_OCCURRENCES + 1) + "x " * 50 + "preserve the account",
    )
    at = text.index("preserve")
    assert near(terms, text, (at, at + 8), 10)
    assert not near(terms, text, (at - 20, at - 19), 10)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab é-_1日ж\n.", max_size=80), st.text(alphabet="abé1ж", min_size=1, max_size=3))
def test_phrase_agrees_with_a_plain_definition(text, phrase):
    folded_phrase, words = fold(phrase), "[a-z0-9\u0400-\u04ff]"
    # Where a phrase begins or ends with a word character no other may follow: here all characters of phrases are such.
    pattern = re.compile(rf"(?<!{words})(?={re.escape(folded_phrase)}(?!{words}))")
    lines = "\n".join(fold(line) for line in text.split("\n"))
    assert len(compile_terms([phrase], []).spans(lines)) == len(pattern.findall(lines))


GOOD_PATTERNS = [
    r"preserv\pL*",
    r"\b(request|ask)(ing|ed)? (for|to)\b",
    r"(?:18 )?u\.?s\.?c\.? ?§? ?2703\(f\)",
    r"[0-9]{1,3} days",
    r"\p{Cyrillic}+ие",
    r"(?P<Name>x)y",
    r"(?i)data",
    r"\Sx\D",
    r"x{20}",
    r"[[:alpha:]]+x",
]


@pytest.mark.parametrize("pattern", GOOD_PATTERNS)
def test_pattern_is_taken(pattern):
    assert pattern_fault(pattern) is None


BAD_PATTERNS = [
    (r"(?=x)", "is not RE2"),
    (r"(?<!x)y", "is not RE2"),
    (r"(a)\1", "is not RE2"),
    (r"[", "is not RE2"),
    (r"a(b", "is not RE2"),
    ("\\", "is not RE2"),
    (r"x**", "is not RE2"),
    (r"\Z", "is not RE2"),
    (r"preserve.{0,60}account", "near"),
    (r"a{21}", "near"),
    (r"a{21,}", "near"),
    (r"(((a{20}){20}){20}){20}", "is not RE2"),
    (r"(\pL{10}){10}", "too large"),
    (r"Preserve", "capital letter"),
    (r"\pL+[A-Z]", "capital letter"),
    (r"x*", "nothing stands"),
    (r"", "nothing stands"),
    (r"(data)?", "nothing stands"),
    (r"^", "nothing stands"),
]


@pytest.mark.parametrize(("pattern", "why"), BAD_PATTERNS)
def test_pattern_is_refused_with_a_reason(pattern, why):
    assert why in (pattern_fault(pattern) or "")


def test_pattern_refuses_what_is_wider_than_the_limit_only():
    assert pattern_fault(f"a{{{MAX_REPEAT}}}b") is None
    assert pattern_fault(f"a{{{MAX_REPEAT + 1}}}b") is not None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_pattern_is_taken_or_refused(pattern):
    if pattern_fault(pattern) is None:
        compile_terms([], [pattern]).spans("some text 1 é\nand more")


@pytest.mark.parametrize("phrase", ["...", " ", "\u200b", "(-)", "́"])
def test_phrase_without_letters_is_refused(phrase):
    assert phrase_fault(phrase) is not None


@pytest.mark.parametrize("phrase", ["a", "T-CY(2018)11", "№ 5", "保存"])
def test_phrase_with_letters_is_taken(phrase):
    assert phrase_fault(phrase) is None
