"""The commit of verdicts with all they cause, beside the judges: a judge never waits for the disk.

Loses nothing: until the commit the arrival is only leased, and is judged again where it fails. Judges nothing.
"""

import contextlib
import hashlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway import log, metrics
from gateway.errors import StoreUnavailable
from gateway.model.call import PROVED, Call, Why
from gateway.model.message import Arrival, ThreadKeys
from gateway.model.outcome import Outcome, Verdict
from gateway.model.settings import Receipts
from gateway.model.verdict import Category, Disposition, Reason
from gateway.service.delivering import CourierLoop
from gateway.store.journal import Claim, Journal
from gateway.store.receipts import Rates
from gateway.store.verdicts import Judgement, Recorded

MAX_SHARING = 8
"""So many verdicts share one commit at most."""
GATHER_SECONDS = 0.1
"""So long the first of them waits for others, while judges are at work: whoever comes then waits for a judge anyway."""
DEFERRALS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 240))
"""When a message whose DNS or gpg did not answer is asked about again; after the last one it is decided without."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge said of one arrival."""

    claim: Claim
    outcome: Outcome
    receipts: Receipts
    """The rates of the configuration it was judged by."""
    began: float
    """By the monotonic clock."""
    keys: ThreadKeys = ThreadKeys()
    known: frozenset[str] = frozenset()
    """References of the cases that the judge was told of."""

    @property
    def judgement(self) -> Judgement:
        """The same for the journal."""
        return Judgement(
            self.claim.arrival.id,
            self.outcome,
            Rates(per_contact_hour=self.receipts.per_contact_hour, all_hour=self.receipts.all_hour),
            retry=DEFERRALS[min(self.claim.tries, len(DEFERRALS)) - 1],
            keys=self.keys,
            known=self.known,
        )


class Committer:
    """The one thread that commits, several verdicts at a time; a few more wait for it at most."""

    def __init__(
        self,
        journal: Journal,
        *,
        page: Callable[[Call], None],
        outbox_filled: Callable[[], None],
        courier: CourierLoop | None,
        more: Callable[[], bool],
        done: Callable[[Judged], None],
        failed: Callable[[Claim, Exception], None],
    ) -> None:
        """`more`: whether another verdict will come soon; `done` hears of what was committed, `failed` of what our fault kept from it."""
        self._journal = journal
        self._page = page
        self._outbox_filled = outbox_filled
        self._courier = courier
        self._more = more
        self._done = done
        self._failed = failed
        self._waiting: queue.Queue[Judged | None] = queue.Queue(MAX_SHARING)
        self._thread = threading.Thread(target=self._run, name="verdicts", daemon=True)

    def start(self) -> None:
        """Begin committing."""
        self._thread.start()

    def commit(self, judged: Judged) -> None:
        """Have it committed soon; waits where the database is slower than the judges."""
        self._waiting.put(judged)

    def close(self, seconds: float) -> None:
        """Commit what waits, if that takes no longer; the rest is judged after the next start."""
        end = time.monotonic() + seconds
        if not self._thread.is_alive():
            return
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=seconds)
        self._thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        going_on = True
        while going_on and (first := self._waiting.get()) is not None:
            batch, going_on = self._gathered(first)
            try:
                self._commit(batch)
            except Exception as error:  # noqa: BLE001 a fault of ours over these verdicts must not end the thread that commits all others
                self._fail(batch, error)

    def _gathered(self, first: Judged) -> tuple[list[Judged], bool]:
        """What shares the next commit, and whether there may be another; what somebody is woken for waits for nothing."""
        batch, until = [first], time.monotonic() + GATHER_SECONDS
        while len(batch) < MAX_SHARING and not batch[-1].outcome.verdict.page:
            left = until - time.monotonic() if self._more() else 0.0
            try:
                one = self._waiting.get(timeout=left) if left > 0 else self._waiting.get_nowait()
            except queue.Empty:
                break
            if one is None:
                return batch, False
            batch.append(one)
        return batch, True

    def _commit(self, batch: list[Judged]) -> None:
        """Commit; whatever goes wrong over one verdict concerns no other."""
        batch = [judged for judged in batch if self._paged(judged)]
        now = datetime.now(UTC)
        lease = self._courier.lease(now) if self._courier else None
        written = self._journal.record([one.judgement for one in batch], now=now, lease=lease)
        for judged, operation in zip(batch, written, strict=True):
            try:
                recorded = operation.outcome()
                self._hand_on(judged, recorded)
            except Exception as error:  # noqa: BLE001 as above
                self._fail([judged], error)

    def _paged(self, judged: Judged) -> bool:
        """Whether whoever must be woken over it is: before the commit, so that a crash between the two wakes him twice, not never."""
        try:
            if judged.outcome.verdict.page:
                self._page(_call(judged.claim.arrival.id, judged.outcome))
        except Exception as error:  # noqa: BLE001 a fault over this one keeps no other from being committed
            self._fail([judged], error)
            return False
        return True

    def _hand_on(self, judged: Judged, recorded: Recorded) -> None:
        if not recorded.again:
            _tell(judged.claim.arrival, recorded.outcome)
            if self._courier is not None and recorded.leased:
                self._courier.take(recorded.leased, _contents(judged.claim.arrival, judged.outcome))
            else:
                self._outbox_filled()
        self._done(judged)
        metrics.JUDGE_SECONDS.observe(time.monotonic() - judged.began)

    def _fail(self, batch: list[Judged], error: Exception) -> None:
        for judged in batch:
            if isinstance(error, StoreUnavailable):
                # the lease ends by itself: the arrival is judged again, and a repeat of `record` changes nothing
                remedy = "see the database; the message waits there"
                log.alarm("not-recorded", arrival=judged.claim.arrival.id, error=str(error), remedy=remedy)
            else:
                self._failed(judged.claim, error)


def _contents(arrival: Arrival, outcome: Outcome) -> dict[str, bytes]:
    """By their digests the bytes of all that may leave: none of it need be read from the database again."""
    ours = (*outcome.receipts, *((outcome.card,) if outcome.card else ()))
    return {arrival.sha256: arrival.content} | {hashlib.sha256(one.content).hexdigest(): one.content for one in ours}


def _tell(arrival: Arrival, outcome: Outcome) -> None:
    """Metrics and log of a committed outcome."""
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
    """Once for an arrival that is asked about again; and once more when it is proved in the end."""
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
