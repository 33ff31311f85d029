"""`python -m tests.bench`: the whole gateway over SMTP, beside Postfix and its filters where they are installed."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from mail_servers import Postfix, short_folder
from rich.console import Console

from . import report
from .dns import Dns
from .gateway import Gateway
from .letters import Writer
from .load import LoadFailed
from .memory import idle_connection_kib, large_message_mib
from .peers import Peer, available
from .rounds import Run, System, check, interleaved
from .sink import Sink
from .surroundings import Surroundings

WIDTH = 130
BUSY = 0.3
"""Load for each processor above which others disturb what is measured."""
PEERS: dict[str, tuple[str, ...]] = {
    report.POSTFIX: (),
    report.FILTERS: ("rspamd", "opendkim"),
    report.SAME_FUNCTION: ("rspamd",),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What every system shares while it is measured."""

    gateway: Path
    """Folder of the gateway's configuration and state."""
    peers: Path
    sink: Sink
    writer: Writer
    nameserver: str


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Every system in every cell so many times, interleaved.")
@click.option(
    "--messages", default=200, show_default=True, help="Messages of 4 KiB in one run; half as many of 100 KiB."
)
@click.option("--only", multiple=True, type=click.Choice([report.OURS, *PEERS]), help="Only this; may be repeated.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write every run to this file.")
def main(rounds: int, messages: int, only: tuple[str, ...], file: Path | None) -> None:
    """Measure the gateway beside its peers; prints figures and ratios."""
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    load = os.getloadavg()[0]
    if load > BUSY * (os.cpu_count() or 1):
        console.print(
            f"[yellow]The machine is busy (load {load:.1f}): only ratios mean something, and those little.[/]"
        )
    with _bench() as bench:
        try:
            runs = _measured(console, bench, only or (report.OURS, *PEERS), rounds=rounds, number=messages)
            ours = any(run.system == report.OURS for run in runs)
            large, idle = (
                (large_message_mib(bench.gateway), idle_connection_kib(bench.gateway)) if ours else (None, None)
            )
        except LoadFailed as error:
            raise click.ClickException(str(error)) from None
    lines = report.asked(runs, large_mib=large, idle_kib=idle)
    report.show(console, runs, lines)
    if file is not None:
        file.write_text(json.dumps(report.as_json(runs, lines), indent=1))


def _measured(console: Console, bench: Bench, names: tuple[str, ...], *, rounds: int, number: int) -> list[Run]:
    runs = []
    with ExitStack() as running:
        systems = [running.enter_context(one) for one in _systems(console, bench, names)]
        for system in systems:
            check(system, bench.sink, bench.writer)
        console.print(f"What comes out of {', '.join(one.name for one in systems)} is as it should be; now for time.")
        for run in interleaved(systems, rounds=rounds, number=number, sink=bench.sink, writer=bench.writer):
            console.print(
                f"[dim]{run.system}, {run.size // 1024} KiB, {run.connections} conn: "
                f"{run.accept_rate:.0f} accepted/s, {run.full_rate:.0f} full road/s[/]"
            )
            runs.append(run)
    return runs


def _systems(console: Console, bench: Bench, names: tuple[str, ...]) -> Iterator[System]:
    """The systems that can run here, each said where it cannot."""
    around = Surroundings(bench.sink.port, bench.nameserver, bench.writer.dkim_key)
    if report.OURS in names:
        yield Gateway(bench.gateway, public_key=bench.writer.public_key, around=around)
    for name, filters in PEERS.items():
        missing = [] if Postfix.available() else ["postfix (as root)"]
        missing += [one for one in filters if not available(one)]
        if name in names and missing:
            console.print(f"[yellow]{name} is absent: no {', no '.join(missing)} here[/]")
        elif name in names:
            key = bench.writer.public_key if name == report.SAME_FUNCTION else b""
            yield Peer(name, bench.peers, around=around, filters=filters, key=key)


@contextmanager
def _bench() -> Iterator[Bench]:
    folder = short_folder("be.")
    folder.chmod(0o755)
    with ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        writer = Writer(folder / "asking")
        running.callback(writer.close)
        sink = running.enter_context(Sink())
        dns = running.enter_context(Dns(writer.zone))
        yield Bench(folder / "gateway", folder / "peers", sink, writer, dns.nameserver)


if __name__ == "__main__":
    main()
