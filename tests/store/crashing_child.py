"""A gateway's writes in a loop until somebody kills it: takes in, judges, answers, sends; says what it promised.

Prints `taken ID` only after take_in returned, `sent ROW` before settle is asked: as a listener and a hop would see it.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

from journal_samples import MAILBOX, answer_mail, case_view, dispatch, incoming, outcome
from journal_steps import record

from gateway.model.message import Envelope
from gateway.model.outbox import Fate, HopReply, Purpose
from gateway.model.verdict import Disposition
from gateway.store.journal import Journal, open_journal

LEASE = timedelta(minutes=5)
SECOND = "second@institution.gov.example"


def say(*words: object) -> None:
    os.write(1, " ".join(map(str, words)).encode() + b"\n")  # one write: a killed child leaves no half line


def take_in(journal: Journal, turn: int) -> None:
    batch = [
        incoming(
            f"Subject: {turn}.{one}\r\n\r\n".encode() + b"x" * 5000 * one, rcpt_tos=(MAILBOX, SECOND)[: 1 + one % 2]
        )
        for one in range(4)
    ]
    for arrival_id in journal.take_in(batch):
        say("taken", arrival_id)


def judge(journal: Journal) -> None:
    now = datetime.now(UTC)
    for claim in journal.claim(limit=4, owner="child", now=now, lease=LEASE):
        arrival = claim.arrival
        defer = arrival.id % 5 == 0 and claim.tries == 1
        result = outcome(arrival.number, disposition=Disposition.DEFER if defer else Disposition.ACCEPT)
        record(journal, arrival.id, result, now=now, per_contact=10**6, all_=10**6, retry=timedelta(0))


def send(journal: Journal) -> None:
    now = datetime.now(UTC)
    for mail in journal.claim_mails(limit=8, owner="child", now=now, lease=LEASE):
        say("sent", mail.id, mail.purpose, mail.arrival_id, mail.message_id)
        refused = mail.purpose is Purpose.ANSWER and mail.id % 3 == 0
        journal.settle(mail.id, HopReply(Fate.REFUSED if refused else Fate.SENT, "250 ok"), now=now)


def answer(journal: Journal, turn: int) -> None:
    mail = answer_mail(f"answer-{turn}", ("a@police.gov.b.example", "b@police.gov.b.example"))
    envelope = Envelope(mail_from=MAILBOX, rcpt_tos=mail.rcpt_tos)
    content = f"Subject: {turn}\r\n\r\n".encode()
    journal.dispatch(
        dispatch(case_view(10**6 + turn, ours=True), mail),
        mailbox=MAILBOX,
        envelope=envelope,
        content=content,
        now=datetime.now(UTC),
    )
    say("answered", turn)


def work(url: str, turn: int) -> None:
    journal = open_journal(url, upgrade=False)
    journal.release("child", datetime.now(UTC))
    say("ready", os.getpid())
    while True:
        turn += 1
        take_in(journal, turn)
        judge(journal)
        answer(journal, turn)
        send(journal)


def main() -> None:
    """Fork one child for each turn asked for on standard input: it starts without importing anything again."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            work(sys.argv[1], int(line))
        _, status = os.waitpid(child, 0)
        say("dead", os.waitstatus_to_exitcode(status))


main()
