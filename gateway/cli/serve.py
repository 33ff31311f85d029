"""`cp247 serve`: runs the gateway until it is told to stop."""

import asyncio

import click

from gateway import log
from gateway.cli.context import Context
from gateway.service.app import Gateway, Role


@click.command()
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ALL.value,
    show_default=True,
    help="What this process does.",
)
@click.pass_obj
def serve(context: Context, role: str) -> None:
    """Run the gateway; prints one JSON line when ready. SIGHUP reloads rules and keys, SIGTERM stops."""
    log.set_up()
    asyncio.run(Gateway(context.settings(), Role(role)).run())
