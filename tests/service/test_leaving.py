"""What leaves is what was stored, behind the block."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BytesDiffer
from gateway.model.outbox import Hop, OutboxRow, Purpose
from gateway.service.leaving import leaving


def row(content, *, prepend=b"", insertions=()):
    return OutboxRow(
        id=1,
        purpose=Purpose.DELIVERY,
        hop=Hop.MAILBOX,
        mail_from="",
        rcpt_to="247cp@institution.gov.example",
        content_id=1,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        tries=1,
        prepend=prepend,
        insertions=insertions,
    )


def test_the_block_stands_before_the_stored_bytes():
    assert leaving(row(b"A: 1\r\n\r\nx", prepend=b"B: 2\r\n"), b"A: 1\r\n\r\nx") == b"B: 2\r\nA: 1\r\n\r\nx"


def test_forged_fields_get_the_foreign_prefix():
    content = b"X-247CP-Class: other\r\n\r\nx"
    assert (
        leaving(row(content, prepend=b"B: 2\r\n", insertions=(0,)), content)
        == b"B: 2\r\nX-Foreign-X-247CP-Class: other\r\n\r\nx"
    )


def test_changed_bytes_never_leave():
    with pytest.raises(BytesDiffer):
        leaving(row(b"A: 1\r\n\r\nx"), b"A: 1\r\n\r\ny")


def test_a_block_does_not_hide_changed_bytes():
    with pytest.raises(BytesDiffer):
        leaving(row(b"A: 1\r\n\r\nx", prepend=b"B: 2\r\n"), b"A: 1\r\n\r\ny")


@given(st.binary(max_size=300), st.binary(max_size=50), st.data())
def test_taking_block_and_prefixes_away_always_gives_the_stored_bytes(content, prepend, data):
    offsets = data.draw(st.lists(st.integers(0, len(content)), unique=True, max_size=5).map(sorted))
    whole = leaving(row(content, prepend=prepend, insertions=tuple(offsets)), content)
    assert len(whole) == len(prepend) + len(content) + len(b"X-Foreign-") * len(offsets)
    assert whole.startswith(prepend)
