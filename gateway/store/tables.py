"""Tables of the database, the same on SQLite and PostgreSQL; every row names its mailbox. Holds no statement."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from gateway.model.hold import HoldState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class ArrivalState(StrEnum):
    """Whether an arrival still waits for its final verdict."""

    WAITING = "waiting"
    JUDGED = "judged"


class MailState(StrEnum):
    """Where one mail to one recipient stands: accepted = sent + queued + returned."""

    QUEUED = "queued"
    SENT = "sent"
    RETURNED = "returned"


class CallState(StrEnum):
    """Whether somebody was woken by a call."""

    WAITING = "waiting"
    REACHED = "reached"


class KeyKind(StrEnum):
    """What ties a message to a case."""

    MESSAGE_ID = "message-id"
    THREAD_INDEX = "thread-index"


class Happening(StrEnum):
    """What the journal tells about a case, one event each."""

    JUDGED = "judged"
    JUDGED_AGAIN = "judged-again"
    DEFERRED = "deferred"
    DECIDED = "decided"
    FORWARDED = "forwarded"
    RECORDED = "recorded"
    RETURNED = "returned"
    HELD = "held"
    REMINDED = "reminded"
    NOTED = "noted"
    CALLED = "called"
    CLOSED = "closed"
    EXTENDED = "extended"
    MLA_RECEIVED = "mla-received"
    RELEASED = "released"
    RECEIPT_RELEASED = "receipt-released"
    GIVEN_BACK = "given-back"
    EXCEPTION_PROPOSED = "exception-proposed"
    EXCEPTION_GRANTED = "exception-granted"
    EXCEPTION_USED = "exception-used"
    EXCEPTION_REVOKED = "exception-revoked"
    MODE_CHANGED = "mode-changed"


class Moment(TypeDecorator[datetime]):
    """A point in time as microseconds since 1970 UTC: SQLite knows no time zones, and integers sort."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 SQLAlchemy's
        """Aware time to integer; a naive one is a programming error and raises TypeError."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy's
        """Integer to aware time in UTC."""
        return None if value is None else EPOCH + value * MICROSECOND


# SQLite numbers rows by itself only where the column is its plain INTEGER.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _row_id() -> Column[int]:
    return Column("id", ROW_ID, primary_key=True, autoincrement=True)


def _mailbox() -> Column[str]:
    return Column("mailbox", String, nullable=False)


def _word(state: StrEnum) -> ColumnElement[str]:
    """A state within the text of a statement: a database uses an index of some rows only where it can read that they are meant."""
    return literal_column(f"'{state.value}'")


# Rows that are found by their key alone need no number of their own beside it: one index less to write.
_BY_KEY: dict[str, Any] = {"sqlite_with_rowid": False}

contents = Table(
    "contents",
    metadata,
    _row_id(),
    _mailbox(),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    sqlite_autoincrement=True,
)

content_chunks = Table(
    "content_chunks",
    metadata,
    _mailbox(),
    Column("content_id", ForeignKey("contents.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("octets", LargeBinary, nullable=False),
    **_BY_KEY,
)

running_numbers = Table(
    "running_numbers",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    **_BY_KEY,
)

arrivals = Table(
    "arrivals",
    metadata,
    _row_id(),
    _mailbox(),
    Column("received_at", Moment, nullable=False),
    Column("source", String, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("content_id", ForeignKey("contents.id"), nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("due_at", Moment, nullable=False),
    # While an owner is named, due_at is the end of its lease.
    Column("owner", String),
    Column("tries", Integer, nullable=False),
    Column("reference", String),
    UniqueConstraint("mailbox", "year", "number"),
    sqlite_autoincrement=True,
)
WAITING = arrivals.c.state == _word(ArrivalState.WAITING)
# With what the figures ask of whatever waits, which is read whole: an index of its own would be written twice for every mail.
Index("ix_arrivals_due", arrivals.c.due_at, arrivals.c.received_at, postgresql_where=WAITING, sqlite_where=WAITING)

verdicts = Table(
    "verdicts",
    metadata,
    Column("arrival_id", ForeignKey("arrivals.id"), primary_key=True, autoincrement=False),
    # 1 is the verdict of its road; a message judged again gets the next one, and keeps those it had.
    Column("number", Integer, primary_key=True, autoincrement=False),
    _mailbox(),
    Column("judged_at", Moment, nullable=False),
    Column("ruleset", String, nullable=False),
    Column("outcome", Text, nullable=False),
    **_BY_KEY,
)

cases = Table(
    "cases",
    metadata,
    Column("reference", String, primary_key=True),
    _mailbox(),
    Column("opened_at", Moment, nullable=False),
    Column("category", String, nullable=False),
    Column("state", String, nullable=False),
    Column("origin", String),
    # The arrival that opened it; none where we asked.
    Column("arrival_id", ForeignKey("arrivals.id")),
    Column("request_key", String),
    Column("view", Text, nullable=False),
    Index("ix_cases_state", "state", "opened_at", "reference"),
    Index("ix_cases_origin", "mailbox", "origin", "opened_at"),
    Index("ix_cases_request", "mailbox", "request_key"),
    **_BY_KEY,
)

thread_keys = Table(
    "thread_keys",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    # Order in the thread, oldest first.
    Column("added_at", Moment, nullable=False),
    Index("ix_thread_keys_reference", "reference"),
    **_BY_KEY,
)

outbox = Table(
    "outbox",
    metadata,
    _row_id(),
    _mailbox(),
    Column("purpose", String, nullable=False),
    Column("hop", String, nullable=False),
    # What made this mail: an arrival, a submitted message, a refusal. Its repeat makes no second mail
    # unless the first was returned.
    Column("cause", String, nullable=False),
    Column("mail_from", String, nullable=False),
    Column("rcpt_to", String, nullable=False),
    Column("content_id", ForeignKey("contents.id"), nullable=False),
    Column("message_id", String, nullable=False),
    Column("reference", String),
    Column("arrival_id", ForeignKey("arrivals.id")),
    Column("prepend", LargeBinary, nullable=False),
    Column("insertions", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", String, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("owner", String),
    Column("tries", Integer, nullable=False),
    Column("reply", Text, nullable=False),
    Column("settled_at", Moment),
    sqlite_autoincrement=True,
)
NOT_RETURNED = outbox.c.state != _word(MailState.RETURNED)
Index(
    "ix_outbox_cause",
    *(outbox.c.mailbox, outbox.c.purpose, outbox.c.cause, outbox.c.rcpt_to),
    unique=True,
    postgresql_where=NOT_RETURNED,
    sqlite_where=NOT_RETURNED,
)
QUEUED = outbox.c.state == _word(MailState.QUEUED)
Index(
    "ix_outbox_due",
    *(outbox.c.due_at, outbox.c.purpose, outbox.c.created_at),
    postgresql_where=QUEUED,
    sqlite_where=QUEUED,
)
Index("ix_outbox_reference", outbox.c.reference)

# What a hop answered each time it did not take a mail.
hop_replies = Table(
    "hop_replies",
    metadata,
    _row_id(),
    _mailbox(),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("reply", Text, nullable=False),
    Index("ix_hop_replies_outbox_id", "outbox_id"),
    sqlite_autoincrement=True,
)

# What authenticated mail of an address has looked like: one row per value of a trait.
sightings = Table(
    "sightings",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("address", String, primary_key=True),
    Column("trait", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("messages", BigInteger, nullable=False),
    **_BY_KEY,
)

events = Table(
    "events",
    metadata,
    _row_id(),
    _mailbox(),
    Column("at", Moment, nullable=False),
    Column("happening", String, nullable=False),
    Column("reference", String),
    Column("arrival_id", ForeignKey("arrivals.id")),
    Column("content_id", ForeignKey("contents.id")),
    Column("facts", Text, nullable=False),
    Index("ix_events_reference", "reference"),
    sqlite_autoincrement=True,
)

# Read once at each start, among all that ever happened.
MODES = events.c.happening == _word(Happening.MODE_CHANGED)
Index("ix_events_modes", events.c.id, postgresql_where=MODES, sqlite_where=MODES)

rulesets = Table(
    "rulesets",
    metadata,
    _row_id(),
    _mailbox(),
    Column("digest", String, nullable=False),
    Column("files", Text, nullable=False),
    Column("kept_at", Moment, nullable=False),
    UniqueConstraint("mailbox", "digest"),
    sqlite_autoincrement=True,
)

# Who let which set judge, and why; the last line that activates one says which judges now.
ruleset_changes = Table(
    "ruleset_changes",
    metadata,
    _row_id(),
    _mailbox(),
    Column("at", Moment, nullable=False),
    Column("act", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("replaced", String, nullable=False),
    Column("author", String, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)

shadow_differences = Table(
    "shadow_differences",
    metadata,
    _mailbox(),
    Column("arrival_id", ForeignKey("arrivals.id"), primary_key=True),
    Column("digest", String, primary_key=True),
    Column("difference", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("label", String, primary_key=True),
    # Processes that write at once use different slots, so that no counter is a queue they stand in.
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    **_BY_KEY,
)

# The numbers officers were given; pressing Send again is the same row.
refusals = Table(
    "refusals",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("number", String, primary_key=True),
    Column("rule", String, nullable=False),
    Column("row", Integer, nullable=False),
    Column("waiver", String, nullable=False),
    Column("reference", String),
    Column("sender", String, nullable=False),
    Column("login", String),
    Column("recipients", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("times", Integer, nullable=False),
)

# Mails that were refused: one that comes again by itself is told of once.
refused_mails = Table(
    "refused_mails",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("first_at", Moment, nullable=False),
    Column("told_at", Moment),
    **_BY_KEY,
)

exceptions = Table(
    "exceptions",
    metadata,
    _row_id(),
    _mailbox(),
    Column("number", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("granted_by", String),
    Column("granted_at", Moment),
    Column("until", Moment, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("revoked_by", String),
    Column("revoked_at", Moment),
    Index("ix_exceptions_until", "mailbox", "until"),
    Index("ix_exceptions_number", "mailbox", "number"),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    metadata,
    _row_id(),
    _mailbox(),
    Column("number", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("reference", String),
    Column("category", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("content_id", ForeignKey("contents.id"), nullable=False),
    # The submitted bytes below the trace: the same mail is held once.
    Column("sha256", String, nullable=False),
    Column("reply", Text, nullable=False),
    # (mail, recipient) pairs that count as held.
    Column("pairs", Integer, nullable=False),
    Column("held_at", Moment, nullable=False),
    Column("reminded_at", Moment),
    Column("paged_at", Moment),
    Column("state", String, nullable=False),
    Column("settled_at", Moment),
    sqlite_autoincrement=True,
)
_held = holds.c.state == HoldState.HELD.value
Index("ix_holds_held", holds.c.held_at, postgresql_where=_held, sqlite_where=_held)
Index("ix_holds_once", *(holds.c.mailbox, holds.c.sha256), unique=True, postgresql_where=_held, sqlite_where=_held)


calls = Table(
    "calls",
    metadata,
    _row_id(),
    _mailbox(),
    Column("cause", String, nullable=False),
    Column("why", String, nullable=False),
    Column("reference", String),
    Column("assurance", String, nullable=False),
    Column("contact", String),
    # It shares a call with others of its kind.
    Column("shared", Boolean(create_constraint=False), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("owner", String),
    Column("tries", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("settled_at", Moment),
    UniqueConstraint("mailbox", "cause"),
    sqlite_autoincrement=True,
)
_ringing = calls.c.state == CallState.WAITING.value
Index("ix_calls_due", calls.c.due_at, postgresql_where=_ringing, sqlite_where=_ringing)
Index("ix_calls_shared", calls.c.why, calls.c.shared, calls.c.settled_at)
