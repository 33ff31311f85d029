"""Phrases: open ends of words in scripts with and without spaces, and words between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.normal import fold
from gateway.triage.phrase import length_of, literal_of, spans_of


def found(phrase: str, text: str) -> list[str]:
    folded = fold(text)
    return [folded[start:end] for start, end in spans_of(fold(phrase), folded)]


@pytest.mark.parametrize(
    ("phrase", "text", "words"),
    [
        ("log", "the log, the logs", ["log"]),
        ("log*", "the log, the logs, a catalog", ["log", "logs"]),
        ("*sicherung", "Die Datensicherung und Sicherungen", ["datensicherung"]),
        ("*sicherung*", "Die Datensicherungen", ["datensicherungen"]),
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
def test_an_occurrence_holds_the_literal_and_is_no_longer_than_said(phrase: str, text: str) -> None:
    for start, end in spans_of(phrase, text):
        assert literal_of(phrase) in text[start:end]
        assert 0 < end - start <= length_of(phrase)
