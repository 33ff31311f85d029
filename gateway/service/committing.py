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
from gateway.model.message import Arrival
from gateway.model.outcome import Outcome, Verdict
from gateway.model.settings import Receipts
from gateway.model.verdict import Category, Disposition, Reason
from gateway.service.delivering import CourierLoop
from gateway.store.journal import Claim, Journal

THREADS = 2
"""What two of them have at hand at the same time shares one transaction, and one fsync."""
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


class Committer:
    """The threads that commit; at most as many verdicts wait for them as there are threads."""

    def __init__(
        self,
        journal: Journal,
        *,
        page: Callable[[Call], None],
        outbox_filled: Callable[[], None],
        courier: CourierLoop | None,
        done: Callable[[Judged], None],
        failed: Callable[[Claim, Exception], None],
    ) -> None:
        """`done` hears of what was committed, `failed` of a verdict that could not be, through no fault of the database."""
        self._journal = journal
        self._page = page
        self._outbox_filled = outbox_filled
        self._courier = courier
        self._done = done
        self._failed = failed
        self._waiting: queue.Queue[Judged | None] = queue.Queue(THREADS)
        self._threads = [
            threading.Thread(target=self._run, name=f"verdicts-{number}", daemon=True) for number in range(THREADS)
        ]

    def start(self) -> None:
        """Begin committing."""
        for thread in self._threads:
            thread.start()

    def commit(self, judged: Judged) -> None:
        """Have it committed soon; waits where the database is slower than the judges."""
        self._waiting.put(judged)

    def close(self, seconds: float) -> None:
        """Commit what waits, if that takes no longer; the rest is judged after the next start."""
        end = time.monotonic() + seconds
        threads = [one for one in self._threads if one.is_alive()]
        with contextlib.suppress(queue.Full):
            for _ in threads:
                self._waiting.put(None, timeout=max(0.0, end - time.monotonic()))
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        while (judged := self._waiting.get()) is not None:
            self._handle(judged)

    def _handle(self, judged: Judged) -> None:
        """Commit; whatever goes wrong over one verdict ends no thread."""
        arrival = judged.claim.arrival.id
        try:
            self._commit(judged)
        except StoreUnavailable as error:
            # the lease ends by itself: the arrival is judged again, and a repeat of `record` changes nothing
            remedy = "see the database; the message waits there"
            log.alarm("not-recorded", arrival=arrival, error=str(error), remedy=remedy)
        except Exception as error:  # noqa: BLE001 a fault of ours over one verdict must not end the thread that commits all others
            self._failed(judged.claim, error)
        else:
            self._done(judged)
            metrics.JUDGE_SECONDS.observe(time.monotonic() - judged.began)

    def _commit(self, judged: Judged) -> None:
        claim, outcome = judged.claim, judged.outcome
        # before the commit: after a crash between the two somebody is woken twice, never not at all
        if outcome.verdict.page:
            self._page(_call(claim.arrival.id, outcome))
        now = datetime.now(UTC)
        recorded = self._journal.record(
            claim.arrival.id,
            outcome,
            now=now,
            per_contact_hour=judged.receipts.per_contact_hour,
            all_hour=judged.receipts.all_hour,
            retry=DEFERRALS[min(claim.tries, len(DEFERRALS)) - 1],
            lease=self._courier.lease(now) if self._courier else None,
        )
        if recorded.again:
            return
        _tell(claim.arrival, recorded.outcome)
        if self._courier is not None and recorded.leased:
            self._courier.take(recorded.leased, _contents(claim.arrival, outcome))
        else:
            self._outbox_filled()


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
