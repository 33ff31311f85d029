"""A real listener on a free port of loopback, in its own thread, with a desk behind it that remembers what was accepted."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gateway.model.message import Envelope, Incoming
from gateway.model.settings import ContactPoint, Dkim, Inbound, Outbound, Settings
from gateway.transport.limits import Limits
from gateway.transport.listener import Listener, start_inward, start_outward

ACCEPTED = "250 2.0.0 Accepted"


def settings(*, inbound: Inbound | None = None, outbound: Outbound | None = None, state: str = "state") -> Settings:
    """The settings of an invented contact point, on free ports."""
    return Settings(
        hostname="gw.institution.gov.example",
        contact_point=ContactPoint(
            name="24/7 Contact Point",
            country="XX",
            mailbox="247cp@institution.gov.example",
            aliases=("cybercrime@institution.gov.example",),
        ),
        dkim=Dkim(domain="institution.gov.example"),
        inbound=replace(inbound or Inbound(), listen=("127.0.0.1:0",)),
        outbound=replace(outbound or Outbound(), listen=("127.0.0.1:0",)),
        state=state,
    )


@dataclass(frozen=True)
class Taken:
    """One message as the desk behind the listener got it."""

    envelope: Envelope
    content: bytes = field(repr=False)
    incoming: Incoming | None = None


class Desk:
    """What stands behind the listener: remembers each message and answers with `reply`, which may be a function."""

    def __init__(self) -> None:
        self.reply: str | Callable[[], str] = ACCEPTED
        self.seconds = 0.0
        self.taken: list[Taken] = []
        self.notes: list[tuple[str, dict[str, object]]] = []

    async def accept(self, incoming: Incoming) -> str:
        content = b"".join(incoming.body.chunks())
        assert incoming.body.size == len(content)
        return await self._answer(Taken(incoming.envelope, content, incoming))

    async def answer(self, envelope: Envelope, content: bytes) -> str:
        return await self._answer(Taken(envelope, content))

    async def _answer(self, taken: Taken) -> str:
        await asyncio.sleep(self.seconds)
        self.taken.append(taken)
        return self.reply if isinstance(self.reply, str) else self.reply()

    def note(self, event: str, facts: object) -> None:
        self.notes.append((event, dict(facts)))  # type: ignore[call-overload]

    def refused(self) -> list[str]:
        """The replies of all refusals noted so far."""
        return [str(facts["reply"]) for event, facts in self.notes if event == "refused"]


@dataclass
class Open:
    """A listener that is open, for tests that are not asynchronous."""

    listener: Listener
    desk: Desk
    loop: asyncio.AbstractEventLoop

    @property
    def place(self) -> tuple[str, int]:
        host, _, port = self.listener.addresses[0].rpartition(":")
        return host, int(port)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(self.place, timeout=10, source_address=(source, 0))

    def close(self, grace: float = 2.0) -> None:
        asyncio.run_coroutine_threadsafe(self.listener.close(grace), self.loop).result(10)


@contextmanager
def listening(of: Settings | None = None, *, outward: bool = False, limits: Limits | None = None) -> Iterator[Open]:
    """An open listener with its desk; closed at the end."""
    ready: Future[Open] = Future()
    stop = threading.Event()

    async def serve() -> None:
        desk, used = Desk(), of or settings()
        if outward:
            listener = await start_outward(settings=used, answer=desk.answer, note=desk.note, limits=limits)
        else:
            listener = await start_inward(settings=used, accept=desk.accept, note=desk.note, limits=limits)
        ready.set_result(Open(listener, desk, asyncio.get_running_loop()))
        await asyncio.get_running_loop().run_in_executor(None, stop.wait)
        await listener.close(1.0)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(10)
    finally:
        stop.set()
        thread.join(10)
