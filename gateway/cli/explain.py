"""`cp247 explain FILE...`: the verdict of messages and what it rests on, without touching anything."""

import ipaddress
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import click
from rich.console import Console

from gateway import log
from gateway.cli.context import Context
from gateway.cli.verdict_json import verdict_json
from gateway.cli.verdict_view import show_verdict
from gateway.mail.scan import scan_header
from gateway.model.message import Arrival, Envelope
from gateway.model.verdict import Disposition
from gateway.service.single import SingleFiles, arrival_of_file

YEARS = range(1971, 2106)
"""What 32 bits of seconds can name (RFC 9580 section 3.5)."""


def _address(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """The address as given; anything else would look like mail of an unknown client."""
    if text is not None:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise click.BadParameter(f"{text!r} is no IP address; write 192.0.2.25 or 2001:db8::25") from None
    return text


@click.command(short_help="Judge mail files, without any effect.")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option(
    "--peer", metavar="IP", callback=_address, help="Address of the client that handed the message over, for SPF."
)
@click.option("--helo", metavar="NAME", help="What that client said in EHLO.")
@click.option("--mail-from", metavar="ADDRESS", help="Envelope sender; default the topmost Return-Path, else unknown.")
@click.option("--received-at", metavar="ISO", help="Moment to judge at, such as 2026-11-21T03:14:07Z; default now.")
@click.option("--trace", is_flag=True, help="Also rules that nearly hit, and what each category came to.")
@click.pass_obj
def explain(
    context: Context,
    files: tuple[str, ...],
    as_json: bool,
    peer: str | None,
    helo: str | None,
    mail_from: str | None,
    received_at: str | None,
    trace: bool,
) -> None:
    """Judge the messages in FILES as live mail would be judged; nothing is stored, sent or delivered.

    Exit status 1 if one of them would be held. Without --peer SPF says none (no-peer) and DMARC rests on DKIM.
    """
    log.set_up()
    settings = context.settings()
    mailbox = settings.contact_point.mailbox
    envelope = Envelope(mail_from=mail_from, rcpt_tos=(mailbox,), peer=peer, helo=helo)
    at = _moment(received_at)
    arrivals = [
        _with_return_path(arrival_of_file(file, mailbox=mailbox, envelope=envelope, received_at=at)) for file in files
    ]
    single = SingleFiles(settings)
    dispositions = set()
    try:
        for file, arrival in zip(files, arrivals, strict=True):
            verdict = single.verdict(arrival, trace=trace)
            dispositions.add(verdict.disposition)
            if as_json:
                # In ASCII: whatever a stranger or a file name brings can be printed, and is valid JSON, in any locale.
                click.echo(json.dumps(verdict_json(verdict, file=file, sha256=arrival.sha256)))
            else:
                show_verdict(Console(highlight=False), verdict, arrival, file=file)
    finally:
        single.close()
    sys.exit(1 if Disposition.HOLD in dispositions else 0)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not ISO 8601; write 2026-11-21T03:14:07Z", param_hint="--received-at"
        ) from None
    if at.year not in YEARS:
        raise click.BadParameter(f"{text!r}: write a moment of the years 1971 to 2105", param_hint="--received-at")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _with_return_path(arrival: Arrival) -> Arrival:
    """The envelope sender a delivered message still tells: its topmost Return-Path."""
    if arrival.envelope.mail_from is not None:
        return arrival
    header, _, _ = scan_header(arrival.content)
    field = header.first("return-path")
    if field is None:
        return arrival
    written = field.value.decode("utf-8", "replace").strip()
    return replace(arrival, envelope=replace(arrival.envelope, mail_from=written.removeprefix("<").removesuffix(">")))
