"""The process that takes mail in: the inward listener and its intake, nothing else. Judges nothing, sends nothing.

Started by `Reception` as `python -m gateway.service.reception_child LINK LISTENING...`. It ends with its link to the service,
however the service ended: nobody takes mail in over whom nobody watches.
"""

import asyncio
import contextlib
import gc
import pickle
import signal
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial

from gateway import log
from gateway.errors import ConfigError, GatewayError
from gateway.model.message import Incoming
from gateway.model.settings import Settings
from gateway.service.intake import Intake
from gateway.service.promptness import run_promptly
from gateway.service.reception import News, Order
from gateway.service.wire import receive
from gateway.service.wire_notes import note_wire
from gateway.store.journal import open_journal
from gateway.transport.listener import Listener, start_inward

GRACE_SECONDS = 4.0
"""For messages under way when the service stops."""


def main() -> None:
    """Take mail in until the service says stop or is gone."""
    link, *listening = (socket.socket(fileno=int(one)) for one in sys.argv[1:])
    # signals are the service's business, also where they reach the whole process group
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    log.set_up()
    # judges and their gpg are at work on every processor, and a sender waits
    run_promptly()
    _, (packed,) = receive(link)
    settings: Settings = pickle.loads(packed)  # noqa: S301 from the service, which started us
    try:
        asyncio.run(_take_in(settings, link, listening))
    except GatewayError as error:
        log.alarm("reception-failed", error=str(error), remedy="run `cp247 doctor`")
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 a fault of ours: the service starts another child
        log.alarm("reception-failed", error=log.fault(error), remedy="report it; another process takes over")
        sys.exit(1)


async def _take_in(settings: Settings, link: socket.socket, listening: Sequence[socket.socket]) -> None:
    orders, news = await asyncio.open_connection(sock=link)
    loop = asyncio.get_running_loop()

    def tell(what: News, label: str = "-", count: int = 1) -> None:
        news.write(f"{what} {label} {count}\n".encode())

    def arrived(batch: Sequence[Incoming]) -> None:
        for source, count in Counter(one.source.value for one in batch).items():
            loop.call_soon_threadsafe(tell, News.ARRIVED, source, count)

    journal = open_journal(settings.database, upgrade=False)
    intake = Intake(take_in=journal.take_in, arrived=arrived)
    note = partial(note_wire, "inbound", partial(tell, News.REFUSED))
    listener = await start_inward(settings=settings, accept=intake.accept, note=note, listening=listening)
    if journal.database.local:
        intake.alone = listener.alone
    # what is made now lives as long as the process: the collector need not look at it again and again
    gc.collect()
    gc.freeze()
    tell(News.READY)
    grace = await _obey(orders, listener)
    await listener.close(grace)
    await loop.run_in_executor(None, intake.close)
    journal.close()
    with contextlib.suppress(OSError):
        await news.drain()
        news.close()
        await news.wait_closed()


async def _obey(orders: asyncio.StreamReader, listener: Listener) -> float:
    """Seconds of grace for messages under way, once it is time to stop; none when the service is gone."""
    with contextlib.suppress(OSError):
        async for line in orders:
            if line.decode().strip() == Order.STOP:
                return GRACE_SECONDS
            _renew_certificate(listener)
    return 0.0


def _renew_certificate(listener: Listener) -> None:
    try:
        listener.reload_certificate()
    except ConfigError as error:
        log.alarm("certificate-not-reloaded", error=str(error), remedy="mend it; the old one is in use")


if __name__ == "__main__":
    main()
