"""The judge loop: claims arrivals, has them judged, commits what they cause; nothing that is claimed is ever let go.

One thread drives one judge. A judge busy for more than a second gets a fresh one beside it, up to four more than configured.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway import log, metrics
from gateway.errors import JudgeDefeated, StoreUnavailable
from gateway.mail.scan import scan_header, sender_of
from gateway.mail.thread import keys_of
from gateway.model.call import PROVED, Call, Why
from gateway.model.case import CaseView, make_reference
from gateway.model.message import Arrival
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.verdict import Category, Disposition, Reason
from gateway.pipeline.cases import key_of_request, return_path_of
from gateway.pipeline.inward import judge_error
from gateway.service.delivering import CourierLoop
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery
from gateway.store.cases import Recall
from gateway.store.journal import Claim, Journal

JUDGE_SECONDS = (20.0, 10.0)
"""Time for the first and for the second try."""
BUSY_SECONDS = 1.0
SPARE_JUDGES = 4
LEASE = timedelta(seconds=60)
POLL_SECONDS = 1.0
RELIEF_SECONDS = 0.25
"""How often it is asked, while somebody is at work, whether somebody is stuck."""
CLOSE_SECONDS = 3.0
"""What is being judged when we stop may take so long; then it is judged after the next start."""
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
        courier: CourierLoop | None = None,
        seconds: tuple[float, float] = JUDGE_SECONDS,
    ) -> None:
        self._journal = journal
        self._nursery = nursery
        self._owner = owner
        self._page = page
        self._outbox_filled = outbox_filled
        self._courier = courier
        self._seconds = seconds
        self._claims: queue.Queue[Claim | None] = queue.Queue()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._drivers: list[Driver] = []
        self._defeats: dict[int, int] = {}
        self._claimer = threading.Thread(target=self._claim, name="claims", daemon=True)

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
        """Finish what is nearly judged; everything else that was claimed is judged after its lease, or the next start."""
        self._stopping.set()
        self._wake.set()
        drivers = tuple(self._drivers)
        for _ in drivers:
            self._claims.put(None)
        end = time.monotonic() + CLOSE_SECONDS
        self._join(drivers, until=end)
        for driver in drivers:
            if (judge := driver.judge) is not None:
                judge.interrupt()
        self._join(drivers, until=end + 1)

    def _join(self, drivers: tuple[Driver, ...], *, until: float) -> None:
        threads = (self._claimer, *(one.thread for one in drivers if one.thread is not None))
        for thread in (one for one in threads if one.is_alive()):
            thread.join(max(0.0, until - time.monotonic()))

    def _hire(self) -> threading.Event:
        """Start a driver; the event is set when its first judge is ready or could not be started."""
        driver, ready = Driver(), threading.Event()
        driver.thread = threading.Thread(
            target=self._drive, args=(driver, ready), name=f"driver-{len(self._drivers)}", daemon=True
        )
        self._drivers.append(driver)
        driver.thread.start()
        return ready

    def _claim(self) -> None:
        """Claim what is due as long as somebody is free to judge it, and put a fresh judge beside one that is stuck."""
        while not self._stopping.is_set():
            try:
                self._relieve()
                claims = self._claimed()
            except Exception as error:  # noqa: BLE001 a fault of ours must not end the thread that everything waits for
                log.alarm("not-claimed", error=log.fault(error), remedy="report it; arrivals wait and nothing is lost")
                claims = ()
            for claim in claims:
                self._claims.put(claim)
            if not claims:
                self._wake.wait(RELIEF_SECONDS if self._busy() else POLL_SECONDS)
            self._wake.clear()

    def _claimed(self) -> tuple[Claim, ...]:
        busy = self._busy()
        free = 2 * len(self._drivers) - self._claims.qsize() - busy
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
        """Put a fresh judge beside each that is stuck, and one for each message that would wait behind them."""
        wanted, hired, stuck = self._nursery.equipment.settings.judges, len(self._drivers), self._stuck()
        waiting = self._claims.qsize() - (hired - self._busy()) if stuck else 0
        missing = max(wanted - (hired - stuck), waiting)
        for _ in range(min(missing, wanted + SPARE_JUDGES - hired)):
            self._hire()

    def _drive(self, driver: Driver, ready: threading.Event) -> None:
        """Judge one claim after the other; a spare driver leaves when it is no longer needed."""
        self._prepare(driver)
        ready.set()
        while (claim := self._claims.get()) is not None and not self._stopping.is_set():
            driver.busy_since = time.monotonic()
            self._handle(driver, claim)
            driver.busy_since = None
            self._wake.set()
            if self._spare():
                break
        self._drivers.remove(driver)
        if driver.judge is not None:
            driver.judge.kill()

    def _busy(self) -> int:
        return sum(one.busy_since is not None for one in self._drivers)

    def _stuck(self) -> int:
        """Drivers busy for more than a second; read once each, they change as we look."""
        since = [one.busy_since for one in self._drivers]
        return sum(1 for one in since if one is not None and time.monotonic() - one > BUSY_SECONDS)

    def _spare(self) -> bool:
        return (
            len(self._drivers) > self._nursery.equipment.settings.judges
            and self._stuck() == 0
            and not self._stopping.is_set()
        )

    def _prepare(self, driver: Driver) -> Judge | None:
        """The driver's judge, fresh where there is none or where rules or keys have changed since; None when we stop."""
        if driver.judge is not None and driver.judge.nursery is not self._nursery:
            driver.judge.kill()
            driver.judge = None
        while driver.judge is None and not self._stopping.is_set():
            try:
                # asked for anew each time: a reload may have closed the nursery we had in hand
                driver.judge = Judge(self._nursery)
            except JudgeDefeated as error:
                log.alarm("judge-not-started", error=str(error), remedy="run `cp247 doctor`")
                self._stopping.wait(POLL_SECONDS)
        return driver.judge

    def _handle(self, driver: Driver, claim: Claim) -> None:
        """Judge and commit; whatever goes wrong over this message ends no thread, and after two times it is delivered as it is."""
        began = time.monotonic()
        try:
            outcome = self._outcome(driver, claim)
            if outcome is None:
                return
            self._commit(claim, outcome)
        except StoreUnavailable as error:
            # the lease ends by itself: the arrival is judged again, and a repeat of `record` changes nothing
            log.alarm(
                "not-recorded",
                arrival=claim.arrival.id,
                error=str(error),
                remedy="see the database; the message waits there",
            )
        except Exception as error:  # noqa: BLE001 a judge's end and a fault of ours are the same to the message
            self._defeated(driver, claim, error)
        else:
            self._defeats.pop(claim.arrival.id, None)
            metrics.JUDGE_SECONDS.observe(time.monotonic() - began)

    def _outcome(self, driver: Driver, claim: Claim) -> Outcome | None:
        """What the judge says, `judge-error` after the last defeat, None when we stop."""
        arrival, defeats = claim.arrival, self._defeats.get(claim.arrival.id, 0)
        if defeats >= len(self._seconds):
            facts = Facts(reference=self._reference(arrival))
            return judge_error(arrival, facts, settings=self._nursery.equipment.settings)
        facts = self._facts(claim)
        judge = self._prepare(driver)
        return None if judge is None else judge.judge(arrival, facts, seconds=self._seconds[defeats])

    def _defeated(self, driver: Driver, claim: Claim, error: Exception) -> None:
        """Count it, and give the message back at once: to a fresh judge, or to be delivered as it is."""
        if self._stopping.is_set():
            return
        if driver.judge is not None:
            driver.judge.kill()
            driver.judge = None
        tries = self._defeats[claim.arrival.id] = self._defeats.get(claim.arrival.id, 0) + 1
        what = str(error) if isinstance(error, JudgeDefeated) else log.fault(error)
        log.alarm("judge-defeated", arrival=claim.arrival.id, tries=tries, error=what)
        if tries > len(self._seconds):
            # Not even a verdict of our own could be kept: again after the lease, not at once for ever.
            return
        with contextlib.suppress(StoreUnavailable):
            self._journal.postpone(claim.arrival.id, until=datetime.now(UTC), tries=claim.tries)

    def _facts(self, claim: Claim) -> Facts:
        arrival = claim.arrival
        header, body_start, _ = scan_header(arrival.content)
        keys, (sender, _) = keys_of(header, arrival.envelope.rcpt_tos), sender_of(header)
        recall = self._journal.recall(
            keys,
            mailbox=arrival.mailbox,
            request_key=key_of_request(keys.message_id, memoryview(arrival.content)[body_start:]),
            arrival=arrival,
            sender=sender.key if sender else None,
        )
        return Facts(
            reference=self._reference(arrival),
            candidates=(*recall.candidates, *self._named(arrival, recall)),
            repeat_of=recall.repeat_of,
            receipt_due=recall.receipt_due,
            final=claim.tries > len(DEFERRALS),
            history=recall.history,
            id_reused=recall.id_reused,
        )

    def _reference(self, arrival: Arrival) -> str:
        """The number of the case it may open."""
        return make_reference(self._nursery.equipment.secret, arrival.received_at.astimezone(UTC).year, arrival.number)

    def _named(self, arrival: Arrival, recall: Recall) -> tuple[CaseView, ...]:
        """Cases that a repeat or a return path of ours names, beside those the thread does."""
        known = {one.reference for one in recall.candidates}
        path = return_path_of(arrival, self._nursery.equipment.secret)
        wanted = {path.case if path else None, recall.repeat_of} - {None} - known
        found = (self._journal.case(one) for one in sorted(filter(None, wanted)))
        return tuple(one.view for one in found if one is not None)

    def _commit(self, claim: Claim, outcome: Outcome) -> None:
        # before the commit: after a crash between the two somebody is woken twice, never not at all
        self._wake_human(claim.arrival.id, outcome)
        receipts = self._nursery.equipment.settings.receipts
        now = datetime.now(UTC)
        recorded = self._journal.record(
            claim.arrival.id,
            outcome,
            now=now,
            per_contact_hour=receipts.per_contact_hour,
            all_hour=receipts.all_hour,
            retry=DEFERRALS[min(claim.tries, len(DEFERRALS)) - 1],
            lease=self._courier.lease(now) if self._courier else None,
        )
        if recorded.again:
            return
        self._tell(claim.arrival, recorded.outcome)
        if self._courier is not None and recorded.leased:
            self._courier.take(recorded.leased)
        else:
            self._outbox_filled()

    def _wake_human(self, arrival: int, outcome: Outcome) -> None:
        """Call once for an arrival that is asked about again; and once more when it is proved in the end."""
        if outcome.verdict.page:
            self._page(_call(arrival, outcome))

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


def _call(arrival: int, outcome: Outcome) -> Call:
    verdict = outcome.verdict
    proved = "proved" if verdict.assurance in PROVED else "unproved"
    return Call(
        why=_why(verdict),
        cause=f"arrival {arrival} {proved}",
        case=outcome.case.reference,
        assurance=verdict.assurance,
        contact=verdict.contact,
    )


def _why(verdict: Verdict) -> Why:
    if Reason.JUDGE_ERROR in verdict.reasons:
        return Why.JUDGE_ERROR
    return Why.EMERGENCY if verdict.classification.category is Category.EMERGENCY else Why.UNREAD
