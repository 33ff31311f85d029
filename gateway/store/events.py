"""What happened to a case, one line each, never changed afterwards."""

from datetime import datetime

from sqlalchemy import Connection, insert

from gateway.store.statement import Statement
from gateway.store.tables import Happening, events

_TELL = Statement(insert(events))


def add_event(
    connection: Connection,
    happening: Happening,
    *,
    mailbox: str,
    at: datetime,
    reference: str | None = None,
    arrival_id: int | None = None,
    content_id: int | None = None,
    facts: str,
) -> None:
    """Tell what happened; an event is never changed."""
    row = {
        "mailbox": mailbox,
        "at": at,
        "happening": happening.value,
        "reference": reference,
        "arrival_id": arrival_id,
        "content_id": content_id,
        "facts": facts,
    }
    _TELL.run(connection, row)
