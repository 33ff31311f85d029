"""Figures out of samples: percentiles, medians of rounds, ratios taken within a round."""

from collections.abc import Sequence
from statistics import median


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least this share of them does not exceed (nearest rank); 0.0 where there is none."""
    if not samples:
        return 0.0
    ordered = sorted(samples)
    rank = -(-len(ordered) * share // 1)
    return ordered[max(int(rank), 1) - 1]


def middle(samples: Sequence[float]) -> float:
    """The median; 0.0 where there is none."""
    return float(median(samples)) if samples else 0.0


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """Median of the ratios of each round: what slows the machine for a minute slows both sides of one ratio."""
    pairs = [one / other for one, other in zip(ours, theirs, strict=False) if other]
    return float(median(pairs)) if pairs else None
