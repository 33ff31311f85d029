"""What SQLite is told, statement by statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from gateway.store.journal import Journal


@contextmanager
def traced(journal: Journal) -> Iterator[list[str]]:
    """All statements while it lasts, in their order, with their values."""
    told: list[str] = []

    def listen(connection: Any, *_: object) -> None:
        connection.set_trace_callback(lambda text: told.append(" ".join(text.split())))

    def leave(connection: Any, *_: object) -> None:
        connection.set_trace_callback(None)

    engines = (journal.database._writer, journal.database._reader)
    for engine in engines:
        event.listen(engine, "checkout", listen)
        event.listen(engine, "checkin", leave)
    try:
        yield told
    finally:
        for engine in engines:
            event.remove(engine, "checkout", listen)
            event.remove(engine, "checkin", leave)
