"""The mode of the outward rule: a gauge, an event that stays, and an alarm as long as it is not enforced."""

from dataclasses import replace
from datetime import UTC, datetime

from structlog.testing import capture_logs

from gateway import metrics
from gateway.model.settings import Mode, Outbound
from gateway.service.mode import note_mode

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def test_each_change_is_told_and_all_but_enforce_alarms(journal, configured):
    def start(mode):
        with capture_logs() as told:
            note_mode(journal, replace(configured, outbound=Outbound(mode=mode)), now=NOW)
        assert [metrics.MODE.labels(one.value)._value.get() for one in Mode] == [one is mode for one in Mode]
        return [(one["event"], one["log_level"], one.get("mode"), one.get("before")) for one in told]

    assert start(Mode.ENFORCE) == []
    alarm = ("not-enforced", "error", "warn", None)
    assert start(Mode.WARN) == [("mode-changed", "info", "warn", "enforce"), alarm]
    assert start(Mode.WARN) == [alarm]
    assert start(Mode.ENFORCE) == [("mode-changed", "info", "enforce", "warn")]
