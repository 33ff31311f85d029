"""The same Message-ID with another body is another message, and is told; a repeat and the message itself are not."""

from journal_samples import MAILBOX, case_view, outcome
from journal_steps import record, taken

from gateway.model.message import ThreadKeys
from gateway.store.journal import Journal

KEYS = ThreadKeys(message_id=case_view(1).thread[0])


def reused(journal: Journal, arrival, key: str) -> bool:
    return journal.recall(KEYS, mailbox=MAILBOX, request_key=key, arrival=arrival).id_reused


def test_another_body_under_the_same_id_is_told(journal: Journal) -> None:
    first = taken(journal)
    assert not reused(journal, first, "key 1")
    record(journal, first.id, outcome(1))
    second = taken(journal)
    assert reused(journal, second, "another body")
    assert not reused(journal, second, "key 1")


def test_a_message_that_joined_a_case_is_not_its_own_reuse(journal: Journal) -> None:
    record(journal, taken(journal).id, outcome(1, case=case_view(1, thread=("<other@x.example>",))))
    joined = taken(journal)
    record(journal, joined.id, outcome(1, opens=False, case=case_view(1), request_key="follow-up", receipts=()))
    assert not reused(journal, joined, "follow-up")
    assert not reused(journal, taken(journal), "follow-up")
    assert reused(journal, taken(journal), "another body")
