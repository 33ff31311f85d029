"""Which verdict cards left, and whether one more may: once for a request, and few an hour about mail that nothing proves."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from gateway.store.codec import key_of
from gateway.store.engine import insert_new
from gateway.store.receipt_tables import cards
from gateway.store.statement import Statement

WINDOW = timedelta(hours=1)

_ADD = Statement(lambda dialect: insert_new(dialect, cards).on_conflict_do_nothing().returning(cards.c.at))
_SHARED = Statement(
    select(func.count().label("sent")).where(
        cards.c.mailbox == bindparam("mailbox"), cards.c.proved.is_(False), cards.c.at > bindparam("since")
    )
)


def may_leave(
    connection: Connection, *, mailbox: str, request_key: str, proved: bool, shared_per_hour: int, now: datetime
) -> bool:
    """Whether this card is the first about that request so proved, and written down as such; a flood of others stops it."""
    if not proved:
        sent = _SHARED.value(connection, {"mailbox": mailbox, "since": now - WINDOW})
        if sent is not None and sent >= shared_per_hour:
            return False
    row = {"mailbox": mailbox, "request_key": key_of(request_key), "proved": proved, "at": now}
    return bool(_ADD.rows(connection, row))
