"""When the courier tries again: soon at first, then regularly; an inward delivery is never given up."""

from datetime import datetime, timedelta

from gateway.model.outbox import Fate, HopReply, OutboxRow, Purpose

STEPS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 120, 300, 600))
LONGEST = timedelta(minutes=15)
GIVE_UP = timedelta(days=5)
"""RFC 5321 section 4.5.4.1: at least 4-5 days, for mail of our own."""


def retry_at(row: OutboxRow, reply: HopReply, *, now: datetime) -> datetime | None:
    """The next try after this reply; None when there is none: sent, or our own mail refused or too old.

    A delivery to the mailbox is tried again even after a 5xx: who promised 250 does not bounce a request, a human mends the mailbox.
    """
    if reply.fate is Fate.SENT:
        return None
    ours = row.purpose is not Purpose.DELIVERY
    if ours and (reply.fate is Fate.REFUSED or now - row.created_at > GIVE_UP):
        return None
    return now + (STEPS[row.tries - 1] if row.tries <= len(STEPS) else LONGEST)
