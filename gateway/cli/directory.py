"""`cp247 directory`: takes the contact points from the network's own directory, and gives them out again.

Writes contact.yaml files and nothing else; changes none that is there without --yes.
"""

import json
import sys
from collections import Counter
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.context import Context
from gateway.cli.directory_file import read_entries, to_csv, to_json
from gateway.cli.directory_import import Change, State, plan_import, write_changes
from gateway.cli.verdict_view import plain
from gateway.config import read_tree
from gateway.errors import ConfigError
from gateway.trust.directory import parse_directory
from gateway.trust.gnupg_home import GnupgHome

COLOURS = {State.NEW: "green", State.CHANGED: "yellow", State.UNCHANGED: "dim", State.MISSING: "bold"}
FORMATS = {"csv": to_csv, "json": to_json}


@click.group(short_help="Import and export the contact points.")
def directory() -> None:
    """The contact points as a table: what the network keeps elsewhere, and what stands in keys/."""


@directory.command("import", short_help="Take contact points from a CSV or JSON file.")
@click.argument("file", metavar="FILE.csv|FILE.json", type=click.Path(exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Show what would happen, write nothing.")
@click.option("--yes", is_flag=True, help="Change contacts that are there already.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def import_contacts(context: Context, file: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Write the contact points of FILE into keys/; their keys are pinned by `cp247 keys add` and by nothing else.

    Exit 1, and nothing is written, if contacts would change and --yes is not said. Contacts that FILE does not have stay.
    """
    settings = context.settings()
    with open(file, "rb") as opened:
        entries = read_entries(opened.read(), file=file)
    inspect = GnupgHome(settings.openpgp.home).inspect_keys
    changes = plan_import(entries, file=file, tree=read_tree(settings.keys), inspect=inspect)
    _show(changes, as_json=as_json)
    count = Counter(one.state for one in changes)
    if dry_run:
        return
    if count[State.CHANGED] and not yes:
        click.echo(f"nothing is written: {count[State.CHANGED]} would change; look at them, then say --yes", err=True)
        sys.exit(1)
    write_changes(changes, keys=settings.keys)
    if not as_json:
        click.echo(f"{count[State.NEW]} written anew, {count[State.CHANGED]} changed in {settings.keys}")
        click.echo("A running gateway reads it after SIGHUP.")


@directory.command("export", short_help="Give out the contact points as CSV or JSON.")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), default="csv", show_default=True)
@click.pass_obj
def export_contacts(context: Context, kind: str) -> None:
    """Write every contact point to standard output, in UTF-8, as `import` reads it; exit 2 if a folder is broken."""
    settings = context.settings()
    found, complaints = parse_directory(read_tree(settings.keys), inspect=GnupgHome(settings.openpgp.home).inspect_keys)
    click.echo(FORMATS[kind](found.contacts).encode("utf-8"), nl=False)
    if complaints:
        raise ConfigError(*complaints)


def _show(changes: tuple[Change, ...], *, as_json: bool) -> None:
    if as_json:
        for one in changes:
            said = {key: value for key, value in asdict(one).items() if key != "content"}
            click.echo(json.dumps(said, ensure_ascii=False))
        return
    table = Table("contact", "state", "what", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for one in changes:
        what = [f"{column}: {old or 'nothing'} -> {new or 'nothing'}" for column, (old, new) in one.differences.items()]
        what += [f"{fingerprint} is not pinned: cp247 keys add" for fingerprint in one.unpinned]
        table.add_row(plain(one.contact), f"[{COLOURS[one.state]}]{one.state}[/]", "\n".join(map(plain, what)))
    Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200).print(table)
