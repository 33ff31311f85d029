"""The rule sets and what happened to them, as operations of one transaction each."""

from dataclasses import dataclass
from datetime import datetime

from gateway.model.message import Arrival
from gateway.model.outcome import Outcome
from gateway.model.rulebook import Act, Difference, RulesetChange, StoredDifference
from gateway.model.verdict import RuleFiles
from gateway.store import rulesets, verdicts
from gateway.store.engine import Database


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Reads and writes the history of rule sets; raises StoreUnavailable when the database does not answer."""

    database: Database

    def active(self) -> RulesetChange | None:
        """The change after which the set that judges now began to."""
        with self.database.reading() as connection:
            return rulesets.active(connection)

    def shadow(self) -> RulesetChange | None:
        """The change that put a set beside the live one."""
        with self.database.reading() as connection:
            return rulesets.shadow(connection)

    def files(self, digest: str) -> RuleFiles | None:
        """The set of that digest."""
        with self.database.reading() as connection:
            return rulesets.ruleset(connection, digest)

    def changes(self, *, limit: int) -> tuple[RulesetChange, ...]:
        """What happened, newest first."""
        with self.database.reading() as connection:
            return rulesets.changes(connection, limit=limit)

    def adopt(self, digest: str, files: RuleFiles, *, author: str, reason: str, now: datetime) -> RulesetChange:
        """Let the set of the folder judge from now on."""
        return self.database.write(
            lambda connection: rulesets.activate(
                connection, Act.ADOPTED, digest, files, author=author, reason=reason, now=now
            )
        )

    def promote(self, digest: str, files: RuleFiles, *, author: str, reason: str, now: datetime) -> RulesetChange:
        """Propose the set, or activate it if another login proposed it; raises NotPermitted for one's own."""
        return self.database.write(
            lambda connection: rulesets.promote(connection, digest, files, author=author, reason=reason, now=now)
        )

    def roll_back(self, digest: str, *, author: str, reason: str, now: datetime) -> RulesetChange:
        """Let a set that was kept judge again."""
        return self.database.write(
            lambda connection: rulesets.activate(
                connection, Act.ROLLED_BACK, digest, None, author=author, reason=reason, now=now
            )
        )

    def put_in_shadow(
        self, digest: str, files: RuleFiles | None, *, author: str, reason: str, now: datetime
    ) -> RulesetChange:
        """Let the set judge beside the live one; '' takes away the one that does."""
        return self.database.write(
            lambda connection: rulesets.put_in_shadow(connection, digest, files, author=author, reason=reason, now=now)
        )

    def keep_difference(self, arrival_id: int, digest: str, difference: Difference) -> None:
        """Keep what the shadow set makes of that arrival."""
        self.database.write(lambda connection: rulesets.keep_difference(connection, arrival_id, digest, difference))

    def unshadowed(self, change: RulesetChange, *, limit: int) -> tuple[int, ...]:
        """Arrivals judged since that set stands in shadow that it has not judged, oldest first."""
        with self.database.reading() as connection:
            return rulesets.unshadowed(connection, change, limit=limit)

    def shadowed(self, digest: str) -> int:
        """How many mails that set has judged in shadow."""
        with self.database.reading() as connection:
            return rulesets.shadowed(connection, digest)

    def judged(self, *, limit: int, since: datetime | None = None) -> tuple[int, ...]:
        """Ids of arrivals with a verdict, newest first; `since` is when they were judged."""
        with self.database.reading() as connection:
            return rulesets.judged(connection, limit=limit, since=since)

    def stored(self, arrival_id: int) -> tuple[Arrival, Outcome] | None:
        """A message with its latest verdict and the DNS answers of its first."""
        with self.database.reading() as connection:
            return verdicts.verdict_on(connection, arrival_id)

    def differences(self, digest: str, *, limit: int) -> tuple[StoredDifference, ...]:
        """What that set made otherwise while it stood in shadow, newest mail first."""
        with self.database.reading() as connection:
            return rulesets.differences(connection, digest, limit=limit)
