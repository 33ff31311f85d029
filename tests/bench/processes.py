"""What a system of processes costs: CPU time by what the processes do, with all their ended children, and memory, read from /proc."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TICK_MS = 1000.0 / os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.2
MEMORY_SECONDS = 1.0
"""The kernel walks every page for this figure: more often it would disturb what is measured."""
ROLES = {b"gateway.service.nursery": "judges", b"reception_child": "reception", b"gateway.cli.main": "service"}
"""By a word of its command line what a process does; others are called as their program is."""


class Process(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    own_ms: float
    children_ms: float
    """CPU time of children that have ended and were waited for."""

    @property
    def cpu_ms(self) -> float:
        """All CPU time that is written down under this process."""
        return self.own_ms + self.children_ms


def table() -> dict[int, Process]:
    """All processes at this moment."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/stat").read_bytes().rpartition(b") ")[2].split()
        except OSError:
            continue
        own, children = (sum(map(int, words[start : start + 2])) * TICK_MS for start in (11, 13))
        found[int(name)] = Process(int(name), int(words[1]), own, children)
    return found


def family(roots: set[int], processes: dict[int, Process]) -> list[Process]:
    """The roots and all who descend from them."""
    members = set(roots)
    while more := {one.pid for one in processes.values() if one.parent in members} - members:
        members |= more
    return [processes[pid] for pid in members if pid in processes]


def daemons_of(folder: Path) -> set[int]:
    """Processes that left their parent and name the folder in their command line, as gpg-agent does."""
    wanted, found = str(folder).encode(), set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue
        if b"gpg-agent" in command and wanted in command:
            found.add(int(name))
    return found


def reception_of(service: int) -> int:
    """The child of a service that takes mail in."""
    children = [one.pid for one in family({service}, table()) if one.pid != service]
    return next(pid for pid in children if b"reception_child" in Path(f"/proc/{pid}/cmdline").read_bytes())


def role_of(pid: int) -> str:
    """What a process does, '' if it is gone."""
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        named = next((role for word, role in ROLES.items() if word in command), None)
        return named or Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def shared_out_mib(processes: Iterable[int]) -> float:
    """Memory of these processes together: what several share counts once (Pss, proc(5)); 0 where we may not look."""
    total = 0
    for pid in processes:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def memory_kib(pid: int, name: str) -> int:
    """One memory figure of a process: VmRSS now, VmHWM at its highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


class Meter:
    """CPU time and peak memory of one system between entering and leaving."""

    def __init__(self, roots: Callable[[], set[int]]) -> None:
        self._roots = roots
        self.roles: Counter[str] = Counter()
        """CPU time in ms by what the processes do; that of ended children under `run by` whoever waited for them."""
        self.peak_mib = 0.0
        self._names: dict[int, str] = {}
        self._weighed_at = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter")

    @property
    def cpu_ms(self) -> float:
        """All of it."""
        return float(sum(self.roles.values()))

    def __enter__(self) -> "Meter":
        self._now = self._family()
        self.roles.subtract(self._by_role(self._now))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._sample()
        self._weigh()
        self.roles.update(self._by_role(self._now))

    def _family(self) -> dict[int, Process]:
        found = {one.pid: one for one in family(self._roots(), table())}
        self._names |= {pid: role_of(pid) for pid in found.keys() - self._names.keys()}
        return found

    def _by_role(self, processes: Mapping[int, Process]) -> Counter[str]:
        found: Counter[str] = Counter()
        for pid, one in processes.items():
            found[self._names[pid]] += one.own_ms
            found[f"run by {self._names[pid]}"] += one.children_ms
        return found

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._sample()
            if time.monotonic() > self._weighed_at + MEMORY_SECONDS:
                self._weigh()

    def _weigh(self) -> None:
        self._weighed_at = time.monotonic()
        self.peak_mib = max(self.peak_mib, shared_out_mib(self._now))

    def _sample(self) -> None:
        before, self._now = self._now, self._family()
        # A child nobody waits for takes its time with it: what its parent did not get is added here.
        for pid in before.keys() - self._now.keys():
            gone = before[pid]
            parent, parent_now = before.get(gone.parent), self._now.get(gone.parent)
            if not parent or not parent_now or parent_now.children_ms - parent.children_ms < gone.cpu_ms:
                self.roles.update(self._by_role({pid: gone}))
