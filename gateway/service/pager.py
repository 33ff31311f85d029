"""Wakes the duty officer: a command, a webhook, or both, away from the mail system; never says what a message contains.

Every call is in the database before anything else is done about it, and is rung until somebody was reached. Unverified
emergencies share one call per five minutes with a count, and so do mails nobody could read; proved emergencies are called
for each (DESIGN section 3).
"""

import http.client
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from gateway import log, metrics
from gateway.errors import StoreUnavailable
from gateway.model.call import Call, DueCall, Why
from gateway.model.settings import Page
from gateway.store.journal import Journal

SHARED = timedelta(minutes=5)
RING_SECONDS = 10.0
LEASE = timedelta(seconds=60)
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 30, 60))
"""When a call that reached nobody is rung again; the last for ever."""
AT_ONCE = 4
"""Calls that one way rings at the same time: one that hangs holds up no other."""
LOOK_SECONDS = 1.0
CLOSE_SECONDS = 3.0
MAX_CALLS = 1000


class Pager:
    """The thread that looks which calls are due, and the ways to ring them."""

    def __init__(self, journal: Journal, page: Page, *, mailbox: str, owner: str) -> None:
        self._journal = journal
        self._mailbox = mailbox
        self._owner = owner
        self._ways = _ways(page)
        self._shared_until: dict[Why, datetime] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pager", daemon=True)

    def start(self) -> None:
        """Begin to look; what an earlier process left is rung first."""
        self._thread.start()

    def call(self, call: Call) -> None:
        """Keep the call, then ring; with the database away it is rung once from memory, which is better than nothing."""
        try:
            self._journal.add_call(call, mailbox=self._mailbox, now=datetime.now(UTC))
        except StoreUnavailable as error:
            log.alarm("call-not-kept", error=str(error), remedy="see the database; it was rung all the same")
            self._ring((DueCall(0, call, datetime.now(UTC), 0),))
        self._wake.set()

    def close(self) -> None:
        """Ring what is due, as far as that is soon done; the rest is rung after the next start."""
        self._stopping.set()
        self._wake.set()
        end = time.monotonic() + CLOSE_SECONDS
        self._thread.join(CLOSE_SECONDS)
        for way in self._ways.values():
            way.close(until=end)

    def _run(self) -> None:
        while True:
            last = self._stopping.is_set()
            self._wake.clear()
            try:
                self._look()
            except StoreUnavailable as error:
                log.alarm("calls-not-seen", error=str(error), remedy="see the database; calls wait there")
            except Exception as error:  # noqa: BLE001 a fault of ours must not end the thread that wakes people
                log.alarm("calls-not-seen", error=log.fault(error), remedy="report it; calls wait in the database")
            if last:
                return
            self._wake.wait(LOOK_SECONDS)

    def _look(self) -> None:
        now = datetime.now(UTC)
        due = self._journal.claim_calls(limit=MAX_CALLS, owner=self._owner, now=now, lease=LEASE)
        for one in due:
            if not one.call.shared:
                self._ring((one,))
        for why in Why:
            shared = tuple(one for one in due if one.call.shared and one.call.why is why)
            if shared:
                self._ring_shared(why, shared, now)

    def _ring_shared(self, why: Why, shared: tuple[DueCall, ...], now: datetime) -> None:
        """One call with a count, five minutes after the last of its kind at the earliest."""
        until = self._shared_until.get(why) or self._journal.last_shared_call(why) + SHARED
        if now < until <= now + SHARED:
            self._journal.put_off_calls([one.id for one in shared], until=until)
            return
        self._shared_until[why] = now + SHARED
        self._ring(shared)

    def _ring(self, due: tuple[DueCall, ...]) -> None:
        call = due[0].call
        single = len(due) == 1
        said = {
            "case": call.case if single else "",
            "what": call.why.value,
            "assurance": call.assurance.value,
            "contact": call.contact if single else None,
            "count": len(due),
        }
        log.note("page", **said)
        ids = [one.id for one in due if one.id]
        Ringing(
            self._ways,
            json.dumps(said).encode(),
            failed=partial(self._failed, due[0].call),
            settle=partial(self._settle, ids, due[0]),
        ).start()

    def _failed(self, call: Call, name: str) -> None:
        metrics.PAGES.labels("failed").inc()
        remedy = f"see page.{name}; telephone the duty officer"
        log.alarm("page-failed", what=call.why.value, case=call.case, remedy=remedy)

    def _settle(self, ids: Sequence[int], first: DueCall, reached: bool) -> None:
        """Write down whether somebody was reached; if nobody was, it is rung again soon."""
        now = datetime.now(UTC)
        metrics.PAGES.labels("sent" if self._ways else "nobody").inc(1 if reached else 0)
        if first.call.shared and not reached:
            self._shared_until[first.call.why] = now
        try:
            if reached:
                self._journal.calls_reached(ids, now=now)
            else:
                self._journal.put_off_calls(ids, until=now + RETRIES[min(first.tries, len(RETRIES)) - 1])
        except StoreUnavailable as error:
            log.alarm("calls-not-seen", error=str(error), remedy="see the database; the call may be rung twice")


class Way:
    """One way to wake somebody, for several calls at once."""

    def __init__(self, name: str, ring: Callable[[bytes], bool]) -> None:
        self.name = name
        self._ring = ring
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"pager-{name}")

    def ring(self, message: bytes) -> Future[bool]:
        """Whether somebody was reached, later."""
        return self._threads.submit(self._ring, message)

    def close(self, *, until: float) -> None:
        """End after what is being rung, at that moment of the monotonic clock at the latest."""
        ending = threading.Thread(target=self._threads.shutdown, daemon=True)
        ending.start()
        ending.join(max(0.0, until - time.monotonic()))
        self._threads.shutdown(wait=False, cancel_futures=True)


class Ringing:
    """One call on all its ways: settled as soon as one way reached somebody, or the last has failed."""

    def __init__(
        self, ways: dict[str, Way], message: bytes, *, failed: Callable[[str], None], settle: Callable[[bool], None]
    ) -> None:
        self._ways = ways
        self._message = message
        self._failed = failed
        self._settle = settle
        self._open = len(ways)
        self._settled = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Ring on every way at once; without any, nobody can be reached and trying again would not help."""
        if not self._ways:
            self._settle(True)
        for name, way in self._ways.items():
            way.ring(self._message).add_done_callback(partial(self._heard, name))

    def _heard(self, name: str, future: "Future[bool]") -> None:
        if future.cancelled():
            return
        reached = future.exception() is None and future.result()
        if not reached:
            self._failed(name)
        with self._lock:
            self._open -= 1
            done = not self._settled and (reached or self._open == 0)
            self._settled = self._settled or done
        if done:
            self._settle(reached)


def _ways(page: Page) -> dict[str, Way]:
    named = {
        "command": partial(_run_command, page.command) if page.command else None,
        "webhook": partial(_post, page.webhook) if page.webhook else None,
    }
    return {name: Way(name, ring) for name, ring in named.items() if ring is not None}


def _run_command(command: str, message: bytes) -> bool:
    try:
        return subprocess.run([command], input=message, timeout=RING_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _post(webhook: str, message: bytes) -> bool:
    try:
        request = urllib.request.Request(webhook, data=message, headers={"Content-Type": "application/json"})  # noqa: S310 the administrator's own address
        with urllib.request.urlopen(request, timeout=RING_SECONDS) as reply:  # noqa: S310 as above
            return bool(200 <= reply.status < 300)
    except (OSError, ValueError, http.client.HTTPException):
        return False
