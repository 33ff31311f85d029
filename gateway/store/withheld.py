"""The register of receipts that did not leave although a human may send them, and how one is sent after all, once.

In it is only mail of a proved sender that no machine wrote: nobody else is ever answered, whoever asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from gateway.errors import NotPermitted
from gateway.model.call import PROVED
from gateway.model.case import CaseState
from gateway.model.message import Arrival
from gateway.model.outbox import OutMail
from gateway.model.outcome import Outcome
from gateway.model.verdict import Withheld
from gateway.store.cases import keep_case, views_of
from gateway.store.codec import codec, storable
from gateway.store.engine import Database, insert_new
from gateway.store.events import add_event
from gateway.store.figures import SENT_LABEL, Changes, Count, change
from gateway.store.outbox import add_mails
from gateway.store.receipt_tables import WITHHELD, withheld_receipts
from gateway.store.receipts import add_receipt
from gateway.store.statement import Statement
from gateway.store.tables import Happening, cases

RELEASABLE = frozenset(
    {
        Withheld.NOT_ADDRESSED,
        Withheld.FORGED,
        Withheld.MAIL_FROM_DIFFERS,
        Withheld.WAITS_FOR_DNS,
        Withheld.WAITS_FOR_HUMAN,
        Withheld.RATE_CONTACT,
        Withheld.RATE_ALL,
        Withheld.SEAL_FAILED,
    }
)
"""Reasons over which a human may decide otherwise where the sender is proved; `forged` is a good signature without its domain."""
WITHIN = timedelta(days=14)
"""As long as a return path of ours is good; after that a receipt would only puzzle its reader."""

write_facts, _ = codec(dict[str, str])

_ADD = Statement(lambda dialect: insert_new(dialect, withheld_receipts).on_conflict_do_nothing())
_OPEN = (
    select(withheld_receipts)
    .join(cases, cases.c.reference == withheld_receipts.c.reference)
    .where(WITHHELD, withheld_receipts.c.at > bindparam("since"), cases.c.state == CaseState.OPEN.value)
)


@dataclass(frozen=True, slots=True)
class WithheldReceipt:
    """One receipt that waits for a human's word."""

    arrival_id: int
    case: str
    contact: str | None
    why: Withheld
    at: datetime


@dataclass(frozen=True, slots=True)
class Register:
    """What the journal does for whoever looks after withheld receipts."""

    database: Database

    def waiting(self, *, now: datetime, limit: int, reference: str | None = None) -> tuple[WithheldReceipt, ...]:
        """Those that could be sent now, the oldest first; with `reference` of that case alone."""
        named = () if reference is None else (withheld_receipts.c.reference == storable(reference).upper(),)
        listed = _OPEN.where(*named).order_by(withheld_receipts.c.at, withheld_receipts.c.arrival_id).limit(limit)
        with self.database.reading() as connection:
            return tuple(map(_read, connection.execute(listed, {"since": now - WITHIN})))

    def count(self, *, now: datetime) -> int:
        """How many could be sent now."""
        with self.database.reading() as connection:
            counted = select(func.count()).select_from(_OPEN.subquery())
            return int(connection.scalar(counted, {"since": now - WITHIN}) or 0)

    def release(
        self, arrival: Arrival, outcome: Outcome, mail: OutMail, *, by: str, reason: str, now: datetime
    ) -> None:
        """Queue the receipt with its event; raises NotPermitted where it left or was settled meanwhile."""
        self.database.write(
            lambda connection: _release(connection, arrival, outcome, mail, by=by, reason=reason, now=now)
        )


def keep(connection: Connection, outcome: Outcome, *, arrival: Arrival, now: datetime) -> None:
    """Enter the receipt of a request whose sender is proved, if the reason it is withheld for is one a human may overrule."""
    why = outcome.verdict.receipt.reason
    if why not in RELEASABLE or outcome.verdict.assurance not in PROVED or outcome.bounced is not None:
        return
    row = {
        "arrival_id": arrival.id,
        "mailbox": arrival.mailbox,
        "reference": outcome.case.reference,
        "contact": outcome.verdict.contact,
        "why": why.value,
        "at": now,
        "settled_at": None,
        "settled_by": None,
        "reason": None,
    }
    _ADD.run(connection, row)


def settle(connection: Connection, arrival_id: int, *, by: str, reason: str, now: datetime) -> bool:
    """Whether the receipt of that arrival waited; it does no more."""
    named = withheld_receipts.c.arrival_id == arrival_id
    done = update(withheld_receipts).where(WITHHELD, named).values(settled_at=now, settled_by=by, reason=reason)
    return bool(connection.execute(done).rowcount)


def _release(
    connection: Connection, arrival: Arrival, outcome: Outcome, mail: OutMail, *, by: str, reason: str, now: datetime
) -> None:
    reference = outcome.case.reference
    if not settle(connection, arrival.id, by=by, reason=storable(reason), now=now):
        raise NotPermitted(f"the receipt of {reference} does not wait any more; see `cp247 receipts list`")
    add_receipt(connection, replace(outcome, receipts=(mail,)), arrival=arrival, now=now)
    queued = add_mails(
        connection, (mail,), mailbox=arrival.mailbox, cause=f"arrival {arrival.id}", reference=reference,
        arrival_id=arrival.id, now=now,
    )  # fmt: skip
    tied = _tie(connection, reference, mail, now=now)
    facts = write_facts({"by": by, "reason": storable(reason), "receipt": outcome.verdict.receipt.level.value})
    add_event(
        connection, Happening.RECEIPT_RELEASED, mailbox=arrival.mailbox, at=now, reference=reference,
        arrival_id=arrival.id, facts=facts,
    )  # fmt: skip
    change(connection, queued, tied, {(arrival.mailbox, Count.RECEIPTS, SENT_LABEL): 1})


def _tie(connection: Connection, reference: str, mail: OutMail, *, now: datetime) -> Changes:
    """An answer to the receipt finds its case."""
    rows: Sequence[Row[Any]] = connection.execute(select(cases).where(cases.c.reference == reference)).all()
    (view,) = views_of(connection, rows)
    return keep_case(connection, replace(view, thread=(*view.thread, mail.message_id)), now=now).changes


def _read(row: Row[Any]) -> WithheldReceipt:
    return WithheldReceipt(row.arrival_id, row.reference, row.contact, Withheld(row.why), row.at)
