"""Which items a request of its kind must name and does not: names for the receipt, never a ground to refuse.

Article 29(2) of the Convention for preservation, Article 31 and the Second Protocol for the others, as items.yaml lists them.
"""

from collections.abc import Mapping

from gateway.model.verdict import Category, Identifier, Kind
from gateway.triage.ruleset import Item

ASKED_OF = frozenset({Kind.NEW, Kind.EXTENSION})
"""Kinds that must be complete; a follow-up leans on what came before."""

MLA_INTENDED = "P6"
MLA_DECLINED = "P6-declined"


def items_found(
    *, by_rules: frozenset[str], identifiers: tuple[Identifier, ...], items: Mapping[str, Item]
) -> frozenset[str]:
    """Ids of the items that a rule found or that an identifier of the right kind stands for."""
    kinds = {one.kind for one in identifiers}
    return by_rules | {item.id for item in items.values() if not item.identifiers.isdisjoint(kinds)}


def with_box(by_rules: frozenset[str], *, mla_intended: bool | None) -> frozenset[str]:
    """Items found by rules, except that a ticked box decides whether a request for mutual assistance follows."""
    if mla_intended is None:
        return by_rules
    return (by_rules - {MLA_INTENDED, MLA_DECLINED}) | {MLA_INTENDED if mla_intended else MLA_DECLINED}


def missing(
    *, categories: tuple[Category, ...], kind: Kind, found: frozenset[str], items: Mapping[str, Item]
) -> tuple[str, ...]:
    """Ids of required items not found, category by category, in the order of items.yaml."""
    if kind not in ASKED_OF:
        return ()
    return tuple(
        item.id
        for category in categories
        for item in items.values()
        if item.category is category and item.required and item.id not in found
    )


def mla_intended(found: frozenset[str]) -> bool | None:
    """Whether a request for mutual assistance is announced (Article 29(2)f); None where nothing is said."""
    if MLA_DECLINED in found:
        return False
    return True if MLA_INTENDED in found else None
