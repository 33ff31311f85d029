"""`cp247 queue list`: what waits to be judged or to leave. Changes nothing."""

import json
from typing import Any

import click
from rich.table import Column, Table

from gateway.cli.context import Context
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.verdict_view import plain
from gateway.store.journal import QueueLine

JUDGEMENT = "judgement"
"""What an arrival without verdict waits for; a mail waits for the hop of its purpose."""


@click.group()
def queue() -> None:
    """What waits to be judged or to leave."""


@queue.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="So many of the oldest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_queue(context: Context, limit: int, as_json: bool) -> None:
    """List what waits, oldest first."""
    with opened_journal(context) as journal:
        lines = journal.queue(limit=limit)
    if as_json:
        for line in lines:
            click.echo(json.dumps(line_json(line), ensure_ascii=False))
        return
    console().print(_table(lines) if lines else "nothing waits")


def line_json(line: QueueLine) -> dict[str, Any]:
    """One waiting thing as a JSON object; later keys may be added."""
    return {
        "id": line.id,
        "waits_for": _waits_for(line),
        "since": written(line.since),
        "due_at": written(line.due_at),
        "tries": line.tries,
        "recipients": list(line.recipients),
        "case": line.case,
        "reply": line.reply,
    }


def _table(lines: tuple[QueueLine, ...]) -> Table:
    table = Table(
        "id", "waits for", "since", "due", "tries", "to", Column("case", no_wrap=True), "last answer", box=None
    )
    for line in lines:
        table.add_row(
            str(line.id),
            _waits_for(line),
            shown(line.since),
            shown(line.due_at),
            str(line.tries),
            plain(", ".join(line.recipients)),
            line.case or "-",
            plain(line.reply),
        )
    return table


def _waits_for(line: QueueLine) -> str:
    return line.purpose.value if line.purpose else JUDGEMENT
