"""Wakes the duty officer: a command, a webhook, or both, away from the mail system; never says what a message contains.

Unverified emergencies share one page per five minutes with a count; proved ones page each (DESIGN section 3).
"""

import json
import queue
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass

from gateway import log, metrics
from gateway.model.settings import Page
from gateway.model.trust import Assurance

SHARED_SECONDS = 300.0
PAGE_TIMEOUT = 30.0
TRIES = 5

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
    """The thread that pages; `call` returns at once."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._shared_until = 0.0
        self._withheld = 0
        self._thread = threading.Thread(target=self._run, name="pager")
        self._thread.start()

    def call(self, call: Call) -> None:
        """Page, or count it into the next shared page."""
        self._calls.put(call)

    def close(self) -> None:
        """Send what waits and end the thread."""
        self._calls.put(None)
        self._thread.join()

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
        message = json.dumps(asdict(call)).encode()
        ways = [way for way in (self._command, self._webhook) if way is not None]
        results = [way(message) for way in ways]
        if any(results):
            metrics.PAGES.labels("sent").inc()
        elif any(result is False for result in results):
            metrics.PAGES.labels("failed").inc()
            log.alarm(
                "page-failed",
                what=call.what,
                case=call.case,
                remedy="see page.command and page.webhook; telephone the duty officer",
            )
        else:
            metrics.PAGES.labels("nobody").inc()

    def _command(self, message: bytes) -> bool | None:
        if not self._page.command:
            return None
        try:
            return (
                subprocess.run([self._page.command], input=message, timeout=PAGE_TIMEOUT, check=False).returncode == 0
            )
        except (OSError, subprocess.TimeoutExpired):
            return False

    def _webhook(self, message: bytes) -> bool | None:
        if not self._page.webhook:
            return None
        request = urllib.request.Request(self._page.webhook, data=message, headers={"Content-Type": "application/json"})  # noqa: S310 the administrator's own address
        for attempt in range(TRIES):
            try:
                with urllib.request.urlopen(request, timeout=PAGE_TIMEOUT) as reply:  # noqa: S310 as above
                    return bool(200 <= reply.status < 300)
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(attempt)
        return False
