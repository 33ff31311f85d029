"""An answer that sends the requester of a preservation away leaves, and the officers read a line about it."""

from dataclasses import replace

import pytest
from pipeline_world import MAILBOX, PRESERVATION, draft

from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.outbox import Hop, Purpose
from gateway.model.verdict import Category

A0 = "247cp@police.gov.b.example"
SENT_AWAY = (
    "Thank you. Please send a mutual legal assistance request first.\n",
    "We cannot preserve\nthese data without a letter rogatory.\n",
    "Data are preserved in our country only on the basis of a request for mutual legal assistance.\n",
    "Veuillez adresser d'abord une demande d'entraide judiciaire.\n",
    "Les données ne seront conservées qu'après réception d'une demande d'entraide.\n",
    "Por favor envíen primero una solicitud de asistencia judicial.\n",
    "Bitte übersenden Sie zunächst ein förmliches Rechtshilfeersuchen.\n",
)
GOOD = (
    "The data are preserved until 2027-02-19. Please tell us when your mutual legal assistance request will follow.\n",
    "Preserved.\n\n> Please send a mutual legal assistance request first.\n",
    "Les données sont conservées. Nous attendons votre demande d'entraide.\n",
    "Los datos están preservados; esperamos su solicitud de asistencia.\n",
)


@pytest.fixture(scope="module")
def asked(world):
    return world.case_of(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)


def warnings(dispatch):
    return [mail for mail in dispatch.mails if mail.hop is Hop.MAILBOX and b"notice.mla-first" in mail.content]


@pytest.mark.parametrize("text", SENT_AWAY)
def test_an_answer_that_sends_away_leaves_and_is_told_of(world, asked, text):
    dispatch = world.answer(draft(text=text, parent=asked.request_id), A0, cases=(asked,))
    assert [mail.rcpt_tos for mail in dispatch.mails if mail.purpose is Purpose.ANSWER] == [(A0,)]
    (notice,) = warnings(dispatch)
    assert notice.rcpt_tos == (MAILBOX,)
    assert "bad practice (e)" in read(parse(notice.content)).body


@pytest.mark.parametrize("text", GOOD)
def test_a_good_answer_says_nothing(world, asked, text):
    assert warnings(world.answer(draft(text=text, parent=asked.request_id), A0, cases=(asked,))) == []


def test_it_is_said_of_preservations_alone(world, asked):
    content = draft(text=SENT_AWAY[0], parent=asked.request_id)
    for case in (replace(asked, category=Category.SUBSCRIBER_INFO), replace(asked, ours=True)):
        assert warnings(world.answer(content, A0, cases=(case,))) == []


def test_a_forward_inside_the_institution_is_no_answer(world, asked):
    inside = "chief@institution.gov.example"
    content = draft(to=inside, text=SENT_AWAY[0], parent=asked.request_id)
    assert warnings(world.answer(content, inside, cases=(asked,))) == []
