"""A note about a case by mail: kept in the case, sent to nobody, from officers alone (row 22)."""

from dataclasses import replace

import pytest
from pipeline_world import MAILBOX, PRESERVATION, draft, reference

from gateway.model.channel import Act

OFFICER = "j.doe@institution.gov.example"
SAID = "Called +000 1 234 567 at 02:10, spoke with A. Roe: they wrote it.\n"


@pytest.fixture(scope="module")
def asked(world):
    return world.case_of(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)


def note_to(case_reference):
    return f"247cp+note.{case_reference.lower()}@institution.gov.example"


def written(world, asked, *rcpt_tos, sender=OFFICER, tools=None):
    content = draft(to=", ".join(rcpt_tos), text=SAID, From=sender)
    return world.answer(content, *rcpt_tos, cases=(asked,), mail_from=sender, tools=tools)


@pytest.mark.parametrize("sender", [OFFICER, MAILBOX])
def test_a_note_is_kept_in_its_case_and_goes_to_nobody(world, asked, sender):
    dispatch = written(world, asked, note_to(asked.reference), sender=sender)
    assert (dispatch.decision.act, dispatch.decision.rule, dispatch.decision.row) == (Act.DISCARD, "M2", 22)
    assert dispatch.decision.case == asked.reference
    assert dispatch.note == SAID.strip()
    assert dispatch.login == "j.doe"
    assert dispatch.mails == ()
    assert dispatch.case is None


def test_a_note_never_goes_to_the_counterpart_as_well(world, asked):
    dispatch = written(world, asked, note_to(asked.reference), "247cp@police.gov.b.example")
    assert (dispatch.decision.act, dispatch.decision.rule) == (Act.REJECT, "R24")
    assert dispatch.mails == ()


@pytest.mark.parametrize("number", [reference(4711), "247CP-2026-000001-0000"])
def test_a_note_names_a_case_there_is(world, asked, number):
    assert written(world, asked, note_to(number)).decision.rule == "R24"


def test_nobody_outside_writes_notes(world, asked):
    assert written(world, asked, note_to(asked.reference), sender="247cp@police.gov.b.example").decision.rule == "R24"


def test_only_delegates_write_notes_where_there_are_any(world, asked):
    point = world.tools.settings.contact_point
    others = world.with_settings(contact_point=replace(point, delegates=("a.roe",)))
    own = world.with_settings(contact_point=replace(point, delegates=("j.doe",)))
    assert written(world, asked, note_to(asked.reference), tools=others).decision.rule == "R6"
    assert written(world, asked, note_to(asked.reference), tools=own).decision.rule == "M2"


def test_another_mailbox_with_such_a_name_gets_its_mail_as_ever(world, asked):
    dispatch = written(world, asked, f"other+note.{asked.reference.lower()}@institution.gov.example", sender=MAILBOX)
    assert dispatch.decision.rule == "A1"
