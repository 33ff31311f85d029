"""The judge loop: claims arrivals, has them judged, commits what they cause; nothing that is claimed is ever let go.

One thread drives one judge. A judge busy for more than a second gets a fresh one beside it, up to four more than configured.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway import log, metrics
from gateway.errors import JudgeDefeated, StoreUnavailable
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import CaseView, make_reference
from gateway.model.message import Arrival
from gateway.model.outcome import Facts, Outcome
from gateway.model.verdict import Disposition, Reason
from gateway.pipeline.cases import bounced_case, request_key
from gateway.pipeline.inward import judge_error
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery
from gateway.service.pager import Call
from gateway.store.cases import Recall
from gateway.store.journal import Claim, Journal

JUDGE_SECONDS = (20.0, 10.0)
"""Time for the first and for the second try."""
BUSY_SECONDS = 1.0
SPARE_JUDGES = 4
LEASE = timedelta(seconds=60)
POLL_SECONDS = 1.0
DEFERRALS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 240))
"""When a message whose DNS or gpg did not answer is asked about again; after the last one it is decided without."""


@dataclass(slots=True)
class Driver:
    """One thread with at most one judge."""

    thread: threading.Thread | None = None
    judge: Judge | None = None
    busy_since: float | None = None


class JudgeLoop:
    """All drivers and the claims they share."""

    def __init__(
        self,
        journal: Journal,
        nursery: Nursery,
        *,
        owner: str,
        page: Callable[[Call], None],
        outbox_filled: Callable[[], None],
        seconds: tuple[float, float] = JUDGE_SECONDS,
    ) -> None:
        self._journal = journal
        self._nursery = nursery
        self._owner = owner
        self._page = page
        self._outbox_filled = outbox_filled
        self._seconds = seconds
        self._claims: queue.Queue[Claim | None] = queue.Queue()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._drivers: list[Driver] = []
        self._defeats: dict[int, int] = {}
        self._claimer = threading.Thread(target=self._claim, name="claims")

    def start(self) -> None:
        """Start the configured number of judges; returns when each is ready."""
        ready = [self._hire() for _ in range(self._nursery.equipment.settings.judges)]
        for event in ready:
            event.wait(60)
        self._claimer.start()

    @property
    def alive(self) -> bool:
        """Whether at least one judge can take a message."""
        return any(driver.judge is not None for driver in self._drivers)

    def wake(self) -> None:
        """Something arrived: look now, not at the next poll."""
        self._wake.set()

    def equip(self, nursery: Nursery) -> None:
        """Judge with its equipment from the next message on; judges are replaced one by one as they become free."""
        self._nursery = nursery

    def close(self) -> None:
        """Finish what is being judged; what was claimed and not begun goes back when its lease ends."""
        self._stopping.set()
        self._wake.set()
        self._claimer.join()
        for _ in self._drivers:
            self._claims.put(None)
        for driver in tuple(self._drivers):
            if driver.thread is not None:
                driver.thread.join()

    def _hire(self) -> threading.Event:
        """Start a driver; the event is set when its first judge is ready or could not be started."""
        driver, ready = Driver(), threading.Event()
        driver.thread = threading.Thread(target=self._drive, args=(driver, ready), name=f"driver-{len(self._drivers)}")
        self._drivers.append(driver)
        driver.thread.start()
        return ready

    def _claim(self) -> None:
        """Claim what is due as long as somebody is free to judge it, and put a fresh judge beside one that is stuck."""
        while not self._stopping.is_set():
            self._relieve()
            claims = self._claimed()
            for claim in claims:
                self._claims.put(claim)
            if not claims:
                self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _claimed(self) -> tuple[Claim, ...]:
        free = (
            2 * len(self._drivers)
            - self._claims.qsize()
            - sum(driver.busy_since is not None for driver in self._drivers)
        )
        if free <= 0:
            return ()
        try:
            return self._journal.claim(limit=free, owner=self._owner, now=datetime.now(UTC), lease=LEASE)
        except StoreUnavailable as error:
            log.alarm(
                "not-claimed", error=str(error), remedy="see the database; arrivals wait there and nothing is lost"
            )
            time.sleep(POLL_SECONDS)
            return ()

    def _relieve(self) -> None:
        now = time.monotonic()
        stuck = sum(1 for one in self._drivers if one.busy_since is not None and now - one.busy_since > BUSY_SECONDS)
        wanted = self._nursery.equipment.settings.judges
        if len(self._drivers) - stuck < wanted and len(self._drivers) < wanted + SPARE_JUDGES:
            self._hire()

    def _drive(self, driver: Driver, ready: threading.Event) -> None:
        """Judge one claim after the other; a spare driver leaves when it is no longer needed."""
        self._prepare(driver)
        ready.set()
        while (claim := self._claims.get()) is not None:
            driver.busy_since = time.monotonic()
            try:
                self._handle(driver, claim)
            except Exception as error:  # noqa: BLE001 a fault of ours over one message must not end the thread that drives all others
                log.alarm(
                    "not-judged", arrival=claim.arrival.id, error=repr(error), remedy="report it; it is judged again"
                )
            driver.busy_since = None
            self._wake.set()
            if self._spare():
                break
        self._drivers.remove(driver)
        if driver.judge is not None:
            driver.judge.kill()

    def _spare(self) -> bool:
        calm = all(one.busy_since is None or time.monotonic() - one.busy_since < BUSY_SECONDS for one in self._drivers)
        return calm and len(self._drivers) > self._nursery.equipment.settings.judges and not self._stopping.is_set()

    def _prepare(self, driver: Driver) -> Judge:
        """The driver's judge, fresh where there is none or where rules or keys have changed since."""
        nursery = self._nursery
        if driver.judge is not None and driver.judge.nursery is not nursery:
            driver.judge.kill()
            driver.judge = None
        while driver.judge is None:
            try:
                driver.judge = Judge(nursery)
            except JudgeDefeated as error:
                log.alarm("judge-not-started", error=str(error), remedy="run `cp247 doctor`")
                time.sleep(POLL_SECONDS)
        return driver.judge

    def _handle(self, driver: Driver, claim: Claim) -> None:
        arrival = claim.arrival
        began = time.monotonic()
        try:
            facts = self._facts(claim)
            outcome = self._judged(driver, arrival, facts)
            if outcome is None:
                self._journal.postpone(arrival.id, until=datetime.now(UTC), tries=claim.tries)
                return
            self._commit(claim, outcome)
        except StoreUnavailable as error:
            # the lease ends by itself: the arrival is judged again, and a repeat of `record` changes nothing
            log.alarm(
                "not-recorded", arrival=arrival.id, error=str(error), remedy="see the database; the message waits there"
            )
            return
        metrics.JUDGE_SECONDS.observe(time.monotonic() - began)

    def _facts(self, claim: Claim) -> Facts:
        arrival = claim.arrival
        header, _, _ = scan_header(arrival.content)
        recall = self._journal.recall(
            keys_of(header, arrival.envelope.rcpt_tos),
            mailbox=arrival.mailbox,
            request_key=request_key(arrival.content),
            recipients=arrival.envelope.rcpt_tos,
            arrival=arrival,
        )
        reference = make_reference(
            self._nursery.equipment.secret, arrival.received_at.astimezone(UTC).year, arrival.number
        )
        return Facts(
            reference=reference,
            candidates=(*recall.candidates, *self._named(arrival, recall)),
            repeat_of=recall.repeat_of,
            receipt_due=recall.receipt_due,
            final=claim.tries > len(DEFERRALS),
        )

    def _named(self, arrival: Arrival, recall: Recall) -> tuple[CaseView, ...]:
        """Cases that a repeat or a return path of ours names, beside those the thread does."""
        known = {one.reference for one in recall.candidates}
        wanted = {bounced_case(arrival, self._nursery.equipment.secret), recall.repeat_of} - {None} - known
        found = (self._journal.case(one) for one in sorted(filter(None, wanted)))
        return tuple(one.view for one in found if one is not None)

    def _judged(self, driver: Driver, arrival: Arrival, facts: Facts) -> Outcome | None:
        """The outcome; None after the first defeat, `judge-error` after the second."""
        defeats = self._defeats.get(arrival.id, 0)
        try:
            outcome = self._prepare(driver).judge(arrival, facts, seconds=self._seconds[min(defeats, 1)])
        except JudgeDefeated as error:
            driver.judge = None
            log.alarm("judge-defeated", arrival=arrival.id, tries=defeats + 1, error=str(error))
            self._defeats[arrival.id] = defeats + 1
            if defeats == 0:
                return None
            settings = self._nursery.equipment.settings
            outcome = judge_error(arrival, facts, mailbox=settings.contact_point.mailbox, hostname=settings.hostname)
        self._defeats.pop(arrival.id, None)
        return outcome

    def _commit(self, claim: Claim, outcome: Outcome) -> None:
        # before the commit: after a crash between the two somebody is woken twice, never not at all
        if outcome.verdict.page:
            self._page(_call(outcome))
        now = datetime.now(UTC)
        receipts = self._nursery.equipment.settings.receipts
        recorded = self._journal.record(
            claim.arrival.id,
            outcome,
            now=now,
            per_contact_hour=receipts.per_contact_hour,
            all_hour=receipts.all_hour,
            retry=DEFERRALS[min(claim.tries, len(DEFERRALS)) - 1],
        )
        self._tell(claim.arrival, recorded.outcome)
        self._outbox_filled()

    def _tell(self, arrival: Arrival, outcome: Outcome) -> None:
        """Metrics, log and page of a committed outcome."""
        verdict = outcome.verdict
        category = verdict.classification.category.value
        metrics.VERDICTS.labels(category, verdict.assurance.value, verdict.disposition.value).inc()
        for reason in verdict.reasons:
            metrics.REASONS.labels(reason.value).inc()
        for one in verdict.results:
            metrics.VERIFICATIONS.labels(one.method.value, one.result.value).inc()
        if verdict.disposition is not Disposition.DEFER:
            metrics.RECEIPTS.labels(category, verdict.receipt.reason.value if verdict.receipt.reason else "sent").inc()
        log.note(
            "judged",
            arrival=arrival.id,
            case=outcome.case.reference,
            category=category,
            assurance=verdict.assurance.value,
            disposition=verdict.disposition.value,
            reason=[reason.value for reason in verdict.reasons],
            contact=verdict.contact,
        )


def _call(outcome: Outcome) -> Call:
    verdict = outcome.verdict
    what = "judge-error" if verdict.reasons[:1] == (Reason.JUDGE_ERROR,) else "emergency"
    return Call(outcome.case.reference, what, verdict.assurance, verdict.contact)
