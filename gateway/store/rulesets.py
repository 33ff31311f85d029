"""Rule sets that judged: at start with broken rules the last good one judges on. Reads and checks none of them."""

from datetime import datetime

from sqlalchemy import Connection, select

from gateway.model.verdict import RuleFiles
from gateway.store.codec import codec
from gateway.store.engine import insert_new
from gateway.store.tables import rulesets

write_files, read_files = codec(RuleFiles)

WHOLE_GATEWAY = ""
"""In place of a mailbox: rules stand for all of them."""


def keep_ruleset(connection: Connection, digest: str, files: RuleFiles, *, now: datetime) -> None:
    """Make it the last set that was good."""
    statement = insert_new(connection.dialect.name, rulesets).values(
        mailbox=WHOLE_GATEWAY, digest=digest, files=write_files(files), kept_at=now, used_at=now
    )
    keys = [rulesets.c.mailbox, rulesets.c.digest]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"used_at": now}))


def last_ruleset(connection: Connection) -> RuleFiles | None:
    """The set that was good last, None before the first."""
    newest = select(rulesets.c.files).where(rulesets.c.mailbox == WHOLE_GATEWAY)
    text = connection.scalar(newest.order_by(rulesets.c.used_at.desc(), rulesets.c.id.desc()).limit(1))
    if text is None:
        return None
    files: RuleFiles = read_files(text)
    return files


def ruleset(connection: Connection, digest: str) -> RuleFiles | None:
    """The set of that digest."""
    text = connection.scalar(
        select(rulesets.c.files).where(rulesets.c.mailbox == WHOLE_GATEWAY, rulesets.c.digest == digest)
    )
    if text is None:
        return None
    files: RuleFiles = read_files(text)
    return files
