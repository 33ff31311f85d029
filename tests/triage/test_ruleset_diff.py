"""Differences between two rule sets are told in the words of their files."""

from rule_pack import pack_files, rule_files

from gateway.triage.ruleset import parse_tree
from gateway.triage.ruleset_diff import Change, differences


def changed(path, old, new):
    content = pack_files()[path]
    assert old in content
    return parse_tree(rule_files({path: content.replace(old, new, 1)}))


def test_equal_sets_differ_in_nothing():
    assert differences(parse_tree(rule_files()), parse_tree(rule_files())) == ()


def test_one_more_word_is_one_difference():
    after = changed("phrases/en.yaml", b"phrases: [webinar", b"phrases: [exhibition, webinar")
    (one,) = differences(parse_tree(rule_files()), after)
    assert one.before == ""
    assert one.where.endswith("'exhibition'")


def test_a_rule_that_is_gone_is_told_whole():
    content = pack_files()["phrases/en.yaml"]
    shorter = content[: content.rindex(b"\n  - ") + 1]
    gone = differences(parse_tree(rule_files()), parse_tree(rule_files({"phrases/en.yaml": shorter})))
    assert gone
    assert {one.after for one in gone} == {""}
    assert len({one.where.partition(":")[0] for one in gone}) == 1


def test_a_threshold_and_a_receipt_are_told():
    assert differences(parse_tree(rule_files()), changed("scoring.yaml", b"emergency: 10", b"emergency: 11")) == (
        Change("scoring.yaml: thresholds.emergency", "10.0", "11.0"),
    )
    (one,) = differences(parse_tree(rule_files()), parse_tree(rule_files({"receipts/en/full.txt.j2": b"Other words"})))
    assert one.where == "receipts/en/full.txt.j2: text"
