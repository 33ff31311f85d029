"""Supervises the process that takes mail in: starts it, hears what it does, starts it again when it dies, has it stop.

Taking in has a process of its own so that no judgement keeps a sender waiting. The service holds the listening sockets: while a
child that died is replaced, senders wait a moment, and none is turned away. What the child does: `reception_child`.
"""

import contextlib
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from gateway import log, metrics
from gateway.errors import ReceptionUnavailable
from gateway.model.settings import Settings
from gateway.service.wire import send

START_SECONDS = 60.0
CLOSE_SECONDS = 6.0
"""For the child's own grace, and the commits behind it."""
LONG_SECONDS = 60.0
PAUSES = (0.1, 0.5, 2.0, 5.0)
"""Before the next start after so many deaths in a row, none of which lived long."""


class Order(StrEnum):
    """What the service tells the child, one a line."""

    RENEW = "renew"
    """Use the certificate as it is on disk now."""
    STOP = "stop"


class News(StrEnum):
    """What the child tells the service, one a line: `WORD LABEL COUNT`."""

    READY = "ready"
    ARRIVED = "arrived"
    REFUSED = "refused"


class Reception:
    """The child at work, whichever it is by now."""

    def __init__(self, settings: Settings, listening: Sequence[socket.socket], *, arrived: Callable[[], None]) -> None:
        """Start taking mail in on sockets that listen already; `arrived` is called after each commit."""
        self._settings = settings
        self._listening = listening
        self._arrived = arrived
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._deaths = 0
        self._start_child()
        self._thread = threading.Thread(target=self._run, name="reception", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when mail is taken in; raises ReceptionUnavailable when the first child dies over its start."""
        end = time.monotonic() + START_SECONDS
        while not self._ready.wait(0.1):
            if self._deaths or time.monotonic() > end:
                raise ReceptionUnavailable("the process that takes mail in did not start: its log says why")

    @property
    def alive(self) -> bool:
        """Whether mail is taken in."""
        return self._ready.is_set()

    def renew_certificate(self) -> None:
        """Have future handshakes use the certificate as it is on disk; the child keeps the old one where it is broken."""
        self._tell(Order.RENEW)

    def close(self) -> None:
        """Take nobody new, say 421 to everybody, commit what is under way."""
        self._stopping.set()
        for one in self._listening:
            one.close()
        self._tell(Order.STOP)
        self._thread.join(CLOSE_SECONDS)
        self._process.kill()
        self._thread.join(1)

    def _tell(self, order: Order) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._link.sendall(f"{order}\n".encode())

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            self._listen_to_child()
            self._ready.clear()
            if self._stopping.is_set():
                return
            self._deaths = 1 if time.monotonic() - began > LONG_SECONDS else self._deaths + 1
            log.alarm("reception-died", tries=self._deaths, remedy="it is started again; see the kernel's log")
            self._stopping.wait(PAUSES[min(self._deaths, len(PAUSES)) - 1])
            with self._lock:
                if self._stopping.is_set():
                    return
                self._start_child()

    def _listen_to_child(self) -> None:
        """Return when it has ended."""
        with contextlib.suppress(OSError), self._link, self._link.makefile("rb") as news:
            for line in news:
                self._hear(*line.decode().split())
        self._process.wait()

    def _hear(self, what: str, label: str, count: str) -> None:
        match News(what):
            case News.READY:
                self._ready.set()
            case News.ARRIVED:
                metrics.ARRIVALS.labels(label).inc(int(count))
                self._arrived()
            case News.REFUSED:
                metrics.REFUSALS.labels("inbound", label).inc(int(count))

    def _start_child(self) -> None:
        self._link, theirs = socket.socketpair()
        with theirs:
            inherited = [theirs.fileno(), *(one.fileno() for one in self._listening)]
            command = [sys.executable, "-m", "gateway.service.reception_child", *map(str, inherited)]
            self._process = subprocess.Popen(command, pass_fds=inherited, stdin=subprocess.DEVNULL)
        with contextlib.suppress(OSError):
            send(self._link, b"settings", (pickle.dumps(self._settings),))
