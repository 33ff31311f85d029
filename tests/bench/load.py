"""The client: that many sessions side by side, one message each, as fast as the server answers; one thread, no libraries.

A new connection for every message, as from many senders. Envelope commands are pipelined (RFC 2920).
"""

import contextlib
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


class LoadFailed(Exception):
    """A server refused or dropped a message, or was too slow; nothing can be compared then."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to send; no two have the same Message-ID."""

    message_id: str
    content: bytes

    @property
    def stuffed(self) -> bytes:
        """The content as DATA carries it, with its end."""
        return self.content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


@dataclass(frozen=True, slots=True)
class Route:
    """Where letters go in, and what the client says of itself there."""

    port: int
    mail_from: str
    rcpt_to: str
    introduction: tuple[bytes, ...]
    """Commands between EHLO and MAIL, each answered by one reply: XFORWARD, or XCLIENT and EHLO again."""


@dataclass(slots=True)
class Sent:
    """When the last octet of a letter was handed over and when its 250 came (monotonic clock)."""

    message_id: str
    ended: float = 0.0
    accepted: float = 0.0


def send_all(route: Route, letters: Sequence[Letter], *, connections: int, seconds: float) -> tuple[float, list[Sent]]:
    """When the first session began, and every letter's moments; LoadFailed unless each gets its 250 in time."""
    waiting, sent = iter(letters), []
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        began = time.monotonic()
        open_sessions = sum(_next(selector, route, waiting, sent) for _ in range(connections))
        while open_sessions:
            ready = selector.select(max(end - time.monotonic(), 0))
            if not ready:
                _close(selector)
                raise LoadFailed(f"{len(letters) - len(sent)} letters not begun and some not answered in {seconds} s")
            for key, events in ready:
                if key.data.go_on(events):
                    open_sessions -= 1
                    open_sessions += _next(selector, route, waiting, sent)
    return began, sent


def _next(selector: selectors.BaseSelector, route: Route, waiting: Iterator[Letter], sent: list[Sent]) -> bool:
    letter = next(waiting, None)
    if letter is None:
        return False
    sent.append(Sent(letter.message_id))
    _Session(selector, route, letter, sent[-1])
    return True


def _close(selector: selectors.BaseSelector) -> None:
    for key in tuple(selector.get_map().values()):
        key.data.close()


@dataclass(frozen=True, slots=True)
class _Step:
    block: bytes
    replies: int = 1
    letter: bool = False


class _Session:
    """One connection with one message; its steps are what to send and how many replies then come."""

    def __init__(self, selector: selectors.BaseSelector, route: Route, letter: Letter, sent: Sent) -> None:
        self._selector, self._sent = selector, sent
        envelope = f"MAIL FROM:<{route.mail_from}>\r\nRCPT TO:<{route.rcpt_to}>\r\nDATA\r\n".encode()
        self._steps = iter((
            _Step(b"EHLO mail.police.gov.borduria.example\r\n"),
            *(_Step(command) for command in route.introduction),
            _Step(envelope, replies=3),
            _Step(letter.stuffed, letter=True),
            _Step(b"QUIT\r\n"),
        ))  # fmt: skip
        self._step = _Step(b"")
        self._unsent = memoryview(b"")
        self._answers = b""
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.connect_ex(("127.0.0.1", route.port))
        selector.register(self._socket, selectors.EVENT_READ, self)

    def go_on(self, events: int) -> bool:
        """Take what came and send what is next; True when the session is over."""
        try:
            over = bool(events & selectors.EVENT_READ) and self._read()
            if self._unsent and not over:
                self._write()
        except OSError as error:
            raise LoadFailed(f"connection lost: {error}") from error
        return over

    def close(self) -> None:
        """Leave at once."""
        self._selector.unregister(self._socket)
        self._socket.close()

    def _read(self) -> bool:
        block = self._socket.recv(65_536)
        if not block:
            raise LoadFailed(f"connection closed after: {self._answers!r}")
        self._answers += block
        final = [line for line in self._answers.split(b"\r\n")[:-1] if line[3:4] != b"-"]
        if any(line[:1] not in b"23" for line in final):
            raise LoadFailed(f"refused: {self._answers!r}")
        return len(final) >= self._step.replies and self._proceed()

    def _proceed(self) -> bool:
        if self._step.letter:
            self._sent.accepted = time.monotonic()
        step = next(self._steps, None)
        if step is None:
            self.close()
            return True
        self._step, self._unsent, self._answers = step, memoryview(step.block), b""
        self._write()
        return False

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        if self._step.letter and not self._unsent:
            self._sent.ended = time.monotonic()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        if self._selector.get_key(self._socket).events != wanted:
            self._selector.modify(self._socket, wanted, self)
