"""What explain --trace tells: rules whose wording stands there, what stopped them, and what each category came to."""

import pytest
from rule_pack import OWN, SENDER_DOMAIN, with_rules

from gateway.model.message import Text
from gateway.model.verdict import Category, Place, Stop
from gateway.triage.classify import classify

RULE = "{{id: x.y, category: preservation, phrases: [preserve], {more} weight: 5, why: test}}"


def traced(text, more=""):
    return classify(
        text,
        ruleset=with_rules(RULE.format(more=more)),
        kind=None,
        own_addresses=OWN,
        sender_domain=SENDER_DOMAIN,
        encrypted=False,
        trace=True,
    ).trace


STOPPED = [
    ("nothing near", "near: {phrases: [account], within: 20},", Text(body="please preserve it"), Stop.NEAR, Place.BODY),
    (
        "something near that must not be",
        "not_near: {phrases: [museum], within: 20},",
        Text(body="preserve the museum"),
        Stop.NOT_NEAR,
        Place.BODY,
    ),
    ("taken back", "unless: {phrases: [webinar]},", Text(subject="webinar", body="preserve"), Stop.UNLESS, Place.BODY),
    ("at another place", "places: [subject],", Text(body="preserve"), Stop.PLACE, Place.BODY),
]


@pytest.mark.parametrize(
    ("more", "text", "stop", "place"), [row[1:] for row in STOPPED], ids=[row[0] for row in STOPPED]
)
def test_what_stopped_a_rule_is_named(more, text, stop, place):
    (miss,) = traced(text, more).misses
    assert (miss.rule, miss.stopped_by, miss.place, miss.text) == ("x.y", stop, place, "preserve")


def test_a_rule_that_hits_or_whose_words_are_absent_is_no_miss():
    assert traced(Text(body="preserve")).misses == ()
    assert traced(Text(body="nothing")).misses == ()


def test_a_word_inside_another_is_no_miss():
    assert traced(Text(body="preserver"), "near: {phrases: [account], within: 20},").misses == ()


def test_the_place_a_rule_may_look_at_comes_first():
    text = Text(subject="preserve", body="preserve")
    (miss,) = traced(text, "places: [body], near: {phrases: [account], within: 20},").misses
    assert (miss.place, miss.stopped_by) == (Place.BODY, Stop.NEAR)


def test_what_a_category_came_to_is_told_with_what_it_lacks():
    weighings = {one.category: one for one in traced(Text(body="preserve")).weighings}
    assert weighings[Category.PRESERVATION].score == 15
    assert weighings[Category.PRESERVATION].reached
    assert weighings[Category.EMERGENCY].lacking == ("danger",)
    assert not weighings[Category.EMERGENCY].reached


def test_without_being_asked_nothing_is_traced():
    found = classify(
        Text(body="preserve"),
        ruleset=with_rules(RULE.format(more="")),
        kind=None,
        own_addresses=OWN,
        sender_domain=SENDER_DOMAIN,
        encrypted=False,
    )
    assert found.trace is None
