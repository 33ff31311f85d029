"""One measurement: so many letters through one system, and what came of it; rounds go through all systems in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from .figures import percentile
from .letters import KIB, Writer
from .load import LoadFailed, Route, send_all
from .processes import Meter
from .sink import Sink, Taken

SECONDS = 60.0
"""For one run at most; afterwards it has failed."""
CHECKED = 3
"""Letters whose delivery is looked at before a system's times count."""


class System(Protocol):
    """What can be measured."""

    name: str
    slow: bool
    """So slow that one cell tells it."""
    per_letter: int
    """Mails at the sink for one letter."""
    route: Route

    @property
    def roots(self) -> set[int]:
        """Processes whose families do the work."""

    def faults(self, taken: Taken) -> str:
        """What is wrong with one mail at the sink, '' if nothing."""

    def log(self) -> str:
        """Where to look when it fails."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table: the size of the messages and how many sessions send them side by side."""

    size: int
    connections: int

    def __str__(self) -> str:
        return f"{self.size // KIB} KiB, {self.connections} conn"


SLOW_CELL = Cell(4 * KIB, 10)
CELLS = tuple(Cell(size * KIB, connections) for size in (4, 100) for connections in (1, 10, 50))


@dataclass(frozen=True, slots=True)
class Run:
    """Figures of one system in one cell in one round; times in ms, rates per second."""

    system: str
    size: int
    connections: int
    letters: int
    accept_rate: float
    full_rate: float
    accept_p50: float
    accept_p99: float
    delivery_p50: float
    delivery_p99: float
    cpu_ms: float
    peak_mib: float
    roles: dict[str, float] = field(default_factory=dict)
    """CPU time of one letter, by what the processes do."""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def check(system: System, sink: Sink, writer: Writer) -> None:
    """Raise LoadFailed unless deliveries show that the system did its work."""
    for size in sorted({cell.size for cell in CELLS}):
        letters = writer.letters(CHECKED, size=size)
        send_all(system.route, letters, connections=1, seconds=SECONDS)
        taken = sink.collect(CHECKED * system.per_letter, seconds=SECONDS)
        if len(taken) != CHECKED * system.per_letter:
            raise LoadFailed(f"{system.name}: {len(taken)} mails came out: {system.log()}")
        for fault in filter(None, map(system.faults, taken)):
            raise LoadFailed(f"{system.name}: {fault}")


def measure(system: System, cell: Cell, number: int, *, sink: Sink, writer: Writer) -> Run:
    """Send, wait until everything has come out, and count; LoadFailed where something did not."""
    letters = writer.letters(number, size=cell.size)
    with Meter(lambda: system.roots) as meter:
        try:
            began, sent = send_all(system.route, letters, connections=cell.connections, seconds=SECONDS)
        except LoadFailed as error:
            raise LoadFailed(f"{system.name}, {cell}: {error}: {system.log()}") from None
        taken = sink.collect(number * system.per_letter, seconds=SECONDS)
    if len(taken) != number * system.per_letter:
        raise LoadFailed(f"{system.name}, {cell}: {len(taken)} mails came out: {system.log()}")
    delivered = {one.field("Message-ID"): one.at for one in taken}
    accepting = [(one.accepted - one.ended) * 1000 for one in sent]
    delivering = [(delivered[one.message_id] - one.ended) * 1000 for one in sent]
    return Run(
        system=system.name,
        size=cell.size,
        connections=cell.connections,
        letters=number,
        accept_rate=number / (max(one.accepted for one in sent) - began),
        full_rate=number / (max(one.at for one in taken) - began),
        accept_p50=percentile(accepting, 0.5),
        accept_p99=percentile(accepting, 0.99),
        delivery_p50=percentile(delivering, 0.5),
        delivery_p99=percentile(delivering, 0.99),
        cpu_ms=meter.cpu_ms / number,
        peak_mib=meter.peak_mib,
        roles={role: spent / number for role, spent in meter.roles.items() if spent > 0},
    )


def interleaved(systems: Sequence[System], *, rounds: int, number: int, sink: Sink, writer: Writer) -> Iterator[Run]:
    """Every system in every cell, one after the other, and all of it again in the next round."""
    for _ in range(rounds):
        for cell in CELLS:
            for system in systems:
                wanted = letters_of(system, cell, number)
                if wanted:
                    yield measure(system, cell, wanted, sink=sink, writer=writer)


def letters_of(system: System, cell: Cell, number: int) -> int:
    """How many letters keep a run short: half as many large ones, and of a slow system a few in one cell."""
    if system.slow:
        return number // 4 if cell == SLOW_CELL else 0
    return number if cell.size == 4 * KIB else number // 2
