"""Wakes the duty officer: a command, a webhook, or both, away from the mail system; never says what a message contains.

Unverified emergencies share one page per five minutes with a count; proved ones page each (DESIGN section 3).
"""

import http.client
import json
import queue
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from gateway import log, metrics
from gateway.model.settings import Page
from gateway.model.trust import Assurance

SHARED_SECONDS = 300.0
PAGE_TIMEOUT = 10.0
TRIES = 3
CLOSE_SECONDS = 3.0

PROVED = frozenset({Assurance.LISTED, Assurance.SIGNED, Assurance.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Call:
    """One reason to wake somebody."""

    case: str
    what: str
    """emergency | judge-error | answer-failed"""
    assurance: Assurance = Assurance.NONE
    contact: str | None = None
    """Folder name: the number to call back is in the directory."""
    count: int = 1


class Pager:
    """The thread that decides what is paged, and one for each way to page: a way that hangs holds up no other. `call` returns at once."""

    def __init__(self, page: Page) -> None:
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._shared_until = 0.0
        self._withheld = 0
        commands = [Way("command", partial(_run_command, page.command))] if page.command else []
        webhooks = [Way("webhook", partial(_post, page.webhook))] if page.webhook else []
        self._ways = (*commands, *webhooks)
        self._thread = threading.Thread(target=self._run, name="pager", daemon=True)
        self._thread.start()

    def call(self, call: Call) -> None:
        """Page, or count it into the next shared page."""
        self._calls.put(call)

    def close(self) -> None:
        """Send what waits, as far as that is soon done, and end the threads."""
        self._calls.put(None)
        end = time.monotonic() + CLOSE_SECONDS
        self._thread.join(CLOSE_SECONDS)
        for way in self._ways:
            way.close(until=end)

    def _run(self) -> None:
        while True:
            call = self._take()
            if call is None:
                break
            self._ring(call)
        self._flush(end=True)

    def _take(self) -> Call | None:
        while True:
            try:
                return self._calls.get(timeout=1.0)
            except queue.Empty:
                self._flush(end=False)

    def _ring(self, call: Call) -> None:
        shared = call.what == "emergency" and call.assurance not in PROVED
        if shared and time.monotonic() < self._shared_until:
            self._withheld += 1
            return
        if shared:
            self._shared_until = time.monotonic() + SHARED_SECONDS
        self._send(call)

    def _flush(self, *, end: bool) -> None:
        if self._withheld and (end or time.monotonic() >= self._shared_until):
            count, self._withheld = self._withheld, 0
            self._shared_until = time.monotonic() + SHARED_SECONDS
            self._send(Call(case="", what="emergency", count=count))

    def _send(self, call: Call) -> None:
        log.note(
            "page",
            what=call.what,
            case=call.case,
            assurance=call.assurance.value,
            contact=call.contact,
            count=call.count,
        )
        for way in self._ways:
            way.send(call)
        if not self._ways:
            metrics.PAGES.labels("nobody").inc()


class Way:
    """One way to wake somebody and its thread: page after page, each tried a few times."""

    def __init__(self, name: str, ring: Callable[[bytes], bool]) -> None:
        self._name = name
        self._ring = ring
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"pager-{name}", daemon=True)
        self._thread.start()

    def send(self, call: Call) -> None:
        """Page when those before are done."""
        self._calls.put(call)

    def close(self, *, until: float) -> None:
        """End after what waits, at that moment of the monotonic clock at the latest."""
        self._calls.put(None)
        self._thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            if self._rung(json.dumps(asdict(call)).encode()):
                metrics.PAGES.labels("sent").inc()
                continue
            metrics.PAGES.labels("failed").inc()
            log.alarm(
                "page-failed",
                what=call.what,
                case=call.case,
                remedy=f"see page.{self._name}; telephone the duty officer",
            )

    def _rung(self, message: bytes) -> bool:
        for attempt in range(TRIES):
            time.sleep(attempt)
            if self._ring(message):
                return True
        return False


def _run_command(command: str, message: bytes) -> bool:
    try:
        return subprocess.run([command], input=message, timeout=PAGE_TIMEOUT, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _post(webhook: str, message: bytes) -> bool:
    try:
        request = urllib.request.Request(webhook, data=message, headers={"Content-Type": "application/json"})  # noqa: S310 the administrator's own address
        with urllib.request.urlopen(request, timeout=PAGE_TIMEOUT) as reply:  # noqa: S310 as above
            return bool(200 <= reply.status < 300)
    except (OSError, ValueError, http.client.HTTPException):
        return False
