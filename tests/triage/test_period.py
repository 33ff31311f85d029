"""The period for which data are asked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.period import period_asked

PERIODS = [
    "from 1 March 2026 to 15 March 2026",
    "between 01/03/2026 and 15/03/2026",
    "2026-03-01 - 2026-03-15",
    "from 2026-03-01 00:00 UTC to 2026-03-15 23:59 UTC",
    "du 1er mars 2026 au 15 mars 2026",
    "del 1 de marzo de 2026 al 15 de marzo de 2026",
    "entre 1 de março de 2026 e 15 de março de 2026",
    "vom 01.03.2026 bis 15.03.2026",
    "vom 1. März 2026 bis zum 15. März 2026",
    "dal 1 marzo 2026 al 15 marzo 2026",
    "с 1 марта 2026 года по 15 марта 2026 года",
    "з 01.03.2026 по 15.03.2026",
    "1 martie 2026 până la 15 martie 2026",
    "van 1 maart 2026 tot en met 15 maart 2026",
    "2026年3月1日から2026年3月15日まで",
    "1 مارس 2026 إلى 15 مارس 2026",
    "1 Mart 2026 - 15 Mart 2026",
]


@pytest.mark.parametrize("words", PERIODS)
def test_two_joined_dates_are_a_period(words):
    assert period_asked(f"Logs {words}, please.") == ("2026-03-01", "2026-03-15")


@pytest.mark.parametrize(
    "words",
    [
        "on 1 March 2026",
        "1 March 2026. 15 March 2026",
        "from 15/03/2026 to 01/03/2026",
        "2026 and 2027",
        "from 40/40/2026 to 41/41/2026",
    ],
)
def test_anything_else_is_none(words):
    assert period_asked(words) is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789/-. toMarch", max_size=80))
def test_any_text_is_answered(words):
    found = period_asked(words)
    assert found is None or found[0] <= found[1]
