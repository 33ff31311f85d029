"""`cp247 serve`: runs the gateway until it is told to stop."""

import asyncio

import click

from gateway import log
from gateway.cli.context import Context
from gateway.service.app import Gateway, Role


@click.command(short_help="Run the gateway.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ALL.value,
    show_default=True,
    help="What this process does.",
)
@click.pass_obj
def serve(context: Context, role: str) -> None:
    """Run the gateway until SIGTERM; SIGHUP reads rules and keys again.

    When it is ready it prints one JSON line with its addresses. Its log goes to standard error, one JSON object a line.
    """
    log.set_up()
    asyncio.run(Gateway(context.settings(), Role(role)).run())
