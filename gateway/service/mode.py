"""Says in which mode the outward rule is applied, and tells each change of it for ever. Changes none itself."""

from datetime import datetime

from gateway import log, metrics
from gateway.model.settings import Mode, Settings
from gateway.store.journal import Journal


def note_mode(journal: Journal, settings: Settings, *, now: datetime) -> None:
    """Set the gauge; write down and log a change; alarm as long as the rule is not enforced (CHANNEL A5, break-glass)."""
    mode = settings.outbound.mode
    for one in Mode:
        metrics.MODE.labels(one.value).set(one is mode)
    before = journal.keep_mode(mode, mailbox=settings.contact_point.mailbox, now=now)
    if before is not mode:
        log.note("mode-changed", mode=mode.value, before=before.value)
    if mode is not Mode.ENFORCE:
        remedy = "set outbound.mode: enforce; until then answers leave that the channel refuses"
        log.alarm("not-enforced", mode=mode.value, remedy=remedy)
