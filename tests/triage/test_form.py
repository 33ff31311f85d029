"""Boxes of forms: what is ticked counts, what is printed and left empty does not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.message import Text
from gateway.model.verdict import Kind, Reason
from gateway.triage.form import read_form

TITLE = "T-CY(2018)11"


def form(words, template=TITLE):
    return read_form(Text(attachments=(words,), template=template))


STATUS = [
    ("\u2612 new request\n\u2610 extension of previous request", Kind.NEW),
    ("\u2610 new request\n\u2612 extension of previous request", Kind.EXTENSION),
    ("[ ] new request\n[x] extension of previous request", Kind.EXTENSION),
    ("[X] new request [ ] extension of previous request", Kind.NEW),
    ("REQUEST STATUS\t\u25a1 new request \u25a0 extension of previous request", Kind.EXTENSION),
    (
        "3 REQUEST Status / Statut de la demande\n\u2610 new request / nouvelle demande\n\u2611 extension / prolongation",
        Kind.EXTENSION,
    ),
    ("new request \u2610\nextension of previous request \u2612", Kind.EXTENSION),
    ("new request\t\u2612\nextension of previous request\t\u2610", Kind.NEW),
    ("r new request\nx extension of previous request", Kind.EXTENSION),
    ("o new request\nR follow-up to previous MLA request", Kind.FOLLOW_UP),
    ("\u2612 follow-up to previous preservation request\n\u2610 new request", Kind.FOLLOW_UP),
    ("\u2610 nueva solicitud\n\u2612 prórroga de la solicitud anterior", Kind.EXTENSION),
    ("\u2610 новый запрос\n\u2612 продление предыдущего запроса", Kind.EXTENSION),
    ("\u2612 новий запит\n\u2610 продовження попереднього запиту", Kind.NEW),
    ("\u2612 yeni talep / new request\n\u2610 önceki talebin uzatılması", Kind.NEW),
    ("\u2610 طلب جديد\n\u2612 تمديد طلب سابق", Kind.EXTENSION),
    ("\u2610 新規要請\n\u2612 前回要請の延長", Kind.EXTENSION),
    ("\u2610 ახალი მოთხოვნა\n\u2612 წინა მოთხოვნის გახანგრძლივება", Kind.EXTENSION),
]


@pytest.mark.parametrize(("words", "kind"), STATUS, ids=[row[0][:40] for row in STATUS])
def test_the_ticked_box_says_the_status(words, kind):
    assert form(words)[1].status is kind
    assert form(words)[1].findings == ()


@pytest.mark.parametrize(
    "words",
    [
        "\u2610 new request\n\u2610 extension of previous request",
        "\u2612 new request\n\u2612 extension of previous request",
    ],
)
def test_a_status_without_one_tick_is_unclear(words):
    read = form(words)[1]
    assert read.status is None
    assert read.findings == (Reason.FORM_UNCLEAR,)


def test_what_is_not_ticked_is_blanked_where_it_stands():
    words = "\u2610 threat to life\n\u2612 volatility of data\nAccount: fox_77"
    text, _ = form(words)
    assert text.attachments[0] == "\u2610               \n\u2612 volatility of data\nAccount: fox_77"


def test_boxes_that_are_all_empty_stay_readable():
    words = "\u2610 threat to life\n\u2610 volatility of data"
    assert form(words)[0].attachments[0] == words


def test_bullets_of_a_letter_are_no_boxes():
    words = "\u25a0 対象アカウント\n\u25a1 fox_77\n\u25cf one\n\u25cb threat to life"
    assert form(words, template="")[0].attachments[0] == words


ASKED = [
    ("\u2612 URGENT", "urgent", True),
    ("URGENT\t\u2612", "urgent", True),
    ("Urgent: yes \u2612 no \u2610", "urgent", True),
    ("Urgent: \u2610 yes \u2612 no", "urgent", False),
    ("\u2610 URGENT\n\u2612 new request", "urgent", False),
    ("\u2612 DRINGEND", "urgent", True),
    ("\u2612 срочно", "urgent", True),
    ("\u2612 A request for mutual assistance will follow", "mla_intended", True),
    ("MLA request intended: yes [ ] no [x]", "mla_intended", False),
    ("MLA request intended: yes [x] no [ ]", "mla_intended", True),
    ("\u2612 une demande d'entraide suivra", "mla_intended", True),
    ("\u2612 new request", "mla_intended", None),
]


@pytest.mark.parametrize(("words", "name", "value"), ASKED, ids=[row[0][:40] for row in ASKED])
def test_other_boxes_say_what_they_say(words, name, value):
    assert getattr(form(words)[1], name) is value


def test_confidentiality_and_another_channel_are_told_to_the_officer():
    words = "\u2612 confidential\n\u2612 response preferred by means of: fax"
    assert form(words)[1].findings == (Reason.CONFIDENTIALITY_ASKED, Reason.OTHER_CHANNEL_ASKED)
    assert form(words.replace("\u2612", "\u2610"))[1].findings == ()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="\u2610\u2612[] x\n\tnewrqstyo:\u25a1", max_size=120))
def test_no_text_changes_its_length_or_loses_a_line(words):
    text, _ = form(words)
    (kept,) = text.attachments or ("",)
    assert len(kept) == len(words)
    assert kept.count("\n") == words.count("\n")
