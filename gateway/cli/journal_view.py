"""What verbs that read the journal share: opening it, the console, how moments are written. Changes nothing."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console

from gateway.cli.context import Context
from gateway.store.journal import Journal, open_journal

PIPE_COLUMNS = 200
"""Width of a table that goes into a pipe or file, where nobody wants it folded at 80."""


@contextlib.contextmanager
def opened_journal(context: Context) -> Iterator[Journal]:
    """The journal of the settings; a database that does not answer or has another schema becomes exit status 2."""
    journal = open_journal(context.settings().database, upgrade=False)
    try:
        yield journal
    finally:
        journal.close()


def console() -> Console:
    """Standard output as rich prints to it."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def shown(at: datetime) -> str:
    """The moment in UTC to the second, for a table."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def written(at: datetime) -> str:
    """The moment as RFC 3339, for JSON."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
