"""Rule sets as they were, and every change of the set that judges with who made it and why. Reads and checks none of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from gateway.errors import NotPermitted
from gateway.model.rulebook import ACTIVATING, Act, Difference, RulesetChange, StoredDifference
from gateway.model.verdict import RuleFiles
from gateway.store.codec import codec, storable
from gateway.store.engine import insert_new
from gateway.store.tables import arrivals, ruleset_changes, rulesets, shadow_differences, verdicts

write_files, read_files = codec(RuleFiles)
write_difference, read_difference = codec(Difference)

WHOLE_GATEWAY = ""
"""In place of a mailbox: rules stand for all of them."""
LATE = 1000
"""Arrivals that may be judged after younger ones."""

_CHANGES = select(ruleset_changes).where(ruleset_changes.c.mailbox == WHOLE_GATEWAY)
_NEWEST_FIRST = ruleset_changes.c.id.desc()
_ACTIVATING = ruleset_changes.c.act.in_([act.value for act in ACTIVATING])


def keep_ruleset(connection: Connection, digest: str, files: RuleFiles, *, now: datetime) -> None:
    """Keep the set; one of the same digest is kept already and stays."""
    row = {"mailbox": WHOLE_GATEWAY, "digest": digest, "files": write_files(files), "kept_at": now}
    statement = insert_new(connection.dialect.name, rulesets).values(row)
    keys = [rulesets.c.mailbox, rulesets.c.digest]
    connection.execute(statement.on_conflict_do_nothing(index_elements=keys))


def ruleset(connection: Connection, digest: str) -> RuleFiles | None:
    """The set of that digest."""
    text = connection.scalar(
        select(rulesets.c.files).where(rulesets.c.mailbox == WHOLE_GATEWAY, rulesets.c.digest == digest)
    )
    if text is None:
        return None
    files: RuleFiles = read_files(text)
    return files


def active(connection: Connection) -> RulesetChange | None:
    """The change after which the set that judges now began to, None before the first."""
    return _change_of(connection.execute(_CHANGES.where(_ACTIVATING).order_by(_NEWEST_FIRST).limit(1)).one_or_none())


def shadow(connection: Connection) -> RulesetChange | None:
    """The change that put a set beside the live one, None where none stands there."""
    newest = _CHANGES.where(ruleset_changes.c.act == Act.SHADOWED.value).order_by(_NEWEST_FIRST).limit(1)
    found = _change_of(connection.execute(newest).one_or_none())
    return found if found is not None and found.digest else None


def changes(connection: Connection, *, limit: int) -> tuple[RulesetChange, ...]:
    """What happened to rule sets, newest first."""
    rows = connection.execute(_CHANGES.order_by(_NEWEST_FIRST).limit(limit)).all()
    return tuple(change for row in rows if (change := _change_of(row)) is not None)


def activate(
    connection: Connection, act: Act, digest: str, files: RuleFiles | None, *, author: str, reason: str, now: datetime
) -> RulesetChange:
    """Let the set judge from now on, kept before or given here; the one that judges already only stays."""
    before = active(connection)
    if files is not None:
        keep_ruleset(connection, digest, files, now=now)
    if before is not None and before.digest == digest:
        return before
    return _tell(connection, act, digest, author=author, reason=reason, now=now)


def promote(
    connection: Connection, digest: str, files: RuleFiles, *, author: str, reason: str, now: datetime
) -> RulesetChange:
    """Propose the set, or activate what another login has proposed against the set that judges now.

    Raises NotPermitted for a second proposal by the same login.
    """
    replaced = _digest(active(connection))
    open_proposal = _proposal(connection, digest, replaced)
    keep_ruleset(connection, digest, files, now=now)
    if open_proposal is None:
        return _tell(connection, Act.PROPOSED, digest, author=author, reason=reason, now=now)
    if open_proposal.author == author:
        raise NotPermitted(f"{author} has proposed this set: another login must promote it")
    return _tell(connection, Act.PROMOTED, digest, author=author, reason=reason, now=now)


def put_in_shadow(
    connection: Connection, digest: str, files: RuleFiles | None, *, author: str, reason: str, now: datetime
) -> RulesetChange:
    """Let the set judge beside the live one; '' takes away the one that does."""
    if files is not None:
        keep_ruleset(connection, digest, files, now=now)
    return _tell(connection, Act.SHADOWED, digest, author=author, reason=reason, now=now)


def keep_difference(connection: Connection, arrival_id: int, digest: str, difference: Difference) -> None:
    """Keep what the shadow set makes of that arrival; said again, it stays as it is."""
    row = {
        "mailbox": WHOLE_GATEWAY,
        "arrival_id": arrival_id,
        "digest": digest,
        "difference": write_difference(difference),
    }
    keys = [shadow_differences.c.arrival_id, shadow_differences.c.digest]
    statement = insert_new(connection.dialect.name, shadow_differences).values(row)
    connection.execute(statement.on_conflict_do_nothing(index_elements=keys))


def differences(connection: Connection, digest: str, *, limit: int) -> tuple[StoredDifference, ...]:
    """What that set made otherwise while it stood in shadow, newest mail first."""
    none = write_difference(Difference())
    rows = connection.execute(
        select(shadow_differences.c.difference, arrivals.c.id, arrivals.c.reference, arrivals.c.received_at)
        .join(arrivals, arrivals.c.id == shadow_differences.c.arrival_id)
        .where(shadow_differences.c.digest == digest, shadow_differences.c.difference != none)
        .order_by(arrivals.c.id.desc())
        .limit(limit)
    )
    return tuple(
        StoredDifference(row.id, row.reference, row.received_at, read_difference(row.difference)) for row in rows
    )


def judged(connection: Connection, *, limit: int, since: datetime | None) -> tuple[int, ...]:
    """Ids of arrivals with a verdict, newest first."""
    wanted = select(verdicts.c.arrival_id).where(verdicts.c.number == 1).order_by(verdicts.c.arrival_id.desc())
    found = wanted if since is None else wanted.where(verdicts.c.judged_at >= since)
    return tuple(connection.scalars(found.limit(limit)))


def unshadowed(connection: Connection, change: RulesetChange, *, limit: int) -> tuple[int, ...]:
    """Arrivals judged since the set stands in shadow that it has not judged, oldest first."""
    mine = shadow_differences.c.digest == change.digest
    last = connection.scalar(select(func.max(shadow_differences.c.arrival_id)).where(mine)) or 0
    done = select(shadow_differences.c.arrival_id).where(mine, shadow_differences.c.arrival_id == verdicts.c.arrival_id)
    wanted = (
        select(verdicts.c.arrival_id)
        .where(verdicts.c.number == 1, verdicts.c.arrival_id > last - LATE, verdicts.c.judged_at >= change.at)
        .where(~done.exists())
    )
    return tuple(connection.scalars(wanted.order_by(verdicts.c.arrival_id).limit(limit)))


def shadowed(connection: Connection, digest: str) -> int:
    """How many mails that set has judged in shadow."""
    return int(connection.scalar(select(func.count()).where(shadow_differences.c.digest == digest)) or 0)


def _proposal(connection: Connection, digest: str, replaced: str) -> RulesetChange | None:
    """The open proposal of that set: made for the set that judges now, and nothing was activated since."""
    last = connection.scalar(select(ruleset_changes.c.id).where(_ACTIVATING).order_by(_NEWEST_FIRST).limit(1)) or 0
    wanted = _CHANGES.where(
        ruleset_changes.c.act == Act.PROPOSED.value,
        ruleset_changes.c.digest == digest,
        ruleset_changes.c.replaced == replaced,
        ruleset_changes.c.id > last,
    )
    return _change_of(connection.execute(wanted.order_by(_NEWEST_FIRST).limit(1)).one_or_none())


def _tell(connection: Connection, act: Act, digest: str, *, author: str, reason: str, now: datetime) -> RulesetChange:
    replaced = _digest(active(connection))
    row = {
        "mailbox": WHOLE_GATEWAY,
        "at": now,
        "act": act.value,
        "digest": digest,
        "replaced": replaced,
        "author": storable(author),
        "reason": storable(reason),
    }
    number: int = connection.scalars(insert(ruleset_changes).returning(ruleset_changes.c.id), [row]).one()
    return RulesetChange(number, now, act, digest, replaced, author, reason)


def _digest(change: RulesetChange | None) -> str:
    return "" if change is None else change.digest


def _change_of(row: Row[Any] | None) -> RulesetChange | None:
    if row is None:
        return None
    return RulesetChange(row.id, row.at, Act(row.act), row.digest, row.replaced, row.author, row.reason)
