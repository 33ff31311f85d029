"""The memory of the gateway: every operation is one transaction, on the disk when it returns, harmless when repeated.

But for leases and what was sent: they are taken, and sent, again. Raises StoreUnavailable when the database does not answer.
Never judges, never sends, never forgets a message. Thread-safe; times are aware and come from the caller.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from sqlalchemy import Connection, select

from gateway.channel.patience import Step
from gateway.model.call import Call, DueCall, Why
from gateway.model.case import CaseState, CaseView
from gateway.model.channel import Dispatch
from gateway.model.hold import ChannelException, Hold, Refusal
from gateway.model.message import Arrival, Envelope, Incoming, ThreadKeys
from gateway.model.outbox import Hop, HopReply, OutboxRow, OutMail
from gateway.model.outcome import Outcome
from gateway.model.settings import Mode
from gateway.model.verdict import RuleFiles
from gateway.store import calls, cases, exceptions, holds, intake, listing, modes, outbox, outward, verdicts, waiting
from gateway.store.acts import Acts
from gateway.store.again import Again
from gateway.store.cases import Recall
from gateway.store.clock_book import ClockBook
from gateway.store.codec import storable
from gateway.store.content import read_chunk, read_contents
from gateway.store.engine import Database, Operation, open_database
from gateway.store.figures import Figures, change, read_figures
from gateway.store.intake import Claim
from gateway.store.listing import CaseFile
from gateway.store.outbox import Lease, Sent, Settled
from gateway.store.refusals import find_refusal
from gateway.store.rulebook import Rulebook
from gateway.store.verdicts import Judgement, Recorded
from gateway.store.waiting import Queue, QueueEntry, QueueLine
from gateway.store.withheld import Register

__all__ = [
    "CaseFile",
    "Claim",
    "Figures",
    "Journal",
    "Queue",
    "QueueEntry",
    "QueueLine",
    "Recall",
    "Recorded",
    "Settled",
    "open_journal",
]


def open_journal(url: str, *, upgrade: bool) -> "Journal":
    """Journal of `sqlite:PATH` or `postgresql://...`; with `upgrade` its schema is made or brought up to date.

    Raises ConfigError for another kind of address, StoreUnavailable when it does not answer or has another schema.
    """
    return Journal(open_database(url, upgrade=upgrade))


@dataclass(frozen=True, slots=True)
class Journal:
    """What has happened and what must leave; lives as long as the process."""

    database: Database

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()

    def ping(self) -> None:
        """Return if the database answers."""
        with self.database.reading() as connection:
            connection.execute(select(1))

    @property
    def acts(self) -> Acts:
        """What officers record in a case."""
        return Acts(self.database)

    @property
    def clocks(self) -> ClockBook:
        """What the cases wait for, and by when."""
        return ClockBook(self.database)

    @property
    def again(self) -> Again:
        """Verdicts given again, and the messages a key has a part in."""
        return Again(self.database)

    @property
    def withheld(self) -> Register:
        """Receipts that wait for a human's word."""
        return Register(self.database)

    def take_in(self, batch: Sequence[Incoming]) -> tuple[int, ...]:
        """Arrival ids in the order of the batch; when this returns, each of them may get its 250."""
        if not batch:
            return ()
        return self.database.write(lambda connection: intake.take_in(connection, batch), urgent=True)

    def reserve_number(self, mailbox: str, *, now: datetime) -> int:
        """The running number of a case that a mail of our own opens."""
        return self.database.write(lambda connection: intake.reserve_number(connection, mailbox, now=now))

    def claim(self, *, limit: int, owner: str, now: datetime, lease: timedelta) -> tuple[Claim, ...]:
        """Arrivals to be judged, leased until `now + lease`; another claim does not see them before."""
        with self.database.glancing() as connection:
            if not intake.is_due(connection, now):
                return ()
        work = partial(intake.claim, limit=limit, owner=owner, now=now, lease=lease)
        rows = self.database.write(work, lasting=False)
        with self.database.glancing() as connection:
            return intake.claims_of(connection, rows)

    def recall(
        self,
        keys: ThreadKeys,
        *,
        mailbox: str,
        request_key: str | None,
        recipients: tuple[str, ...] = (),
        arrival: Arrival | None = None,
        sender: str | None = None,
    ) -> Recall:
        """Cases that a message may belong to; inward `arrival` is the message that asks, `sender` its From address."""
        with self.database.reading() as connection:
            return cases.recall(
                connection,
                keys,
                mailbox=mailbox,
                request_key=request_key,
                recipients=recipients,
                arrival=arrival,
                sender=sender,
            )

    def record(
        self, judgements: Sequence[Judgement], *, now: datetime, lease: Lease | None = None
    ) -> list[Operation[Recorded]]:
        """Commit these outcomes, each with its own success or failure; where one connection writes they share a commit.

        A deferred one delivers, keeps the case and asks again later. The receipt is withheld where a rate per hour is reached
        or the same request had its receipt. With `lease` the mails come back, for its owner to send at once.
        """
        return self.database.write_each(
            [partial(verdicts.record, judgement=one, now=now, lease=lease) for one in judgements]
        )

    def postpone(self, arrival_id: int, *, until: datetime, tries: int) -> None:
        """Give an arrival back unjudged, due again at that time."""
        self.database.write(lambda connection: intake.postpone(connection, arrival_id, until=until, tries=tries))

    def add_delivery(self, arrival_id: int, *, prepend: bytes, insertions: tuple[int, ...] = (), now: datetime) -> None:
        """Deliver an arrival before its final verdict; `record` later adds no second delivery."""

        def work(connection: Connection) -> None:
            row = intake.locked(connection, arrival_id)
            arrival, content_id = intake.arrival_of(row, b""), row.content_id
            queued = verdicts.deliver(
                connection,
                arrival,
                content_id=content_id,
                prepend=prepend,
                insertions=insertions,
                reference=None,
                now=now,
            )
            change(connection, queued.changes)

        self.database.write(work)

    def release(self, owner: str, now: datetime) -> None:
        """End all leases of an owner that is no more: what a killed process held is due at once."""

        def work(connection: Connection) -> None:
            intake.release(connection, owner, now)
            outbox.release(connection, owner, now)
            calls.release(connection, owner, now)

        self.database.write(work)

    def claim_mails(
        self, *, limit: int, owner: str, now: datetime, lease: timedelta, hop: Hop | None = None
    ) -> tuple[OutboxRow, ...]:
        """Mails to be sent, leased until `now + lease`; with `hop` only those for it."""
        with self.database.glancing() as connection:
            if not outbox.is_due(connection, now, hop=hop):
                return ()
        work = partial(outbox.claim_mails, hop=hop, limit=limit, owner=owner, now=now, lease=lease)
        return self.database.write(work, lasting=False)

    def chunks(self, content_id: int) -> Iterator[bytes]:
        """Stored bytes in order, at most 256 KiB at a time."""
        for seq in count():
            with self.database.glancing() as connection:
                octets = read_chunk(connection, content_id, seq)
            if octets is None:
                return
            yield octets

    def content(self, content_id: int) -> bytes:
        """Stored bytes as one."""
        with self.database.glancing() as connection:
            return read_contents(connection, (content_id,)).get(content_id, b"")

    def settle(
        self,
        row_id: int,
        reply: HopReply,
        *,
        now: datetime,
        retry_at: datetime | None = None,
        notice: OutMail | None = None,
    ) -> Settled:
        """Write down what the hop answered for one mail.

        A refusal ends receipts and answers; a delivery or notice stays queued until `retry_at`, else for an hour.
        An answer refused for good fails its case; `notice` is queued when this settlement ended the mail.
        """
        return self.database.write(
            lambda connection: outward.settle_mail(connection, row_id, reply, now=now, retry_at=retry_at, notice=notice)
        )

    def settle_sent(self, mails: Sequence[Sent]) -> None:
        """Write down that hops have taken these; what the power takes away of that is sent again, as after a crash before it."""
        self.database.write(lambda connection: outbox.settle_sent(connection, mails), lasting=False)

    def dispatch(
        self,
        dispatch: Dispatch,
        *,
        mailbox: str,
        envelope: Envelope,
        content: bytes,
        now: datetime,
    ) -> timedelta | None:
        """Commit what was decided about a submitted message, with the mails and the case if there are any.

        The same message submitted again is not sent again, unless its first copy was returned. Comes back how long the case
        had waited for this answer, None where it did not wait.
        """
        return self.database.write(
            lambda connection: outward.keep_dispatch(
                connection, dispatch, mailbox=mailbox, envelope=envelope, content=content, now=now
            )
        )

    def waived(self, mailbox: str, *, now: datetime, login: str | None = None) -> frozenset[str]:
        """Numbers of the decisions that exceptions let pass now, in a mail of that login."""
        with self.database.reading() as connection:
            return exceptions.active_numbers(connection, mailbox, now, login=login)

    def grant(
        self,
        number: str,
        *,
        mailbox: str,
        by: str,
        reason: str,
        life: timedelta,
        uses: int,
        now: datetime,
        notice: exceptions.Notice,
    ) -> ChannelException:
        """The exception after this person's word, of which the mailbox is told; raises NotPermitted where it is not his to give."""
        return self.database.write(
            lambda connection: exceptions.grant(
                connection,
                number,
                mailbox=mailbox,
                by=by,
                reason=reason,
                life=life,
                uses=uses,
                now=now,
                notice=notice,
            )
        )

    def revoke(self, number: str, *, mailbox: str, by: str, now: datetime) -> int:
        """How many exceptions for that decision are worth nothing from now on."""
        return self.database.write(
            lambda connection: exceptions.revoke(connection, number, mailbox=mailbox, by=by, now=now)
        )

    def exceptions(self, *, limit: int) -> tuple[ChannelException, ...]:
        """Exceptions, the newest first."""
        with self.database.reading() as connection:
            return exceptions.newest_exceptions(connection, limit=limit)

    def refusal(self, mailbox: str, number: str) -> Refusal | None:
        """What a number that an officer was given stands for."""
        with self.database.reading() as connection:
            return find_refusal(connection, mailbox, storable(number))

    def holds(self, *, limit: int) -> tuple[Hold, ...]:
        """Held answers, the oldest first."""
        with self.database.reading() as connection:
            return holds.open_holds(connection, limit=limit)

    def mark_hold(self, hold_id: int, *, step: Step, notice: OutMail, now: datetime) -> bool:
        """Whether the step was still due: the reminder, page or return is written down and its notice queued."""
        return self.database.write(
            lambda connection: holds.mark(connection, hold_id, step=step, notice=notice, now=now)
        )

    def add_call(self, call: Call, *, mailbox: str, now: datetime) -> bool:
        """Whether this call to the duty officer is new; it is kept until somebody is reached."""
        return self.database.write(lambda connection: calls.add_call(connection, call, mailbox=mailbox, now=now))

    def claim_calls(self, *, limit: int, owner: str, now: datetime, lease: timedelta) -> tuple[DueCall, ...]:
        """Calls to be rung, leased until `now + lease`."""
        with self.database.reading() as connection:
            if not calls.any_due(connection, now):
                return ()
        work = partial(calls.claim_calls, limit=limit, owner=owner, now=now, lease=lease)
        return self.database.write(work, lasting=False)

    def calls_reached(self, ids: Sequence[int], *, now: datetime) -> None:
        """Write down that somebody was reached."""
        self.database.write(lambda connection: calls.reached(connection, ids, now=now))

    def put_off_calls(self, ids: Sequence[int], *, until: datetime) -> None:
        """Ring these again then."""
        self.database.write(lambda connection: calls.put_off(connection, ids, until=until))

    def last_shared_call(self, why: Why) -> datetime:
        """When calls that share one, such as emergencies that nothing proves, last woke somebody."""
        with self.database.reading() as connection:
            return calls.last_shared(connection, why)

    def cases(self, *, limit: int, state: CaseState | None = None) -> tuple[CaseView, ...]:
        """Newest cases first."""
        with self.database.reading() as connection:
            return listing.newest_cases(connection, limit=limit, state=state)

    def cases_named(self, references: Sequence[str]) -> tuple[CaseView, ...]:
        """The cases of these references, in that order."""
        with self.database.reading() as connection:
            return listing.cases_named(connection, references)

    def case(self, reference: str) -> CaseFile | None:
        """All that is known of one case, None if there is none; the reference is compared without case."""
        with self.database.reading() as connection:
            return listing.case_file(connection, storable(reference).upper())

    def queue(self, *, limit: int) -> tuple[QueueLine, ...]:
        """What waits to be judged, to leave or for a human, oldest first."""
        with self.database.reading() as connection:
            return waiting.queue(connection, limit=limit)

    def queue_entry(self, queue: Queue, row_id: int) -> QueueEntry | None:
        """One of them whole, None when it does not wait."""
        with self.database.reading() as connection:
            return waiting.entry(connection, queue, row_id)

    def hurry(self, queue: Queue, row_id: int, *, now: datetime) -> bool:
        """Whether it is due now."""
        return self.database.write(lambda connection: waiting.hurry(connection, queue, row_id, now=now))

    def keep_mode(self, mode: Mode, *, mailbox: str, now: datetime) -> Mode:
        """The mode of the outward rule before this one, which is written down where it is another."""
        return self.database.write(lambda connection: modes.keep_mode(connection, mode, mailbox=mailbox, now=now))

    def verdict_of(self, reference: str) -> tuple[Arrival, Outcome] | None:
        """The message that opened a case, with its verdict and DNS answers, as stored."""
        with self.database.reading() as connection:
            return verdicts.verdict_of(connection, storable(reference).upper())

    @property
    def rulebook(self) -> Rulebook:
        """The rule sets and what happened to them."""
        return Rulebook(self.database)

    def ruleset(self, digest: str) -> RuleFiles | None:
        """The rule set of that digest, as a verdict names it."""
        return self.rulebook.files(digest)

    def figures(self) -> Figures:
        """Sizes and ages for the metrics."""
        with self.database.reading() as connection:
            return read_figures(connection)
