"""First schema: contents, arrivals, verdicts, cases, outbox, holds, exceptions, receipts, sightings, events, counters, clocks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state = 'waiting'")
QUEUED = sa.text("state = 'queued'")
NOT_RETURNED = sa.text("state <> 'returned'")
HELD = sa.text("state = 'held'")
RUNNING = sa.text("ended_at IS NULL")
STEPPING = sa.text("ended_at IS NULL AND next_at IS NOT NULL")


def upgrade() -> None:
    _create_contents()
    _create_arrivals()
    _create_cases()
    _create_outbox()
    _create_holds()
    _create_calls()
    _create_clocks()
    _create_rest()


def _create_contents() -> None:
    op.create_table(
        "contents",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contents"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "content_chunks",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("content_id", ROW_ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name="fk_content_chunks_content_id"),
        sa.PrimaryKeyConstraint("content_id", "seq", name="pk_content_chunks"),
        sqlite_with_rowid=False,
    )


def _create_arrivals() -> None:
    op.create_table(
        "running_numbers",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "year", name="pk_running_numbers"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arrivals",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("content_id", ROW_ID, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name="fk_arrivals_content_id"),
        sa.PrimaryKeyConstraint("id", name="pk_arrivals"),
        sa.UniqueConstraint("mailbox", "year", "number", name="uq_arrivals_mailbox_year_number"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_arrivals_due",
        "arrivals",
        ["due_at", "received_at"],
        unique=False,
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_table(
        "verdicts",
        sa.Column("arrival_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("ruleset", sa.String(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_verdicts_arrival_id"),
        sa.PrimaryKeyConstraint("arrival_id", "number", name="pk_verdicts"),
        sqlite_with_rowid=False,
    )


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("arrival_id", ROW_ID, nullable=True),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_cases_arrival_id"),
        sa.PrimaryKeyConstraint("reference", name="pk_cases"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cases_origin", "cases", ["mailbox", "origin", "opened_at"], unique=False)
    op.create_index("ix_cases_request", "cases", ["mailbox", "request_key"], unique=False)
    op.create_index("ix_cases_state", "cases", ["state", "opened_at", "reference"], unique=False)
    op.create_table(
        "thread_keys",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_thread_keys_reference"),
        sa.PrimaryKeyConstraint("mailbox", "kind", "key", "reference", name="pk_thread_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_thread_keys_reference", "thread_keys", ["reference"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("arrival_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_receipts_arrival_id"),
        sa.PrimaryKeyConstraint("arrival_id", name="pk_receipts"),
    )
    op.create_index("ix_receipts_request", "receipts", ["mailbox", "request_key", "at"], unique=False)
    op.create_index("ix_receipts_window", "receipts", ["mailbox", "emergency", "at", "contact"], unique=False)
    failed = sa.text("failed_at IS NOT NULL")
    op.create_index(
        "ix_receipts_failed",
        "receipts",
        ["mailbox", "contact", "failed_at"],
        unique=False,
        postgresql_where=failed,
        sqlite_where=failed,
    )
    op.create_table(
        "withheld_receipts",
        sa.Column("arrival_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_withheld_receipts_arrival_id"),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_withheld_receipts_reference"),
        sa.PrimaryKeyConstraint("arrival_id", name="pk_withheld_receipts"),
    )
    waiting = sa.text("settled_at IS NULL")
    op.create_index(
        "ix_withheld_receipts_open",
        "withheld_receipts",
        ["at"],
        unique=False,
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.create_table(
        "cards",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "request_key", "proved", name="pk_cards"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cards_window", "cards", ["mailbox", "proved", "at"], unique=False)
    op.create_table(
        "sightings",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("trait", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "address", "trait", "value", name="pk_sightings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("happening", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("arrival_id", ROW_ID, nullable=True),
        sa.Column("content_id", ROW_ID, nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_events_arrival_id"),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name="fk_events_content_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_reference", "events", ["reference"], unique=False)
    modes = sa.text("happening = 'mode-changed'")
    op.create_index("ix_events_modes", "events", ["id"], unique=False, postgresql_where=modes, sqlite_where=modes)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("hop", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("mail_from", sa.String(), nullable=False),
        sa.Column("rcpt_to", sa.String(), nullable=False),
        sa.Column("content_id", ROW_ID, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("arrival_id", ROW_ID, nullable=True),
        sa.Column("prepend", sa.LargeBinary(), nullable=False),
        sa.Column("insertions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_outbox_arrival_id"),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name="fk_outbox_content_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_cause",
        "outbox",
        ["mailbox", "purpose", "cause", "rcpt_to"],
        unique=True,
        postgresql_where=NOT_RETURNED,
        sqlite_where=NOT_RETURNED,
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at", "purpose", "created_at"],
        unique=False,
        postgresql_where=QUEUED,
        sqlite_where=QUEUED,
    )
    op.create_index("ix_outbox_reference", "outbox", ["reference"], unique=False)
    op.create_table(
        "hop_replies",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("outbox_id", ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_hop_replies_outbox_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hop_replies"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hop_replies_outbox_id", "hop_replies", ["outbox_id"], unique=False)


def _create_holds() -> None:
    op.create_table(
        "refusals",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("waiver", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "number", name="pk_refusals"),
    )
    op.create_table(
        "refused_mails",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", "message_id", name="pk_refused_mails"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "exceptions",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=True),
        sa.Column("granted_at", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_exceptions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exceptions_until", "exceptions", ["mailbox", "until"], unique=False)
    op.create_index("ix_exceptions_number", "exceptions", ["mailbox", "number"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("content_id", ROW_ID, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True),
        sa.Column("paged_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name="fk_holds_content_id"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_holds_held", "holds", ["held_at"], unique=False, postgresql_where=HELD, sqlite_where=HELD)
    op.create_index(
        "ix_holds_once", "holds", ["mailbox", "sha256"], unique=True, postgresql_where=HELD, sqlite_where=HELD
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("assurance", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.UniqueConstraint("mailbox", "cause", name="uq_calls_mailbox_cause"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calls_due", "calls", ["due_at"], unique=False, postgresql_where=WAITING, sqlite_where=WAITING)
    op.create_index("ix_calls_shared", "calls", ["why", "shared", "settled_at"], unique=False)


def _create_clocks() -> None:
    op.create_table(
        "clocks",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_clocks_reference"),
        sa.PrimaryKeyConstraint("reference", "clock", name="pk_clocks"),
        sqlite_with_rowid=False,
    )
    for name, columns, where in (
        ("ix_clocks_due", ["next_at"], STEPPING),
        ("ix_clocks_oldest", ["clock", "category", "since"], RUNNING),
        ("ix_clocks_overdue", ["clock", "until"], RUNNING),
    ):
        op.create_index(name, "clocks", columns, unique=False, postgresql_where=where, sqlite_where=where)


def _create_rest() -> None:
    op.create_table(
        "rulesets",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rulesets"),
        sa.UniqueConstraint("mailbox", "digest", name="uq_rulesets_mailbox_digest"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ruleset_changes",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("replaced", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ruleset_changes"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "shadow_differences",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("arrival_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("difference", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_shadow_differences_arrival_id"),
        sa.PrimaryKeyConstraint("arrival_id", "digest", name="pk_shadow_differences"),
    )
    op.create_table(
        "counters",
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "name", "label", "slot", name="pk_counters"),
        sqlite_with_rowid=False,
    )
