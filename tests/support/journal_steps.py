"""Steps of the road as tests of the journal take them."""

from datetime import datetime, timedelta

from journal_samples import (
    NOW,
    incoming,
    outcome,
)

from gateway.model.outbox import Fate, HopReply
from gateway.store.journal import Journal, Recorded
from gateway.store.outbox import Lease
from gateway.store.receipts import Rates
from gateway.store.verdicts import Judgement

LEASE = timedelta(minutes=5)
SENT = HopReply(Fate.SENT, "250 2.0.0 Ok")
REFUSED = HopReply(Fate.REFUSED, "550 5.1.1 unknown user")
RETRY = HopReply(Fate.RETRY, "451 4.3.0 later")


def claim(journal: Journal, now: datetime = NOW, limit: int = 100, owner: str = "judge"):
    return journal.claim(limit=limit, owner=owner, now=now, lease=LEASE)


def claim_mails(journal: Journal, now: datetime = NOW, owner: str = "courier"):
    return journal.claim_mails(limit=100, owner=owner, now=now, lease=LEASE)


def record(
    journal: Journal,
    arrival_id: int,
    result,
    now: datetime = NOW,
    per_contact: int = 30,
    all_: int = 300,
    lease: Lease | None = None,
    **judged: object,
) -> Recorded:
    judgement = Judgement(arrival_id, result, Rates(per_contact_hour=per_contact, all_hour=all_), **judged)
    (written,) = journal.record([judgement], now=now, lease=lease)
    return written.outcome()


def taken(journal: Journal, **fields: object):
    journal.take_in([incoming(**fields)])
    return claim(journal)[-1].arrival


def recorded(journal: Journal, **fields: object) -> Recorded:
    arrival = taken(journal)
    return record(journal, arrival.id, outcome(arrival.number, **fields))
