"""`cp247 receipts list | release`: receipts that did not leave, and a human's word that sends one after all."""

import json
from datetime import UTC, datetime

import click
from rich.table import Column, Table

from gateway.cli.context import Context
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.person import acting_person
from gateway.cli.verdict_view import plain
from gateway.service.releasing import Release
from gateway.store.withheld import WithheldReceipt

MAX_OF_CASE = 20
MINUTE = 60


@click.group(short_help="Receipts that did not leave.")
def receipts() -> None:
    """Receipts that did not leave although their sender is proved: a human decides over them."""


@receipts.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="So many of the oldest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_receipts(context: Context, limit: int, as_json: bool) -> None:
    """List withheld receipts of open cases, the oldest first, each with why it did not leave."""
    now = datetime.now(UTC)
    with opened_journal(context) as journal:
        found = journal.withheld.waiting(now=now, limit=limit)
    if as_json:
        for one in found:
            click.echo(json.dumps(_as_json(one, now), ensure_ascii=False))
        return
    console().print(_table(found, now) if found else "no withheld receipts")


@receipts.command(short_help="Send the withheld receipt of a case.")
@click.argument("reference")
@click.option("--reason", required=True, help="Why; it stays in the case for ever.")
@click.pass_obj
def release(context: Context, reference: str, reason: str) -> None:
    """Send the withheld receipt of the case REFERENCE, once, to the address whose mail was proved."""
    if not reason.strip():
        raise click.BadParameter("write why, in words", param_hint="--reason")
    now = datetime.now(UTC)
    with opened_journal(context) as journal:
        found = journal.withheld.waiting(now=now, limit=MAX_OF_CASE, reference=reference)
        if not found:
            complaint = f"no withheld receipt in {reference!r}; see `cp247 receipts list`"
            raise click.BadParameter(complaint, param_hint="REFERENCE")
        sender = Release(context.settings(), journal, by=acting_person(), reason=reason)
        for one in found:
            level = sender.send(one, now=now)
            click.echo(f"{one.case}: a {level.value} receipt leaves (was withheld: {one.why.value})")


def _as_json(one: WithheldReceipt, now: datetime) -> dict[str, object]:
    return {
        "case": one.case,
        "arrival": one.arrival_id,
        "contact": one.contact,
        "reason": one.why.value,
        "withheld_at": written(one.at),
        "age_seconds": int((now - one.at).total_seconds()),
    }


def _table(found: tuple[WithheldReceipt, ...], now: datetime) -> Table:
    table = Table(Column("case", no_wrap=True), "contact", "withheld because", "since", "minutes", box=None)
    for one in found:
        minutes = int((now - one.at).total_seconds() // MINUTE)
        table.add_row(one.case, plain(one.contact or "-"), one.why.value, shown(one.at), str(minutes))
    return table
