"""An emergency while mailbox, DNS and relay are all down: somebody is woken, and when they return nothing is lost or doubled."""

import json
import smtplib
import socket
import time
from pathlib import Path

import live_letters as letters
import pytest
from counterpart import Counterpart, field
from institution import MAILBOX, PASSWORD, enrol
from mail_servers import Dovecot, Sink
from ports import stretched, wait_until
from running import Running

pytestmark = pytest.mark.live

PAGE_SECONDS = 10
BELL = '#!/bin/sh\nline=$(cat)\necho "$(date +%s.%N) $line" >> "$(dirname "$0")/pages"\n'


@pytest.fixture
def silent_dns():
    """A name server that takes questions and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def police(tmp_path):
    made = Counterpart("247cp@police.gov.b.example", "127.0.0.1", tmp_path / "police")
    yield made
    made.key.end()


@pytest.fixture
def mailbox():
    if not Dovecot.available() or not Sink.available():
        pytest.skip("needs Dovecot and smtp-sink: Debian packages dovecot-lmtpd dovecot-imapd dovecot-sieve postfix")
    with Dovecot({MAILBOX: PASSWORD}) as dovecot:
        dovecot.stop()
        yield dovecot


@pytest.fixture
def gateway(tmp_path, silent_dns, police, mailbox):
    bell = tmp_path / "bell"
    bell.write_text(BELL)
    bell.chmod(0o755)
    found = Running(
        tmp_path / "gateway",
        **{
            "dns.nameservers": [silent_dns],
            "dns.timeout": 1,
            "mailbox.deliver_to": f"lmtp://127.0.0.1:{mailbox.lmtp}",
            "page.command": str(bell),
        },
    )
    enrol(found, police)
    return found


def send(gateway, sender, content):
    with smtplib.SMTP("127.0.0.1", gateway.inbound, timeout=30) as client:
        client.sendmail(sender.mailbox, [MAILBOX], content)
    return time.time()


def pages(tmp_path):
    """(when, what was said) of each page."""
    told = tmp_path / "pages"
    lines = told.read_text().splitlines() if told.exists() else []
    return [(float(when), json.loads(said)) for when, _, said in (line.partition(" ") for line in lines)]


def paged_for(tmp_path, assurance):
    return [when for when, said in pages(tmp_path) if (said["what"], said["assurance"]) == ("emergency", assurance)]


def delivered(mailbox, content):
    """Copies in the mailbox, without the card about it."""
    about = field(content, "Message-ID").encode()
    files = [one for one in mailbox.folder.rglob("*") if one.is_file() and one.parent.name in ("new", "cur")]
    return [one for one in map(Path.read_bytes, files) if about in one and b"auto-notified" not in one]


def mails_waiting(gateway):
    return sum(gateway.metric(f'cp247_queue_messages{{queue="{one}"}}') for one in ("delivery", "receipt", "notice"))


def test_with_everything_down_somebody_is_woken_and_later_all_arrives_once(tmp_path, gateway, police, mailbox):
    relay = Sink()
    gateway.configure(**{"outbound.relay": f"smtp://127.0.0.1:{relay.port}"})
    gateway.start()
    try:
        signed, plain = (getattr(police, one)(MAILBOX, *letters.EMERGENCY) for one in ("signed", "plain"))
        at = send(gateway, police, signed)
        send(gateway, police, plain)
        for assurance in ("signed", "none"):
            (rung,) = wait_until(lambda said=assurance: paged_for(tmp_path, said), what=f"a page: {assurance}")
            assert rung - at < stretched(PAGE_SECONDS)

        gateway.kill()
        gateway.start()
        mailbox.start()
        with relay:
            for content in (signed, plain):
                wait_until(lambda one=content: delivered(mailbox, one), seconds=90, what="delivery")
            wait_until(lambda: relay.messages() and mails_waiting(gateway) == 0, seconds=90, what="an empty outbox")
            gateway.kill()
            gateway.start()
            wait_until(lambda: mails_waiting(gateway) == 0, seconds=90, what="an empty outbox after another start")
            (receipt,) = relay.messages()
            assert f"In-Reply-To: {field(signed, 'Message-ID')}".encode() in receipt
            assert [len(delivered(mailbox, one)) for one in (signed, plain)] == [1, 1]
        assert len(paged_for(tmp_path, "signed")) == 1
    finally:
        gateway.stop()
