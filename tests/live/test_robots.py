"""Machines that answer machines: however they try, few mails leave, none to a forged sender, and every one that came is delivered."""

import smtplib
import subprocess

import live_letters as letters
import pytest
from counterpart import Counterpart, field
from institution import MAILBOX, enrol
from lmtp_stub import Manners, lmtp_stub
from ports import free_port, wait_until
from running import Running, cp247

from gateway.cli.demo.stub_dns import StubDns

pytestmark = pytest.mark.live

OTHER = "247cp@police.gov.c.example"
PER_HOUR = 5
STORM = 1000


def sent(gateway, purpose):
    return gateway.metric(f'cp247_deliveries_total{{fate="sent",purpose="{purpose}"}}')


def own_zone(gateway, domain):
    """What the institution publishes: the line `cp247 init` told it to, and that its mail comes from here."""
    name, _, text = (gateway.folder / "state" / "dkim.txt").read_text().strip().partition(". TXT ")
    return {name: [{"TXT": text}], domain: [{"TXT": "v=spf1 ip4:127.0.0.1 -all"}], f"_dmarc.{domain}": [{"TXT": "v=DMARC1; p=reject"}]}  # fmt: skip


def introduce(gateway, *, to, mailbox):
    """Pin the one gateway's key at the other, as two contact points do by telephone."""
    key, home = to.folder / "others.asc", gateway.folder / "state" / "gnupg"
    command = ["gpg", "--homedir", str(home), "--batch", "--armor", "--export", mailbox]
    key.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    facts = [
        "--name",
        "The others",
        "--country",
        "BX",
        "--folder",
        "others",
        "--verified-how",
        "x",
        "--enrolled-by",
        "t",
    ]
    cp247("keys", "add", mailbox, str(key), *facts, config=to.config)


def send(gateway, contents, *, mail_from, rcpt_to=MAILBOX):
    with smtplib.SMTP("127.0.0.1", gateway.inbound, timeout=60) as client:
        for content in contents:
            client.sendmail(mail_from, [rcpt_to], content)


def test_two_gateways_that_face_each_other_send_one_receipt_for_a_request(tmp_path):
    ours, theirs = free_port(), free_port()
    with StubDns({}) as dns:
        common = {"dns.nameservers": [dns.nameserver]}
        here = Running(tmp_path / "a", **common, **{"outbound.relay": f"smtp://127.0.0.1:{theirs}"})
        there = Running(tmp_path / "b", mailbox=OTHER, **common, **{"outbound.relay": f"smtp://127.0.0.1:{ours}"})
        here.configure(**{"inbound.listen": [f"127.0.0.1:{ours}"]})
        there.configure(**{"inbound.listen": [f"127.0.0.1:{theirs}"]})
        introduce(here, to=there, mailbox=MAILBOX)
        introduce(there, to=here, mailbox=OTHER)
        dns.publish(own_zone(here, MAILBOX.rpartition("@")[2]) | own_zone(there, OTHER.rpartition("@")[2]))
        with here, there:
            with smtplib.SMTP("127.0.0.1", here.outbound, timeout=60) as client:
                client.sendmail(MAILBOX, [OTHER], letters.answer(mailbox=MAILBOX, to=OTHER, request_id=""))
            wait_until(here.delivered, seconds=60, what="their receipt in our mailbox")
            for one in (here, there):
                one.idle(seconds=60)
            assert [(sent(one, "answer"), sent(one, "receipt")) for one in (here, there)] == [(1, 0), (0, 1)]
            assert [len(one.delivered()) for one in (here, there)] == [1, 1]


@pytest.fixture(scope="module")
def besieged(tmp_path_factory):
    """A gateway, a contact point of its directory, and where its mail to the Internet goes."""
    folder = tmp_path_factory.mktemp("besieged")
    police = Counterpart("247cp@police.gov.b.example", "127.0.0.1", folder / "police")
    with lmtp_stub(Manners(smtp=True)) as relay, StubDns(police.zone) as dns:
        changes = {
            "dns.nameservers": [dns.nameserver],
            "outbound.relay": relay.target,
            "receipts.per_contact_hour": PER_HOUR,
        }
        found = Running(folder / "gateway", **changes)
        enrol(found, police)
        with found:
            yield found, police, relay
    police.key.end()


def delivered_all(gateway, contents):
    """Every mail of these lies in the mailbox, byte for byte, once."""
    gateway.idle(seconds=300)
    found = [field(one, "Message-ID") for one in gateway.delivered() if b"auto-notified" not in one]
    assert sorted(found) == sorted(set(found))
    assert {field(one, "Message-ID") for one in contents} <= set(found)
    assert gateway.metric("cp247_unaccounted_deliveries") == 0


def test_a_vacation_responder_without_any_mark_is_answered_a_few_times_an_hour(besieged):
    gateway, police, relay = besieged
    relay.received.clear()
    contents = [police.plain(MAILBOX, *letters.PRESERVATION)]
    send(gateway, contents, mail_from=police.mailbox)
    for number in range(PER_HOUR + 3):
        # each receipt it gets it answers, as a broken responder does
        gateway.idle(seconds=60)
        if len(relay.received) <= number:
            break
        contents.append(police.plain(MAILBOX, "I am away", "Back on Monday.\n"))
        send(gateway, contents[-1:], mail_from=police.mailbox)
    delivered_all(gateway, contents)
    assert len(relay.received) == PER_HOUR
    assert {one.rcpts for one in relay.received} == {(f"RCPT TO:<{police.mailbox}>",)}


def test_a_list_and_a_storm_of_bounces_and_forgeries_are_answered_by_nothing(besieged):
    gateway, police, relay = besieged
    relay.received.clear()
    before = sent(gateway, "receipt")
    listed = [b"List-Id: <all.list.example>\r\n" + police.plain(MAILBOX, *letters.PRESERVATION) for _ in range(3)]
    forged = [police.plain(MAILBOX, *letters.PRESERVATION).replace(b"Articles 29", b"Article 29") for _ in range(5)]
    storm = [
        f"From: MAILER-DAEMON@mx{number}.example\r\nTo: {MAILBOX}\r\nMessage-ID: <storm-{number}@mx.example>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n\r\nSorry.\r\n".encode()
        for number in range(STORM)
    ]  # fmt: skip
    send(gateway, listed, mail_from=police.mailbox)
    send(gateway, forged, mail_from="somebody@elsewhere.example")
    send(gateway, storm, mail_from="")
    delivered_all(gateway, [*listed, *forged, *storm])
    assert (relay.received, sent(gateway, "receipt")) == ([], before)
