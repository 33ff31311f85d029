"""The mailbox and the relay behind every system: takes all mail, keeps its header and the moment it came, nothing else."""

import asyncio
import multiprocessing
import re
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

_HELLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE\r\n250 ENHANCEDSTATUSCODES\r\n"
_REPLIES = {b"EHLO": _HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}
_END = b"\r\n.\r\n"
MAX_HEADER_BYTES = 65_536


class Taken(NamedTuple):
    """One message as it came: `at` is of the monotonic clock, which all processes of a machine share."""

    at: float
    header: bytes

    def field(self, name: str) -> str:
        """Value of the topmost field of that name, '' where there is none."""
        found = re.search(rb"(?im)^%s:[ \t]*([^\r]*(?:\r\n[ \t][^\r]*)*)" % name.encode(), self.header)
        return found[1].decode("utf-8", "replace").strip() if found else ""


class Sink:
    """The running sink; `with Sink() as sink` starts and stops its process."""

    def __enter__(self) -> "Sink":
        context = multiprocessing.get_context("spawn")
        self._link, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), daemon=True)
        self._process.start()
        other.close()
        self.port: int = self._link.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._link.send(None)
        self._process.join(10)
        self._link.close()

    def collect(self, count: int, *, seconds: float) -> list[Taken]:
        """The next `count` messages, in order of arrival; those that came where fewer do within that time."""
        self._link.send(count)
        if not self._link.poll(seconds):
            self._link.send(0)
        found: list[Taken] = self._link.recv()
        return found


class _Taking:
    """What came since it was last collected, and who waits for how much."""

    def __init__(self, link: Connection) -> None:
        self._link = link
        self.messages: list[Taken] = []
        self._wanted: int | None = None
        self.ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(link.fileno(), self._asked)

    def add(self, header: bytes) -> None:
        self.messages.append(Taken(time.monotonic(), header))
        self._answer()

    def _asked(self) -> None:
        wanted = self._link.recv()
        if wanted is None:
            self.ended.set()
            return
        if wanted == 0 and self._wanted is None:
            return  # the answer and the asker's impatience have crossed
        self._wanted = wanted
        self._answer()

    def _answer(self) -> None:
        if self._wanted is not None and len(self.messages) >= self._wanted:
            self._link.send(self.messages)
            self.messages, self._wanted = [], None


class _Session(asyncio.Protocol):
    def __init__(self, taking: _Taking) -> None:
        self._taking = taking
        self._buffer = bytearray()
        self._searched = 0
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._text() if self._in_data else self._command():
            pass

    def _command(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            return False
        verb = bytes(self._buffer[:4]).upper()
        del self._buffer[: end + 1]
        self._in_data = verb == b"DATA"
        self._transport.write(_REPLIES.get(verb, b"250 2.0.0 ok\r\n"))
        if verb == b"QUIT":
            self._transport.close()
        return True

    def _text(self) -> bool:
        end = self._buffer.find(_END, self._searched)
        if end < 0:
            self._searched = max(len(self._buffer) - len(_END), 0)
            return False
        header = bytes(self._buffer[: min(end, MAX_HEADER_BYTES)]).partition(b"\r\n\r\n")[0]
        del self._buffer[: end + len(_END)]
        self._searched, self._in_data = 0, False
        self._transport.write(b"250 2.0.0 taken\r\n")
        self._taking.add(header)
        return True


def _serve(link: Connection) -> None:
    asyncio.run(_run(link))


async def _run(link: Connection) -> None:
    taking = _Taking(link)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Session(taking), "127.0.0.1", 0, backlog=512)
    link.send(server.sockets[0].getsockname()[1])
    await taking.ended.wait()
    server.close()
