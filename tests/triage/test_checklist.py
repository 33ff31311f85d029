"""Which items are found and which are missing."""

import pytest
from rule_pack import pack

from gateway.model.verdict import Category, Identifier, Kind
from gateway.triage.checklist import ASKED_OF, items_found, missing, mla_intended

ITEMS = pack().items
PRESERVATION = (Category.PRESERVATION,)


def found(*by_rules, identifiers=()):
    named = tuple(Identifier(kind=kind, value="x") for kind in identifiers)
    return items_found(by_rules=frozenset(by_rules), identifiers=named, items=ITEMS)


def test_rules_and_identifiers_find_items():
    assert found("P2") == {"P2"}
    assert found("P2", identifiers=("ip",)) == {"P2", "P3", "S1"}
    assert found(identifiers=("phone",)) == {"S1", "E1"}
    assert found(identifiers=("hash",)) == set()


def test_required_items_not_found_are_missing_in_order():
    assert missing(categories=PRESERVATION, kind=Kind.NEW, found=found("P5"), items=ITEMS) == ("P2", "P3", "P6")


def test_advised_items_are_never_missing():
    assert "P1" not in missing(categories=PRESERVATION, kind=Kind.NEW, found=frozenset(), items=ITEMS)


def test_primary_category_comes_first():
    categories = (Category.EMERGENCY, Category.SUBSCRIBER_INFO)
    assert missing(categories=categories, kind=Kind.NEW, found=frozenset(), items=ITEMS) == ("E1", "S1")


def test_nothing_is_missing_where_nothing_is_asked():
    assert missing(categories=(), kind=Kind.NEW, found=frozenset(), items=ITEMS) == ()


@pytest.mark.parametrize("kind", Kind)
def test_only_requests_are_asked_for_everything(kind):
    asked = missing(categories=PRESERVATION, kind=kind, found=frozenset(), items=ITEMS) != ()
    assert asked is (kind in ASKED_OF)
    assert {Kind.NEW, Kind.EXTENSION} == ASKED_OF


@pytest.mark.parametrize(
    ("items", "intended"),
    [({"P6"}, True), ({"P6-declined"}, False), ({"P6", "P6-declined"}, False), ({"P2"}, None), (set(), None)],
)
def test_mla_intention(items, intended):
    assert mla_intended(frozenset(items)) is intended
