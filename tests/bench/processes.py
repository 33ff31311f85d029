"""What a system of processes costs: CPU time with all its ended children, and resident memory, read from /proc."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TICK_MS = 1000.0 / os.sysconf("SC_CLK_TCK")
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
SAMPLE_SECONDS = 0.2


class Process(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    own_ms: float
    children_ms: float
    """CPU time of children that have ended and were waited for."""
    rss_mib: float

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
        found[int(name)] = Process(int(name), int(words[1]), own, children, int(words[21]) * PAGE_MIB)
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


def memory_kib(pid: int, name: str) -> int:
    """One memory figure of a process: VmRSS now, VmHWM at its highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


class Meter:
    """CPU time and peak memory of one system between entering and leaving."""

    def __init__(self, roots: Callable[[], set[int]]) -> None:
        self._roots = roots
        self.cpu_ms = 0.0
        self.peak_mib = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter")

    def __enter__(self) -> "Meter":
        self._now = self._family()
        self._began = sum(one.cpu_ms for one in self._now.values())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._sample()
        self.cpu_ms += sum(one.cpu_ms for one in self._now.values()) - self._began

    def _family(self) -> dict[int, Process]:
        return {one.pid: one for one in family(self._roots(), table())}

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        before, self._now = self._now, self._family()
        self.peak_mib = max(self.peak_mib, sum(one.rss_mib for one in self._now.values()))
        # A child nobody waits for takes its time with it: what its parent did not get is added here.
        for pid in before.keys() - self._now.keys():
            gone = before[pid]
            parent, parent_now = before.get(gone.parent), self._now.get(gone.parent)
            if not parent or not parent_now or parent_now.children_ms - parent.children_ms < gone.cpu_ms:
                self.cpu_ms += gone.cpu_ms
