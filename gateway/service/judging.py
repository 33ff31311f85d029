"""The judge loop: claims arrivals, has them judged, hands on what they cause; nothing that is claimed is ever let go.

One thread drives one judge. A judge busy for more than a second gets a fresh one beside it, up to four more than configured.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gateway import log
from gateway.errors import JudgeDefeated, StoreUnavailable
from gateway.mail.scan import scan_header, sender_of
from gateway.mail.thread import keys_of
from gateway.model.call import Call
from gateway.model.case import CaseView, make_reference
from gateway.model.message import Arrival, ThreadKeys
from gateway.model.outcome import Facts
from gateway.pipeline.cases import key_of_request, return_path_of
from gateway.pipeline.inward import judge_error
from gateway.service.committing import DEFERRALS, Committer, Judged
from gateway.service.delivering import MAX_HANDED_BYTES, CourierLoop
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery
from gateway.store.cases import Recall
from gateway.store.journal import Claim, Journal

JUDGE_SECONDS = (20.0, 10.0)
"""Time for the first and for the second try."""
BUSY_SECONDS = 1.0
SPARE_JUDGES = 4
LEASE = timedelta(seconds=60)
CLAIMED_AHEAD = 4
"""So many messages wait here for each judge after a claim; there is another when fewer wait than there are judges."""
POLL_SECONDS = 1.0
RELIEF_SECONDS = 0.25
"""How often it is asked, while somebody is at work, whether somebody is stuck."""
CLOSE_SECONDS = 3.0
"""What is being judged when we stop may take so long; then it is judged after the next start."""
COMMIT_SECONDS = 1.0
"""So long, after that, what was judged may take to be committed."""


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
        self._seconds = seconds
        self._claims: queue.Queue[Claim | None] = queue.Queue()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._drivers: list[Driver] = []
        self._defeats: dict[int, int] = {}
        self._claimer = threading.Thread(target=self._claim, name="claims", daemon=True)
        self._committer = Committer(
            journal,
            page=page,
            outbox_filled=outbox_filled,
            courier=courier,
            more=self._more,
            done=self._done,
            failed=self._defeated,
        )

    def start(self) -> None:
        """Start the configured number of judges; returns when each is ready."""
        self._committer.start()
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
        self._committer.close(COMMIT_SECONDS)

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
        if not self._runs_low():
            return ()
        limit = CLAIMED_AHEAD * len(self._drivers) - self._claims.qsize()
        try:
            return self._journal.claim(limit=limit, owner=self._owner, now=datetime.now(UTC), lease=LEASE)
        except StoreUnavailable as error:
            log.alarm(
                "not-claimed", error=str(error), remedy="see the database; arrivals wait there and nothing is lost"
            )
            time.sleep(POLL_SECONDS)
            return ()

    def _runs_low(self) -> bool:
        """Whether a judge could soon be without a message."""
        return self._claims.qsize() < len(self._drivers)

    def _look_again(self) -> None:
        if self._runs_low():
            self._wake.set()

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
            self._look_again()
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
        """Judge, and hand the verdict on; whatever goes wrong over this message ends no thread, and after two times it is delivered as it is."""
        began = time.monotonic()
        try:
            judged = self._judged(driver, claim, began)
        except StoreUnavailable as error:
            # the lease ends by itself, and the arrival is judged then
            remedy = "see the database; the message waits there"
            log.alarm("not-recorded", arrival=claim.arrival.id, error=str(error), remedy=remedy)
        except Exception as error:  # noqa: BLE001 a judge's end and a fault of ours are the same to the message
            self._lose(driver)
            self._defeated(claim, error)
        else:
            driver.busy_since = None
            if judged is not None:
                self._committer.commit(judged)

    def _more(self) -> bool:
        """Whether another verdict will come soon."""
        return bool(self._busy() or self._claims.qsize())

    def _done(self, judged: Judged) -> None:
        self._defeats.pop(judged.claim.arrival.id, None)
        self._look_again()

    def _judged(self, driver: Driver, claim: Claim, began: float) -> Judged | None:
        """What the judge says, `judge-error` after the last defeat, None when we stop."""
        arrival, defeats = claim.arrival, self._defeats.get(claim.arrival.id, 0)
        settings = self._nursery.equipment.settings
        if defeats >= len(self._seconds):
            facts = Facts(reference=self._reference(arrival))
            return Judged(_light(claim), judge_error(arrival, facts, settings=settings), settings.receipts, began)
        facts, keys = self._facts(claim)
        judge = self._prepare(driver)
        if judge is None:
            return None
        outcome = judge.judge(arrival, facts, seconds=self._seconds[defeats])
        known = frozenset(one.reference for one in facts.candidates)
        return Judged(_light(claim), outcome, settings.receipts, began, keys, known)

    def _lose(self, driver: Driver) -> None:
        if driver.judge is not None and not self._stopping.is_set():
            driver.judge.kill()
            driver.judge = None

    def _defeated(self, claim: Claim, error: Exception) -> None:
        """Count it, and give the message back at once: to a fresh judge, or to be delivered as it is."""
        if self._stopping.is_set():
            return
        tries = self._defeats[claim.arrival.id] = self._defeats.get(claim.arrival.id, 0) + 1
        what = str(error) if isinstance(error, JudgeDefeated) else log.fault(error)
        log.alarm("judge-defeated", arrival=claim.arrival.id, tries=tries, error=what)
        if tries > len(self._seconds):
            # Not even a verdict of our own could be kept: again after the lease, not at once for ever.
            return
        with contextlib.suppress(StoreUnavailable):
            self._journal.postpone(claim.arrival.id, until=datetime.now(UTC), tries=claim.tries)
        self._wake.set()

    def _facts(self, claim: Claim) -> tuple[Facts, ThreadKeys]:
        """What the past says about it, and what its thread names."""
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
        facts = Facts(
            reference=self._reference(arrival),
            candidates=(*recall.candidates, *self._named(arrival, recall)),
            repeat_of=recall.repeat_of,
            receipt_due=recall.receipt_due,
            final=claim.tries > len(DEFERRALS),
            history=recall.history,
            id_reused=recall.id_reused,
        )
        return facts, keys

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


def _light(claim: Claim) -> Claim:
    """Without the bytes of a large message: they wait in the database for whoever delivers it."""
    if len(claim.arrival.content) <= MAX_HANDED_BYTES:
        return claim
    return replace(claim, arrival=replace(claim.arrival, content=b""))
