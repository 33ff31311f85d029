"""Messages made to freeze their reader, sent to a running gateway: each is judged or refused, and the next one does not wait for it."""

import contextlib
import re
import smtplib
import subprocess
import threading
import time
from pathlib import Path

import pytest
from ports import stretched, wait_until
from running import Running, family
from slow_mail import (
    SIGNATURE,
    STRANGER,
    Slow,
    armored,
    dkim_freezers,
    encrypted_data,
    letter,
    openpgp_bombs,
    structures,
    texts,
)

from gateway.cli.demo.foreign import Foreign, Identity
from gateway.cli.demo.stub_dns import StubDns
from gateway.service.judging import JUDGE_SECONDS, SPARE_JUDGES

MAILBOX = "247cp@institution.gov.example"
BORDURIA = Identity("bx-police", "Police of Borduria", "BX", "247cp@police.gov.b.example", "127.0.0.1", "+000 1")
PATIENCE = 2.0
"""How much longer than usual a good message may wait for its delivery behind a slow one, on a machine with nothing else to do."""
SERVICE_MB = 450
"""Resident memory of the service itself."""
CHILD_MB = 2300
"""Of each child: the limit a judge lives under, and its interpreter."""
SENT = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)


class Mailbox:
    """The Maildir behind the gateway: when each message came, by Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "new"
        self._seen: dict[str, tuple[str, bytes]] = {}

    def header_of(self, name: str) -> bytes | None:
        """Header of the message with that name before the @ of its Message-ID, None while it is not there."""
        for path in self._folder.glob("*") if self._folder.exists() else ():
            if path.name not in self._seen:
                header = path.read_bytes()[:400_000]
                found = SENT.search(header)
                self._seen[path.name] = (found[1].decode("latin-1") if found else "", header)
        return next((header for sent, header in self._seen.values() if sent.startswith(f"{name}@")), None)


class Memory(threading.Thread):
    """Watches the resident memory of the service and its children; `peaks` are megabytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.service = self.child = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.1):
            for pid in family(self._pid):
                with contextlib.suppress(OSError):
                    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
                    self._note(pid, pages * 4096 / 1e6)

    def _note(self, pid: int, megabytes: float) -> None:
        if pid == self._pid:
            self.service = max(self.service, megabytes)
        else:
            self.child = max(self.child, megabytes)


class Bench:
    """A running gateway and somebody it knows."""

    def __init__(self, gateway: Running, dns: StubDns, foreign: Foreign) -> None:
        self.gateway, self.dns, self.foreign = gateway, dns, foreign
        self.mailbox = Mailbox(gateway.folder / "state" / "mailbox")
        self.memory = Memory(gateway.process.pid)
        self.memory.start()
        self._count = 0
        self._usual = max(self.good_message() for _ in range(3))

    def publish(self, zone: dict[str, list]) -> None:
        self.dns.publish({**self.foreign.zone, **zone})

    def send(self, content: bytes, sender: str) -> int:
        """The reply code of the door."""
        with smtplib.SMTP("127.0.0.1", self.gateway.inbound, timeout=60) as client:
            try:
                client.sendmail(sender, [MAILBOX], content)
            except smtplib.SMTPDataError as refusal:
                return refusal.smtp_code
        return 250

    def good_message(self) -> float:
        """Seconds from the 250 of a request to its delivery."""
        self._count += 1
        content = self.foreign.plain(MAILBOX, "Data preservation request", "We request preservation of 203.0.113.7.\n")
        content = SENT.sub(b"Message-ID: <good-%d@police.gov.b.example>" % self._count, content, count=1)
        assert self.send(content, BORDURIA.mailbox) == 250
        began = time.monotonic()
        wait_until(lambda: self.mailbox.header_of(f"good-{self._count}"), seconds=60, what="delivery of a good message")
        return time.monotonic() - began

    def usual(self) -> float:
        """Seconds from 250 to delivery while nothing is slow: at first, or now if the machine has more to do."""
        return max(self._usual, self.good_message())

    def judged(self, name: str) -> bytes:
        """Header of the slow message as delivered; bounded by what two judges may take."""
        return wait_until(
            lambda: self.mailbox.header_of(name), seconds=sum(JUDGE_SECONDS) + 15, what=f"delivery of {name}"
        )


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    foreign = Foreign(BORDURIA, folder / "borduria")
    with StubDns(foreign.zone) as dns:
        gateway = Running(
            folder / "gateway",
            **{"dns.nameservers": [dns.nameserver], "receipts.per_contact_hour": 1000, "receipts.all_hour": 1000},
        )
        gateway.enrol(foreign)
        with gateway:
            made = Bench(gateway, dns, foreign)
            yield made
            made.memory.ended.set()
    foreign.close()


@pytest.fixture(scope="module")
def bombs(bench):
    """OpenPGP bombs for this gateway's key: a session key that gpg made for it, around packets that gpg would never write."""
    home = bench.gateway.folder / "state" / "gnupg"
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--trust-model", "always"]
    small = subprocess.run(
        [*gpg, "--cipher-algo", "AES256", "--recipient", MAILBOX, "--encrypt"],
        input=b"x",
        capture_output=True,
        check=True,
    ).stdout
    told = subprocess.run(
        [*gpg, "--show-session-key", "--decrypt"], input=small, capture_output=True, check=True
    ).stderr
    key = bytes.fromhex(re.search(rb"session key: '9:([0-9A-F]{64})'", told)[1].decode())
    # the old format with one octet of length, or the new one: in both the second octet counts what follows
    session_key = small[: 2 + small[1]]
    return dict(openpgp_bombs(lambda content: armored(session_key + encrypted_data(content, key=key)), session_key))


BOMBS = (
    "4 GiB inside",
    "128 times compressed",
    "60 MiB of header inside",
    "5000 recipients",
    "100 hidden recipients",
    "packet of 4 GiB announced",
    "armor headers",
    "armor headers of a signature",
    "500 signatures",
)
FREEZERS = {**dict(dkim_freezers()), **dict(structures()), **dict(texts())}


def passes_by(bench: Bench, name: str, slow: Slow) -> None:
    """The door answers, the good message behind it comes in time, the slow one comes with a verdict."""
    word = re.sub(r"\W", "-", name)
    bench.publish(slow.zone)
    content = slow.content.replace(b"<slow@", f"<{word}@".encode(), 1)
    usual = bench.usual()
    code = bench.send(content, STRANGER)
    assert (code >= 500) is slow.refused
    assert bench.good_message() <= usual + stretched(PATIENCE)
    if not slow.refused:
        began = time.monotonic()
        header = bench.judged(word)
        assert header.startswith((b"Return-Path:", b"Received:"))
        assert b"\r\nX-247CP-Disposition: " in header
        defeats = len(bench.gateway.events("judge-defeated"))
        print(f"{name}: {time.monotonic() - began:.1f} s, {defeats} judges defeated so far")
    assert "Traceback" not in bench.gateway.log.read_text(encoding="utf-8")
    assert bench.memory.service < SERVICE_MB
    assert bench.memory.child < CHILD_MB


@pytest.mark.parametrize("name", FREEZERS)
def test_a_freezer_delays_nobody(bench, name):
    passes_by(bench, name, FREEZERS[name])


@pytest.mark.parametrize("name", BOMBS)
def test_an_openpgp_bomb_delays_nobody(bench, bombs, name):
    passes_by(bench, name, bombs[name])


def test_every_bomb_is_thrown(bombs):
    assert tuple(bombs) == BOMBS


@pytest.mark.parametrize("count", [1, 2, SPARE_JUDGES + 1])
def test_judges_that_wait_for_dns_hold_nobody_up(bench, count):
    names = [f"silent-{count}-{number}" for number in range(count)]
    bench.publish({f"{name}._domainkey.freeze.example": ["TIMEOUT"] for name in names})
    signatures = [SIGNATURE % (name.encode(), b"AAAA", b"AAAA") for name in names]
    usual = bench.usual()
    for name, signature in zip(names, signatures, strict=True):
        assert bench.send(letter(signature, name=name.encode()), STRANGER) == 250
    waited = bench.good_message()
    print(f"behind {count} that wait for DNS: {waited:.2f} s, usually {usual:.2f} s")
    assert waited <= usual + stretched(PATIENCE)
    bench.publish({})
    for name in names:
        bench.judged(name)
