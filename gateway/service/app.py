"""The gateway as one process: everything wired, started in order, reloaded, shut down.

Stopping, all at once: listeners (421 to open sessions) and behind them the intake (commits what waits); judges; couriers. Then
pager and monitoring. Nothing that hangs holds it up: what was promised is in the database.
"""

import asyncio
import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from importlib.metadata import version

from gateway import log, metrics
from gateway.errors import Complaint, ConfigError, GatewayError, GpgUnavailable, StoreUnavailable
from gateway.model.settings import Settings
from gateway.service.answering import Answering
from gateway.service.delivering import CourierLoop
from gateway.service.equipment import read_equipment
from gateway.service.figures import show
from gateway.service.intake import Intake
from gateway.service.judging import JudgeLoop
from gateway.service.monitoring import Monitoring
from gateway.service.nursery import Nursery
from gateway.service.pager import Pager
from gateway.store.journal import open_journal
from gateway.transport.courier import KEPT
from gateway.transport.listener import Listener, start_inward, start_outward
from gateway.trust.gnupg_home import GnupgHome

GRACE_SECONDS = 4.0
STOP_SECONDS = 8.0
"""When the process ends, whatever still hangs (DESIGN section 5: within ten seconds)."""
AGENT_SECONDS = 1.0
MIN_FREE_BYTES = 64 << 20


class Role(StrEnum):
    """What one process does; several processes may share a database."""

    ALL = "all"
    LISTENER = "listener"
    JUDGE = "judge"
    COURIER = "courier"


class Gateway:
    """All that runs while `cp247 serve` runs."""

    def __init__(self, settings: Settings, role: Role) -> None:
        self._settings = settings
        self._role = role
        self._owner = f"{socket.gethostname()}/{role.value}/{settings.state}"
        # until we can reload, a reload that is asked for must not end us: we are reading the files anyway
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._journal = open_journal(settings.database, upgrade=True)
        self._nursery = self._first_nursery()
        self._listeners: list[Listener] = []
        self._intake: Intake | None = None
        self._answering: Answering | None = None
        self._judging: JudgeLoop | None = None
        self._couriers: CourierLoop | None = None
        self._pager = Pager(settings.page)
        self._monitoring: Monitoring | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP reads rules and keys again."""
        loop = asyncio.get_running_loop()
        stop, hang_up = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, hang_up.set)
        try:
            await loop.run_in_executor(None, self._start_workers)
            await self._listen()
            self._monitoring = self._monitored()
            # what is made now lives as long as the process: the collector need not look at it again and again
            gc.collect()
            gc.freeze()
            self._announce()
            reloading = asyncio.create_task(self._reload_when(hang_up))
            await stop.wait()
            reloading.cancel()
        finally:
            _end_after(STOP_SECONDS)
            await self._stop()

    async def _reload_when(self, hang_up: asyncio.Event) -> None:
        """One reload after the other, each with the files as they are when it begins."""
        while True:
            await hang_up.wait()
            hang_up.clear()
            await asyncio.get_running_loop().run_in_executor(None, self.reload)

    def reload(self) -> None:
        """Take rules, keys and certificate as they are on disk now, or keep what is in use if they cannot be used."""
        try:
            nursery = self._make_nursery()
        except Exception as error:  # noqa: BLE001 whatever is wrong with the new set, the old one judges on
            known = isinstance(error, GatewayError)
            log.alarm(
                "not-reloaded",
                error=str(error) if known else log.fault(error),
                remedy="mend the file and send SIGHUP again; nothing has changed",
            )
            return
        before, self._nursery = self._nursery, nursery
        for one in (self._judging, self._answering):
            if one is not None:
                one.equip(nursery)
        before.close()
        self._renew_certificate()
        log.note("reloaded", digest=nursery.equipment.digest)

    def _renew_certificate(self) -> None:
        for listener in self._listeners:
            try:
                listener.reload_certificate()
            except ConfigError as error:
                log.alarm("certificate-not-reloaded", error=str(error), remedy="mend it; the old one is in use")

    def _first_nursery(self) -> Nursery:
        """With gpg away requests are taken in, judged by DKIM alone and delivered; nothing encrypted is answered."""
        try:
            return self._make_nursery()
        except GpgUnavailable as error:
            log.alarm("gpg-unavailable", error=str(error), remedy="run `cp247 doctor`, then send SIGHUP")
            return self._make_nursery(without_gpg=True)

    def _make_nursery(self, *, without_gpg: bool = False) -> Nursery:
        _start_agent(self._settings)
        return Nursery(read_equipment(self._settings, book=self._journal.rulebook, without_gpg=without_gpg))

    def _start_workers(self) -> None:
        owner = self._owner
        self._journal.release(owner, now=datetime.now(UTC))
        if self._role in (Role.ALL, Role.COURIER):
            self._couriers = CourierLoop(self._journal, self._settings, owner=owner, page=self._pager.call)
            self._couriers.start()
        if self._role in (Role.ALL, Role.JUDGE):
            self._judging = JudgeLoop(
                self._journal,
                self._nursery,
                owner=owner,
                page=self._pager.call,
                outbox_filled=self._wake_couriers,
                courier=self._couriers,
            )
            self._judging.start()
        if self._role in (Role.ALL, Role.LISTENER):
            self._intake = Intake(take_in=self._journal.take_in, arrived=self._wake_judges)
            self._answering = Answering(self._journal, self._nursery, outbox_filled=self._wake_couriers)

    def _wake_couriers(self) -> None:
        if self._couriers is not None:
            self._couriers.wake()

    def _wake_judges(self) -> None:
        if self._judging is not None:
            self._judging.wake()

    async def _listen(self) -> None:
        if self._intake is None or self._answering is None:
            return
        with _unusable("inbound.listen"):
            accept, note = self._intake.accept, partial(_note_wire, "inbound")
            self._listeners.append(await start_inward(settings=self._settings, accept=accept, note=note))
        with _unusable("outbound.listen"):
            answer, note = self._answering.accept, partial(_note_wire, "outbound")
            self._listeners.append(await start_outward(settings=self._settings, answer=answer, note=note))

    def _monitored(self) -> Monitoring:
        with _unusable("monitoring.listen"):
            return Monitoring(self._settings.monitoring.listen, refresh=self._refresh, ready=self._ready)

    def _announce(self) -> None:
        inbound, outbound = ([*one.addresses] for one in self._listeners) if self._listeners else ([], [])
        address = self._monitoring.address if self._monitoring else ""
        ready = {"event": "ready", "inbound": inbound, "outbound": outbound, "monitoring": address, "pid": os.getpid()}
        metrics.BUILD.info({"version": version("cp247-gateway")})
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()

    def _refresh(self) -> None:
        """Bring the gauges up to date when somebody scrapes."""
        with contextlib.suppress(StoreUnavailable):
            show(self._journal.figures(), now=datetime.now(UTC))
        for dependency, up in self._ready().items():
            metrics.DEPENDENCY.labels(dependency).set(up)

    def _ready(self) -> Mapping[str, bool]:
        return {
            "database": self._database_answers(),
            "disk": self._disk_has_room(),
            "judges": self._judging is None or self._judging.alive,
            "listeners": self._role not in (Role.ALL, Role.LISTENER) or len(self._listeners) == 2,
        }

    def _database_answers(self) -> bool:
        try:
            self._journal.ping()
        except StoreUnavailable:
            return False
        return True

    def _disk_has_room(self) -> bool:
        try:
            return shutil.disk_usage(self._settings.state).free > MIN_FREE_BYTES
        except OSError:
            return False

    async def _stop(self) -> None:
        closing = asyncio.get_running_loop().run_in_executor
        _, _, idle = await asyncio.gather(
            self._stop_listening(),
            closing(None, self._judging.close if self._judging else _nothing),
            closing(None, self._couriers.close if self._couriers else _nothing),
        )
        await closing(None, self._stop_workers, idle is not False)

    async def _stop_listening(self) -> None:
        await asyncio.gather(*(listener.close(GRACE_SECONDS) for listener in self._listeners))
        for one in (self._intake, self._answering):
            if one is not None:
                await asyncio.get_running_loop().run_in_executor(None, one.close)

    def _stop_workers(self, idle: bool) -> None:
        """The rest; `idle` = no delivery is under way, so that another process may have all leases at once."""
        for one in (self._pager, self._monitoring):
            if one is not None:
                one.close()
        KEPT.close()
        self._nursery.close()
        with contextlib.suppress(StoreUnavailable):
            if idle:
                self._journal.release(self._owner, now=datetime.now(UTC))
        self._journal.close()
        with contextlib.suppress(GpgUnavailable):
            GnupgHome(self._settings.openpgp.home, timeout=AGENT_SECONDS).kill_agent()


def _nothing() -> bool:
    """Close a part that this role does not have: nothing is under way."""
    return True


def _start_agent(settings: Settings) -> None:
    """Have the agent of our own key run as a child of nobody: a judge's gpg would give it the judge's limits."""
    try:
        GnupgHome(settings.openpgp.home).start_agent()
    except GpgUnavailable as error:
        log.alarm(
            "agent-not-started", error=str(error), remedy="run `cp247 doctor`; requests are delivered all the same"
        )


@contextlib.contextmanager
def _unusable(key: str) -> Iterator[None]:
    """Name the address that is taken or not ours as the error in gateway.yaml that it is."""
    try:
        yield
    except OSError as error:
        complaint = Complaint(
            "gateway.yaml", 0, 0, key, f"cannot be used: {error.strerror}", "is another gateway running?"
        )
        raise ConfigError(complaint) from error


def _end_after(seconds: float) -> None:
    """End the process then, even if a thread still waits for a hop, a lock or a page: what it does is not lost."""

    def end() -> None:
        log.alarm("stopped-hard", seconds=seconds, remedy="none: what was under way is done after the next start")
        sys.stderr.flush()
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _note_wire(direction: str, event: str, facts: Mapping[str, object]) -> None:
    """A refusal or a fault on the wire: counted, and logged without addresses of third parties."""
    code = str(facts.get("reply", ""))[:3]
    metrics.REFUSALS.labels(direction, code or "fault").inc()
    shown = {key: value for key, value in facts.items() if key in ("peer", "error")}
    log.note(event, direction=direction, code=code, **shown)
