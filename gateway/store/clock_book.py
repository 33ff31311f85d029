"""The clocks of all cases, as operations of one transaction each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model.clock import CaseClock, DueClock
from gateway.store import clocks
from gateway.store.clocks import ClockFigures, Telling
from gateway.store.codec import storable
from gateway.store.engine import Database


@dataclass(frozen=True, slots=True)
class ClockBook:
    """Reads the clocks and writes down what was told; raises StoreUnavailable when the database does not answer."""

    database: Database

    def due(self, *, mailbox: str, now: datetime, limit: int) -> tuple[DueClock, ...]:
        """Clocks with a step to tell, the longest due first; where none is due this costs one look into an index."""
        with self.database.glancing() as connection:
            if not clocks.any_due(connection, now):
                return ()
        with self.database.reading() as connection:
            return clocks.due(connection, mailbox=mailbox, now=now, limit=limit)

    def tell(self, tellings: Sequence[Telling], *, now: datetime) -> int:
        """How many of these steps nobody had told yet; their notices and calls are queued in the same transaction."""
        return self.database.write(lambda connection: clocks.tell(connection, tellings, now=now))

    def of_case(self, reference: str) -> tuple[CaseClock, ...]:
        """All clocks of a case, running or not."""
        with self.database.reading() as connection:
            return clocks.of_case(connection, storable(reference).upper())

    def of_cases(self, references: Iterable[str]) -> Mapping[str, tuple[CaseClock, ...]]:
        """Clocks by reference; a case without any is not among them."""
        with self.database.reading() as connection:
            return clocks.of_cases(connection, references)

    def overdue(self, now: datetime) -> tuple[str, ...]:
        """References of the cases with a clock that is over, the longest over first."""
        with self.database.reading() as connection:
            return clocks.overdue(connection, now)

    def figures(self, now: datetime) -> ClockFigures:
        """How the running clocks stand."""
        with self.database.reading() as connection:
            return clocks.read_clock_figures(connection, now)
