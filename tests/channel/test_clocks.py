"""The clocks of a case: what sets them going, when somebody is told, and what begins again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channel.clocks import STEPS, clocks_of, due_step, next_moment, passed_step, resumed, steps_left
from gateway.model.case import CaseView
from gateway.model.clock import CaseClock, Clock, ClockStart, Ending
from gateway.model.verdict import Category, Classification, Kind

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTES = {Category.EMERGENCY: 30, Category.PRESERVATION: 240, Category.SUBSCRIBER_INFO: 1440, Category.OTHER: 2880}
LISTED = CaseView("247CP-2026-000001-K7QA", "247cp@institution.gov.example", AT, origin="247cp@police.gov.b.example")


def started(category, *, case=LISTED, days=90, **found):
    wanted = clocks_of(
        replace(case, category=category),
        Classification(category=category, **found),
        at=AT,
        first_answer_minutes=MINUTES,
        preservation_days=days,
    )
    return {one.clock: one for one in wanted}


def clock(kind, length, **fields):
    until = AT + length
    return CaseClock(LISTED.reference, LISTED.mailbox, kind, Category.OTHER, AT, until, **fields)


class TestWhatStarts:
    @pytest.mark.parametrize(("category", "minutes"), MINUTES.items())
    def test_every_request_waits_for_an_answer_as_long_as_the_rules_say(self, category, minutes):
        assert started(category)[Clock.FIRST_ANSWER].until == AT + timedelta(minutes=minutes)

    def test_an_emergency_waits_for_a_call_whoever_sent_it(self):
        nobody = replace(LISTED, origin=None)
        for case in (LISTED, nobody):
            assert started(Category.EMERGENCY, case=case)[Clock.CALL_BACK].until == AT + timedelta(minutes=15)

    @pytest.mark.parametrize(("days", "kept"), [(90, 90), (60, 60), (30, 60)])
    def test_a_preservation_lasts_the_national_period_and_sixty_days_at_least(self, days, kept):
        found = started(Category.PRESERVATION, days=days)
        assert found[Clock.PRESERVATION_END].until == AT + timedelta(days=kept)
        assert found[Clock.MLA_FOLLOW_UP].until == AT + timedelta(days=60)

    def test_a_preservation_within_another_request_is_one(self):
        assert Clock.PRESERVATION_END in started(Category.EMERGENCY, secondary=(Category.PRESERVATION,))

    @pytest.mark.parametrize(("intended", "told"), [(True, "ask"), (False, ""), (None, "")])
    def test_nobody_asks_about_mutual_assistance_that_was_announced(self, intended, told):
        assert started(Category.PRESERVATION, mla_intended=intended)[Clock.MLA_FOLLOW_UP].told == told

    def test_a_request_to_extend_waits_for_a_decision(self):
        assert Clock.EXTENSION in started(Category.PRESERVATION, kind=Kind.EXTENSION)
        assert Clock.EXTENSION not in started(Category.PRESERVATION, kind=Kind.NEW)

    @pytest.mark.parametrize("kind", [Kind.ACKNOWLEDGEMENT, Kind.CIRCULAR, Kind.BOUNCE, Kind.AUTO_REPLY, Kind.ANSWER])
    def test_mail_that_asks_for_nothing_starts_nothing(self, kind):
        assert started(Category.PRESERVATION, kind=kind) == {}

    @pytest.mark.parametrize("kind", [Kind.WITHDRAWAL, Kind.STATUS_QUERY, Kind.NETWORK_TEST])
    def test_mail_that_asks_to_keep_nothing_waits_for_an_answer_alone(self, kind):
        assert set(started(Category.PRESERVATION, kind=kind)) == {Clock.FIRST_ANSWER}

    def test_strangers_mail_of_no_category_starts_nothing(self):
        assert started(Category.OTHER, case=replace(LISTED, origin=None)) == {}
        assert set(started(Category.OTHER)) == {Clock.FIRST_ANSWER}

    def test_a_case_of_our_own_waits_for_nobody_here(self):
        assert started(Category.EMERGENCY, case=replace(LISTED, ours=True)) == {}


class TestSteps:
    def test_a_preservation_is_told_of_before_its_end(self):
        steps = steps_left(Clock.PRESERVATION_END, AT, AT + timedelta(days=90), "")
        assert [(step.name, (AT + timedelta(days=90) - at).days) for step, at in steps] == [
            ("21-days", 21), ("14-days", 14), ("7-days", 7), ("2-days", 2), ("due", 0),
        ]  # fmt: skip

    def test_a_call_back_pages_twice(self):
        steps = steps_left(Clock.CALL_BACK, AT, AT + timedelta(minutes=15), "")
        assert [(step.name, at - AT, step.pages) for step, at in steps] == [
            ("due", timedelta(minutes=15), True), ("again", timedelta(minutes=60), True),
        ]  # fmt: skip

    def test_a_short_period_is_not_told_of_before_it_begins(self):
        steps = steps_left(Clock.PRESERVATION_END, AT, AT + timedelta(days=10), "")
        assert [step.name for step, _ in steps] == ["7-days", "2-days", "due"]

    def test_after_a_pause_the_last_step_alone_is_told(self):
        waiting = clock(Clock.PRESERVATION_END, timedelta(days=90))
        assert due_step(waiting, AT + timedelta(days=68)) is None
        assert due_step(waiting, AT + timedelta(days=69)).name == "21-days"
        assert due_step(waiting, AT + timedelta(days=84)).name == "7-days"
        assert due_step(replace(waiting, told="7-days"), AT + timedelta(days=84)) is None
        assert due_step(replace(waiting, ended_at=AT), AT + timedelta(days=84)) is None

    def test_who_sets_a_new_end_is_not_told_what_lies_behind(self):
        assert passed_step(Clock.PRESERVATION_END, AT, AT + timedelta(days=90), AT + timedelta(days=80)) == "14-days"
        assert passed_step(Clock.PRESERVATION_END, AT, AT + timedelta(days=90), AT) == ""

    @settings(max_examples=100, deadline=None)
    @given(
        kind=st.sampled_from(Clock),
        length=st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=400)),
        looks=st.lists(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=500)), max_size=30),
    )
    def test_however_often_somebody_looks_each_step_comes_once_and_none_early(self, kind, length, looks):
        waiting, told = clock(kind, length), []
        for look in sorted(looks):
            step = due_step(waiting, AT + look)
            if step is not None:
                assert step.at(AT, waiting.until) <= AT + look
                told.append(step.name)
                waiting = replace(waiting, told=step.name)
        assert len(told) == len(set(told))
        order = [step.name for step in STEPS[kind]]
        assert told == sorted(told, key=order.index)

    def test_the_next_moment_is_none_after_the_last_step(self):
        assert next_moment(Clock.FIRST_ANSWER, AT, AT + timedelta(hours=1), "due") is None
        assert next_moment(Clock.FIRST_ANSWER, AT, AT + timedelta(hours=1), "half") == AT + timedelta(hours=1)


class TestAgain:
    LATER = ClockStart(Clock.FIRST_ANSWER, AT + timedelta(days=1), AT + timedelta(days=2))

    def test_an_answered_case_waits_anew_and_a_waiting_one_goes_on(self):
        waiting = clock(Clock.FIRST_ANSWER, timedelta(hours=4))
        assert resumed((waiting,), (self.LATER,)) == ()
        answered = replace(waiting, ended_at=AT, ended_by=Ending.ANSWERED)
        assert resumed((answered,), (self.LATER,)) == (self.LATER,)
        assert resumed((), (self.LATER,)) == (self.LATER,)

    @pytest.mark.parametrize(("ending", "goes_on"), [(Ending.CLOSED, True), (Ending.MLA_RECEIVED, False)])
    def test_a_period_goes_on_where_the_case_was_closed(self, ending, goes_on):
        ended = clock(Clock.PRESERVATION_END, timedelta(days=200), told="21-days", ended_at=AT, ended_by=ending)
        again = resumed((ended,), (self.LATER,))[1:]
        assert again == ((ClockStart(ended.clock, AT, ended.until, "21-days"),) if goes_on else ())

    def test_a_confirmed_emergency_need_not_be_confirmed_again(self):
        wanted = ClockStart(Clock.CALL_BACK, AT + timedelta(days=1), AT + timedelta(days=1, minutes=15))
        for ending, again in ((Ending.CONFIRMED, ()), (Ending.DENIED, (wanted,)), (Ending.CLOSED, (wanted,))):
            ended = clock(Clock.CALL_BACK, timedelta(minutes=15), ended_at=AT, ended_by=ending)
            assert resumed((ended,), (wanted,)) == again
