"""Puts the figures of the store on the gauges that Prometheus reads."""

from collections import Counter
from datetime import datetime

from gateway import metrics
from gateway.model.case import CaseState
from gateway.model.clock import Clock
from gateway.model.outbox import Purpose
from gateway.model.verdict import Category
from gateway.store.clocks import ClockFigures
from gateway.store.figures import Figures

ARRIVALS = "arrivals"
"""Label of the queue before judgement; the others are named after their purpose."""


def show(figures: Figures, *, now: datetime) -> None:
    """Set every gauge that comes from the store."""
    metrics.QUEUE.labels(ARRIVALS).set(figures.waiting)
    metrics.QUEUE_OLDEST.labels(ARRIVALS).set(_age(figures.oldest_waiting, now))
    for purpose in Purpose:
        metrics.QUEUE.labels(purpose.value).set(figures.queued.get(purpose, 0))
        metrics.QUEUE_OLDEST.labels(purpose.value).set(_age(figures.oldest_queued.get(purpose), now))
    metrics.HOLDS.set(figures.held)
    metrics.HOLD_OLDEST.set(_age(figures.oldest_held, now))
    metrics.CALL_OLDEST.set(_age(figures.oldest_call, now))
    unanswered: Counter[Category] = Counter()
    for (category, state), count in figures.cases.items():
        unanswered[category] += count if state in (CaseState.OPEN, CaseState.ANSWER_FAILED) else 0
    for category in Category:
        metrics.CASES_OPEN.labels(category.value).set(unanswered[category])
    metrics.UNACCOUNTED.set(figures.accepted - figures.promised - _deliveries(figures))


def show_clocks(figures: ClockFigures, *, now: datetime) -> None:
    """Set the gauges of what the cases wait for."""
    for category in Category:
        metrics.UNANSWERED_OLDEST.labels(category.value).set(_age(figures.oldest_unanswered.get(category), now))
    for clock in Clock:
        metrics.CLOCKS_OVERDUE.labels(clock.value).set(figures.overdue.get(clock, 0))
    metrics.PRESERVATION_END.set(0 if figures.first_end is None else figures.first_end.timestamp())


def _deliveries(figures: Figures) -> int:
    return figures.queued.get(Purpose.DELIVERY, 0) + figures.sent.get(Purpose.DELIVERY, 0)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
