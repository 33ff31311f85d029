"""`python -m tests.eval`: judges a half of the set as live mail is judged and prints how far that is from a careful officer."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
from golden import Case, World, own_home
from rich.console import Console

from gateway.cli.demo.stub_dns import StubDns

from . import report
from .entries import LETTERS, Entry, Half, halves, read_entries
from .mails import MAILBOX, mail
from .score import Answer

ALL = "all"
PARTS = [*(one.value for one in Half), ALL]
WIDTH = 120


@click.command()
@click.option("--split", type=click.Choice(PARTS), default=Half.HELD.value, show_default=True, help="Which mails.")
@click.option("--quiet", is_flag=True, help="Only the figures, no misses.")
@click.option("--report", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write Markdown to this file.")
@click.option(
    "--letters",
    type=click.Path(exists=True, path_type=Path, file_okay=False),
    default=LETTERS,
    help="Another folder of such mails; use it with `--split all`.",
)
@click.option(
    "--mails", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write the mails there first."
)
def main(split: str, quiet: bool, file: Path | None, letters: Path, folder: Path | None) -> None:
    """Judge the mails of one half and print figures and misses."""
    entries = read_entries(letters)
    half = halves(entries)
    chosen = [one for one in entries if split in {ALL, half[one.id]}]
    if folder is not None:
        write(chosen, folder)
    answers, ruleset = judged(chosen)
    run = report.Run(answers, part=split, ruleset=ruleset, day=datetime.now(UTC).date().isoformat())
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    report.show(run, console, misses=not quiet)
    if file is not None:
        file.write_text(report.markdown(run), encoding="utf-8")


def write(entries: Iterable[Entry], folder: Path) -> None:
    """One file for each mail, for `cp247 explain --trace` and for a reader."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in entries:
        (folder / f"{one.id}.eml").write_bytes(mail(one))


def judged(entries: Iterable[Entry]) -> tuple[list[Answer], str]:
    """What the whole inward road says of each, and the digest of the rules that said it."""
    with own_home() as home, StubDns({}) as stub:
        world = World(home, stub)
        verdicts = [(entry, world.explain(_case(entry))) for entry in entries]
    digests = {verdict.ruleset for _, verdict in verdicts}
    return [Answer(entry, verdict.classification) for entry, verdict in verdicts], "".join(digests)


def _case(entry: Entry) -> Case:
    content = mail(entry)
    return Case(name=entry.id, content=content, zone={}, envelope={"rcpt_tos": [MAILBOX]}, expected={}, why=entry.note)


main()
