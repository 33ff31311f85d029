"""The rule tree is right as a whole or refused with every place that is not."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_pack import judge, pack, pack_files, rule_files, with_rules

from gateway.errors import ConfigError
from gateway.model.message import Text
from gateway.model.verdict import Category, Kind, Level, Place, RuleFiles
from gateway.triage.rule_tree import MAX_COMPLAINTS, digest_of
from gateway.triage.ruleset import parse_ruleset
from gateway.yamlfile import MAX_FILE_BYTES, YamlFile, read_yaml


def complaints(changes):
    with pytest.raises(ConfigError) as refused:
        parse_ruleset(rule_files(changes))
    return refused.value.complaints


def first_complaint(changes):
    return str(complaints(changes)[0])


def replaced(path, old, new):
    content = pack_files()[path]
    assert old in content, old
    return {path: content.replace(old, new, 1)}


def english(rule):
    """The English file with this rule in place of all others."""
    head = pack_files()["phrases/en.yaml"].partition(b"rules:\n")[0]
    return {"phrases/en.yaml": head + b"rules:\n" + rule}


def test_pack_is_read_whole():
    ruleset = pack()
    assert len(ruleset.rules) == 15
    assert set(ruleset.common_words) == {"en", "fr"}
    assert ruleset.scoring.thresholds[Category.EMERGENCY] == 10
    assert ruleset.scoring.places[Place.TEMPLATE] == 10
    assert ruleset.scoring.needs[Category.EMERGENCY][0] == {"danger"}
    assert ruleset.scoring.needs[Category.PRESERVATION] == ()
    assert ruleset.scoring.silences[Kind.CIRCULAR].unless_identifiers == {"ip", "account"}
    assert ruleset.items["P3"].category is Category.PRESERVATION
    assert ruleset.first_answer_minutes[Category.OTHER] == 2880
    assert {"reference number", "notre reference"} <= set(ruleset.labels.reference.phrases)


def test_rule_keeps_what_was_written():
    rule = next(one for one in pack().rules if one.id == "preservation.en.title")
    assert rule.language == "en"
    assert rule.category is Category.PRESERVATION
    assert rule.weight == 5
    assert rule.terms.phrases[2] == "t-cy(2018)11"
    assert Place.FILENAME not in rule.places
    assert rule.not_near is not None
    assert rule.not_near.within == 60


def test_rule_without_places_looks_everywhere():
    rule = next(one for one in pack().rules if one.id == "urgent.en")
    assert rule.places == frozenset(Place)
    assert rule.urgent
    assert rule.weight == 1


def test_receipt_text_falls_back_to_english():
    assert "(fr)" in pack().receipt_template("fr", Level.FULL)
    assert "(en)" in pack().receipt_template("de", Level.FULL)
    assert pack().receipt_template("en", Level.MINIMAL).startswith("Received")


def test_ruleset_travels_to_another_process():
    travelled = pickle.loads(pickle.dumps(pack()))
    text = Text(subject="Data preservation request", body="preserve the account 203.0.113.7")
    assert travelled.digest == pack().digest
    assert judge(text, ruleset=travelled) == judge(text)


def test_item_name_falls_back_to_english():
    assert pack().item_name("P2", "fr").startswith("infraction")
    assert pack().item_name("P3", "fr") == "data to be preserved"


def test_digest_is_of_what_judges():
    digest = pack().digest
    assert len(digest) == 64
    assert digest_of(rule_files({"README.md": b"words", "examples/other/x.eml": b"mail"})) == digest
    assert digest_of(RuleFiles(tuple(reversed(rule_files().files)))) == digest
    assert digest_of(rule_files(replaced("channel.yaml", b"2880", b"2881"))) != digest
    assert digest_of(rule_files({"receipts/en/full.txt.j2": b"Other words"})) != digest


SYNTAX = [
    (
        "tag of python",
        b"a: !!python/object:os.system x",
        "scoring.yaml:1:4: tag tag:yaml.org,2002:python/object:os.system is not allowed",
    ),
    ("tag of its own", b"a: !ours {b: 1}", "scoring.yaml:1:4: tag !ours is not allowed"),
    ("binary tag", b"a: !!binary aGk=", "scoring.yaml:1:4: tag"),
    ("anchor", b"a: &x 1\nb: 2", "scoring.yaml:1:4: anchor &x is not allowed"),
    ("anchor and alias", b"a: &x 1\nb: *x", "scoring.yaml:1:4: anchor &x is not allowed"),
    ("alias of nothing", b"a: *x", "scoring.yaml:1:4: found undefined alias"),
    ("billion laughs", b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "scoring.yaml:1:4: anchor &a is not allowed"),
    ("anchor on a key", b"&k a: 1", "scoring.yaml:1:1: a key must be a plain word"),
    ("key twice", b"places: 1\nplaces: 2", "scoring.yaml:2:1: key places stands here twice"),
    ("key that is a list", b"? [a]\n: 1", "scoring.yaml:1:3: a key must be a plain word"),
    ("open bracket", b"places: [1, 2", "scoring.yaml:1:14"),
    ("open quotation mark", b'a: "x', "scoring.yaml:1:6"),
    ("tab as indentation", b"a:\n\tb: 1", "scoring.yaml:2:1"),
    ("half a line", b"places: {template: 10, subj", "scoring.yaml:1:28"),
    ("two documents", b"a: 1\n---\nb: 2", "scoring.yaml:2:1: but found another document"),
    ("directive", b"%YAML 1.1\n---\na: NO", "scoring.yaml:1:1: directives are not allowed"),
    (
        "directive behind a comment",
        b"# words\n\n%TAG ! tag:x\n---\na: 1",
        "scoring.yaml:1:1: directives are not allowed",
    ),
    ("Latin-1", "a: \xe9".encode("latin-1"), "scoring.yaml:1:1: is not UTF-8"),
    ("UTF-16", "a: 1".encode("utf-16"), "scoring.yaml:1:1: is not UTF-8"),
    ("NUL", b"a: \x00", "scoring.yaml: is not YAML"),
    ("control character", b"a: \x07", "scoring.yaml: is not YAML"),
    ("nested too deeply", b"[" * 14 + b"]" * 14, "scoring.yaml:1:14: is nested too deeply"),
    ("nested beyond recursion", b"[" * 20_000, "is nested too deeply"),
    ("too large", b"#" * (MAX_FILE_BYTES + 1), f"scoring.yaml: has {MAX_FILE_BYTES + 1} bytes"),
    ("octal number", b"a: 0o17", "scoring.yaml:1:4: 0o17 is not a decimal number"),
    ("hexadecimal number", b"a: 0x1f", "scoring.yaml:1:4: 0x1f is not a decimal number"),
    ("endless number", b"a: .inf", "scoring.yaml:1:4: .inf is not a decimal number"),
    ("no number", b"a: .nan", "scoring.yaml:1:4: .nan is not a decimal number"),
    ("number of 5000 digits", b"a: " + b"9" * 5000, "is not a decimal number"),
    ("empty file", b"", "scoring.yaml: must be a mapping of keys"),
    ("a list", b"- a", "scoring.yaml:1:1: must be a mapping of keys"),
    ("a word", b"words", "scoring.yaml:1:1: must be a mapping of keys"),
]


@pytest.mark.parametrize(("content", "expected"), [row[1:] for row in SYNTAX], ids=[row[0] for row in SYNTAX])
def test_broken_file_is_refused_at_its_place(content, expected):
    assert expected.lower() in first_complaint({"scoring.yaml": content}).lower()


NEEDED = b"id: a.b, category: preservation, phrases: [x], why: test"
RULES = [
    ("no id", b"  - {category: preservation, phrases: [x], why: test}\n", "rules.0.id: is missing; add it"),
    ("id with blanks", b"  - {id: a b, category: preservation, phrases: [x], why: test}\n", "rules.0.id"),
    (
        "id as number",
        b"  - {id: 12, category: preservation, phrases: [x], why: test}\n",
        "rules.0.id: Input should be a valid string, found '12'; put it in quotes",
    ),
    ("id twice", b"  - {" + NEEDED + b"}\n  - {" + NEEDED + b"}\n", "a.b is already in phrases/en.yaml"),
    (
        "no meaning",
        b"  - {id: a.b, phrases: [x], why: test}\n",
        "exactly one of category, kind, flag, item, signal is needed, found none",
    ),
    (
        "signal that rules do not tell",
        b"  - {id: a.b, signal: key-change, phrases: [x], why: test}\n",
        "no rule tells this signal; use one of answer-elsewhere",
    ),
    (
        "law of nobody",
        b"  - {id: a.b, signal: foreign-statute, phrases: [x], why: test}\n",
        "countries belong to a rule with signal: foreign-statute",
    ),
    ("countries of no law", b"  - {" + NEEDED + b", countries: [US]}\n", "countries belong to a rule with signal"),
    (
        "country by name",
        b"  - {id: a.b, signal: foreign-statute, countries: [Borduria], phrases: [x], why: test}\n",
        "rules.0.countries.0",
    ),
    ("two meanings", b"  - {" + NEEDED + b", kind: extension}\n", "found category, kind"),
    (
        "category other",
        b"  - {id: a.b, category: other, phrases: [x], why: test}\n",
        "other is no category of requests",
    ),
    ("category unknown", b"  - {id: a.b, category: urgent, phrases: [x], why: test}\n", "rules.0.category"),
    ("kind that no words tell", b"  - {id: a.b, kind: bounce, phrases: [x], why: test}\n", "no rule tells this kind"),
    ("flag unknown", b"  - {id: a.b, flag: discard, phrases: [x], why: test}\n", "rules.0.flag"),
    ("item unknown", b"  - {id: a.b, item: Z9, phrases: [x], why: test}\n", "Z9 is not in items.yaml"),
    ("no wording", b"  - {id: a.b, category: preservation, why: test}\n", "neither phrases nor regex are given"),
    ("no why", b"  - {id: a.b, category: preservation, phrases: [x]}\n", "rules.0.why"),
    ("key misspelt", b"  - {" + NEEDED + b", phrase: [y]}\n", "rules.0.phrase"),
    ("action discard", b"  - {" + NEEDED + b", action: discard}\n", "rules.0.action"),
    ("phrases as a word", b"  - {id: a.b, category: preservation, phrases: x, why: test}\n", "rules.0.phrases"),
    (
        "phrase that is a number",
        b"  - {id: a.b, category: preservation, phrases: [2703], why: test}\n",
        "rules.0.phrases.0",
    ),
    (
        "phrase that is nothing",
        b"  - {id: a.b, category: preservation, phrases: [...], why: test}\n",
        "has no letter or digit",
    ),
    (
        "phrase too long",
        b"  - {id: a.b, category: preservation, phrases: [" + b"x" * 201 + b"], why: test}\n",
        "rules.0.phrases.0",
    ),
    ("pattern not linear", b"  - {id: a.b, category: preservation, regex: ['(?=x)'], why: test}\n", "is not RE2"),
    ("pattern with a gap", b"  - {id: a.b, category: preservation, regex: ['x.{0,99}y'], why: test}\n", "near"),
    ("pattern in capitals", b"  - {id: a.b, category: preservation, regex: [Data], why: test}\n", "capital letter"),
    ("place unknown", b"  - {" + NEEDED + b", places: [footer]}\n", "rules.0.places.0"),
    ("places empty", b"  - {" + NEEDED + b", places: []}\n", "rules.0.places"),
    ("weight negative", b"  - {" + NEEDED + b", weight: -1}\n", "rules.0.weight"),
    ("weight as text", b"  - {" + NEEDED + b", weight: '5'}\n", "rules.0.weight"),
    ("weight as yes", b"  - {" + NEEDED + b", weight: true}\n", "rules.0.weight"),
    ("weight enormous", b"  - {" + NEEDED + b", weight: 101}\n", "rules.0.weight"),
    ("near without within", b"  - {" + NEEDED + b", near: {phrases: [y]}}\n", "rules.0.near.within"),
    ("near without wording", b"  - {" + NEEDED + b", near: {within: 5}}\n", "rules.0.near"),
    ("near with a bad pattern", b"  - {" + NEEDED + b", near: {regex: ['('], within: 5}}\n", "rules.0.near.regex.0"),
    ("within too far", b"  - {" + NEEDED + b", near: {phrases: [y], within: 501}}\n", "rules.0.near.within"),
    ("within negative", b"  - {" + NEEDED + b", not_near: {phrases: [y], within: -5}}\n", "rules.0.not_near.within"),
    ("unless with within", b"  - {" + NEEDED + b", unless: {phrases: [y], within: 5}}\n", "rules.0.unless.within"),
    ("mark in capitals", b"  - {" + NEEDED + b", marks: [Danger]}\n", "rules.0.marks.0"),
]


@pytest.mark.parametrize(("rule", "expected"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_broken_rule_is_refused_with_line_key_and_reason(rule, expected):
    found = [str(one) for one in complaints(english(rule))]
    assert all(one.startswith(("phrases/en.yaml:", "scoring.yaml:")) for one in found)
    assert any(expected in one for one in found), found


def test_complaint_names_line_and_column_of_the_very_value():
    text = "  - id: a.b\n    category: preservation\n    phrases: [x]\n    weight: many\n    why: test\n"
    start = pack_files()["phrases/en.yaml"].partition(b"rules:\n")[0].count(b"\n") + 1
    assert f"phrases/en.yaml:{start + 4}:5: rules.0.weight:" in first_complaint(english(text.encode()))


TREE = [
    ("file too many", {"phrases/en.yml": b"a: 1"}, "phrases/en.yml: is not part of a rule tree"),
    ("language in capitals", {"phrases/EN.yaml": b"a: 1"}, "phrases/EN.yaml: is not part of a rule tree"),
    ("scoring missing", {"scoring.yaml": None}, "scoring.yaml: is missing"),
    ("items missing", {"items.yaml": None}, "items.yaml: is missing"),
    ("channel missing", {"channel.yaml": None}, "channel.yaml: is missing"),
    ("no phrases", {"phrases/en.yaml": None, "phrases/fr.yaml": None}, "phrases: holds no <language>.yaml"),
    ("no English receipt", {"receipts/en/full.txt.j2": None}, "receipts/en/full.txt.j2: is missing"),
    ("half a language of receipts", {"receipts/fr/minimal.txt.j2": None}, "receipts/fr/minimal.txt.j2: is missing"),
    ("receipt not UTF-8", {"receipts/en/full.txt.j2": b"\xff"}, "receipts/en/full.txt.j2: is not UTF-8"),
    (
        "receipt with an unknown name",
        {"receipts/en/full.txt.j2": b"{{ password }}"},
        "receipts/en/full.txt.j2: unknown name password",
    ),
    ("receipt with broken syntax", {"receipts/en/full.txt.j2": b"{% if %}"}, "receipts/en/full.txt.j2: line 1"),
    (
        "receipt too large",
        {"receipts/en/full.txt.j2": b"x" * (MAX_FILE_BYTES + 1)},
        "receipts/en/full.txt.j2: is too large",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in TREE], ids=[row[0] for row in TREE])
def test_tree_must_be_whole(changes, expected):
    assert any(str(one).startswith(expected) for one in complaints(changes)), [str(one) for one in complaints(changes)]


def test_hidden_files_readme_and_examples_are_not_read():
    parse_ruleset(
        rule_files({"README.md": b"\xff", "examples/other/a.eml": b"\xff", ".git/x": b"", "phrases/.en.yaml.swp": b""})
    )


AGREEMENT = [
    (
        "language differs from file name",
        "phrases/fr.yaml",
        b"language: fr",
        b"language: de",
        "language: is de, the file says fr",
    ),
    (
        "too few everyday words",
        "phrases/fr.yaml",
        b"common_words: [le, la,",
        b"common_words: [le]\nx: [",
        "common_words",
    ),
    ("everyday word that is nothing", "phrases/fr.yaml", b"[le, la,", b"[le, '--',", "has no letter or digit"),
    ("label that is nothing", "phrases/fr.yaml", b"days: [jours]", b"days: ['()']", "labels.days.0"),
    ("place without score", "scoring.yaml", b"filename: 1}", b"}", "places.filename"),
    ("threshold nil", "scoring.yaml", b"emergency: 10", b"emergency: 0", "thresholds.emergency"),
    ("threshold missing", "scoring.yaml", b"preservation: 8, ", b"", "thresholds.preservation"),
    ("doubt above one", "scoring.yaml", b"doubtful: 0.5", b"doubtful: 5", "doubtful"),
    ("emergency without danger", "scoring.yaml", b"    - [danger]\n", b"", "emergency needs a line [danger]"),
    (
        "danger or something else",
        "scoring.yaml",
        b"    - [danger]\n",
        b"    - [danger, request]\n",
        "emergency needs a line [danger]",
    ),
    (
        "need that nothing meets",
        "scoring.yaml",
        b"[request, preservation,",
        b"[requests, preservation,",
        "needs.emergency.1.0: requests is no mark",
    ),
    ("silence of no kind", "scoring.yaml", b"  circular:", b"  webinar:", "silences.webinar"),
    (
        "silence of other",
        "scoring.yaml",
        b"[preservation, subscriber-info, emergency], unless",
        b"[other], unless",
        "silences.circular.categories.0",
    ),
    ("identifier unknown", "scoring.yaml", b"[ip, account]", b"[ip, fax]", "silences.circular.unless_identifiers.1"),
    (
        "item without English name",
        "items.yaml",
        b"names: {en: data to be preserved}",
        b"names: {fr: x}",
        "names needs en",
    ),
    ("item id with blanks", "items.yaml", b"  P5:", b"  P 5:", "items.P 5"),
    ("item key unknown", "items.yaml", b"required: false", b"needed: false", "items.P1.needed"),
    ("answer time as text", "channel.yaml", b"emergency: 30", b"emergency: soon", "first_answer.emergency"),
    ("answer time nil", "channel.yaml", b"emergency: 30", b"emergency: 0", "first_answer.emergency"),
    ("answer time missing", "channel.yaml", b", other: 2880", b"", "first_answer.other"),
]


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"), [row[1:] for row in AGREEMENT], ids=[row[0] for row in AGREEMENT]
)
def test_files_must_agree(path, old, new, expected):
    found = [str(one) for one in complaints(replaced(path, old, new))]
    assert any(one.startswith(f"{path}:") and expected in one for one in found), found


def test_all_complaints_come_at_once():
    changes = replaced("scoring.yaml", b"doubtful: 0.5", b"doubtful: 5") | replaced("channel.yaml", b"30", b"soon")
    assert {one.file for one in complaints(changes)} == {"scoring.yaml", "channel.yaml"}


def test_complaints_have_an_end():
    rules = b"".join(b"  - {id: a.%d}\n" % number for number in range(300))
    assert len(complaints(english(rules))) == MAX_COMPLAINTS


def test_yaml_is_version_1_2():
    rule = with_rules(
        "{id: norway.no, category: preservation, phrases: [NO, yes, 12:30:45, 2027-12-31], why: off}"
    ).rules[2]
    assert rule.terms.phrases == ("no", "yes", "12:30:45", "2027-12-31")


def test_same_phrase_written_twice_is_kept_once():
    rule = with_rules("{id: a.b, category: preservation, phrases: [Données, donnees], why: test}").rules[2]
    assert rule.terms.phrases == ("donnees",)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    read_yaml("a.yaml", content)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:[]{}-&*!%|>\"'#\n ,?1.\t", max_size=60))
def test_any_yaml_like_text_is_read_or_refused(text):
    found = read_yaml("a.yaml", text.encode())
    if isinstance(found, YamlFile):
        assert plain(found.values)


def plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or type(value) in (str, int, float, bool)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(pack_files())), st.integers(min_value=0), st.binary(max_size=3))
def test_a_torn_file_never_does_worse_than_a_complaint(path, at, bytes_between):
    content = pack_files()[path]
    at %= len(content)
    try:
        parse_ruleset(rule_files({path: content[:at] + bytes_between + content[at + 2 :]}))
    except ConfigError as refused:
        assert refused.complaints
