"""What the journal remembers of an address: counted by authenticated mail alone, in the transaction of its verdict."""

from dataclasses import replace
from datetime import timedelta

import pytest
from journal_samples import ASKER, MAILBOX, NOW, incoming, outcome
from journal_steps import claim, record, taken

from gateway.model.history import Appearance, History, Trait
from gateway.model.message import ThreadKeys
from gateway.store.history import MAX_SIGHTINGS
from gateway.store.journal import Journal

SHOWN = Appearance(ASKER, ((Trait.SIGNATURE, "openpgp"), (Trait.KEY, "A" * 40), (Trait.ZONE, "120")))


def history(journal: Journal, address: str = ASKER) -> History:
    return journal.recall(ThreadKeys(), mailbox=MAILBOX, request_key="k", sender=address).history


def judged(journal: Journal, shown: Appearance | None, *, at=NOW) -> int:
    journal.take_in([incoming(received_at=at)])
    arrival = claim(journal, now=at)[-1].arrival
    record(journal, arrival.id, replace(outcome(arrival.number, receipts=()), appearance=shown), now=at)
    return arrival.id


def test_nothing_is_remembered_of_an_address_never_seen(journal: Journal) -> None:
    assert history(journal) == History()


def test_each_value_is_counted_with_its_first_and_last_day(journal: Journal) -> None:
    judged(journal, SHOWN)
    judged(journal, Appearance(ASKER, ((Trait.SIGNATURE, "none"), (Trait.ZONE, "120"))), at=NOW + timedelta(days=3))
    found = history(journal)
    zone = found.of(Trait.ZONE)["120"]
    assert (zone.first_seen, zone.last_seen, zone.messages) == (NOW, NOW + timedelta(days=3), 2)
    assert {one: found.of(Trait.SIGNATURE)[one].messages for one in ("openpgp", "none")} == {"openpgp": 1, "none": 1}
    assert (found.messages(Trait.SIGNATURE), found.messages(Trait.KEY)) == (2, 1)


def test_a_verdict_that_proves_nobody_writes_nothing(journal: Journal) -> None:
    judged(journal, None)
    assert history(journal) == History()


def test_a_repeat_of_the_record_counts_once(journal: Journal) -> None:
    arrival = taken(journal)
    for _ in range(2):
        record(journal, arrival.id, replace(outcome(arrival.number), appearance=SHOWN))
    assert history(journal).of(Trait.KEY)["A" * 40].messages == 1


def test_an_older_message_judged_late_moves_the_first_day_only(journal: Journal) -> None:
    judged(journal, SHOWN)
    judged(journal, SHOWN, at=NOW - timedelta(days=2))
    key = history(journal).of(Trait.KEY)["A" * 40]
    assert (key.first_seen, key.last_seen) == (NOW - timedelta(days=2), NOW)


def test_addresses_and_mailboxes_know_nothing_of_each_other(journal: Journal) -> None:
    judged(journal, SHOWN)
    assert history(journal, "other@police.gov.b.example") == History()
    elsewhere = journal.recall(ThreadKeys(), mailbox="other@x.example", request_key="k", sender=ASKER)
    assert elsewhere.history == History()


@pytest.mark.parametrize("value", ["x" * 5000, "nul \0 and \udcff"])
def test_what_a_stranger_chose_is_stored_all_the_same(journal: Journal, value: str) -> None:
    judged(journal, Appearance(ASKER, ((Trait.DKIM, value), (Trait.DKIM, value))))
    assert history(journal).messages(Trait.DKIM) == 1


def test_a_domain_that_changes_its_selector_daily_fills_no_judge(sqlite_journal: Journal) -> None:
    traits = tuple((Trait.DKIM, f"s{number}._domainkey.x.example") for number in range(MAX_SIGHTINGS + 50))
    judged(sqlite_journal, Appearance(ASKER, traits))
    assert len(history(sqlite_journal).sightings) == MAX_SIGHTINGS
