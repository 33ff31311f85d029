"""What the journal remembers of an address reaches the judge with the next mail of it."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

from counterpart import Counterpart
from journal_samples import MemoryBody
from ports import wait_until

from gateway.cli.demo.stub_dns import StubDns
from gateway.model.message import Envelope, Incoming, Source
from gateway.model.settings import Dns
from gateway.model.trust import Assurance
from gateway.model.verdict import Reason
from gateway.service.judging import JudgeLoop
from gateway.service.nursery import Nursery
from gateway.trust.directory import parse_directory

CONTACT = b"name: Police\ncountry: BX\naddresses:\n  - {address: 247cp@police.gov.b.example, verified: true}\n"
LETTER = ("Our talk", "Dear colleagues,\nthank you for the pleasant conversation.\n")


def test_the_second_mail_of_an_address_is_no_first_contact(journal, nursery, tmp_path):
    police = Counterpart("247cp@police.gov.b.example", "192.0.2.10", tmp_path / "police")
    directory, _ = parse_directory((("bx-police/contact.yaml", CONTACT),), inspect=lambda _: ())
    mailbox = nursery.equipment.settings.contact_point.mailbox
    envelope = Envelope(police.mailbox, (mailbox,), peer=police.peer, helo="mail.police.gov.b.example")
    with StubDns(police.zone) as stub:
        settings = replace(nursery.equipment.settings, dns=Dns(nameservers=(stub.nameserver,), timeout=5.0))
        own = Nursery(replace(nursery.equipment, settings=settings, directory=directory))
        filled = threading.Event()
        loop = JudgeLoop(journal, own, owner="test", page=lambda _: None, outbox_filled=filled.set)
        loop.start()
        try:
            for _ in range(2):
                body = MemoryBody(police.plain(mailbox, *LETTER))
                journal.take_in([Incoming(mailbox, datetime.now(UTC), Source.SMTP, envelope, body)])
                loop.wake()
                wait_until(lambda: journal.figures().waiting == 0)
        finally:
            loop.close()
            own.close()
    verdicts = [journal.verdict_of(one.reference)[1].verdict for one in reversed(journal.cases(limit=9))]
    assert [one.assurance for one in verdicts] == [Assurance.LISTED] * 2
    assert [Reason.FIRST_CONTACT in one.reasons for one in verdicts] == [True, False]
