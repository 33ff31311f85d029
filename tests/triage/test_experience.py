"""Experience weighs what stands in a mail as its table says, leaves short mails to the rules, and never breaks on a broken table."""

import math

import pytest
import rule_pack
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_pack import judge, pack_files

from gateway.errors import ConfigError
from gateway.model.message import Text
from gateway.model.verdict import Category, Reason
from gateway.triage.experience import (
    CATEGORIES,
    FILE,
    SHORTEST,
    Experience,
    heaviest,
    leaning,
    read_experience,
    signs_of,
)
from gateway.triage.ruleset import parse_ruleset

EMERGENCY, PRESERVATION, SUBSCRIBER = CATEGORIES
HEAVY = SHORTEST + 1
"""Rarity with which one word is long enough to be read."""


def table(*rows, even="0\t0\t0"):
    return "\n".join(("# a comment", f"(even)\t1\t{even}", *rows, "")).encode()


def row(sign, emergency=0.0, preservation=0.0, subscriber=0.0, rarity=HEAVY):
    return f"{sign}\t{rarity}\t{emergency}\t{preservation}\t{subscriber}"


def taught(*rows, rules="", even="0\t0\t0"):
    """The small pack with these rows learnt, and these rules beside its own."""
    files = {**pack_files(), FILE: table(*rows, even=even)}
    if rules:
        files["phrases/en.yaml"] += f"\n  - {rules}\n".encode()
    return parse_ruleset(rule_pack.RuleFiles(tuple(files.items())))


def signs(text, rules=(), identifiers=()):
    return signs_of([text], rules=rules, identifiers=identifiers)


# ---- what is read


def test_words_their_beginnings_and_pairs_are_signs():
    assert signs("freeze it") == {
        "freeze": 1, "fre*": 1, "free*": 1, "freez*": 1, "freeze*": 1, "it": 1, "freez it": 1, "id:none": 1,
    }  # fmt: skip


def test_a_word_that_stands_there_twice_counts_twice():
    found = signs("help help")
    assert (found["help"], found["hel*"], found["help help"]) == (2, 2, 1)


def test_numbers_are_no_signs():
    assert signs("12 2026-11-22") == {"id:none": 1}


def test_scripts_without_spaces_are_read_by_runs_of_characters():
    assert signs("保全要請") == {
        "保全": 1, "全要": 1, "要請": 1, "保全要": 1, "全要請": 1, "保全要請": 1, "id:none": 1,
    }  # fmt: skip


def test_rules_and_kinds_of_identifiers_are_signs_once():
    assert signs("", rules=["kind.answer", "kind.answer"], identifiers=["ip", "ip"]) == {
        "rule:kind.answer": 1,
        "id:ip": 1,
    }


# ---- what it weighs


def known(*rows, even="0\t0\t0"):
    found = read_experience(table(*rows, even=even))
    assert isinstance(found, Experience)
    return found


def test_one_sign_alone_leans_as_its_row_says_from_where_nothing_is_known():
    found = leaning(known(row("dog", 1, -2, 3), even="0.5\t0\t-1"), {"dog": 1})
    assert found == pytest.approx({EMERGENCY: 1.5, PRESERVATION: -2, SUBSCRIBER: 2})


def test_signs_together_are_a_unit_vector():
    found = leaning(known(row("dog", 1), row("cat", 1)), {"dog": 1, "cat": 1})
    assert found[EMERGENCY] == pytest.approx(math.sqrt(2))


def test_what_stands_there_often_counts_by_its_logarithm():
    found = leaning(known(row("dog", 1), row("cat")), {"dog": 3, "cat": 1})
    assert found[EMERGENCY] == pytest.approx((1 + math.log(3)) / math.hypot(1 + math.log(3), 1))


def test_unknown_words_change_nothing():
    one = known(row("dog", 1))
    assert leaning(one, {"dog": 1}) == leaning(one, {"dog": 1, "bird": 9})


def test_a_compact_table_weighs_the_same_in_less_memory():
    one = known(row("dog", 1.25, -2, 3), row("cat", 0, 1.25), even="0.5\t0\t-1")
    small = one.compact()
    assert small == one
    assert small.rows["dog"][1] is small.rows["cat"][2]


def test_of_a_mail_too_short_it_says_nothing():
    assert leaning(known(row("dog", 1, rarity=SHORTEST - 1)), {"dog": 1}) == {}
    assert heaviest(known(row("dog", 1, rarity=SHORTEST - 1)), {"dog": 1}) == ()


def test_the_heaviest_signs_come_first_and_add_up_to_the_leaning():
    one = known(row("dog", 1, 2), row("cat", -5))
    found = heaviest(one, {"dog": 1, "cat": 1})
    assert [sign.sign for sign in found] == ["cat", "dog"]
    assert sum(sign.adds[0] for sign in found) == pytest.approx(leaning(one, {"dog": 1, "cat": 1})[EMERGENCY])


# ---- how it judges


def test_the_category_it_leans_to_is_that_of_the_mail():
    found = judge(Text(body="marmalade"), ruleset=taught(row("marmalade", preservation=3)))
    assert found.category is Category.PRESERVATION
    assert judge(Text(body="marmalade"), ruleset=taught(row("marmalade", preservation=-3))).category is Category.OTHER


def test_it_takes_a_category_away_that_rules_reach_and_says_so():
    request = Text(
        body="Data preservation request: please preserve the account shadow@mail.example. Regards, marmalade"
    )
    assert judge(request).category is Category.PRESERVATION
    weighed = (row("rule:preservation.title", preservation=1), row("rule:preservation.verb", preservation=1))
    found = judge(request, ruleset=taught(row("marmalade", preservation=-9), *weighed))
    assert found.category is Category.OTHER
    assert Reason.DOUBTFUL_CATEGORY in found.findings


OWN_RULE = "{id: local.en.impound, category: preservation, phrases: [impound], weight: 9, why: test}"


def test_a_rule_it_does_not_know_counts_by_its_own_weight():
    rows = (row("marmalade", preservation=-3),)
    text = Text(body="impound marmalade")
    assert judge(text, ruleset=taught(*rows)).category is Category.OTHER
    assert judge(text, ruleset=taught(*rows, rules=OWN_RULE)).category is Category.PRESERVATION


def test_a_rule_it_knows_counts_as_it_says():
    rows = (row("marmalade"), row("rule:local.impound", preservation=-3))
    assert judge(Text(body="impound marmalade"), ruleset=taught(*rows, rules=OWN_RULE)).category is Category.OTHER


@pytest.mark.parametrize(("danger", "category"), [("", Category.OTHER), (" She was kidnapped.", Category.EMERGENCY)])
def test_without_a_danger_that_a_rule_names_an_emergency_needs_a_clear_lead(danger, category):
    rows = row("marmalade", emergency=0.3), row("rule:emergency.danger", rarity=1)
    found = judge(Text(body=f"Marmalade.{danger}"), ruleset=taught(*rows))
    assert found.category is category


def test_two_categories_close_together_are_a_doubt():
    near = judge(Text(body="marmalade"), ruleset=taught(row("marmalade", preservation=3, subscriber=2.9)))
    far = judge(Text(body="marmalade"), ruleset=taught(row("marmalade", preservation=3, subscriber=1)))
    assert (near.findings, far.findings) == ((Reason.DOUBTFUL_CATEGORY,), ())


@pytest.mark.parametrize(("emergency", "also"), [(2.8, (EMERGENCY,)), (1, ())])
def test_an_emergency_nearly_as_likely_as_the_request_is_named_beside_it(emergency, also):
    rows = row("marmalade", preservation=3, emergency=emergency)
    found = judge(Text(body="marmalade"), ruleset=taught(rows))
    assert (found.category, found.secondary) == (Category.PRESERVATION, also)


PLAIN = "Emergency disclosure request. She was kidnapped, there is an imminent threat to life. Marmalade."
WEIGHED = (row("rule:emergency.danger", rarity=1), row("rule:emergency.request", rarity=1))


@pytest.mark.parametrize(("leans", "category"), [(-0.7, Category.EMERGENCY), (-3, Category.OTHER)])
def test_a_danger_in_so_many_words_is_an_emergency_where_experience_nearly_agrees(leans, category):
    found = judge(Text(subject=PLAIN, body=PLAIN), ruleset=taught(row("marmalade", emergency=leans), *WEIGHED))
    assert found.category is category


def test_automatic_mail_asks_for_nothing_whatever_its_words():
    ruleset = taught(row("marmalade", preservation=9))
    found = judge(Text(body="marmalade"), ruleset=ruleset, kind=rule_pack.Kind.AUTO_REPLY)
    assert found.category is Category.OTHER


# ---- a broken table


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (table("dog\t1\t2"), 3, "is no sign, rarity and three weights"),
        (table("dog\t1\t2\t3\tmany"), 3, "is no sign, rarity and three weights"),
        (table("dog\t1\t2\t3\tnan"), 3, "is no sign, rarity and three weights"),
        (table("dog\t1\t2\t3\t1e308"), 3, "is no sign, rarity and three weights"),
        (table("\t1\t2\t3\t4"), 3, "is no sign, rarity and three weights"),
        (table(row("dog"), row("dog")), 4, "stands there twice"),
        (b"dog\t1\t2\t3\t4\n", 0, "is missing"),
        (b"# fine\n\xff\n", 2, "is not UTF-8"),
    ],
)
def test_a_broken_table_is_refused_with_its_line_and_a_remedy(content, line, what):
    with pytest.raises(ConfigError) as caught:
        parse_ruleset(rule_pack.rule_files({FILE: content}))
    (complaint,) = caught.value.complaints
    assert (complaint.file, complaint.line) == (FILE, line)
    assert what in complaint.what
    assert complaint.remedy


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content):
    assert read_experience(content)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text):
    found = signs(text)
    assert all(count > 0 for count in found.values())
    assert set(leaning(known(*(row(sign, 1) for sign in ("dog", "id:none"))), found)) == set(CATEGORIES)
