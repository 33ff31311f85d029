"""How long a held answer waits before somebody is told, and that no time releases it."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.channel.patience import Step, next_step
from gateway.model.hold import Hold
from gateway.model.message import Envelope
from gateway.model.verdict import Category

AT = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)


def hold(category: Category, *, rule: str = "H1", paged: bool = False, reminded: bool = False) -> Hold:
    envelope = Envelope(mail_from="a@x.example", rcpt_tos=("b@x.example",))
    done = AT if paged else None
    return Hold(
        1, "D-7K3QX2", rule, None, category, "<a@x.example>", envelope, 1, "", AT,
        paged_at=done, reminded_at=AT if reminded else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("category", "minutes", "paged", "reminded", "step"),
    [
        (Category.PRESERVATION, 14, False, False, Step.WAIT),
        (Category.PRESERVATION, 15, False, False, Step.PAGE),
        (Category.PRESERVATION, 16, True, False, Step.WAIT),
        (Category.PRESERVATION, 120, True, False, Step.REMIND),
        (Category.PRESERVATION, 239, True, True, Step.WAIT),
        (Category.PRESERVATION, 240, True, True, Step.RETURN),
        (Category.PRESERVATION, 9999, False, False, Step.RETURN),
        (Category.EMERGENCY, 4, False, False, Step.WAIT),
        (Category.EMERGENCY, 5, False, False, Step.PAGE),
        (Category.EMERGENCY, 15, True, False, Step.REMIND),
        (Category.EMERGENCY, 30, True, True, Step.RETURN),
    ],
)
def test_a_held_answer_is_due_for(category: Category, minutes: int, *, paged: bool, reminded: bool, step: Step) -> None:
    assert next_step(hold(category, paged=paged, reminded=reminded), AT + timedelta(minutes=minutes)) is step


def test_row_3_an_emergency_without_a_key_wakes_somebody_at_once() -> None:
    assert next_step(hold(Category.EMERGENCY, rule="H2"), AT) is Step.PAGE
    assert next_step(hold(Category.EMERGENCY, rule="H2", paged=True), AT) is Step.WAIT
    assert next_step(hold(Category.PRESERVATION, rule="H2"), AT) is Step.WAIT


def test_a_clock_that_went_back_does_nothing() -> None:
    assert next_step(hold(Category.OTHER), AT - timedelta(hours=9)) is Step.WAIT
