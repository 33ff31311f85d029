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
    """One line of the process table; `cpu_ms` includes children that have ended."""

    pid: int
    parent: int
    cpu_ms: float
    rss_mib: float


def table() -> dict[int, Process]:
    """All processes at this moment."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/stat").read_bytes().rpartition(b") ")[2].split()
        except OSError:
            continue
        cpu = sum(map(int, words[11:15])) * TICK_MS
        found[int(name)] = Process(int(name), int(words[1]), cpu, int(words[21]) * PAGE_MIB)
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


class Meter:
    """CPU time and peak memory of one system between entering and leaving."""

    def __init__(self, roots: Callable[[], set[int]]) -> None:
        self._roots = roots
        self.cpu_ms = 0.0
        self.peak_mib = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter")

    def __enter__(self) -> "Meter":
        self._began = self._cpu()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.cpu_ms = self._cpu() - self._began

    def _cpu(self) -> float:
        return sum(one.cpu_ms for one in family(self._roots(), table()))

    def _watch(self) -> None:
        roots = self._roots()
        while True:
            resident = sum(one.rss_mib for one in family(roots, table()))
            self.peak_mib = max(self.peak_mib, resident)
            if self._done.wait(SAMPLE_SECONDS):
                return
