"""Mail that lies in a gateway's database with its verdict, put there without SMTP: as many as a test of the rules needs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from journal_samples import MAILBOX, incoming, outcome
from journal_steps import record

from gateway.config import load_settings
from gateway.store.journal import open_journal

WORDS = (
    "Please preserve all records of the account shadow.fox@mail.example, used from 203.0.113.7. A request for mutual assistance will follow.",
    "The museum thanks you for the preservation of its archive.",
    "Who is the subscriber of 198.51.100.23 on 2026-03-12 at 14:22 UTC? The offence is fraud. Please disclose the subscriber information.",
    "The meeting of the network is moved to Thursday.",
)
IMPOUND = "Kindly have Nimbora impound the disk of tenant {number} before it is recycled. Bribery, section 299."
EVERY = 10
"""One in so many asks in words that the shipped rules do not know."""


def store(config: Path, number: int) -> int:
    """So many mails, each judged a moment ago; how many of them say `impound the disk`."""
    journal = open_journal(load_settings(str(config)).database, upgrade=True)
    now = datetime.now(UTC) - timedelta(minutes=10)
    try:
        for start in range(0, number, 100):
            ids = journal.take_in([_mail(one, now) for one in range(start, min(start + 100, number))])
            for claim in journal.claim(limit=len(ids), owner="test", now=now, lease=timedelta(hours=1)):
                done = outcome(claim.arrival.number, receipts=(), request_key=f"stored {claim.arrival.id}")
                record(journal, claim.arrival.id, done, now=now, per_contact=0, all_=0)
    finally:
        journal.close()
    return len(range(0, number, EVERY))


def _mail(number: int, now: datetime):
    words = IMPOUND.format(number=number) if number % EVERY == 0 else WORDS[number % len(WORDS)]
    content = (
        f"From: Cyber Desk <cyberdesk{number}@police.gov.r.example>\r\nTo: <{MAILBOX}>\r\nSubject: tenant {number}\r\n"
        f"Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <tenant-{number}@police.gov.r.example>\r\n\r\n{words}\r\n"
    )
    return incoming(content.encode(), received_at=now)
