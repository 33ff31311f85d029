"""The service: everything wired, started in order, reloaded, shut down; the process that is the parent of all others.

Beside it run the process that takes mail in (`reception`) and the judges with their nursery. Officers' mail is taken in here.
Stopping, all at once: reception and outward listener (421 to open sessions, commits finished); judges; couriers. Then pager and
monitoring. Nothing that hangs holds it up: what was promised is in the database.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from importlib.metadata import version

from gateway import log, metrics
from gateway.errors import Complaint, ConfigError, GatewayError, GpgUnavailable, StoreUnavailable
from gateway.model.rulebook import RulesetChange
from gateway.model.settings import Settings
from gateway.service.answering import Answering
from gateway.service.counterpart import reminders_to_counterpart
from gateway.service.delivering import CourierLoop
from gateway.service.equipment import read_equipment
from gateway.service.figures import show, show_clocks
from gateway.service.holding import Holding
from gateway.service.judging import JudgeLoop
from gateway.service.live_rules import show as show_rules
from gateway.service.mode import note_mode
from gateway.service.monitoring import Monitoring
from gateway.service.nursery import Nursery
from gateway.service.pager import Pager
from gateway.service.promptness import SERVICE_NICENESS, give_way
from gateway.service.reception import Reception
from gateway.service.reminding import Reminding
from gateway.service.rule_watch import RuleWatch
from gateway.service.shadow import Shadow
from gateway.service.wire_notes import note_wire
from gateway.store.journal import open_journal
from gateway.transport.courier import KEPT
from gateway.transport.listener import Certificate, Listener, addresses_of, bind, start_outward
from gateway.triage.rule_tree import digest_of, judging
from gateway.trust.gnupg_home import GnupgHome

GRACE_SECONDS = 4.0
STOP_SECONDS = 8.0
"""When the process ends, whatever still hangs (DESIGN section 5: within ten seconds)."""
AGENT_SECONDS = 1.0
CHECKPOINT_SECONDS = 2.0
"""Often, so that each is short: the disk is the one that senders wait for."""
MIN_FREE_BYTES = 64 << 20


class Role(StrEnum):
    """What one service does; several services may share a database."""

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
        self._judging: JudgeLoop | None = None
        self._couriers: CourierLoop | None = None
        self._inbound: tuple[str, ...] = ()
        self._reception = self._started_reception() if role in (Role.ALL, Role.LISTENER) else None
        if self._reception is not None:
            # its own thread began before: it starts the next child, which does not give way
            give_way(SERVICE_NICENESS)
        self._nursery = self._first_nursery()
        self._answering: Answering | None = None
        self._outward: Listener | None = None
        self._pager = Pager(self._journal, settings.page, mailbox=settings.contact_point.mailbox, owner=self._owner)
        self._holding: Holding | None = None
        self._reminding = Reminding(
            self._journal.clocks,
            settings,
            to_counterpart=reminders_to_counterpart(settings, lambda: self._nursery.equipment),
            outbox_filled=self._wake_couriers,
        )
        self._monitoring: Monitoring | None = None
        self._reloading = threading.Lock()
        self._standby: Nursery | None = None
        self._watch = RuleWatch(
            self._journal.rulebook, prepare=self._prepare, follow=self._follow, follow_shadow=self._follow_shadow
        )
        self._shadow: Shadow | None = None

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
            self._watch.start()
            meanwhile = [asyncio.create_task(one) for one in (self._reload_when(hang_up), self._checkpoint())]
            await stop.wait()
            for one in meanwhile:
                one.cancel()
        finally:
            _end_after(STOP_SECONDS)
            await self._stop()

    async def _reload_when(self, hang_up: asyncio.Event) -> None:
        """One reload after the other, each with the files as they are when it begins."""
        while True:
            await hang_up.wait()
            hang_up.clear()
            await asyncio.get_running_loop().run_in_executor(None, self.reload)

    async def _checkpoint(self) -> None:
        """Keep the database's log short, and make room in it, here and not where mail is taken in."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                await asyncio.get_running_loop().run_in_executor(None, self._journal.database.checkpoint)
            await asyncio.sleep(CHECKPOINT_SECONDS)

    def reload(self) -> None:
        """Take rules, keys and certificate as they are on disk now, or keep what is in use if they cannot be used."""
        with self._reloading:
            self._reload()

    def _reload(self) -> None:
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
        self._equip(nursery)
        self._stand_by(None)
        if self._reception is not None:
            self._reception.renew_certificate()
        log.note("reloaded", digest=nursery.equipment.digest)

    def _equip(self, nursery: Nursery) -> None:
        """Judge with it from the next message on."""
        before, self._nursery = self._nursery, nursery
        for one in (self._judging, self._answering):
            if one is not None:
                one.equip(nursery)
        if self._shadow is not None:
            self._follow_shadow(self._shadow.change)
        self._stand_by(before)

    def _stand_by(self, nursery: Nursery | None) -> None:
        """Keep one nursery ready: of the set that was proposed last, or of the one that judged before."""
        before, self._standby = self._standby, nursery
        if before is not None and before is not self._nursery:
            before.close()

    def _prepare(self, change: RulesetChange) -> None:
        """Be ready to judge by a set that was proposed."""
        with self._reloading:
            self._stand_by(self._made_for(change.digest))

    def _made_for(self, digest: str) -> Nursery | None:
        """A nursery with that set, the one that stands by if it has it; None where it judges already or is not kept."""
        for one in (self._nursery, self._standby):
            if one is not None and digest_of(one.equipment.rules) == digest:
                return None if one is self._nursery else one
        files = self._journal.rulebook.files(digest)
        if files is None:
            return None
        return Nursery(replace(self._nursery.equipment, rules=judging(files)), parent=self._nursery)

    def _follow(self, change: RulesetChange) -> None:
        """Judge by the set that was promoted or rolled back to, whole, or go on by the one in use."""
        with self._reloading:
            nursery = self._made_for(change.digest)
            if nursery is None:
                return
            self._equip(nursery)
        show_rules(change.digest, stale=False)
        log.note("rules-taken", digest=change.digest, author=change.author)

    def _follow_shadow(self, change: RulesetChange | None) -> None:
        """Let that set judge beside the live one; None: nothing does."""
        if self._shadow is not None:
            self._shadow.close()
        judges = self._role in (Role.ALL, Role.JUDGE)
        self._shadow = Shadow(self._journal.rulebook, self._nursery, change) if judges and change else None

    def _started_reception(self) -> Reception:
        """Mail is taken in from now on, while everything else begins."""
        Certificate(self._settings.inbound.tls)  # a broken one is an error of the configuration, not of the child
        with _unusable("inbound.listen"):
            listening = bind(self._settings.inbound.listen)
        self._inbound = addresses_of(listening)
        return Reception(self._settings, listening, arrived=self._wake_judges)

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
        self._pager.start()
        self._reminding.start()
        if self._role in (Role.ALL, Role.COURIER):
            self._couriers = CourierLoop(self._journal, self._settings, owner=owner)
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
        if self._reception is not None:
            note_mode(self._journal, self._settings, now=datetime.now(UTC))
            self._answering = Answering(self._journal, self._nursery, outbox_filled=self._wake_couriers)
            self._holding = Holding(
                self._journal,
                self._answering,
                self._settings,
                page=self._pager.call,
                outbox_filled=self._wake_couriers,
            )
            self._holding.start()
            self._reception.wait()

    def _wake_couriers(self) -> None:
        if self._couriers is not None:
            self._couriers.wake()

    def _wake_judges(self) -> None:
        if self._judging is not None:
            self._judging.wake()

    async def _listen(self) -> None:
        if self._answering is None:
            return
        with _unusable("outbound.listen"):
            note = partial(note_wire, "outbound", _count_refusal)
            answer = self._answering.accept
            self._outward = await start_outward(settings=self._settings, answer=answer, note=note)

    def _monitored(self) -> Monitoring:
        with _unusable("monitoring.listen"):
            return Monitoring(self._settings.monitoring.listen, refresh=self._refresh, ready=self._ready)

    def _announce(self) -> None:
        outbound = self._outward.addresses if self._outward else ()
        address = self._monitoring.address if self._monitoring else ""
        ready = {
            "event": "ready",
            "inbound": self._inbound,
            "outbound": outbound,
            "monitoring": address,
            "pid": os.getpid(),
        }
        metrics.BUILD.info({"version": version("cp247-gateway")})
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()

    def _refresh(self) -> None:
        """Bring the gauges up to date when somebody scrapes."""
        with contextlib.suppress(StoreUnavailable):
            now = datetime.now(UTC)
            show(self._journal.figures(), now=now)
            show_clocks(self._journal.clocks.figures(now), now=now)
            metrics.RECEIPTS_WITHHELD.set(self._journal.withheld.count(now=now))
            metrics.EXCEPTIONS.set(len(self._journal.waived(self._settings.contact_point.mailbox, now=now)))
        for dependency, up in self._ready().items():
            metrics.DEPENDENCY.labels(dependency).set(up)

    def _ready(self) -> Mapping[str, bool]:
        return {
            "database": self._database_answers(),
            "disk": self._disk_has_room(),
            "judges": self._judging is None or self._judging.alive,
            "listeners": self._reception is None or (self._reception.alive and self._outward is not None),
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
        *_, idle = await asyncio.gather(
            self._stop_answering(),
            _closed(self._reception.close if self._reception else None),
            _closed(self._judging.close if self._judging else None),
            _closed(self._couriers.close if self._couriers else None),
        )
        await asyncio.get_running_loop().run_in_executor(None, self._stop_workers, idle is not False)

    async def _stop_answering(self) -> None:
        if self._outward is not None:
            await self._outward.close(GRACE_SECONDS)
        await _closed(self._holding.close if self._holding else None)
        await _closed(self._answering.close if self._answering else None)

    def _stop_workers(self, idle: bool) -> None:
        """The rest; `idle` = no delivery is under way, so that another process may have all leases at once."""
        for one in (self._watch, self._shadow, self._reminding, self._pager, self._monitoring):
            if one is not None:
                one.close()
        KEPT.close()
        self._stand_by(None)
        self._nursery.close()
        with contextlib.suppress(StoreUnavailable):
            if idle:
                self._journal.release(self._owner, now=datetime.now(UTC))
        self._journal.close()
        with contextlib.suppress(GpgUnavailable):
            GnupgHome(self._settings.openpgp.home, timeout=AGENT_SECONDS).kill_agent()


async def _closed(close: Callable[[], bool | None] | None) -> bool | None:
    """What a part says when it is closed, in a thread; None where this role does not have it."""
    return await asyncio.get_running_loop().run_in_executor(None, close) if close is not None else None


def _count_refusal(code: str) -> None:
    metrics.REFUSALS.labels("outbound", code).inc()


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
