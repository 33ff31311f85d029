"""kill -9 of the whole gateway under load, twenty times: what got its 250 is delivered, and nobody gets two receipts for one mail."""

import random
import smtplib
import threading
import time
from collections import Counter, defaultdict

import pytest
from ports import wait_until
from rule_pack import FOLDER
from running import Running

from gateway.cli.demo.foreign import Foreign, Identity
from gateway.cli.demo.stub_dns import StubDns
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of

KILLS = 20
CLIENTS = 4
MAILS = 40
"""Taken in at most in one life of the gateway, at a pace that fills it: mail is taken in faster than it is judged."""
PACE_SECONDS = 0.05
MAILBOX = "247cp@institution.gov.example"
BORDURIA = Identity(
    id="bx-police",
    name="Police of Borduria",
    country="BX",
    mailbox="247cp@police.gov.b.example",
    address="127.0.0.1",
    phone="+000 1",
)
REQUEST = (
    "Data preservation request",
    "We request the expedited preservation of stored computer data of 203.0.113.7.\n",
)


class Clients:
    """Mail servers of a counterpart: each sends a mail again until it has its 250, as every mail server does."""

    def __init__(self, gateway, foreign):
        self.gateway, self.foreign = gateway, foreign
        self.accepted = set()
        self.enough = MAILS
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stopping.wait(PACE_SECONDS):
            if len(self.accepted) >= self.enough:
                continue
            with self.lock:
                content = self.foreign.plain(MAILBOX, *REQUEST)
            message_id = message_ids(content)[0]
            while not self.sent(content):
                if self.stopping.is_set():
                    return
                time.sleep(0.05)
            self.accepted.add(message_id)

    def sent(self, content):
        try:
            with smtplib.SMTP("127.0.0.1", self.gateway.inbound, timeout=5) as client:
                client.sendmail(BORDURIA.mailbox, [MAILBOX], content)
        except (OSError, smtplib.SMTPException):
            return False
        return True

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def message_ids(content):
    """Own id and what it answers."""
    keys = keys_of(scan_header(content)[0], ())
    return keys.message_id, keys.in_reply_to


@pytest.mark.live
def test_twenty_kills_under_load_lose_nothing_and_confuse_nobody(tmp_path):
    foreign = Foreign(BORDURIA, tmp_path / "borduria")
    chance = random.Random(247)
    with StubDns(foreign.zone) as dns:
        gateway = Running(
            tmp_path / "gateway",
            rules=FOLDER,
            **{"dns.nameservers": [dns.nameserver], "receipts.per_contact_hour": 100_000, "receipts.all_hour": 100_000},
        )
        gateway.enrol(foreign)
        gateway.start()
        clients = Clients(gateway, foreign)
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.05, 0.8))
                gateway.kill()
                gateway.start()
                clients.enough = len(clients.accepted) + MAILS
            before = len(clients.accepted)
            wait_until(lambda: len(clients.accepted) > before, what="a mail after the last kill")
        finally:
            clients.stop()
        gateway.idle(seconds=120)
        assert gateway.metric("cp247_unaccounted_deliveries") == 0
        assert gateway.stop() == 0
    foreign.close()

    delivered = Counter(message_ids(content)[0] for content in gateway.delivered())
    receipts = [message_ids(content) for content in gateway.relayed()]
    print(
        f"{len(clients.accepted)} accepted, {sum(delivered.values())} delivered, {len(receipts)} receipts, {KILLS} kills"
    )

    assert clients.accepted - set(delivered) == set(), "accepted and not delivered"
    of_request = defaultdict(set)
    for own, (request,) in receipts:
        of_request[request].add(own)
    assert {request: ids for request, ids in of_request.items() if len(ids) > 1} == {}, (
        "one mail, two different receipts"
    )
    assert clients.accepted - set(of_request) == set(), "a proved counterpart without a receipt"
    copies = Counter(own for own, _ in receipts)
    assert max(copies.values()) <= 1 + KILLS
    assert sum(copies.values()) - len(copies) <= KILLS * 2, (
        "more repeats than deliveries that can be under way at a kill"
    )
    assert "Traceback" not in gateway.log.read_text()
