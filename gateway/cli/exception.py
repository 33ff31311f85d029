"""`cp247 exception grant | list | revoke`: permission for one mail that the channel refuses or holds (CHANNEL A5).

Names the operating system's login, never an option; changes no rule and frees no other mail.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import click
from rich.table import Column, Table

from gateway.cli.context import Context
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.person import acting_person
from gateway.cli.verdict_view import plain
from gateway.model.channel import Waiver
from gateway.model.hold import ChannelException, ExceptionState, Refusal
from gateway.pipeline.notices import granted_notice

DEFAULT_LIFE = timedelta(hours=2)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1)}
COLOURS = {ExceptionState.PROPOSED: "yellow", ExceptionState.ACTIVE: "bold red"}


class Life(click.ParamType[timedelta]):
    """A time such as 30m or 2h."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> timedelta:
        """The time; a usage error for anything else."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,4})([mh])", str(value))
        if found is None:
            self.fail(f"{value!r} is no time: write minutes or hours, such as 30m or 2h", param, context)
        return int(found[1]) * UNITS[found[2]]


@click.group(short_help="Let one mail pass that the channel refuses or holds.")
def exception() -> None:
    """Let one mail pass that the channel refuses or holds."""


@exception.command(short_help="Permit the mail of one decision number.")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it stays in the case for ever.")
@click.option(
    "--ttl", "life", type=Life(), default="2h", show_default=True, help="How long it may be used; at most 24h."
)
@click.option("--uses", default=1, show_default=True, type=click.IntRange(1, 10), help="How often.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def grant(context: Context, number: str, reason: str, life: timedelta, uses: int, as_json: bool) -> None:
    """Permit exactly the mail that NUMBER (D-XXXXXX, from the refusal or the notice) stands for.

    Where two people are needed, each of them runs this with a login of their own; neither may be the officer who wrote it.
    """
    permit(context, number, reason=reason, life=life, uses=uses, as_json=as_json)


def permit(
    context: Context, number: str, *, reason: str, life: timedelta = DEFAULT_LIFE, uses: int = 1, as_json: bool
) -> None:
    """Grant the exception as the person who sits here, and say what it is worth now."""
    if not reason.strip():
        raise click.BadParameter("write why, in words", param_hint="--reason")
    settings, now = context.settings(), datetime.now(UTC)
    mailbox = settings.contact_point.mailbox
    with opened_journal(context) as journal:
        made = journal.grant(
            number,
            mailbox=mailbox,
            by=acting_person(),
            reason=reason,
            life=life,
            uses=uses,
            now=now,
            notice=partial(granted_notice, at=now, settings=settings),
        )
        refusal = journal.refusal(mailbox, number)
    if as_json:
        click.echo(json.dumps(_as_json(made, refusal, now), ensure_ascii=False))
        return
    click.echo(f"{made.number}: {_said(made)}")
    if refusal is not None:
        click.echo(f"  from  {plain(refusal.sender)}\n  to    {plain(', '.join(refusal.recipients))}")


@exception.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="So many of the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_exceptions(context: Context, limit: int, as_json: bool) -> None:
    """List exceptions, the newest first, with what each stands for."""
    mailbox, now = context.settings().contact_point.mailbox, datetime.now(UTC)
    with opened_journal(context) as journal:
        found = [(one, journal.refusal(mailbox, one.number)) for one in journal.exceptions(limit=limit)]
    if as_json:
        for one, refusal in found:
            click.echo(json.dumps(_as_json(one, refusal, now), ensure_ascii=False))
        return
    console().print(_table(found, now) if found else "no exceptions")


@exception.command()
@click.argument("number")
@click.pass_obj
def revoke(context: Context, number: str) -> None:
    """End every exception for NUMBER that could still be used."""
    mailbox = context.settings().contact_point.mailbox
    with opened_journal(context) as journal:
        ended = journal.revoke(number, mailbox=mailbox, by=acting_person(), now=datetime.now(UTC))
    click.echo(f"{plain(number.upper())}: {'revoked' if ended else 'there is none that could be used'}")


def _said(made: ChannelException) -> str:
    if made.granted_at is None:
        return f"granted by {made.proposed_by}; a second person must grant it too, with the same command"
    uses = "once" if made.uses == 1 else f"{made.uses} times"
    return f"may be sent {uses} until {shown(made.until)}; the officer presses Send again, a held mail leaves by itself"


def _table(found: list[tuple[ChannelException, Refusal | None]], now: datetime) -> Table:
    table = Table(
        Column("number", no_wrap=True), "state", "rule", "case", "to", "granted by", "until", "used", "reason", box=None
    )
    for one, refusal in found:
        state = one.state(now)
        table.add_row(
            one.number,
            f"[{COLOURS[state]}]{state.value}[/]" if state in COLOURS else state.value,
            f"{refusal.rule} ({_needs(refusal)})" if refusal else "-",
            (refusal.case or "-") if refusal else "-",
            plain(", ".join(refusal.recipients)) if refusal else "-",
            plain(", ".join(dict.fromkeys(filter(None, (one.proposed_by, one.granted_by))))),
            shown(one.until),
            f"{one.used}/{one.uses}",
            plain(one.reason),
        )
    return table


def _needs(refusal: Refusal) -> str:
    return {Waiver.NOBODY: "nobody", Waiver.ONE: "one person", Waiver.TWO: "two people"}[refusal.waiver]


def _as_json(one: ChannelException, refusal: Refusal | None, now: datetime) -> dict[str, Any]:
    return {
        "number": one.number,
        "state": one.state(now).value,
        "reason": one.reason,
        "proposed_by": one.proposed_by,
        "granted_by": one.granted_by,
        "until": written(one.until),
        "uses": one.uses,
        "used": one.used,
        "revoked_by": one.revoked_by,
        "rule": refusal.rule if refusal else None,
        "waiver": refusal.waiver.value if refusal else None,
        "case": refusal.case if refusal else None,
        "sender": refusal.sender if refusal else None,
        "recipients": list(refusal.recipients) if refusal else [],
    }
