"""How many statements the road of one message takes: each costs time that every message pays."""

from dataclasses import replace

import pytest
from journal_samples import ASKER, MAILBOX, NOW, incoming, outcome
from journal_steps import LEASE, claim, record
from sqlalchemy import bindparam, insert, select
from traced import traced

from gateway.errors import StoreUnavailable
from gateway.model.clock import Clock, ClockStart
from gateway.model.history import Appearance, Trait
from gateway.model.message import ThreadKeys
from gateway.store.journal import Journal
from gateway.store.outbox import Lease, Sent
from gateway.store.statement import Statement, among
from gateway.store.tables import counters

MOST = {"take in": 9, "claim": 6, "recall": 6, "record": 28, "content": 1, "settle": 5}
"""Of a known contact. With BEGIN and COMMIT, a counter, key, trait or clock as one each; a write alone has its transaction to itself, those that wait share one."""


def test_the_road_of_a_message_takes_no_more_statements_than_it_did(sqlite_journal: Journal) -> None:
    journal, taken = sqlite_journal, {}
    with traced(journal) as told:

        def count(operation: str) -> None:
            taken[operation] = [text for text in told if not text.startswith("PRAGMA")]
            told.clear()

        journal.take_in([incoming()])
        count("take in")
        (one,) = claim(journal)
        count("claim")
        keys = ThreadKeys(message_id="<1@police.gov.b.example>")
        journal.recall(keys, mailbox=MAILBOX, request_key="k", arrival=one.arrival, sender=ASKER)
        count("recall")
        lease = Lease("courier", NOW + LEASE)
        shown = Appearance(ASKER, ((Trait.SIGNATURE, "openpgp"), (Trait.ENCRYPTION, "none")))
        preserved = (Clock.FIRST_ANSWER, Clock.PRESERVATION_END, Clock.MLA_FOLLOW_UP)
        waited_for = tuple(ClockStart(clock, NOW, NOW + LEASE) for clock in preserved)
        judged = replace(outcome(one.arrival.number), appearance=shown, clocks=waited_for)
        found = record(journal, one.arrival.id, judged, per_contact=9, all_=9, lease=lease)
        count("record")
        delivery, receipt = found.leased
        journal.content(delivery.content_id)
        count("content")
        journal.settle_sent([Sent(receipt.id, "250 ok", NOW)])
        count("settle")
    assert {operation: len(texts) for operation, texts in taken.items()} == MOST, taken


COUNT = Statement(insert(counters))
NAMES = Statement(
    lambda dialect: (
        select(counters.c.name, counters.c.value)
        .where(among(dialect, counters.c.name, "names"), counters.c.value > bindparam("above"))
        .order_by(counters.c.name)
        .limit(2)
    )
)
ROW = {"mailbox": MAILBOX, "label": "", "slot": 0}


def test_a_statement_runs_alike_on_both_databases(journal: Journal) -> None:
    def work(connection) -> None:
        COUNT.run(connection, *({**ROW, "name": name, "value": value} for value, name in enumerate("abcd")))
        COUNT.run(connection, {**ROW, "name": "é", "value": 9})
        COUNT.run(connection)

    journal.database.write(work)
    with journal.database.reading() as connection:
        rows = NAMES.rows(connection, {"names": ("b", "c", "d", "é"), "above": 0})
        assert [(row.name, row.value) for row in rows] == [("b", 1), ("c", 2)]
        assert NAMES.value(connection, {"names": ["é"], "above": 1}) == "é"
        assert NAMES.first(connection, {"names": (), "above": 0}) is None
        assert NAMES.value(connection, {"names": ("b",), "above": 1}) is None


def test_trouble_of_the_driver_is_trouble_of_the_database(journal: Journal) -> None:
    row = {**ROW, "name": "a", "value": 1}
    with pytest.raises(StoreUnavailable):
        journal.database.write(lambda connection: COUNT.run(connection, row, row))
    with pytest.raises(StoreUnavailable):
        journal.database.write(lambda connection: COUNT.run(connection, {**row, "value": object()}))
    with journal.database.reading() as connection, pytest.raises(StoreUnavailable, match="no such row"):
        NAMES.one(connection, {"names": ("a",), "above": 0})
