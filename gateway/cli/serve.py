"""`cp247 serve`: runs the gateway until it is told to stop."""

import asyncio

import click

from gateway import log
from gateway.cli.context import Context
from gateway.config import find_settings
from gateway.errors import Complaint, ConfigError
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
    settings = context.settings()
    try:
        asyncio.run(Gateway(settings, Role(role)).run())
    except OSError as error:
        what = f"cannot start: {error.strerror or error}"
        remedy = "perhaps another program listens there: see inbound.listen, outbound.listen and monitoring.listen"
        raise ConfigError(Complaint(find_settings(context.config), 0, 0, "", what, remedy)) from error
