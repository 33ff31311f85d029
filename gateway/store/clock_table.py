"""The table of the cases' clocks: one row for each clock of a case, with the next step to tell. Holds no statement."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, and_

from gateway.store.tables import Moment, metadata

clocks = Table(
    "clocks",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("clock", String, primary_key=True),
    Column("mailbox", String, nullable=False),
    # Of the case when the clock began; the figures are kept apart by it.
    Column("category", String, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("told", String, nullable=False),
    Column("next_at", Moment),
    Column("ended_at", Moment),
    Column("ended_by", String),
    sqlite_with_rowid=False,
)
RUNNING = clocks.c.ended_at.is_(None)
STEPPING = and_(RUNNING, clocks.c.next_at.is_not(None))
Index("ix_clocks_due", clocks.c.next_at, postgresql_where=STEPPING, sqlite_where=STEPPING)
Index(
    "ix_clocks_oldest",
    *(clocks.c.clock, clocks.c.category, clocks.c.since),
    postgresql_where=RUNNING,
    sqlite_where=RUNNING,
)
Index("ix_clocks_overdue", *(clocks.c.clock, clocks.c.until), postgresql_where=RUNNING, sqlite_where=RUNNING)
