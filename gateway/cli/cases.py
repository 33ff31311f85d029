"""`cp247 cases list | show`: the requests, where they stand, what they wait for and what happened. Changes nothing itself."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from gateway.cli.case_acts import ACTS
from gateway.cli.clock_view import clock_table, clocks_json, due_cell
from gateway.cli.context import Context
from gateway.cli.export import export
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.review import judge_again
from gateway.cli.verdict_json import verdict_json
from gateway.cli.verdict_view import plain, show_verdict
from gateway.model.case import CaseState, CaseView
from gateway.model.clock import CaseClock
from gateway.model.message import Arrival
from gateway.model.outbox import Purpose
from gateway.model.outcome import Outcome
from gateway.model.verdict import Kind
from gateway.store.again import Judgement
from gateway.store.journal import CaseFile, Journal
from gateway.store.listing import EventLine
from gateway.store.tables import MailState

COLOURS = {
    CaseState.OPEN: "yellow",
    CaseState.ANSWERED: "green",
    CaseState.ANSWER_FAILED: "bold red",
    CaseState.CLOSED: "dim",
}


@click.group(short_help="The requests and where they stand.")
def cases() -> None:
    """The requests and where they stand."""


@cases.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="So many of the newest.")
@click.option("--state", type=click.Choice([one.value for one in CaseState]), help="Only cases in that state.")
@click.option("--overdue", is_flag=True, help="Only cases in which something is over, the longest over first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_cases(context: Context, limit: int, state: str | None, overdue: bool, as_json: bool) -> None:
    """List the newest cases, with what each waits for next and by when."""
    now, wanted = datetime.now(UTC), CaseState(state) if state else None
    with opened_journal(context) as journal:
        views = _overdue(journal, now, wanted)[:limit] if overdue else journal.cases(limit=limit, state=wanted)
        clocks = journal.clocks.of_cases(view.reference for view in views)
    if as_json:
        for view in views:
            found = {**case_json(view), **clocks_json(clocks.get(view.reference, ()), now)}
            click.echo(json.dumps(found, ensure_ascii=False))
        return
    console().print(_list_table(views, clocks, now) if views else "no cases")


@cases.command(short_help="Show one case: verdict, mails, history.")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(context: Context, reference: str, as_json: bool) -> None:
    """Show the case REFERENCE: its channel, its messages, the verdict, what left and what happened."""
    with opened_journal(context) as journal:
        file, clocks = journal.case(reference), journal.clocks.of_case(reference)
        judged = journal.verdict_of(reference)
        verdicts = journal.again.judgements(judged[0].id) if judged else ()
    if file is None:
        raise click.BadParameter(f"no case {reference!r}; see `cp247 cases list`", param_hint="REFERENCE")
    if as_json:
        found = {**_file_json(file, judged, verdicts), **clocks_json(clocks, datetime.now(UTC))}
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    _show_file(console(), file, judged, verdicts, clocks)


for _command in (*ACTS, judge_again, export):
    cases.add_command(_command)


def _overdue(journal: Journal, now: datetime, state: CaseState | None) -> tuple[CaseView, ...]:
    found = journal.cases_named(journal.clocks.overdue(now))
    return tuple(one for one in found if state in (None, one.state))


def case_json(view: CaseView) -> dict[str, Any]:
    """The case as one JSON object; later keys may be added."""
    return {
        "reference": view.reference,
        "mailbox": view.mailbox,
        "opened_at": written(view.opened_at),
        "category": view.category.value,
        "kind": view.kind.value,
        "urgent": view.urgent,
        "state": view.state.value,
        "ours": view.ours,
        "contact": view.contact,
        "origin": view.origin,
        "assurance": view.assurance.value,
        "floor": {"sig": view.floor.sig.value, "enc": view.floor.enc, "tls": view.floor.tls.value},
        "language": view.language,
    }


def _file_json(
    file: CaseFile, judged: tuple[Arrival, Outcome] | None, verdicts: tuple[Judgement, ...]
) -> dict[str, Any]:
    return {
        **case_json(file.view),
        "thread": list(file.view.thread),
        "verdict": _verdict_json(judged),
        "verdicts": [
            {
                "number": one.number,
                "judged_at": written(one.judged_at),
                "assurance": one.outcome.verdict.assurance.value,
                "disposition": one.outcome.verdict.disposition.value,
                "reasons": [reason.value for reason in one.outcome.verdict.reasons],
                "receipt": one.outcome.verdict.receipt.send,
            }
            for one in verdicts
        ],
        "arrivals": [
            {
                "id": one.id,
                "received_at": written(one.received_at),
                "mail_from": one.mail_from,
                "rcpt_tos": list(one.rcpt_tos),
                "size": one.size,
                "sha256": one.sha256,
                "state": one.state.value,
            }
            for one in file.arrivals
        ],
        "mails": [
            {
                "id": one.id,
                "purpose": one.purpose.value,
                "state": one.state.value,
                "rcpt_to": one.rcpt_to,
                "message_id": one.message_id or None,
                "created_at": written(one.created_at),
                "settled_at": None if one.settled_at is None else written(one.settled_at),
                "tries": one.tries,
                "reply": one.reply,
            }
            for one in file.mails
        ],
        "events": [
            {
                "at": written(one.at),
                "happening": one.happening.value,
                "arrival": one.arrival_id,
                "facts": json.loads(one.facts),
            }
            for one in file.events
        ],
    }


def _verdict_json(judged: tuple[Arrival, Outcome] | None) -> dict[str, Any] | None:
    if judged is None:
        return None
    arrival, outcome = judged
    return verdict_json(outcome.verdict, file=outcome.case.reference, sha256=arrival.sha256)


def _list_table(views: tuple[CaseView, ...], clocks: Mapping[str, tuple[CaseClock, ...]], now: datetime) -> Table:
    columns = ("opened", "category", "state", "due", "contact", "asked by")
    table = Table(Column("case", no_wrap=True), *columns, box=None)
    for view in views:
        table.add_row(
            view.reference,
            shown(view.opened_at),
            _category(view),
            _state(view.state),
            due_cell(clocks.get(view.reference, ()), now),
            plain(view.contact or "-"),
            "us" if view.ours else plain(view.origin or "not proved"),
        )
    return table


def _show_file(
    out: Console,
    file: CaseFile,
    judged: tuple[Arrival, Outcome] | None,
    verdicts: tuple[Judgement, ...],
    clocks: tuple[CaseClock, ...],
) -> None:
    view = file.view
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("case", view.reference),
        ("state", _state(view.state)),
        ("opened", shown(view.opened_at)),
        ("category", _category(view)),
        ("contact", plain(view.contact or "-")),
        ("asked by", "us" if view.ours else plain(view.origin or "not proved")),
        ("proved", view.assurance.value),
        ("receipt", _receipt(file)),
        (
            "protection",
            f"sig {view.floor.sig.value}, enc {'yes' if view.floor.enc else 'no'}, tls {view.floor.tls.value}",
        ),
    ):
        facts.add_row(f"[dim]{name}[/]", value)
    out.print(facts)
    if judged is not None:
        arrival, _ = judged
        for one in verdicts:
            again = "" if one.number == 1 else f", judged again {shown(one.judged_at)}"
            show_verdict(out, one.outcome.verdict, arrival, file=f"arrival {arrival.id}{again}")
    waiting = clock_table(clocks, datetime.now(UTC)) if clocks else "nothing"
    for title, table in (
        ("waits for", waiting),
        ("came in", _arrivals(file)),
        ("to leave", _mails(file)),
        ("happened", _events(file)),
    ):
        out.rule(f"[bold]{title}[/]", align="left")
        out.print(table)


def _arrivals(file: CaseFile) -> Table:
    table = Table("id", "received", "from", "to", "octets", "sha256", box=None)
    for one in file.arrivals:
        sender = plain(one.mail_from or "<>")
        recipients = plain(", ".join(one.rcpt_tos))
        table.add_row(str(one.id), shown(one.received_at), sender, recipients, str(one.size), one.sha256)
    return table


def _mails(file: CaseFile) -> Table:
    table = Table("id", "purpose", "state", "to", "since", "tries", "last answer", box=None)
    for one in file.mails:
        since = shown(one.created_at)
        table.add_row(
            str(one.id), one.purpose.value, one.state.value, plain(one.rcpt_to), since, str(one.tries), plain(one.reply)
        )
    return table


def _events(file: CaseFile) -> Table:
    table = Table("at", "what", "facts", box=None)
    for one in file.events:
        table.add_row(shown(one.at), one.happening.value, plain(_facts(one)))
    return table


def _receipt(file: CaseFile) -> str:
    """How long the first receipt took, from the arrival of the request to the relay that took it."""
    sent = [one.settled_at for one in file.mails if one.purpose is Purpose.RECEIPT and one.state is MailState.SENT]
    if not sent or sent[0] is None:
        return "waits to leave" if any(one.purpose is Purpose.RECEIPT for one in file.mails) else "none"
    return f"{shown(sent[0])}, after {(sent[0] - file.view.opened_at).total_seconds():.0f} s"


def _facts(event: EventLine) -> str:
    """The words of an event on one line; a decision tells its rule and number."""
    facts = json.loads(event.facts)
    decision = facts.get("decision")
    if isinstance(decision, dict):
        facts = {key: decision[key] for key in ("act", "rule", "number", "reply")}
    return ", ".join(f"{key} {value}" for key, value in facts.items() if value not in (None, ""))


def _category(view: CaseView) -> str:
    told = " network-test" if view.kind is Kind.NETWORK_TEST else ""
    return view.category.value + told + (" [bold red]urgent[/]" if view.urgent else "")


def _state(state: CaseState) -> str:
    return f"[{COLOURS[state]}]{state.value}[/]"
