"""The command cp247: names the verbs and turns what stops us into one clear line and exit status 2."""

import importlib
import sys
from io import TextIOWrapper

import click

from gateway.cli.context import Context
from gateway.errors import ConfigError, GatewayError, StoreUnavailable

VERBS = {
    "init": "gateway.cli.init:init",
    "serve": "gateway.cli.serve:serve",
    "doctor": "gateway.cli.doctor:doctor",
    "explain": "gateway.cli.explain:explain",
    "demo": "gateway.cli.demo.command:demo",
    "rules": "gateway.cli.rules:rules",
    "keys": "gateway.cli.keys:keys",
    "directory": "gateway.cli.directory:directory",
    "cases": "gateway.cli.cases:cases",
    "queue": "gateway.cli.queue:queue",
    "receipts": "gateway.cli.receipts:receipts",
    "exception": "gateway.cli.exception:exception",
}
"""Verb -> where it lives; imported only when it is asked for, so that each verb starts fast."""


class Verbs(click.Group):
    """The verbs of cp247, each in its own file."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Verbs in the order an administrator meets them."""
        return list(VERBS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The verb of that name."""
        if name not in VERBS:
            return None
        module, _, attribute = VERBS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First: cp247 init DIR, then doctor and serve with --config DIR/gateway.yaml; --config may stand anywhere. "
    "Exit status: 0 fine, 1 a finding, 2 a usage or configuration error.",
)
@click.option("--config", metavar="FILE", help="Configuration; default ./gateway.yaml, then /etc/cp247/gateway.yaml.")
@click.version_option(package_name="cp247-gateway", prog_name="cp247")
@click.pass_context
def cp247(context: click.Context, config: str | None) -> None:
    """Mail gateway of a 24/7 contact point (Budapest Convention on Cybercrime, Article 35)."""
    context.obj = Context(config)


def main() -> None:
    """Run the command line; exit 0 fine, 1 a finding, 2 usage or configuration error."""
    for stream in (sys.stdout, sys.stderr):
        # A file name or a stranger's word that this terminal cannot show is escaped; it never ends the program.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cp247(_config_first(sys.argv[1:]), standalone_mode=True)
    except ConfigError as error:
        for complaint in error.complaints:
            click.echo(f"error: {complaint}", err=True)
        sys.exit(2)
    except StoreUnavailable as error:
        click.echo(f"error: {error}; see `database` in gateway.yaml, or run `cp247 doctor`", err=True)
        sys.exit(2)
    except GatewayError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)


def _config_first(arguments: list[str]) -> list[str]:
    """Let --config stand behind the verb as well: `cp247 serve --config FILE` is what people type."""
    found: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--config":
            found = [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word.startswith("--config="):
            found = [word]
        else:
            rest.append(word)
    return [*found, *rest]


if __name__ == "__main__":
    main()
