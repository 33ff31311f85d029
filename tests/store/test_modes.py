"""The mode of the outward rule: each change is kept, and nothing where nothing changed."""

import json

from journal_samples import MAILBOX, NOW
from sqlalchemy import select

from gateway.model.settings import Mode
from gateway.store.journal import Journal
from gateway.store.tables import Happening, events


def changes(journal: Journal) -> list[dict[str, str]]:
    wanted = select(events.c.facts).where(events.c.happening == Happening.MODE_CHANGED.value).order_by(events.c.id)
    with journal.database.reading() as connection:
        return [json.loads(facts) for facts in connection.scalars(wanted)]


def test_each_change_is_kept_with_what_was_before(journal: Journal) -> None:
    for mode in (Mode.ENFORCE, Mode.OBSERVE, Mode.OBSERVE, Mode.ENFORCE):
        journal.keep_mode(mode, mailbox=MAILBOX, now=NOW)
    assert changes(journal) == [{"mode": "observe", "before": "enforce"}, {"mode": "enforce", "before": "observe"}]


def test_it_is_one_mailbox_that_changes(journal: Journal) -> None:
    journal.keep_mode(Mode.WARN, mailbox=MAILBOX, now=NOW)
    assert journal.keep_mode(Mode.ENFORCE, mailbox="other@institution.gov.example", now=NOW) is Mode.ENFORCE
    assert journal.keep_mode(Mode.WARN, mailbox=MAILBOX, now=NOW) is Mode.WARN
