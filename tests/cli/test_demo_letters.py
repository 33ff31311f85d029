"""The letters of the demonstration are read as it says they are, before any server is started."""

from pathlib import Path

import pytest

from gateway.cli.demo import letters
from gateway.config import read_tree
from gateway.model.message import Text
from gateway.model.verdict import Category, RuleFiles
from gateway.triage.classify import classify
from gateway.triage.ruleset import Ruleset, parse_ruleset

RULES = Path(__file__).parents[2] / "rules"
LETTERS = {
    "preservation": (letters.PRESERVATION, Category.PRESERVATION),
    "subscriber": (letters.SUBSCRIBER, Category.SUBSCRIBER_INFO),
    "emergency": (letters.EMERGENCY, Category.EMERGENCY),
    "spoofed": (letters.SPOOFED, Category.EMERGENCY),
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return parse_ruleset(RuleFiles(read_tree(str(RULES))))


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_of_the_demonstration_is_read_as_it_says(ruleset: Ruleset, name: str) -> None:
    (subject, body), category = LETTERS[name]
    text = Text(subject=subject, body=body)
    found = classify(text, ruleset=ruleset, kind=None, own_addresses=(), sender_domain=None, encrypted=False)
    assert found.category is category
