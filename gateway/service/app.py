"""The gateway as one process: everything wired, started in order, reloaded, shut down.

Order of stopping: listeners (421 to open sessions), intake (commits what waits), judges, couriers, pager, monitoring.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from importlib.metadata import version

from gateway import log, metrics
from gateway.errors import ConfigError, JudgeDefeated, StoreUnavailable
from gateway.model.message import Envelope
from gateway.model.settings import Settings
from gateway.model.verdict import RuleFiles
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

GRACE_SECONDS = 5.0
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
        self._journal = open_journal(settings.database, upgrade=True)
        self._nursery = self._make_nursery()
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
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, self.reload))
        try:
            await loop.run_in_executor(None, self._start_workers)
            await self._listen()
            self._monitoring = Monitoring(self._settings.monitoring.listen, refresh=self._refresh, ready=self._ready)
            self._announce()
            await stop.wait()
        finally:
            await self._stop()

    def reload(self) -> None:
        """Take rules and keys as they are on disk now, or keep what judges if they cannot be used."""
        try:
            nursery = self._make_nursery()
        except (ConfigError, StoreUnavailable, JudgeDefeated) as error:
            log.alarm(
                "not-reloaded", error=str(error), remedy="mend the file and send SIGHUP again; nothing has changed"
            )
            return
        before, self._nursery = self._nursery, nursery
        for one in (self._judging, self._answering):
            if one is not None:
                one.equip(nursery)
        before.close()
        log.note("reloaded", digest=nursery.equipment.digest)

    def _make_nursery(self) -> Nursery:
        def keep(digest: str, files: RuleFiles) -> None:
            self._journal.keep_ruleset(digest, files, now=datetime.now(UTC))

        equipment = read_equipment(self._settings, last_rules=self._journal.last_ruleset, keep_rules=keep)
        return Nursery(equipment)

    def _start_workers(self) -> None:
        owner = f"{socket.gethostname()}/{self._role.value}/{self._settings.state}"
        self._journal.release(owner, now=datetime.now(UTC))
        if self._role in (Role.ALL, Role.COURIER):
            self._couriers = CourierLoop(self._journal, self._settings, owner=owner, page=self._pager.call)
            self._couriers.start()
        if self._role in (Role.ALL, Role.JUDGE):
            self._judging = JudgeLoop(
                self._journal, self._nursery, owner=owner, page=self._pager.call, outbox_filled=self._wake_couriers
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
        answering = self._answering

        async def answer(envelope: Envelope, content: bytes) -> str:
            return await asyncio.get_running_loop().run_in_executor(None, answering.answer, envelope, content)

        self._listeners = [
            await start_inward(
                settings=self._settings, accept=self._intake.accept, note=partial(_note_wire, "inbound")
            ),
            await start_outward(settings=self._settings, answer=answer, note=partial(_note_wire, "outbound")),
        ]

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
            "disk": shutil.disk_usage(self._settings.state).free > MIN_FREE_BYTES,
            "judges": self._judging is None or self._judging.alive,
            "listeners": self._role not in (Role.ALL, Role.LISTENER) or len(self._listeners) == 2,
        }

    def _database_answers(self) -> bool:
        try:
            self._journal.ping()
        except StoreUnavailable:
            return False
        return True

    async def _stop(self) -> None:
        await asyncio.gather(*(listener.close(GRACE_SECONDS) for listener in self._listeners))
        await asyncio.get_running_loop().run_in_executor(None, self._stop_workers)

    def _stop_workers(self) -> None:
        for one in (self._intake, self._judging, self._answering, self._couriers, self._pager, self._monitoring):
            if one is not None:
                one.close()
        KEPT.close()
        self._nursery.close()
        self._journal.close()
        GnupgHome(self._settings.openpgp.home).kill_agent()


def _note_wire(direction: str, event: str, facts: Mapping[str, object]) -> None:
    """A refusal or a fault on the wire: counted, and logged without addresses of third parties."""
    code = str(facts.get("reply", ""))[:3]
    metrics.REFUSALS.labels(direction, code or "fault").inc()
    shown = {key: value for key, value in facts.items() if key in ("peer", "error")}
    log.note(event, direction=direction, code=code, **shown)
