"""`cp247 cases note | call | extend | mla | close`: what an officer records in a case.

Each names the operating system's login, never an option. Sends nothing to anybody; the answer leaves by mail.
"""

from datetime import UTC, datetime

import click

from gateway.cli.call_number import contact_of, same_number
from gateway.cli.context import Context
from gateway.cli.journal_view import opened_journal
from gateway.cli.person import acting_person
from gateway.cli.verdict_view import plain
from gateway.model.clock import CallOutcome
from gateway.model.trust import Contact

DAY = click.DateTime(["%Y-%m-%d"])
SAID = {
    CallOutcome.CONFIRMED: "confirmed by telephone. The answer still leaves by mail, on the channel of the request",
    CallOutcome.NOT_REACHED: "nobody reached; the call-back stays due",
    CallOutcome.DENIED: "they did NOT send it. Tell your administrator, then close the case",
}


def _worded(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("write it in words", param=parameter)
    return value


@click.command(short_help="Write a note into a case.")
@click.argument("reference")
@click.argument("text", callback=_worded)
@click.option("--phone", "number", metavar="NUMBER", help="It is about a telephone call with this number.")
@click.pass_obj
def note(context: Context, reference: str, text: str, number: str | None) -> None:
    """Write TEXT into the case REFERENCE. The case stays unanswered: a call is no answer."""
    with opened_journal(context) as journal:
        contact = contact_of(journal, context.settings(), reference) if number else None
        journal.acts.note(reference, text, by=acting_person(), number=number or "", now=datetime.now(UTC))
    click.echo(f"{plain(reference.upper())}: noted")
    if number and not (contact and same_number(number, contact.phone)):
        click.echo(f"  {plain(number)} is not the directory's number of this case: it confirms nothing", err=True)


@click.command(short_help="Record the call that confirms a case, or does not.")
@click.argument("reference")
@click.option(
    "--outcome", required=True, type=click.Choice([one.value for one in CallOutcome]), help="What came of it."
)
@click.option("--number", required=True, help="The number you dialled: the directory's, never one from a mail.")
@click.option("--spoke-with", default="", help="Whom you spoke with.")
@click.pass_obj
def call(context: Context, reference: str, outcome: str, number: str, spoke_with: str) -> None:
    """Record the call-back of the case REFERENCE; `confirmed` gives it that assurance, which nothing else can."""
    came_to = CallOutcome(outcome)
    with opened_journal(context) as journal:
        _check_number(contact_of(journal, context.settings(), reference), number)
        journal.acts.call(
            reference, came_to, number=number, spoke_with=spoke_with, by=acting_person(), now=datetime.now(UTC)
        )
    click.echo(f"{plain(reference.upper())}: {SAID[came_to]}")


@click.command(short_help="Record until when data are preserved now.")
@click.argument("reference")
@click.option("--until", required=True, type=DAY, metavar="YYYY-MM-DD", help="The new last day.")
@click.pass_obj
def extend(context: Context, reference: str, until: datetime) -> None:
    """Record a longer preservation in the case REFERENCE; reminders go by the new day."""
    now, end = datetime.now(UTC), until.replace(tzinfo=UTC)
    if end <= now:
        raise click.BadParameter("that day is over", param_hint="--until")
    with opened_journal(context) as journal:
        before = journal.acts.extend(reference, until=end, by=acting_person(), now=now)
    click.echo(f"{plain(reference.upper())}: preserved until {end:%Y-%m-%d}, not {before:%Y-%m-%d} any more")


@click.command(short_help="Record that the mutual assistance request has come.")
@click.argument("reference")
@click.option("--received", required=True, type=DAY, metavar="YYYY-MM-DD", help="The day it came.")
@click.pass_obj
def mla(context: Context, reference: str, received: datetime) -> None:
    """Record the request for mutual assistance of the case REFERENCE: the data stay preserved until it is decided."""
    now = datetime.now(UTC)
    if received.date() > now.date():
        raise click.BadParameter("that day has not come yet", param_hint="--received")
    with opened_journal(context) as journal:
        journal.acts.mla_received(reference, received=received.date(), by=acting_person(), now=now)
    click.echo(
        f"{plain(reference.upper())}: mutual assistance request of {received:%Y-%m-%d} recorded; preserve until it is decided"
    )


@click.command(short_help="End a case.")
@click.argument("reference")
@click.option("--reason", required=True, callback=_worded, help="Why; it stays in the case for ever.")
@click.pass_obj
def close(context: Context, reference: str, reason: str) -> None:
    """End the case REFERENCE: nobody is reminded of it any more. A new message of its counterpart opens it again."""
    with opened_journal(context) as journal:
        journal.acts.close(reference, reason=reason, by=acting_person(), now=datetime.now(UTC))
    click.echo(f"{plain(reference.upper())}: closed")


ACTS = (note, call, extend, mla, close)


def _check_number(contact: Contact | None, number: str) -> None:
    """Raises BadParameter, with the number to use, for any but the directory's."""
    if contact is None:
        raise click.BadParameter(
            "nobody of the directory stands behind this case, so no call confirms it; use `cp247 cases note`",
            param_hint="--number",
        )
    if not contact.phone:
        raise click.BadParameter(
            f"the directory has no number for {contact.name}; ask an administrator to enter it in keys/{contact.id}",
            param_hint="--number",
        )
    if not same_number(number, contact.phone):
        raise click.BadParameter(
            f"that is not the directory's number. Call {contact.name} at {contact.phone}", param_hint="--number"
        )
