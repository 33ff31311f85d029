"""Tells the officers of what is due: a notice for each step of a clock, a call where somebody must be woken. Each once.

Answers nothing, closes nothing, releases nothing.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from gateway import log
from gateway.channel.clocks import Step, due_step
from gateway.errors import StoreUnavailable
from gateway.model.call import Call, Why
from gateway.model.clock import DueClock
from gateway.model.outbox import OutMail
from gateway.model.settings import Settings
from gateway.pipeline.reminders import reminder
from gateway.store.clock_book import ClockBook
from gateway.store.clocks import Telling

LOOK_SECONDS = 2.0
CLOSE_SECONDS = 3.0
AT_ONCE = 50
"""Steps told in one transaction: mail that is taken in waits for no more than that."""

ToCounterpart = Callable[[DueClock, Step, datetime], OutMail | None]
"""The reminder that the counterpart gets too, if any."""


class Reminding:
    """One thread that lives as long as the process; several processes may look, each step is told by one of them."""

    def __init__(
        self,
        book: ClockBook,
        settings: Settings,
        *,
        to_counterpart: ToCounterpart,
        outbox_filled: Callable[[], None],
    ) -> None:
        self._book = book
        self._settings = settings
        self._to_counterpart = to_counterpart
        self._outbox_filled = outbox_filled
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reminding", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End; what is due is told after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def look(self, now: datetime) -> int:
        """How many steps were told at that moment: all that were due, in transactions of some each."""
        mailbox, count = self._settings.contact_point.mailbox, 0
        while not self._stopping.is_set():
            due = self._book.due(mailbox=mailbox, now=now, limit=AT_ONCE)
            if not due:
                break
            tellings = [told for one in due if (told := self._telling(one, now)) is not None]
            done = self._book.tell(tellings, now=now)
            count += done
            if not done:
                # another process tells these, or they cannot be written
                break
        return count

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                told = self.look(datetime.now(UTC))
            except StoreUnavailable as error:
                log.alarm("clocks-not-seen", error=str(error), remedy="see the database; reminders wait there")
            except Exception as error:  # noqa: BLE001 a fault of ours must not end the thread that reminds people
                log.alarm("clocks-not-seen", error=log.fault(error), remedy="report it; reminders wait in the database")
            else:
                if told:
                    log.note("reminded", count=told)
                    self._outbox_filled()

    def _telling(self, due: DueClock, now: datetime) -> Telling | None:
        """What is told of it; a notice that cannot be written keeps no other from being told."""
        step = due_step(due.clock, now)
        if step is None:
            return None
        try:
            notice = reminder(due, step.name, at=now, settings=self._settings)
        except ValueError as error:
            log.alarm("clocks-not-seen", case=due.case.reference, error=log.fault(error), remedy="report it")
            return None
        further = self._to_counterpart(due, step, now)
        mails = (notice,) if further is None else (notice, further)
        return Telling(due.clock, step.name, mails, _call(due, step) if step.pages else None)


def _call(due: DueClock, step: Step) -> Call:
    return Call(
        Why.EMERGENCY_UNCONFIRMED,
        cause=f"clock {due.case.reference} {due.clock.clock.value} {step.name} {due.clock.since.isoformat()}",
        case=due.case.reference,
        assurance=due.case.assurance,
        contact=due.case.contact,
    )
