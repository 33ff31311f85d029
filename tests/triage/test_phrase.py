"""Phrases: open ends of words in scripts with and without spaces, and words between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.matcher import compile_terms
from gateway.triage.normal import fold
from gateway.triage.phrase import MAX_BETWEEN, MAX_WORD, parse_phrase, places
from gateway.triage.term_index import Index


def found(phrase: str, text: str) -> list[str]:
    folded = fold(text)
    terms = compile_terms([phrase], [])
    spans = terms.spans(folded)
    assert Index([terms]).look(folded).spans(terms) == spans
    return [folded[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("phrase", "text", "words"),
    [
        ("log", "the log, the logs", ["log"]),
        ("log*", "the log, the logs, a catalog", ["log", "logs"]),
        ("*sicherung", "Die Datensicherung und Sicherungen", ["datensicherung"]),
        ("*sicherung*", "Die Datensicherungen", ["datensicherungen"]),
        ("not .. disappear*", "not to disappear or disappeared; not lost. Disappears", ["not to disappear"]),
        ("установочн* данн*", "просим установочные данные лица", ["установочные данные"]),
        ("установочн* данн*", "установочные и другие данные", []),
        ("сохран*", "несохранённые и сохранить", ["сохранить"]),
        ("*حساب*", "نطلب بيانات الحساب فورا", ["الحساب"]),
        ("ანგარიშ*", "ანგარიშის მფლობელი", ["ანგარიშის"]),
        ("保全", "データの保全をお願いします", ["保全"]),
        ("frieren .. ein", "Bitte frieren Sie das Konto sofort ein.", ["frieren sie das konto sofort ein"]),
        ("frieren .. ein", "Wir frieren. Ein Konto", []),
        ("frieren .. ein", "frieren " + "x " * 40 + "ein", []),
        ("keep .. log*", "keep the access logs, keep calm", ["keep the access logs"]),
    ],
)
def test_phrase_stands_where_its_words_do(phrase: str, text: str, words: list[str]) -> None:
    assert found(phrase, text) == [fold(word) for word in words]


PHRASES = st.sampled_from(["ab*", "*ab", "*ab*", "ab* ba*", "ab .. ba*", "ab", "ბა*", "保*"])


@settings(max_examples=200, deadline=None)
@given(PHRASES, st.text(alphabet="ab. ბა保\n", max_size=80))
def test_an_occurrence_begins_with_its_head_and_is_bounded(phrase: str, text: str) -> None:
    known = parse_phrase(phrase)
    for start, end in known.spans(text, places(known.head, text)):
        assert known.head in text[start:end]
        assert 0 < end - start <= len(phrase) + 4 * MAX_WORD + MAX_BETWEEN


@settings(max_examples=200, deadline=None)
@given(st.lists(PHRASES, min_size=1, max_size=4), st.text(alphabet="ab. ბა保\n", max_size=80))
def test_many_phrases_together_stand_where_each_of_them_stands(phrases: list[str], text: str) -> None:
    every = [compile_terms([phrase], []) for phrase in phrases]
    standing = Index(every).look(text)
    for terms in every:
        assert standing.spans(terms) == terms.spans(text)
        assert (terms in standing) is bool(terms.spans(text))
