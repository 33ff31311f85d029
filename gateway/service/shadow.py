"""Lets a draft judge beside the live set, a little later and apart: the live verdict waits for nothing and changes in nothing.

What differs is counted and kept; after a stop it goes on where it was, whichever process judged the mail.
"""

import threading

from gateway import log, metrics
from gateway.errors import GatewayError, StoreUnavailable
from gateway.model.rulebook import Difference, RulesetChange
from gateway.service.nursery import Nursery
from gateway.service.replay import Replay
from gateway.store.rulebook import Rulebook

POLL_SECONDS = 1.0
BATCH = 50


class Shadow:
    """One thread with two judges of its own."""

    def __init__(self, book: Rulebook, live: Nursery, change: RulesetChange) -> None:
        self._book = book
        self._live = live
        self._change = change
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    @property
    def change(self) -> RulesetChange:
        """The change that put the set beside the live one."""
        return self._change

    def close(self) -> None:
        """Judge no more; what is not judged yet is judged after the next start."""
        self._stopping.set()
        self._thread.join(POLL_SECONDS * 2)

    def _run(self) -> None:
        files = None
        while files is None and not self._stopping.wait(POLL_SECONDS):
            try:
                files = self._book.files(self._change.digest)
            except StoreUnavailable:
                continue
        if files is None:
            return
        try:
            with Replay(self._live, files) as replay:
                self._judge(replay)
        except Exception as error:  # noqa: BLE001 whatever befalls the shadow, live mail is judged on
            known = isinstance(error, GatewayError)
            log.alarm(
                "shadow-ended",
                error=str(error) if known else log.fault(error),
                remedy="run `cp247 rules shadow` again; live mail is judged by the live set",
            )

    def _judge(self, replay: Replay) -> None:
        while not self._stopping.is_set():
            try:
                done = self._batch(replay)
            except StoreUnavailable:
                done = 0
            if done < BATCH:
                self._stopping.wait(POLL_SECONDS)

    def _batch(self, replay: Replay) -> int:
        """How many mails were judged by both sets."""
        waiting = self._book.unshadowed(self._change, limit=BATCH)
        for number in waiting:
            if self._stopping.is_set():
                break
            stored = self._book.stored(number)
            found = None if stored is None else replay.difference(*stored)
            self._book.keep_difference(number, self._change.digest, found or Difference())
            metrics.SHADOW.labels("failed" if found is None else "different" if found.changes else "same").inc()
        return len(waiting)
