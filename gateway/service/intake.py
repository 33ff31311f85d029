"""Group commit: arrivals that come at the same time share one transaction, and each gets its 250 after it.

Never promises before the commit; never blocks the listener's loop while anybody else is connected.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence

from gateway import log
from gateway.errors import StoreUnavailable
from gateway.model.message import Incoming

BATCH = 64
CLOSE_SECONDS = 2.0

TakeIn = Callable[[Sequence[Incoming]], tuple[int, ...]]
_Waiting = tuple[Incoming, "asyncio.Future[int]"]


def _in_company() -> bool:
    return False


class Intake:
    """The one thread that commits arrivals; `accept` is what the listener calls at the end of DATA."""

    def __init__(self, *, take_in: TakeIn, arrived: Callable[[Sequence[Incoming]], None]) -> None:
        """`arrived` hears of each batch once it is committed, in the thread that did it."""
        self._take_in = take_in
        self._arrived = arrived
        self.alone: Callable[[], bool] = _in_company
        """Whether nobody but the sender at hand is connected: then the loop itself commits. Waking a thread, and being woken by it,
        may take longer than the commit where judges keep every processor busy."""
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    async def accept(self, incoming: Incoming) -> str:
        """The reply to the final dot, after the commit; a fault of ours raises, and the listener answers 451."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self.alone():
            self._commit([(incoming, done)])
        else:
            self._waiting.put((incoming, done))
        # the peer may leave while we commit: the commit goes on, and its repeat is recognised
        return f"250 2.0.0 Ok: accepted as {await asyncio.shield(done)}"

    def close(self) -> None:
        """Commit what waits and end the thread; nothing that was not committed got its 250."""
        self._waiting.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            open_end = True
            while len(batch) < BATCH and not self._waiting.empty():
                one = self._waiting.get()
                if one is None:
                    open_end = False
                    break
                batch.append(one)
            self._commit(batch)
            if not open_end:
                return

    def _commit(self, batch: list[_Waiting]) -> None:
        messages = [incoming for incoming, _ in batch]
        try:
            ids = self._take_in(messages)
        except StoreUnavailable as error:
            self._refuse(batch, error, remedy="see the database and the disk; senders were told 451")
        except Exception as error:  # noqa: BLE001 a fault of ours over one message must not end the thread that takes in all others
            if len(batch) == 1:
                self._refuse(batch, error, remedy="report it; the sender was told 451")
            else:
                for one in batch:
                    self._commit([one])
        else:
            for (_, done), arrival in zip(batch, ids, strict=True):
                _answer(done, arrival)
            self._arrived(messages)

    def _refuse(self, batch: list[_Waiting], error: Exception, *, remedy: str) -> None:
        what = str(error) if isinstance(error, StoreUnavailable) else type(error).__name__
        log.alarm("not-stored", error=what, count=len(batch), remedy=remedy)
        for _, done in batch:
            _answer(done, error)


def _answer(done: "asyncio.Future[int]", outcome: int | Exception) -> None:
    def tell() -> None:
        if done.done():
            return
        if isinstance(outcome, int):
            done.set_result(outcome)
        else:
            done.set_exception(outcome)

    # a loop that is closed has nobody left to tell: the gateway stopped, and no 250 was given
    with contextlib.suppress(RuntimeError):
        done.get_loop().call_soon_threadsafe(tell)
