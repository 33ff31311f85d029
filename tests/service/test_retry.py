"""When the courier tries again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model.outbox import Fate, Hop, HopReply, OutboxRow, Purpose
from gateway.service.retry import GIVE_UP, LONGEST, retry_at

NOW = datetime(2026, 11, 21, 3, 14, tzinfo=UTC)
ROW = OutboxRow(
    id=1, purpose=Purpose.DELIVERY, hop=Hop.MAILBOX, mail_from="", rcpt_to="a@b.example", content_id=1, size=1, sha256="",
    created_at=NOW, tries=1,
)  # fmt: skip
REFUSED = HopReply(Fate.REFUSED, "550 5.1.1 no such user")
LATER = HopReply(Fate.RETRY, "451 4.3.0 later")


def test_what_was_sent_is_not_sent_again():
    assert retry_at(ROW, HopReply(Fate.SENT, "250"), now=NOW) is None


def test_the_first_tries_come_soon():
    assert retry_at(ROW, LATER, now=NOW) == NOW + timedelta(seconds=5)


def test_later_tries_come_every_quarter_of_an_hour():
    assert retry_at(replace(ROW, tries=50), LATER, now=NOW) == NOW + LONGEST


@pytest.mark.parametrize("reply", [REFUSED, LATER])
def test_a_request_is_never_given_up(reply):
    old = replace(ROW, tries=5000, created_at=NOW - timedelta(days=365))
    assert retry_at(old, reply, now=NOW) is not None


@pytest.mark.parametrize("purpose", [Purpose.RECEIPT, Purpose.ANSWER, Purpose.NOTICE])
def test_our_own_mail_that_is_refused_is_not_repeated(purpose):
    assert retry_at(replace(ROW, purpose=purpose), REFUSED, now=NOW) is None


def test_our_own_mail_is_given_up_after_five_days():
    old = replace(ROW, purpose=Purpose.ANSWER, created_at=NOW - GIVE_UP - timedelta(seconds=1))
    assert retry_at(old, LATER, now=NOW) is None
    assert retry_at(replace(old, created_at=NOW - GIVE_UP), LATER, now=NOW) is not None
