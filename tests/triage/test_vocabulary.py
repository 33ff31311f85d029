"""Word groups of a language, and rules written once for every language that has the words."""

import pytest
from rule_pack import judge, pack_files, rule_files

from gateway.errors import ConfigError
from gateway.model.message import Text
from gateway.model.verdict import Category
from gateway.triage.ruleset import parse_ruleset

WORDS = b"words:\n  keep: {phrases: [%s]}\n  data: {phrases: [%s]}\nrules:\n"
SEVERAL = b"""language: mul
rules:
  - id: preservation.{language}.keep
    category: preservation
    words: [keep]
    near: {words: [data], within: 40}
    not_near: {words: [museum], within: 40}
    weight: 5
    why: Article 29
"""


def files(several=SEVERAL, **words):
    changes = {"phrases/mul.yaml": several}
    for language, (keep, data) in words.items():
        path = f"phrases/{language}.yaml"
        changes[path] = pack_files()[path].replace(b"rules:\n", WORDS % (keep, data), 1)
    return rule_files(changes)


def complaint_of(tree):
    with pytest.raises(ConfigError) as refused:
        parse_ruleset(tree)
    return str(refused.value.complaints[0])


ENGLISH = {"en": (b"frob*", b"gadget")}
MUSEUM = SEVERAL.replace(b"    not_near: {words: [museum], within: 40}\n", b"")


def test_rule_of_several_languages_is_made_for_each_that_has_the_words():
    ruleset = parse_ruleset(files(MUSEUM, en=(b"frob*", b"gadget"), fr=(b"truc*", b"machin")))
    assert {"preservation.en.keep", "preservation.fr.keep"} <= {rule.id for rule in ruleset.rules}
    found = judge(Text(body="veuillez trucquer le machin"), ruleset=ruleset)
    assert [hit.rule for hit in found.hits if hit.rule.endswith("keep")] == ["preservation.fr.keep"]


def test_words_of_one_language_are_not_near_those_of_another():
    ruleset = parse_ruleset(files(MUSEUM, en=(b"frob*", b"gadget"), fr=(b"truc*", b"machin")))
    assert judge(Text(body="frobbing the machin"), ruleset=ruleset).category is Category.OTHER


def test_rule_is_not_made_where_the_words_are_missing():
    ids = {rule.id for rule in parse_ruleset(files(MUSEUM, **ENGLISH)).rules}
    assert "preservation.en.keep" in ids
    assert "preservation.fr.keep" not in ids


@pytest.mark.parametrize(
    ("tree", "what"),
    [
        (files(**ENGLISH), "museum names no words"),
        (files(MUSEUM.replace(b"{language}", b"any"), **ENGLISH), "its id says {language}"),
        (files(MUSEUM.replace(b"words: [keep]", b"phrases: [keep]"), **ENGLISH), "its id says {language}"),
        (files(MUSEUM + MUSEUM.partition(b"rules:\n")[2], **ENGLISH), "is already in phrases/mul.yaml"),
        (files(MUSEUM, en=(b"f*", b"gadget")), "words.keep.phrases.0"),
        (files(MUSEUM + b"common_words: [a, b, c, d, e, f, g, h, i, j]\n", **ENGLISH), "common_words are needed"),
        (files(MUSEUM + b"words: {keep: {phrases: [frob]}}\n", **ENGLISH), "words belong to one language"),
    ],
    ids=["unknown", "no language", "no words", "twice", "too open", "common words", "words of several"],
)
def test_what_is_wrong_is_named(tree, what):
    assert what in complaint_of(tree)
