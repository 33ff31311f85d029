"""`cp247 rules`: the administrator's bench. Here: check and test, which never change what judges live mail."""

import json
import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.context import Context
from gateway.cli.rules_diff import diff
from gateway.cli.rules_replay import replay, shadow
from gateway.cli.rules_versions import promote, rollback, versions
from gateway.config import read_tree
from gateway.model.verdict import RuleFiles
from gateway.triage.bench import Report, examples_of, run
from gateway.triage.ruleset import Ruleset, parse_ruleset

FOLDER = click.argument("folder", required=False, type=click.Path())
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group(short_help="Check, try and change the rules: what a mail asks.")
def rules() -> None:
    """Check the rules that say what a mail asks, try a draft on stored mail, and let it judge: by two logins, and back by one."""


for _verb in (diff, replay, shadow, promote, rollback, versions):
    rules.add_command(_verb)


@rules.command(short_help="Read the whole tree; name each mistake.")
@FOLDER
@AS_JSON
@click.pass_obj
def check(context: Context, folder: str | None, as_json: bool) -> None:
    """Read the whole rule tree in FOLDER (default: `rules` of the configuration); exit 2 with file:line:column if it is wrong."""
    _, ruleset = _ruleset(context, folder)
    summary = {"digest": ruleset.digest, "rules": len(ruleset.rules), "languages": sorted(ruleset.common_words)}
    if as_json:
        click.echo(json.dumps(summary))
        return
    click.echo(f"{summary['rules']} rules in {', '.join(ruleset.common_words)}; digest {ruleset.digest}")


@rules.command(short_help="Judge every example with these rules.")
@FOLDER
@AS_JSON
@click.pass_obj
def test(context: Context, folder: str | None, as_json: bool) -> None:
    """Judge the examples in FOLDER/examples; exit 1 if one differs from its folder or a rule is hit by none."""
    files, ruleset = _ruleset(context, folder)
    report = run(examples_of(files), ruleset=ruleset)
    if as_json:
        click.echo(json.dumps({"good": report.good, "ruleset": ruleset.digest, **asdict(report)}, ensure_ascii=False))
    else:
        _show(report)
    sys.exit(0 if report.good else 1)


def _ruleset(context: Context, folder: str | None) -> tuple[tuple[tuple[str, bytes], ...], Ruleset]:
    files = read_tree(context.settings().rules if folder is None else folder)
    return files, parse_ruleset(RuleFiles(files))


def _show(report: Report) -> None:
    console = Console(highlight=False)
    if report.differences:
        table = Table("example", "what", "expected", "found", "hits")
        for one in report.differences:
            cells = (one.path, one.what, one.expected, one.found, "\n".join(one.hits))
            table.add_row(*(escape(_printable(cell)) for cell in cells))
        console.print(table)
    for rule in report.idle:
        console.print(f"no example hits {escape(rule)}")
    if report.examples == 0:
        console.print("there are no examples; put mails into examples/<category>/")
    console.print(
        f"{report.examples} examples, {len(report.differences)} differ, {len(report.idle)} rules without an example"
    )


def _printable(text: str) -> str:
    """Text for a terminal: an example may hold anything a stranger can send."""
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)
