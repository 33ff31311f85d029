"""`cp247 queue list | show | retry | release`: what waits, and why. Sends nothing itself and loses nothing."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Column, Table

from gateway.cli.context import Context
from gateway.cli.exception import permit
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.verdict_view import plain
from gateway.pipeline.notices import RELEASES
from gateway.store.journal import Queue, QueueEntry, QueueLine

JUDGEMENT = "judgement"
HUMAN = "a human"
MANY = 1000
"""What an arrival without verdict and a held answer wait for; a mail waits for the hop of its purpose."""


class Waiting(click.ParamType[tuple[Queue, int]]):
    """An id as `queue list` shows it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> tuple[Queue, int]:
        """Where it waits and its number there; a usage error for anything else."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(arrival|mail|hold)-([0-9]{1,18})", str(value))
        if found is None:
            self.fail(f"{value!r} is no id: take one from `cp247 queue list`, such as mail-12", param, context)
        return Queue(found[1]), int(found[2])


@click.group(short_help="What waits to be judged, to leave, or for a human.")
def queue() -> None:
    """What waits to be judged, to leave, or for a human."""


@queue.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="So many of the oldest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_queue(context: Context, limit: int, as_json: bool) -> None:
    """List what waits, oldest first; held answers too."""
    with opened_journal(context) as journal:
        lines = journal.queue(limit=limit)
    if as_json:
        for line in lines:
            click.echo(json.dumps(line_json(line), ensure_ascii=False))
        return
    console().print(_table(lines) if lines else "nothing waits")


@queue.command(short_help="Show one waiting thing whole.")
@click.argument("which", metavar="ID", type=Waiting())
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(context: Context, which: tuple[Queue, int], as_json: bool) -> None:
    """Show what waits under ID, from `queue list`: a mail with every answer of its hop, a held answer with what releases it."""
    with opened_journal(context) as journal:
        found = journal.queue_entry(*which)
    if found is None:
        raise _not_waiting(which)
    if as_json:
        click.echo(json.dumps(entry_json(found), ensure_ascii=False))
        return
    _show(found)


@queue.command(short_help="Try one waiting thing now.")
@click.argument("which", metavar="ID", type=Waiting())
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def retry(context: Context, which: tuple[Queue, int], as_json: bool) -> None:
    """Make the mail or arrival ID due now, whenever its next try was to be; what is being tried at this moment is left alone."""
    if which[0] is Queue.HOLD:
        raise click.BadParameter("a held answer waits for no clock; see `cp247 queue show`", param_hint="ID")
    with opened_journal(context) as journal:
        due = journal.hurry(*which, now=datetime.now(UTC))
        if not due and journal.queue_entry(*which) is None:
            raise _not_waiting(which)
    if as_json:
        click.echo(json.dumps({"id": _id(*which), "due": due}))
        return
    click.echo(f"{_id(*which)}: {'is tried now' if due else 'is being tried at this moment'}")


@queue.command(short_help="Let a held answer leave.")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it stays in the case for ever.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def release(context: Context, number: str, reason: str, as_json: bool) -> None:
    """Permit the held answer of decision NUMBER (D-XXXXXX): `cp247 exception grant` with its defaults, nothing else.

    Two people run it, each with a login of their own, neither the officer who wrote the answer. Then it leaves by itself.
    """
    with opened_journal(context) as journal:
        held = any(line.number == number.upper() for line in journal.queue(limit=MANY) if line.queue is Queue.HOLD)
    if not held:
        raise click.BadParameter("no answer is held under that number; see `cp247 queue list`", param_hint="NUMBER")
    permit(context, number, reason=reason, as_json=as_json)


def line_json(line: QueueLine) -> dict[str, Any]:
    """One waiting thing as a JSON object; later keys may be added."""
    return {
        "id": _id(line.queue, line.id),
        "waits_for": _waits_for(line),
        "since": written(line.since),
        "due_at": written(line.due_at),
        "tries": line.tries,
        "recipients": list(line.recipients),
        "case": line.case,
        "reply": line.reply,
        "number": line.number or None,
    }


def entry_json(entry: QueueEntry) -> dict[str, Any]:
    """The same with all that is known of it; later keys may be added."""
    hold = entry.hold
    return {
        **line_json(entry.line),
        "mail_from": entry.mail_from,
        "message_id": entry.message_id or None,
        "size": entry.size,
        "sha256": entry.sha256,
        "hop": entry.hop.value if entry.hop else None,
        "attempts": [{"at": written(one.at), "reply": one.reply} for one in entry.attempts],
        "rule": hold.rule if hold else None,
        "category": hold.category.value if hold else None,
        "releases": RELEASES.get(hold.rule) if hold else None,
        "paged_at": written(hold.paged_at) if hold and hold.paged_at else None,
    }


def _table(lines: tuple[QueueLine, ...]) -> Table:
    table = Table(
        Column("id", no_wrap=True),
        "waits for",
        "since",
        "due",
        "tries",
        "to",
        Column("case", no_wrap=True),
        "last answer",
        box=None,
    )
    for line in lines:
        table.add_row(
            _id(line.queue, line.id),
            _waits_for(line),
            shown(line.since),
            shown(line.due_at),
            str(line.tries),
            plain(", ".join(line.recipients)),
            line.case or "-",
            plain(line.reply),
        )
    return table


def _show(entry: QueueEntry) -> None:
    line, hold = entry.line, entry.hold
    facts = Table.grid(padding=(0, 2))
    rows = [
        ("id", _id(line.queue, line.id)),
        ("waits for", _waits_for(line)),
        ("since", shown(line.since)),
        ("given back" if hold else "due", shown(line.due_at)),
        ("tries", str(line.tries)),
        ("case", line.case or "-"),
        ("from", plain(entry.mail_from or "<>")),
        ("to", plain(", ".join(line.recipients))),
        ("hop", entry.hop.value if entry.hop else "-"),
        ("message-id", plain(entry.message_id or "-")),
        ("octets", str(entry.size)),
        ("sha256", entry.sha256),
    ]
    if hold:
        rows += [
            ("held because", plain(hold.reply)),
            ("paged", shown(hold.paged_at) if hold.paged_at else "-"),
            ("released by", RELEASES.get(hold.rule, "-")),
            ("or", f'cp247 queue release {hold.number} --reason "...", by two people'),
        ]
    for name, value in rows:
        facts.add_row(f"[dim]{name}[/]", value)
    for one in entry.attempts:
        facts.add_row(f"[dim]{shown(one.at)}[/]", plain(one.reply))
    console().print(facts)


def _waits_for(line: QueueLine) -> str:
    if line.queue is Queue.HOLD:
        return HUMAN
    return line.purpose.value if line.purpose else JUDGEMENT


def _id(queue: Queue, row_id: int) -> str:
    return f"{queue.value}-{row_id}"


def _not_waiting(which: tuple[Queue, int]) -> click.BadParameter:
    return click.BadParameter(f"{_id(*which)} does not wait; see `cp247 queue list`", param_hint="ID")
