"""When a held answer is remembered, paged and given back (CHANNEL A3). Never releases one: a clock may not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.model.hold import Hold
from gateway.model.verdict import Category


class Step(StrEnum):
    """What a held answer is due for."""

    WAIT = "wait"
    REMIND = "remind"
    PAGE = "page"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Patience:
    """Times since an answer was held."""

    page: timedelta
    remind: timedelta
    give_back: timedelta


PATIENCE = Patience(page=timedelta(minutes=15), remind=timedelta(hours=2), give_back=timedelta(hours=4))
EMERGENCY_PATIENCE = Patience(page=timedelta(minutes=5), remind=timedelta(minutes=15), give_back=timedelta(minutes=30))
KEYLESS_EMERGENCY = replace(EMERGENCY_PATIENCE, page=timedelta(0))
"""Row 3: whoever can pin the key is woken at once."""


def patience_with(category: Category, rule: str) -> Patience:
    """How long an answer of that category, held by that rule, may wait."""
    if category is not Category.EMERGENCY:
        return PATIENCE
    return KEYLESS_EMERGENCY if rule == "H2" else EMERGENCY_PATIENCE


def next_step(hold: Hold, now: datetime) -> Step:
    """What is due now, the last first: after a pause nobody wants a reminder of what is given back."""
    allowed, waited = patience_with(hold.category, hold.rule), now - hold.held_at
    if waited >= allowed.give_back:
        return Step.RETURN
    if waited >= allowed.page and hold.paged_at is None:
        return Step.PAGE
    if waited >= allowed.remind and hold.reminded_at is None:
        return Step.REMIND
    return Step.WAIT
