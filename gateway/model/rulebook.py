"""What happened to the rule sets, by whom and why; and what a draft would change in a verdict."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.outcome import Verdict


class Act(StrEnum):
    """What was done with a rule set."""

    ADOPTED = "adopted"
    """Read from the folder at a start or a reload."""
    PROPOSED = "proposed"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    SHADOWED = "shadowed"
    """Judges beside the live set from now on; no digest: nothing does."""


ACTIVATING = (Act.ADOPTED, Act.PROMOTED, Act.ROLLED_BACK)
"""After these the set judges."""


@dataclass(frozen=True, slots=True)
class RulesetChange:
    """One line of the history of rule sets; never changed."""

    id: int
    at: datetime
    act: Act
    digest: str
    replaced: str
    """Digest of the set that judged before, '' if none did."""
    author: str
    """Login of the operating system."""
    reason: str


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing a verdict says, under both sets."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What another rule set makes of one stored mail; empty where it makes the same."""

    facets: tuple[Facet, ...] = ()
    gained: tuple[str, ...] = ()
    """Rules that hit only under the other set."""
    lost: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything that is said or done of the mail would be another; other hits alone are not."""
        return bool(self.facets)


@dataclass(frozen=True, slots=True)
class StoredDifference:
    """A difference that a shadow set made, with the mail it is about."""

    arrival_id: int
    reference: str | None
    received_at: datetime
    difference: Difference


def difference(before: Verdict, after: Verdict) -> Difference:
    """What changes from one verdict to the other; never looks at scores, which every tuning moves."""
    first, second = _said(before), _said(after)
    hits = [frozenset(hit.rule for hit in one.classification.hits) for one in (before, after)]
    return Difference(
        facets=tuple(Facet(what, first[what], second[what]) for what in first if first[what] != second[what]),
        gained=tuple(sorted(hits[1] - hits[0])),
        lost=tuple(sorted(hits[0] - hits[1])),
    )


def _said(verdict: Verdict) -> dict[str, str]:
    found, receipt = verdict.classification, verdict.receipt
    return {
        "category": found.category.value,
        "secondary": ", ".join(found.secondary),
        "kind": found.kind.value,
        "urgent": "yes" if found.urgent else "no",
        "missing": ", ".join(found.missing),
        "doubts": ", ".join(found.findings),
        "assurance": verdict.assurance.value,
        "disposition": verdict.disposition.value,
        "receipt": receipt.level.value if receipt.send else f"none: {receipt.reason.value if receipt.reason else ''}",
        "page": "yes" if verdict.page else "no",
    }
