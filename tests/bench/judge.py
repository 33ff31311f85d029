"""`python -m tests.bench.judge`: what one judge needs for one message, stage by stage; no peers, no load, one process.

Every message is a DKIM- and PGP/MIME-signed preservation request of a known contact point, answered with a signed receipt.
"""

import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from statistics import median

import click
from mail_servers import short_folder
from rich.console import Console
from rich.table import Table

from gateway.config import load_settings
from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.case import make_reference
from gateway.model.message import Arrival, Envelope
from gateway.model.outcome import Facts, Outcome
from gateway.model.verdict import Level
from gateway.pipeline.inward import inward
from gateway.pipeline.tools import Tools
from gateway.service.equipment import Equipment, read_equipment
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery
from gateway.service.tools import make_tools
from gateway.triage.classify import classify
from gateway.trust.gnupg_home import GnupgHome

from .dns import Dns
from .gateway import Gateway
from .letters import ASKING, KIB, OURS, Writer
from .surroundings import Surroundings

SIZES = (4 * KIB, 100 * KIB)
SECONDS = 30.0
"""For one message, before its judge counts as defeated."""

Stage = Callable[[Arrival], object]


@dataclass(frozen=True, slots=True)
class Place:
    """One judge's tools, a judge of its own process, and who writes."""

    equipment: Equipment
    tools: Tools
    judge: Judge
    writer: Writer


@click.command()
@click.option("--messages", default=200, show_default=True, help="Messages of each size in each stage.")
def main(messages: int) -> None:
    """Print the milliseconds each stage of one judgement takes, as medians."""
    numbers = count(1)
    with _place() as place:
        figures = {}
        for size in SIZES:
            arrivals = [_arrival(one.content, next(numbers)) for one in place.writer.letters(messages, size=size)]
            _check(place, arrivals[0])
            figures[size] = {name: _milliseconds(stage, arrivals) for name, stage in _stages(place)}
        _show(Console(highlight=False), figures)


def _stages(place: Place) -> Iterator[tuple[str, Stage]]:
    """What to call for each line of the table; the last two contain all others."""
    tools = place.tools
    contact = next(iter(tools.contacts.values()))
    text = b"Content-Type: text/plain\r\n\r\n" + b"Your request has been received and has a reference.\r\n" * 20
    yield "parse: scan, second and third reader", lambda one: parse(one.content)
    yield "SPF, DKIM, DMARC, ARC", lambda one: tools.check(parse(one.content), one.envelope, one.received_at)
    yield "OpenPGP verified", lambda one: tools.unseal(parse(one.content), contact, one.received_at)
    yield "words read", lambda one: read(parse(one.content))
    yield "classified", lambda one: _classified(one, tools)
    yield "receipt signed, OpenPGP", lambda _: tools.seal.sign(text)
    yield "receipt signed, DKIM", lambda one: tools.seal.dkim_field(text, at=one.received_at)
    yield "whole road (inward)", lambda one: inward(one, _facts(one, place.equipment), tools)
    yield "a judge's process, asked and answered", lambda one: _judged(one, place)


def _classified(arrival: Arrival, tools: Tools) -> object:
    return classify(
        read(parse(arrival.content)),
        ruleset=tools.ruleset,
        kind=None,
        own_addresses=tools.settings.mailboxes,
        sender_domain=ASKING.domain,
        encrypted=False,
    )


def _judged(arrival: Arrival, place: Place) -> Outcome:
    return place.judge.judge(arrival, _facts(arrival, place.equipment), seconds=SECONDS)


def _check(place: Place, arrival: Arrival) -> None:
    """A figure of a message that is not proved, or not answered, would be a figure of something else."""
    outcome = _judged(arrival, place)
    if outcome.verdict.assurance != "signed" or outcome.verdict.receipt.level is not Level.FULL:
        raise click.ClickException(f"the message was not judged as it should be: {outcome.verdict}")


def _milliseconds(stage: Stage, arrivals: Sequence[Arrival]) -> tuple[float, float]:
    for arrival in arrivals[: max(1, len(arrivals) // 10)]:
        stage(arrival)
    times, cpu = [], _cpu()
    for arrival in arrivals:
        start = time.perf_counter()
        stage(arrival)
        times.append(time.perf_counter() - start)
    return median(times) * 1000, (_cpu() - cpu) / len(arrivals) * 1000


def _cpu() -> float:
    """Seconds this process and the gpg it waited for have computed; not those of an agent or of another judge."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _arrival(content: bytes, number: int) -> Arrival:
    envelope = Envelope(ASKING.mailbox, (OURS,), peer=ASKING.address, helo=f"mail.{ASKING.domain}")
    digest = sha256(content).hexdigest()
    return Arrival(number, OURS, datetime.now(UTC), envelope, content, digest, number=number)


def _facts(arrival: Arrival, equipment: Equipment) -> Facts:
    reference = make_reference(equipment.secret, arrival.received_at.year, arrival.number)
    return Facts(reference=reference, final=True)


def _show(console: Console, figures: dict[int, dict[str, tuple[float, float]]]) -> None:
    table = Table(title="One message, one judge: ms, median by the clock / mean of CPU", title_justify="left")
    table.add_column("stage (most with a parse of their own)", no_wrap=True)
    for size in figures:
        table.add_column(f"{size // KIB} KiB", justify="right", no_wrap=True)
    for name in figures[SIZES[0]]:
        table.add_row(name, *(f"{found[name][0]:.2f} / {found[name][1]:.2f}" for found in figures.values()))
    console.print(table)
    console.print(f"[dim]load of the machine: {os.getloadavg()[0]:.1f}[/]")


@contextmanager
def _place() -> Iterator[Place]:
    folder = short_folder("be.")
    with ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        writer = Writer(folder / "asking")
        running.callback(writer.close)
        dns = running.enter_context(Dns(writer.zone))
        equipment = _equipment(folder / "gateway", writer, dns)
        home = GnupgHome(equipment.settings.openpgp.home)
        home.start_agent()
        running.callback(home.kill_agent)
        nursery = Nursery(equipment)
        running.callback(nursery.close)
        judge = Judge(nursery)
        running.callback(judge.kill)
        yield Place(equipment, make_tools(equipment), judge, writer)


def _equipment(folder: Path, writer: Writer, dns: Dns) -> Equipment:
    """What the service would read of a gateway with one enrolled contact."""
    Gateway(folder, public_key=writer.public_key, around=Surroundings(25, dns.nameserver, writer.dkim_key))
    settings = load_settings(str(folder / "gateway.yaml"))
    return read_equipment(settings)


if __name__ == "__main__":
    main()
