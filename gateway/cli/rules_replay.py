"""`cp247 rules replay` and `shadow`: what a draft would make of mail, before it judges any. Changes no verdict."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click
from rich.table import Table

from gateway.cli.context import Context
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.person import acting_person
from gateway.cli.rules_folder import read_draft
from gateway.cli.verdict_view import plain
from gateway.model.rulebook import StoredDifference
from gateway.model.settings import Settings
from gateway.model.verdict import RuleFiles
from gateway.service.nursery import Nursery
from gateway.service.replay import Replay
from gateway.service.single import equipment_of_files
from gateway.store.rulebook import Rulebook
from gateway.triage.rule_tree import digest_of

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
MAX_ROWS = 200
"""Rows of a table; --json has them all."""
MAX_MAILS = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a draft makes of stored mail."""

    live: str
    draft: str
    judged: int
    changed: tuple[StoredDifference, ...]
    skipped: tuple[int, ...]
    """Arrivals that a judge could not read as it did then: encrypted to a key that is not here, or defeating it."""
    seconds: float = 0.0


@click.command(short_help="Judge stored mail with a draft; show what changes.")
@click.option("--draft", required=True, metavar="DIR", type=click.Path(), help="The draft's folder.")
@click.option(
    "--limit", default=2000, show_default=True, type=click.IntRange(1, MAX_MAILS), help="Newest so many mails."
)
@click.option("--since", metavar="ISO", help="Only mail judged since then, such as 2026-11-01.")
@AS_JSON
@click.pass_obj
def replay(context: Context, draft: str, limit: int, since: str | None, as_json: bool) -> None:
    """Judge the mail in the database with the live rules and with those in DIR, and show what would change, and why.

    Bytes, envelope, moment and DNS answers are those stored; keys are those of now. Nothing is stored, sent or changed.
    """
    files, _ = read_draft(draft)
    with opened_journal(context) as journal:
        report = _replayed(journal.rulebook, context.settings(), files, limit=limit, since=_moment(since))
    _show(report, as_json=as_json)


@click.command(short_help="Let a draft judge beside the live rules.")
@click.argument("draft", metavar="DIR|off", required=False, type=click.Path())
@click.option("--report", is_flag=True, help="Show what it has made otherwise until now.")
@click.option("--reason", default="", help="Why, in one line; kept with the version.")
@AS_JSON
@click.pass_obj
def shadow(context: Context, draft: str | None, report: bool, reason: str, as_json: bool) -> None:
    """Let the rules in DIR judge every new mail beside the live ones, until `off`; verdicts stay those of the live rules."""
    if (draft is None) == (not report):
        raise click.UsageError("give DIR, or off, or --report")
    with opened_journal(context) as journal:
        book = journal.rulebook
        if report:
            _show(_shadow_report(book), as_json=as_json)
            return
        files, digest = (None, "") if draft == "off" else _draft_of(str(draft))
        book.put_in_shadow(digest, files, author=acting_person(), reason=reason, now=datetime.now(UTC))
    click.echo(
        f"{digest} judges in shadow; `cp247 rules shadow --report` shows what it would change" if digest else "off"
    )


def _draft_of(folder: str) -> tuple[RuleFiles, str]:
    files, tree = read_draft(folder)
    return files, tree.digest


def _replayed(book: Rulebook, settings: Settings, draft: RuleFiles, *, limit: int, since: datetime | None) -> Report:
    began = time.monotonic()
    equipment = equipment_of_files(settings)
    active = book.active()
    judging = book.files(active.digest) if active is not None else None
    nursery = Nursery(equipment if judging is None else replace(equipment, rules=judging))
    changed: list[StoredDifference] = []
    skipped: list[int] = []
    numbers = book.judged(limit=limit, since=since)
    try:
        with Replay(nursery, draft) as judges:
            for number in numbers:
                _replay_one(book, judges, number, changed, skipped)
    finally:
        nursery.close()
    live = digest_of(nursery.equipment.rules)
    seconds = time.monotonic() - began
    return Report(live, digest_of(draft), len(numbers) - len(skipped), tuple(changed), tuple(skipped), seconds)


def _replay_one(
    book: Rulebook, judges: Replay, number: int, changed: list[StoredDifference], skipped: list[int]
) -> None:
    stored = book.stored(number)
    found = None if stored is None else judges.difference(*stored)
    if stored is None or found is None:
        skipped.append(number)
    elif found.changes:
        arrival, outcome = stored
        changed.append(StoredDifference(number, outcome.case.reference, arrival.received_at, found))


def _shadow_report(book: Rulebook) -> Report:
    change = book.shadow()
    if change is None:
        raise click.UsageError("no rules judge in shadow; `cp247 rules shadow DIR` lets some")
    changed = tuple(one for one in book.differences(change.digest, limit=MAX_MAILS) if one.difference.changes)
    return Report(change.replaced, change.digest, book.shadowed(change.digest), changed, ())


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not ISO 8601; write 2026-11-01", param_hint="--since") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(report)))
        return
    if report.changed:
        table = Table(
            "case", "received", "what changes", "rules that hit only now (+) or no more (-)", header_style="dim"
        )
        for one in report.changed[:MAX_ROWS]:
            rules = "\n".join(_rules(one))
            table.add_row(
                plain(one.reference or str(one.arrival_id)), shown(one.received_at), _changes(one), plain_lines(rules)
            )
        console().print(table)
    if len(report.changed) > MAX_ROWS:
        click.echo(f"... and {len(report.changed) - MAX_ROWS} more; --json shows them all")
    taken = f" in {report.seconds:.1f} s" if report.seconds else ""
    click.echo(
        f"{len(report.changed)} of {report.judged} mails would change{taken}  ({report.live[:12]} -> {report.draft[:12]})"
    )
    if report.skipped:
        click.echo(
            f"{len(report.skipped)} skipped, not readable here as they were then: {', '.join(map(str, report.skipped[:20]))}"
        )


def plain_lines(text: str) -> str:
    """Several lines, each harmless for a terminal."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _changes(one: StoredDifference) -> str:
    return "\n".join(f"{facet.what}: {facet.before or '-'} -> {facet.after or '-'}" for facet in one.difference.facets)


def _rules(one: StoredDifference) -> Iterator[str]:
    yield from (f"+ {rule}" for rule in one.difference.gained)
    yield from (f"- {rule}" for rule in one.difference.lost)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "live": report.live,
        "draft": report.draft,
        "judged": report.judged,
        "changed": len(report.changed),
        "skipped": list(report.skipped),
        "mails": [
            {
                "arrival": one.arrival_id,
                "case": one.reference,
                "received_at": written(one.received_at),
                "changes": [
                    {"what": facet.what, "before": facet.before, "after": facet.after}
                    for facet in one.difference.facets
                ],
                "gained": list(one.difference.gained),
                "lost": list(one.difference.lost),
            }
            for one in report.changed
        ],
    }
