"""`cp247 rules diff`: what differs between two rule sets, in the words of their files."""

import json
import os

import click
from rich.table import Table

from gateway.cli.context import Context
from gateway.cli.journal_view import console, opened_journal
from gateway.cli.rules_folder import read_draft
from gateway.cli.verdict_view import plain
from gateway.errors import Complaint, ConfigError
from gateway.triage.rule_tree import RuleTree
from gateway.triage.ruleset import parse_tree
from gateway.triage.ruleset_diff import Change, differences


@click.command(short_help="What differs between two rule sets.")
@click.argument("sets", metavar="SET [SET]", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def diff(context: Context, sets: tuple[str, ...], as_json: bool) -> None:
    """Show rules, thresholds and items that differ. A SET is a folder or a whole digest; with one, the set that judges is compared to it."""
    if len(sets) > 2:
        raise click.UsageError("give one set or two")
    before, after = (_tree(context, one) for one in (sets if len(sets) == 2 else ("", *sets)))
    changes = differences(before, after)
    if as_json:
        lines = [{"where": one.where, "before": one.before, "after": one.after} for one in changes]
        click.echo(json.dumps({"before": before.digest, "after": after.digest, "changes": lines}))
        return
    if changes:
        console().print(_table(changes))
    click.echo(f"{len(changes)} differences  ({before.digest[:12]} -> {after.digest[:12]})")


def _tree(context: Context, name: str) -> RuleTree:
    """The set of that folder or digest, checked; '' is the one that judges. Raises ConfigError where there is none."""
    if name and os.path.isdir(name):
        return read_draft(name)[1]
    with opened_journal(context) as journal:
        active = journal.rulebook.active()
        digest = name.lower() or (active.digest if active else "")
        files = journal.rulebook.files(digest)
    if files is None:
        raise ConfigError(
            Complaint(
                name or "the live set", 0, 0, "", "is no folder, and no set of that digest is kept", "cp247 rules list"
            )
        )
    return parse_tree(files)


def _table(changes: tuple[Change, ...]) -> Table:
    table = Table("where", "before", "after", box=None, header_style="dim")
    for one in changes:
        table.add_row(plain(one.where), plain(one.before or "-"), plain(one.after or "-"))
    return table
