"""The tables: figures of every system, and ours as ratios to theirs beside what is asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from .figures import middle, ratio
from .letters import KIB
from .rounds import CELLS, SLOW_CELL, Cell, Run

POSTFIX, FILTERS, SAME_FUNCTION, OURS = "postfix", "postfix+opendkim+rspamd", "postfix+rspamd+gpg", "gateway"
Figure = Callable[[Run], float]
FOOTNOTE = (
    "The contact signs with the kind of key that gpg makes unless told otherwise; a key whose signing subkey is Ed25519 costs "
    "gpg 2 to 4 ms more. Memory that processes share counts once; what judges run is gpg."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of what is asked: a figure of ours, or its ratio to a peer's in one cell."""

    what: str
    limit: float
    at_least: bool
    found: float | None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """None where it could not be measured here."""
        if self.found is None:
            return None
        return self.found >= self.limit if self.at_least else self.found <= self.limit


CROWDED = tuple(cell for cell in CELLS if cell.connections > 1)
BESIDE: tuple[tuple[str, Figure, str, tuple[Cell, ...], float, bool], ...] = (
    ("accept rate / Postfix's", lambda run: run.accept_rate, POSTFIX, CROWDED, 0.8, True),
    ("full road / Postfix + OpenDKIM + rspamd", lambda run: run.full_rate, FILTERS, CROWDED, 0.5, True),
    ("p99 to 250 / Postfix's", lambda run: run.accept_p99, POSTFIX, CELLS, 2.0, False),
    ("full road / Postfix + rspamd + gpg filter", lambda run: run.full_rate, SAME_FUNCTION, (SLOW_CELL,), 2.0, True),
)
"""What, of which figure, beside whom, where, the limit, and whether that is the least or the most."""


def asked(runs: Sequence[Run], *, large_mib: float | None, idle_kib: float | None) -> list[Asked]:
    """What is asked of this version, with what was found."""
    lines = [
        Asked(f"{what}, {cell}", limit, least, ratio(_of(runs, OURS, cell, figure), _of(runs, peer, cell, figure)))
        for what, figure, peer, cells, limit, least in BESIDE
        for cell in cells
    ]
    lines.append(Asked("listener: extra memory for one message of 25 MiB", 110.0, False, large_mib, "MiB"))
    lines.append(Asked("listener: memory of one connection that waits", 32.0, False, idle_kib, "KiB"))
    return lines


def show(console: Console, runs: Sequence[Run], lines: Sequence[Asked]) -> None:
    """Print both tables."""
    for size in sorted({run.size for run in runs}):
        console.print(_figures([run for run in runs if run.size == size], size))
        for line in _spent([run for run in runs if run.size == size]):
            console.print(line)
    console.print(f"[dim]{FOOTNOTE}[/]")
    table = Table(title="Asked of this version", title_justify="left")
    for heading in ("", "found", "asked", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for line in lines:
        mark = {True: "[green]ok[/]", False: "[bold red]NO[/]", None: "[dim]not measured: peer absent[/]"}[line.met]
        found = "" if line.found is None else f"{line.found:.2f} {line.unit}".strip()
        table.add_row(line.what, found, f"{'>=' if line.at_least else '<='} {line.limit:g} {line.unit}".strip(), mark)
    console.print(table)


def as_json(runs: Sequence[Run], lines: Sequence[Asked]) -> dict[str, object]:
    """Every run, and what is asked, for a machine."""
    return {"runs": [run.as_json() for run in runs], "asked": [{**asdict(line), "met": line.met} for line in lines]}


def _figures(runs: Sequence[Run], size: int) -> Table:
    table = Table(title=f"{size // KIB} KiB messages, medians of rounds", title_justify="left")
    table.add_column("system", no_wrap=True)
    headings = (
        "conn",
        "accepted/s",
        "full road/s",
        "to 250 ms\np50 / p99",
        "to delivery ms\np50 / p99",
        "CPU ms\nper message",
        "peak MiB",
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    for cell in sorted({(run.connections, run.system) for run in runs}, key=lambda one: (one[0], _order(one[1]))):
        table.add_row(*_row([run for run in runs if (run.connections, run.system) == cell]))
    return table


def _spent(runs: Sequence[Run]) -> Iterator[str]:
    """For each system who spends the CPU time of one message, the largest part first."""
    for system in sorted({run.system for run in runs}, key=_order):
        ours = [run for run in runs if run.system == system]
        parts = {role: middle([run.roles.get(role, 0.0) for run in ours]) for run in ours for role in run.roles}
        largest = sorted(parts.items(), key=lambda one: -one[1])
        yield f"CPU ms per message, {system}: " + ", ".join(
            f"{role} {spent:.1f}" for role, spent in largest if spent >= 0.05
        )


def _row(runs: Sequence[Run]) -> list[str]:
    def of(figure: Figure) -> float:
        return middle([figure(run) for run in runs])

    return [
        runs[0].system,
        str(runs[0].connections),
        f"{of(lambda run: run.accept_rate):.0f}",
        f"{of(lambda run: run.full_rate):.0f}",
        f"{of(lambda run: run.accept_p50):.1f} / {of(lambda run: run.accept_p99):.1f}",
        f"{of(lambda run: run.delivery_p50):.0f} / {of(lambda run: run.delivery_p99):.0f}",
        f"{of(lambda run: run.cpu_ms):.1f}",
        f"{of(lambda run: run.peak_mib):.0f}",
    ]


def _order(system: str) -> int:
    return (POSTFIX, FILTERS, SAME_FUNCTION, OURS).index(system)


def _of(runs: Sequence[Run], system: str, cell: Cell, figure: Figure) -> list[float]:
    """One figure of a system in a cell, round by round."""
    wanted = (system, cell.size, cell.connections)
    return [figure(run) for run in runs if (run.system, run.size, run.connections) == wanted]
