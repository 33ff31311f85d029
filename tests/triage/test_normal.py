"""Folding: writing makes no difference, meaning does."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.normal import fold, fold_pattern, is_word

SAME = [
    ("case", "PRESERVATION Request", "preservation request"),
    ("line break", "expedited\r\n  preservation", "expedited preservation"),
    ("tab and no-break space", "expedited\tpreservation\u00a0of\u202fdata", "expedited preservation of data"),
    ("acute accent", "données conservées", "donnees conservees"),
    ("decomposed accent", "donne\u0301es", "données"),
    ("cedilla and comma below", "ţară şi țară", "tara si tara"),
    ("sharp s", "Straße", "STRASSE"),
    ("Turkish dotted and dotless i", "İSTANBUL ISPARTA ıspanak", "istanbul isparta ispanak"),
    ("stroke letters", "Łódź søker đak", "lodz soker dak"),
    ("ligatures", "œuvre ﬁle æther", "oeuvre file aether"),
    ("full width", "Ｐｒｅｓｅｒｖａｔｉｏｎ（１１）", "preservation(11)"),
    ("mathematical letters", "𝐞𝐦𝐞𝐫𝐠𝐞𝐧𝐜𝐲 𝓭𝓪𝓽𝓪", "emergency data"),
    ("Cyrillic look-alikes", "рrеsеrvаtіоn", "preservation"),
    ("Greek look-alikes", "ρreservatiοn", "preservation"),
    ("zero-width space", "pre\u200bser\u200cva\u2060tion", "preservation"),
    ("soft hyphen", "preser\u00advation", "preservation"),
    ("bidirectional override", "\u202epreservation\u202c", "preservation"),
    ("tag characters", "preservation\U000e0061\U000e007f", "preservation"),
    ("variation selector", "preservation\ufe0f", "preservation"),
    ("back-space", "pres\x08ervation", "preservation"),
    ("combining grapheme joiner", "pre\u034fservation", "preservation"),
    ("curly apostrophe", "l’abonné", "l'abonne"),
    ("modifier apostrophe", "комп\u02bcютерних", "комп'ютерних"),
    ("quotation marks", "“data” „data‟", '"data" "data"'),
    ("en dash and minus", "T\u2013CY 29\u221230", "t-cy 29-30"),
    ("no-break hyphen", "T\u2011CY(2018)11", "t-cy(2018)11"),
    ("Russian yo", "учётной", "учетной"),
    ("Arabic alef and ta marbuta", "أمر إفصاح المتبادلة", "امر افصاح المتبادله"),
    ("Arabic tatweel and marks", "حـــفظ البَيَانات", "حفظ البيانات"),
]


@pytest.mark.parametrize(("written", "meant"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_writing_makes_no_difference(written, meant):
    assert fold(written) == fold(meant)


@pytest.mark.parametrize(
    ("one", "other"),
    [("preserve", "reserve"), ("29", "30"), ("data base", "database"), ("T-CY(2018)11", "T-CY(2018)10"), ("कि", "की")],
)
def test_meaning_makes_a_difference(one, other):
    assert fold(one) != fold(other)


def test_plain_text_is_only_lowered_and_its_blanks_joined():
    assert fold("  Please   PRESERVE,\n\n all (records) [x] #1! ") == "please preserve, all (records) [x] #1!"


def test_nothing_folds_to_nothing():
    assert fold("") == ""
    assert fold(" \u200b\u00a0\n") == ""


def test_lone_surrogate_becomes_a_question_mark():
    assert fold("da\ud800ta") == "da?ta"


def test_controls_are_dropped_from_plain_text_too():
    assert fold("a\x00b\x1b[31mc") == "ab[31mc"


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_folded_text_can_be_searched(text):
    folded = fold(text)
    folded.encode("utf-8")
    assert "  " not in folded
    assert folded == folded.strip()
    assert not any(unicodedata.category(one) == "Cc" and one < "\x80" for one in folded)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs", "P"])), st.text(alphabet="abc XYZé\u200b"))
def test_words_fold_alike_alone_and_together(one, other):
    assert fold(f"{one} {other}") == " ".join(f"{fold(one)} {fold(other)}".split())


def test_pattern_keeps_its_syntax():
    assert fold_pattern(r"conserv\pL* (des )?donn[ée]+s\b") == r"conserv\pL* (des )?donn[ee]+s\b"


def test_pattern_no_break_space_is_a_space():
    assert fold_pattern("a\u00a0b") == "a b"


@pytest.mark.parametrize("character", ["a", "7", "ж", "ש", "ß"])
def test_letters_and_digits_continue_a_word(character):
    assert is_word(character)


@pytest.mark.parametrize("character", ["-", " ", "_", "(", "日", "か", "ไ", "ខ", "\n"])
def test_marks_and_scripts_without_spaces_do_not(character):
    assert not is_word(character)
