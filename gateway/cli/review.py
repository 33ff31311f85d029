"""Stored messages whose verdict a key has a part in: named when the key comes, changes or goes, and judged again on request."""

import json
import os
import sys
from collections.abc import Iterable

import click

from gateway.cli.context import Context
from gateway.cli.journal_view import opened_journal, written
from gateway.cli.person import acting_person
from gateway.errors import StoreUnavailable
from gateway.model.outcome import Verdict
from gateway.model.trust import PinnedKey, Result
from gateway.service.again import Review, Reviewed
from gateway.store.again import Signed

KEY_ID_DIGITS = 16
SHOWN = 10
"""So many are named one by one."""


@click.command("judge-again", short_help="Judge stored messages again with the keys of now.")
@click.argument("references", metavar="REFERENCE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def judge_again(context: Context, references: tuple[str, ...], as_json: bool) -> None:
    """Judge the messages of these cases again: the same bytes, envelope, DNS answers and rules, the keys of now.

    The new verdict stands beside the old one; what was delivered stays as it is. A receipt leaves if none ever did.
    """
    with opened_journal(context) as journal:
        unknown = [one for one in references if not journal.again.stored(one)]
    if unknown:
        raise click.BadParameter(f"no judged message in {', '.join(unknown)}; see `cp247 cases list`")
    review(context, references, as_json=as_json)


def review(context: Context, references: Iterable[str], *, as_json: bool = False) -> None:
    """Judge all messages of these cases again, and say what became of each."""
    with opened_journal(context) as journal, Review(context.settings(), journal, by=acting_person()) as again:
        for reference in dict.fromkeys(references):
            for one in again.again(reference):
                click.echo(json.dumps(_reviewed_json(one)) if as_json else _told(one))


def offer(context: Context, key: PinnedKey, *, at_once: bool, only_bad: bool, ready: bool = True) -> None:
    """Name the stored messages the key has a part in; judge them again if asked to, else say how.

    only_bad: only those in which it did not count as good. ready: the contact gives trust already, so that it is worth it.
    """
    found = [one for one in _signed_by(context, key) if not (only_bad and one.result.result is Result.PASS)]
    if not found:
        return
    cases = tuple(dict.fromkeys(one.reference for one in found))
    click.echo(f"{len(found)} stored message{'s' if len(found) > 1 else ''} may be judged otherwise by this:")
    for one in found[:SHOWN]:
        click.echo(f"  {one.reference}  {written(one.received_at)}  openpgp={one.result.result} {one.result.reason}")
    if len(found) > SHOWN:
        click.echo(f"  and {len(found) - SHOWN} more")
    if at_once or (ready and sys.stdin.isatty() and click.confirm("Judge them again now?")):
        review(context, cases)
        return
    click.echo(f"{'' if ready else 'After that, '}judge them again: cp247 cases judge-again {' '.join(cases)}")


def _signed_by(context: Context, key: PinnedKey) -> tuple[Signed, ...]:
    """Nothing where there is no journal yet: a key may be pinned before the gateway has ever run."""
    kind, _, path = context.settings().database.partition(":")
    if kind == "sqlite" and not os.path.exists(path):
        return ()
    names = [name for one in (key.fingerprint, *key.subkeys) for name in (one, one[-KEY_ID_DIGITS:])]
    try:
        with opened_journal(context) as journal:
            return journal.again.signed_by(names)
    except StoreUnavailable as error:
        click.echo(f"stored messages were not looked through: {error}", err=True)
        return ()


def _told(one: Reviewed) -> str:
    receipt = one.after.receipt
    sent = f"a {receipt.level} receipt leaves" if receipt.send else f"no receipt: {receipt.reason}"
    return f"{one.reference}  arrival {one.arrival_id}: {_short(one.before)} -> {_short(one.after)}; {sent}"


def _short(verdict: Verdict) -> str:
    reasons = ",".join(reason.value for reason in verdict.reasons)
    return f"{verdict.assurance} {verdict.disposition}" + (f" ({reasons})" if reasons else "")


def _reviewed_json(one: Reviewed) -> dict[str, object]:
    def said(verdict: Verdict) -> dict[str, object]:
        return {
            "assurance": verdict.assurance.value,
            "disposition": verdict.disposition.value,
            "reasons": [reason.value for reason in verdict.reasons],
        }

    receipt = one.after.receipt
    return {
        "case": one.reference,
        "arrival": one.arrival_id,
        "number": one.number,
        "before": said(one.before),
        "after": said(one.after),
        "receipt": {"send": receipt.send, "reason": receipt.reason.value if receipt.reason else None},
    }
