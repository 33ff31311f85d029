"""Which rule set judges: the one of the folder, unless it is broken or older than what was promoted.

Every set that comes to judge is kept with who let it; a broken file never keeps the gateway from judging (DESIGN section 6).
"""

import contextlib
import fcntl
import os
import pwd
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import log, metrics
from gateway.config import read_tree
from gateway.errors import ConfigError
from gateway.model.rulebook import Act, RulesetChange
from gateway.model.settings import Settings
from gateway.model.verdict import RuleFiles
from gateway.triage.ruleset import parse_tree

if TYPE_CHECKING:
    # judges read rules and have no database: they start sooner without its library
    from gateway.store.rulebook import Rulebook

FROM_FOLDER = "read from the folder"
EXAMPLES = "examples" + os.sep


def live_rules(settings: Settings, book: "Rulebook | None") -> RuleFiles:
    """The set that shall judge from now on; raises ConfigError only if none was ever good."""
    active = None if book is None else book.active()
    try:
        files = read_rules(settings)
        digest = parse_tree(files).digest
    except ConfigError as error:
        kept = None if book is None or active is None else book.files(active.digest)
        if kept is None or active is None:
            raise
        return _last_good(kept, active.digest, error)
    if book is not None and active is not None and _left_behind(active, digest):
        kept = book.files(active.digest)
        if kept is not None:
            log.alarm(
                "rules-folder-behind", what=settings.rules, remedy="run `cp247 rules rollback` or write the set there"
            )
            files, digest = kept, active.digest
    elif book is not None:
        book.adopt(digest, files, author=owner_of(settings.rules), reason=FROM_FOLDER, now=datetime.now(UTC))
    show(digest, stale=False)
    return files


def read_rules(settings: Settings) -> RuleFiles:
    """The rule tree on disk, whole, without its examples: they judge nothing."""
    with locked(settings.rules, fcntl.LOCK_SH):
        tree = read_tree(settings.rules)
    return RuleFiles(tuple((name, content) for name, content in tree if not name.startswith(EXAMPLES)))


@contextlib.contextmanager
def locked(folder: str, mode: int) -> Iterator[None]:
    """Nobody writes a set into the folder while it is read, and the other way round; a folder that is none is not locked."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, mode)
        yield
    finally:
        os.close(descriptor)


def show(digest: str, *, stale: bool) -> None:
    """Tell Prometheus which set judges, and whether it is older than what lies in the folder."""
    metrics.RULES_STALE.set(stale)
    metrics.RULESET.info({"digest": digest})


def owner_of(folder: str) -> str:
    """Login that owns the file changed last: who edited it, as far as the file system knows."""
    paths = (os.path.join(base, name) for base, _, names in os.walk(folder) for name in names)
    newest = max((os.stat(path) for path in paths), key=lambda one: one.st_mtime_ns, default=os.stat(folder))
    try:
        return pwd.getpwuid(newest.st_uid).pw_name
    except KeyError:
        return f"uid {newest.st_uid}"


def _left_behind(active: RulesetChange, digest: str) -> bool:
    """Whether the folder still holds what a promotion replaced: it was not written there, here at least."""
    return active.act in (Act.PROMOTED, Act.ROLLED_BACK) and digest == active.replaced != active.digest


def _last_good(kept: RuleFiles, digest: str, error: ConfigError) -> RuleFiles:
    for complaint in error.complaints:
        log.alarm(
            "rules-broken", what=str(complaint), remedy="mend the file and send SIGHUP; the last good rules judge on"
        )
    show(digest, stale=True)
    return kept
