"""`cp247 demo`: a whole gateway in a temporary folder, two invented contact points, and what happens to their mail."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import click
from rich.console import Console
from ruamel.yaml import YAML

from gateway.cli.demo.foreign import Foreign, Identity
from gateway.cli.demo.stage import Stage
from gateway.cli.demo.story import SCENES, tell
from gateway.cli.demo.stub_dns import StubDns, Value

BORDURIA = Identity(
    id="bx-police",
    name="24/7 Contact Point, Police of Borduria",
    country="BX",
    mailbox="247cp@police.gov.borduria.example",
    address="192.0.2.10",
    phone="+000 1 111 111",
    languages=("en", "fr"),
)
SAN_THEODOROS = Identity(
    id="sx-fiscalia",
    name="Punto de Contacto 24/7, San Theodoros",
    country="SX",
    mailbox="247cp@fiscalia.gov.santheodoros.example",
    address="198.51.100.20",
    phone="+000 2 222 222",
    languages=("es", "en"),
)
OURS = "247cp@institution.gov.syldavia.example"


@click.command(short_help="Show the main job, mail by mail, in a minute.")
@click.option("--keep", is_flag=True, help="Keep the temporary folder and say where it is.")
def demo(keep: bool) -> None:
    """Show the main job, message by message; exit 0 only if all of it went as it should."""
    console = Console(highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="cp247-demo-"))
    try:
        good = _perform(console, folder)
    finally:
        if keep:
            console.print(f"Everything is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if good else 1)


def _perform(console: Console, folder: Path) -> bool:
    console.print(
        "[bold]A gateway in a temporary folder[/], its DNS, and two invented contact points. One moment: keys are made.\n"
    )
    foreigners = [Foreign(identity, folder / identity.id) for identity in (BORDURIA, SAN_THEODOROS)]
    try:
        zone: dict[str, Sequence[str | Mapping[str, Value]]] = {}
        for one in foreigners:
            zone |= one.zone
        with StubDns(zone) as dns, _running(folder / "gateway", foreigners, dns.nameserver) as stage:
            good = [tell(console, number, scene, stage) for number, scene in enumerate(SCENES, start=1)]
            _ending(console, all(good))
        return all(good)
    finally:
        for one in foreigners:
            one.close()


@contextmanager
def _running(folder: Path, foreigners: list[Foreign], nameserver: str) -> Iterator[Stage]:
    """The gateway as its operator would start it: init, enrol, serve."""
    cp247 = [sys.executable, "-m", "gateway.cli.main"]
    subprocess.run(
        [*cp247, "init", str(folder), "--mailbox", OURS, "--name", "24/7 Contact Point of Syldavia"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    _configure(folder / "gateway.yaml", nameserver)
    for one in foreigners:
        key = folder.parent / one.identity.id / "public.asc"
        key.write_bytes(one.public_key)
        _enrol(cp247, folder, one.identity, key)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [*cp247, "--config", str(folder / "gateway.yaml"), "serve"], stdout=subprocess.PIPE, stderr=log
        )
    try:
        ready = json.loads((process.stdout.readline() if process.stdout else b"") or b"{}")
        yield Stage(folder=folder, ready=ready, foreigners={one.identity.id: one for one in foreigners}, mailbox=OURS)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)


def _configure(path: Path, nameserver: str) -> None:
    """Free ports, our own DNS, and a Postfix in front that tells the address of its client by XFORWARD."""
    yaml = YAML(typ="rt")
    document = yaml.load(path.read_text(encoding="utf-8"))
    document["inbound"] = {"listen": ["127.0.0.1:0"], "trusted_peers": ["127.0.0.0/8"]}
    document["outbound"] = {"listen": ["127.0.0.1:0"]}
    document["monitoring"] = {"listen": "127.0.0.1:0"}
    document["dns"] = {"nameservers": [nameserver], "timeout": 2}
    document["receipts"] = {"languages": ["en", "fr", "es"]}
    written = StringIO()
    yaml.dump(document, written)
    path.write_text(written.getvalue(), encoding="utf-8")


def _enrol(cp247: list[str], folder: Path, identity: Identity, key: Path) -> None:
    """Pin the counterpart's key, as an administrator does after a telephone call."""
    facts = {
        "--name": identity.name,
        "--country": identity.country,
        "--folder": identity.id,
        "--phone": identity.phone,
        "--verified-how": "telephone call, in this story",
        "--enrolled-by": "demo",
    }
    options = [word for pair in facts.items() for word in pair]
    command = [*cp247, "--config", str(folder / "gateway.yaml"), "keys", "add", identity.mailbox, str(key), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _ending(console: Console, good: bool) -> None:
    console.rule()
    if good:
        console.print("[bold green]All of it went as it should.[/]\n")
    else:
        console.print("[bold red]Something did not go as it should: see the lines marked NO.[/]\n")
    console.print("Where to look next:")
    console.print("  cp247 init DIR && cp247 serve --config DIR/gateway.yaml   your own gateway")
    console.print("  cp247 explain FILE.eml      any message, judged without touching anything")
    console.print("  cp247 cases list            what came in; cp247 queue list: what waits")
    console.print("  README.md                   ten minutes to a running gateway; deploy/README.md: behind Postfix")
