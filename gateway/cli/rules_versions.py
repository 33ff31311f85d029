"""`cp247 rules promote`, `rollback`, `list`: which set judges, decided by two logins, each change with author and reason."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import BinaryIO

import click
from rich.table import Table

from gateway.cli.context import Context
from gateway.cli.journal_view import console, opened_journal, shown, written
from gateway.cli.person import acting_person
from gateway.cli.rules_folder import DRAFT, REASON, read_draft, write_set
from gateway.cli.verdict_view import plain
from gateway.errors import NotPermitted
from gateway.model.rulebook import Act, RulesetChange
from gateway.model.settings import Settings
from gateway.store.rulebook import Rulebook
from gateway.trust.approval import approved_by
from gateway.trust.gnupg_home import GnupgHome

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
MAX_CHANGES = 1000


@click.command(short_help="Let a draft judge; takes two logins.")
@DRAFT
@REASON
@click.option(
    "--signature",
    metavar="FILE",
    type=click.File("rb"),
    help="An officer's, over `cp247 rules promote DIGEST` and a line end.",
)
@AS_JSON
@click.pass_obj
def promote(context: Context, draft: str, reason: str, signature: BinaryIO | None, as_json: bool) -> None:
    """Propose the rules in DIR; the same command by another login lets them judge, and writes them into the rules folder.

    Where `officers` are configured, root promotes with the signature of one of them only: root could be any login. Exit status 1 where your own proposal waits for somebody else. A gateway that runs takes the set within a second, whole.
    """
    files, tree = read_draft(draft)
    person = acting_person()
    with opened_journal(context) as journal:
        book = journal.rulebook
        active = book.active()
        if active is not None and active.digest == tree.digest:
            click.echo(f"{tree.digest} judges already")
            return
        try:
            if signature is not None or _needs_signature(context.settings(), book, tree.digest, person):
                person = f"{person}, signed by {_officer(context.settings(), tree.digest, signature)}"
            change = book.promote(tree.digest, files, author=person, reason=reason, now=datetime.now(UTC))
        except NotPermitted as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)
    if change.act is Act.PROMOTED:
        write_set(context.settings().rules, files)
    _tell(change, as_json=as_json)


@click.command(short_help="Let an earlier set judge again.")
@click.argument("digest", required=False)
@REASON
@AS_JSON
@click.pass_obj
def rollback(context: Context, digest: str | None, reason: str, as_json: bool) -> None:
    """Let the set DIGEST judge again (its first characters are enough; default: the one before), and write it into the rules folder."""
    with opened_journal(context) as journal:
        book = journal.rulebook
        wanted = _earlier(book, digest)
        files = book.files(wanted)
        if files is None:
            raise click.UsageError(f"no set {wanted} is kept; `cp247 rules list` shows those that are")
        change = book.roll_back(wanted, author=acting_person(), reason=reason, now=datetime.now(UTC))
    write_set(context.settings().rules, files)
    _tell(change, as_json=as_json)


@click.command("list", short_help="Who let which set judge, when and why.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MAX_CHANGES), help="Newest so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def versions(context: Context, limit: int, as_json: bool) -> None:
    """Show what happened to the rule sets, newest first; * marks the one that judges."""
    with opened_journal(context) as journal:
        active, changes = journal.rulebook.active(), journal.rulebook.changes(limit=limit)
    if as_json:
        for one in changes:
            click.echo(json.dumps(_as_json(one, active)))
        return
    table = Table("", "when", "what", "set", "instead of", "by", "why", box=None, header_style="dim")
    for one in changes:
        mark = "*" if active is not None and one.id == active.id else ""
        cells = (one.act.value, one.digest[:12] or "-", one.replaced[:12] or "-", plain(one.author), plain(one.reason))
        table.add_row(mark, shown(one.at), *cells)
    console().print(table)


def _needs_signature(settings: Settings, book: Rulebook, digest: str, person: str) -> bool:
    """Whether root is about to approve what another login has proposed."""
    proposed = any(
        one.act is Act.PROPOSED and one.digest == digest and one.author != person
        for one in book.changes(limit=MAX_CHANGES)
    )
    return bool(settings.officers) and os.getuid() == 0 and proposed


def _officer(settings: Settings, digest: str, signature: BinaryIO | None) -> str:
    """Fingerprint of the officer who signed the approval; raises NotPermitted where none did."""
    statement = f"cp247 rules promote {digest}\n"
    home = GnupgHome(settings.openpgp.home)
    signed = b"" if signature is None else signature.read()
    found = approved_by(statement.encode(), signed, officers=settings.officers, home=home, at=datetime.now(UTC))
    if found is None:
        raise NotPermitted(
            f"no officer has signed this: an officer of `officers` signs {statement.strip()!r} and a line end "
            "(gpg --detach-sign), and the signature comes with --signature"
        )
    return found


def _earlier(book: Rulebook, digest: str | None) -> str:
    """The whole digest that is meant; raises click.UsageError where none or several are."""
    changes = book.changes(limit=MAX_CHANGES)
    if digest is None:
        active = book.active()
        if active is None or not active.replaced:
            raise click.UsageError("no set judged before this one")
        return active.replaced
    known = {one.digest for one in changes if one.act is not Act.PROPOSED} | {one.replaced for one in changes}
    found = sorted(one for one in known if one and one.startswith(digest.lower()))
    if len(found) != 1:
        raise click.UsageError(f"{len(found)} sets that judged begin with {digest!r}; `cp247 rules list` shows them")
    return found[0]


def _tell(change: RulesetChange, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(change, None)))
    elif change.act is Act.PROPOSED:
        click.echo(f"proposed by {change.author}: {change.digest}")
        click.echo(
            "It judges when another login runs the same command. See what it changes: cp247 rules replay --draft DIR"
        )
    else:
        click.echo(f"{change.act} by {change.author}: {change.digest}")
        click.echo(
            f"It judges from the next mail on; `cp247 rules rollback` goes back to {change.replaced[:12] or 'nothing'}"
        )


def _as_json(change: RulesetChange, active: RulesetChange | None) -> dict[str, object]:
    return {
        "id": change.id,
        "at": written(change.at),
        "act": change.act.value,
        "digest": change.digest,
        "replaced": change.replaced,
        "author": change.author,
        "reason": change.reason,
        "active": active is not None and active.id == change.id,
    }
