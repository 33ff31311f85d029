"""Reminds the counterpart of a period too, where the configuration says so; otherwise nobody outside hears of a clock."""

from collections.abc import Callable
from datetime import datetime

from gateway import log
from gateway.channel.clocks import Step
from gateway.errors import SealFailed
from gateway.model.clock import DueClock
from gateway.model.outbox import OutMail
from gateway.model.settings import Settings
from gateway.pipeline.reminders import counterpart_reminder
from gateway.service.equipment import Equipment
from gateway.service.tools import GPG_SECONDS
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.seal import Sealer


def reminders_to_counterpart(
    settings: Settings, equipment: Callable[[], Equipment]
) -> Callable[[DueClock, Step, datetime], OutMail | None]:
    """What makes the counterpart's reminder of a step, with the keys in use at that moment; None for most."""
    home = GnupgHome(settings.openpgp.home, timeout=GPG_SECONDS)
    sealer = Sealer(home=home, signing_key=settings.openpgp.signing_key, dkim=settings.dkim)

    def make(due: DueClock, step: Step, now: datetime) -> OutMail | None:
        if not settings.reminders.counterpart:
            return None
        known = equipment()
        contact = next((one for one in known.directory.contacts if one.id == due.case.contact), None)
        try:
            return counterpart_reminder(
                due, step.name, contact, at=now, settings=settings, secret=known.secret, seal=sealer
            )
        except (SealFailed, ValueError) as error:
            log.alarm("reminder-not-sealed", case=due.case.reference, error=str(error), remedy="run `cp247 doctor`")
            return None

    return make
