"""A small SMTP and LMTP client (RFC 5321, RFC 2033): one recipient per transaction, its own reply, bytes never altered.

It never converts content, never repairs line ends, and holds each answer to a deadline. It speaks before it has its answers only
where the hop offers that (PIPELINING, RFC 2920), and the message never goes before the go-ahead.
"""

import re
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.errors import BytesDiffer, HopUnavailable
from gateway.model.outbox import Fate, HopReply

TEXT_CHARACTERS = 500
MAX_REPLY_BYTES = 65_536
RECEIVE_BYTES = 4096
SEND_BYTES = 262_144
"""Pieces of a message are put together to so much: what is small leaves at once."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete reply: the code, and all its lines without codes."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Code and last line, fit for a log and a table."""
        return f"{self.code} {self.lines[-1]}"[:TEXT_CHARACTERS]

    def settled(self) -> HopReply:
        """What it means for the recipient; HopUnavailable for a code that means nothing here."""
        fates = {2: Fate.SENT, 4: Fate.RETRY, 5: Fate.REFUSED}
        if self.code // 100 not in fates:
            raise HopUnavailable(f"unexpected reply: {self.text}")
        return HopReply(fates[self.code // 100], self.text)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds the hop has; in all less than the lease of a mail in the outbox (RFC 5321 section 4.5.3.2, shortened)."""

    connect: float = 10.0
    reply: float = 60.0
    send: float = 120.0
    """For the message as a whole, not for each piece."""
    final: float = 300.0
    """After the final dot, when the hop stores the message."""


class SmtpClient:
    """One connection to one hop, greeted."""

    def __init__(self, host: str, port: int, *, lmtp: bool, helo: str, timeouts: Timeouts) -> None:
        """Connect and say hello; HopUnavailable where the hop is not there or does not want us now."""
        self._timeouts = timeouts
        self._lmtp = lmtp
        self._buffer = b""
        try:
            self._socket = socket.create_connection((host, port), timeout=timeouts.connect)
        except OSError as error:
            raise HopUnavailable(f"{host}:{port}: {error.strerror or error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._offers = self._greet(helo)
        except BaseException:
            self.close()
            raise

    def _greet(self, helo: str) -> dict[str, str]:
        """What the hop offers, by upper-case keyword."""
        greeting = self._answer(self._timeouts.reply)
        if greeting.code != 220:
            raise HopUnavailable(f"greeted with: {greeting.text}")
        hello = self.ask(f"{'LHLO' if self._lmtp else 'EHLO'} {helo}")
        if hello.code != 250:
            raise HopUnavailable(f"hello refused: {hello.text}")
        words = [line.partition(" ") for line in hello.lines[1:]]
        return {keyword.upper(): value for keyword, _, value in words}

    def offers(self, keyword: str) -> bool:
        """Whether the hop offers that extension."""
        return keyword in self._offers

    def ask(self, command: str) -> Answer:
        """The reply to one command; HopUnavailable where the hop spoke before: its answers would be out of step."""
        return next(self.ask_all((command,)))

    def ask_all(self, commands: Sequence[str]) -> Iterator[Answer]:
        """The replies to commands that are said in one go, each as it is wanted; the same errors."""
        if not self.quiet:
            raise HopUnavailable("spoke unasked, or closed the connection")
        self._send("".join(f"{command}\r\n" for command in commands).encode(), self._timeouts.reply)
        for _ in commands:
            yield self._answer(self._timeouts.reply)

    def send_message(self, chunks: Iterator[bytes]) -> Answer:
        """The final reply to the message, sent exactly but for dot-stuffing; BytesDiffer where SMTP cannot carry it so."""
        deadline = time.monotonic() + self._timeouts.send
        unsent = b""
        for piece in stuffed(chunks):
            if len(unsent) + len(piece) > SEND_BYTES:
                self._send(unsent, deadline - time.monotonic())
                unsent = b""
            unsent += piece
        self._send(unsent, deadline - time.monotonic())
        return self._answer(self._timeouts.final)

    @property
    def quiet(self) -> bool:
        """Whether the hop has said nothing beyond what was asked, and is still there."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return not self._buffer and not waiting.poll(0)

    def quit(self) -> None:
        """Take leave without waiting, and close."""
        try:
            self._send(b"QUIT\r\n", self._timeouts.connect)
        except HopUnavailable:
            return
        finally:
            self.close()

    def close(self) -> None:
        """Close at once."""
        self._socket.close()

    def _send(self, piece: bytes, seconds: float) -> None:
        try:
            self._socket.settimeout(max(seconds, 0.001))
            self._socket.sendall(piece)
        except OSError as error:
            raise HopUnavailable(f"broke off while we sent: {error.strerror or error}") from error

    def _answer(self, seconds: float) -> Answer:
        """One reply of one or more lines, whole before the deadline however slowly it drips."""
        deadline = time.monotonic() + seconds
        lines: list[str] = []
        code, taken = 0, 0
        while True:
            raw = self._line(deadline)
            taken += len(raw)
            match = _LINE.fullmatch(raw.rstrip(b"\r\n"))
            if match is None or (code and int(match[1]) != code) or taken > MAX_REPLY_BYTES:
                raise HopUnavailable(f"not a reply: {raw[:80]!a}")
            code = int(match[1])
            lines.append((match[3] or b"").decode("utf-8", "replace"))
            if match[2] != b"-":
                return Answer(code, tuple(lines))

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_REPLY_BYTES:
                raise HopUnavailable("reply without end")
            self._buffer += self._receive(deadline - time.monotonic())
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _receive(self, seconds: float) -> bytes:
        if seconds <= 0:
            raise HopUnavailable("no reply in time")
        try:
            self._socket.settimeout(seconds)
            block = self._socket.recv(RECEIVE_BYTES)
        except TimeoutError as error:
            raise HopUnavailable("no reply in time") from error
        except OSError as error:
            raise HopUnavailable(f"broke off: {error.strerror or error}") from error
        if not block:
            raise HopUnavailable("closed the connection")
        return block


def stuffed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The message as DATA carries it (RFC 5321 section 4.5.2), with its end; pieces of any size in and out.

    Raises BytesDiffer before the end where a bare CR, a bare LF or a last line without CR LF would change on the way.
    """
    held, skip = b"\r\n", 2
    for chunk in chunks:
        text = held + chunk
        keep = len(text) - (2 if text.endswith(b"\r\n") else text.endswith(b"\r"))
        piece, held = text[:keep], text[keep:]
        lines = piece.count(b"\r\n")
        if piece.count(b"\r") != lines or piece.count(b"\n") != lines:
            raise BytesDiffer("message has a bare CR or a bare LF: SMTP would change it")
        if piece:
            yield piece.replace(b"\r\n.", b"\r\n..")[skip:]
            skip = 0
    if held != b"\r\n":
        raise BytesDiffer("message does not end with CR LF: SMTP would change it")
    yield held[skip:] + b".\r\n"
