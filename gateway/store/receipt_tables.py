"""The tables of what is told about a request: receipts that left or were withheld, and cards. Holds no statement."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text

from gateway.store.tables import Moment, metadata

# One receipt at most per arrival; the rate windows and the rule on resends are counted here.
receipts = Table(
    "receipts",
    metadata,
    Column("arrival_id", ForeignKey("arrivals.id"), primary_key=True, autoincrement=False),
    Column("mailbox", String, nullable=False),
    Column("contact", String, nullable=False),
    # Emergencies have rate windows of their own.
    Column("emergency", Boolean(create_constraint=False), nullable=False),
    Column("request_key", String, nullable=False),
    Column("at", Moment, nullable=False),
    # The relay refused it for good, or it came back.
    Column("failed_at", Moment),
    Index("ix_receipts_window", "mailbox", "emergency", "at", "contact"),
    Index("ix_receipts_request", "mailbox", "request_key", "at"),
)
FAILED = receipts.c.failed_at.is_not(None)
Index(
    "ix_receipts_failed",
    *(receipts.c.mailbox, receipts.c.contact, receipts.c.failed_at),
    postgresql_where=FAILED,
    sqlite_where=FAILED,
)

# Receipts that did not leave although a human may send them: the sender is proved, and no machine wrote the request.
withheld_receipts = Table(
    "withheld_receipts",
    metadata,
    Column("arrival_id", ForeignKey("arrivals.id"), primary_key=True, autoincrement=False),
    Column("mailbox", String, nullable=False),
    Column("reference", ForeignKey("cases.reference"), nullable=False),
    Column("contact", String),
    Column("why", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("settled_at", Moment),
    Column("settled_by", String),
    Column("reason", Text),
)
WITHHELD = withheld_receipts.c.settled_at.is_(None)
Index("ix_withheld_receipts_open", withheld_receipts.c.at, postgresql_where=WITHHELD, sqlite_where=WITHHELD)

# Second mails to the officers about a request, one before anything proves it and one after.
cards = Table(
    "cards",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("request_key", String, primary_key=True),
    Column("proved", Boolean(create_constraint=False), primary_key=True),
    Column("at", Moment, nullable=False),
    Index("ix_cards_window", "mailbox", "proved", "at"),
    sqlite_with_rowid=False,
)
