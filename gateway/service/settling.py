"""What hops have taken, written down several at a time, beside the couriers: no mail waits for the disk's word about another.

Loses nothing: what is not written down is sent again when its lease ends, with the same Message-ID.
"""

import contextlib
import queue
import threading
import time

from gateway import log
from gateway.errors import StoreUnavailable
from gateway.store.journal import Journal
from gateway.store.outbox import Sent

GATHER_SECONDS = 0.01
"""So long the first waits for others: as short as a delivery, because whatever waits here is sent twice after a crash."""


class Settling:
    """The one thread that writes them down."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: queue.SimpleQueue[Sent | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="settling", daemon=True)
        self._closed = False

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def add(self, mail: Sent) -> None:
        """Have it written down soon; at once where a delivery ended only after `close`."""
        if self._closed:
            self._write_down([mail])
        else:
            self._waiting.put(mail)

    def close(self, seconds: float) -> bool:
        """Write down what waits; whether that took no longer."""
        self._closed = True
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        going_on = True
        while going_on and (first := self._waiting.get()) is not None:
            time.sleep(GATHER_SECONDS)
            mails = [first]
            with contextlib.suppress(queue.Empty):
                while going_on:
                    mail = self._waiting.get_nowait()
                    going_on = mail is not None
                    mails += [mail] if mail is not None else []
            self._write_down(mails)

    def _write_down(self, mails: list[Sent]) -> None:
        try:
            self._journal.settle_sent(mails)
        except StoreUnavailable as error:
            _alarm(mails, str(error))
        except Exception as error:  # noqa: BLE001 a fault of ours over one mail must not end the thread that writes down all others
            if len(mails) == 1:
                _alarm(mails, log.fault(error))
                return
            for mail in mails:
                self._write_down([mail])


def _alarm(mails: list[Sent], error: str) -> None:
    for mail in mails:
        log.alarm("not-settled", message=mail.row_id, error=error)
