"""Looks after held answers: lets them leave when their cause is gone, reminds, pages, and gives them back. Releases none by time."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from gateway import log
from gateway.channel.patience import Step, next_step
from gateway.errors import JudgeDefeated, StoreUnavailable
from gateway.model.call import Call, Why
from gateway.model.hold import Hold
from gateway.model.outbox import OutMail
from gateway.model.settings import Settings
from gateway.pipeline.notices import given_back_notice, waiting_notice
from gateway.service.answering import Answering
from gateway.store.journal import Journal

LOOK_SECONDS = 2.0
CLOSE_SECONDS = 3.0
MAX_HOLDS = 200
"""So many of the oldest are looked after; more than that is an alarm of its own."""


class Holding:
    """One thread that lives as long as the process."""

    def __init__(
        self,
        journal: Journal,
        answering: Answering,
        settings: Settings,
        *,
        page: Callable[[Call], None],
        outbox_filled: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._answering = answering
        self._settings = settings
        self._page = page
        self._outbox_filled = outbox_filled
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holding", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End; what is held stays held."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                for hold in self._journal.holds(limit=MAX_HOLDS):
                    self._look_after(hold)
            except (JudgeDefeated, StoreUnavailable) as error:
                log.alarm("holds-not-seen", error=str(error), remedy="run `cp247 doctor`; held answers stay held")
            except Exception as error:  # noqa: BLE001 a fault of ours must not end the thread that held answers wait for
                log.alarm("holds-not-seen", error=log.fault(error), remedy="report it; held answers stay held")

    def _look_after(self, hold: Hold) -> None:
        if self._stopping.is_set():
            return
        if self._answering.try_again(hold, self._journal.content(hold.content_id)):
            log.note("released", case=hold.case, rule=hold.rule)
            return
        now = datetime.now(UTC)
        step = next_step(hold, now)
        if step is Step.WAIT or not self._journal.mark_hold(
            hold.id, step=step, notice=self._notice(hold, step, now), now=now
        ):
            return
        log.note("held", step=step.value, case=hold.case, rule=hold.rule)
        self._outbox_filled()
        if step in (Step.PAGE, Step.RETURN):
            why = Why.ANSWER_HELD if step is Step.PAGE else Why.ANSWER_GIVEN_BACK
            self._page(Call(why, cause=f"hold {hold.id} {step.value}", case=hold.case or ""))

    def _notice(self, hold: Hold, step: Step, now: datetime) -> OutMail:
        make = given_back_notice if step is Step.RETURN else waiting_notice
        return make(hold, at=now, settings=self._settings)
