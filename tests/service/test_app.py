"""The gateway as its operator finds it on a bad day: what it needs is broken, and mail is taken in, delivered, and put off at worst."""

import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import time

import pytest
from lmtp_stub import Manners, lmtp_stub
from ports import wait_until
from rule_pack import FOLDER
from running import CP247, ENVIRONMENT, Running, family

MAILBOX = "247cp@institution.gov.example"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A gateway that was good once: its rules are kept in its database."""
    path = tmp_path_factory.mktemp("bad-day") / "gateway"
    with Running(path, rules=FOLDER, **{"dns.nameservers": ["127.0.0.1:9"], "dns.timeout": 0.2}):
        pass
    return path


@pytest.fixture
def gateway(folder, tmp_path):
    """A copy of it that a test may break."""
    copy = Running.__new__(Running)
    copy.folder = tmp_path / "g"
    shutil.copytree(folder, copy.folder, ignore=shutil.ignore_patterns("S.*", "*.lock", "mailbox"))
    copy.config, copy.log, copy.process = copy.folder / "gateway.yaml", copy.folder / "serve.log", None
    copy.log.write_text("")
    yield copy
    if copy.process is not None and copy.process.poll() is None:
        copy.kill()


def send(gateway, number=1, *, subject="hello", port=None, to=MAILBOX, sender="a@b.example"):
    content = (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
        f"Message-ID: <{number}@b.example>\r\n\r\nGood morning.\r\n"
    )
    with smtplib.SMTP("127.0.0.1", port or gateway.inbound, timeout=70) as client:
        return client.sendmail(sender, [to], content)


def arrives(gateway, number=1):
    send(gateway, number)
    wait_until(lambda: any(f"<{number}@b.example>".encode() in one for one in gateway.delivered()), what="the delivery")


def alarms(gateway):
    return {one["event"] for line in [gateway.log.read_text()] for one in map(_read, line.splitlines()) if one}


def _read(line):
    try:
        one = json.loads(line)
    except ValueError:
        return None
    return one if one.get("level") == "error" else None


def test_broken_rules_and_a_broken_contact_keep_nothing_from_starting(gateway):
    (gateway.folder / "rules" / "scoring.yaml").write_text("places: [\n")
    broken = gateway.folder / "keys" / "bx-police"
    broken.mkdir()
    (broken / "contact.yaml").write_text("name: [\n")
    dangling = gateway.folder / "keys" / "cx"
    dangling.mkdir()
    (dangling / "contact.yaml").symlink_to("/nonexistent")
    with gateway:
        arrives(gateway)
        assert gateway.metric("cp247_rules_stale") == 1
    assert alarms(gateway) >= {"rules-broken", "contact-broken"}


def test_reloads_in_the_middle_lose_nothing(gateway):
    with gateway:
        for number in range(12):
            send(gateway, number)
            if number % 3 == 0:
                gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(gateway.delivered()) == 12, seconds=40, what="all deliveries")
        wait_until(lambda: gateway.events("reloaded"), seconds=40)
        assert gateway.stop() == 0


def test_a_hang_up_while_it_starts_does_not_end_it(gateway):
    with gateway.log.open("ab") as log:
        starting = subprocess.Popen(
            [*CP247, "serve", "--config", str(gateway.config)], stdout=subprocess.PIPE, stderr=log, env=ENVIRONMENT
        )
    wait_until(lambda: (gateway.folder / "state" / "gateway.db-wal").exists() or len(family(starting.pid)) > 1)
    starting.send_signal(signal.SIGHUP)
    assert b'"ready"' in starting.stdout.readline()
    starting.terminate()
    assert starting.wait(10) == 0
    starting.stdout.close()


def test_without_gpg_requests_are_delivered_and_nothing_leaves_unsealed(gateway, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = dict(ENVIRONMENT)
    ENVIRONMENT["PATH"] = str(empty)
    try:
        gateway.start()
    finally:
        ENVIRONMENT.update(environment)
    arrives(gateway)
    gateway.stop()
    assert "own-key-unusable" in alarms(gateway)
    assert "Traceback" not in gateway.log.read_text()


def test_a_nursery_that_is_killed_costs_no_message(gateway):
    with gateway:
        arrives(gateway, 1)
        for pid in family(gateway.process.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        arrives(gateway, 2)


def test_a_mailbox_that_hangs_holds_up_no_stop_and_loses_nothing(gateway):
    with lmtp_stub(Manners(hang_after="dot")) as hop:
        gateway.configure(**{"mailbox.deliver_to": f"lmtp://127.0.0.1:{hop.port}"})
        gateway.start()
        for number in range(3):
            send(gateway, number)
        wait_until(lambda: "DATA" in hop.commands)
        began = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - began < 10
        assert not gateway.events("stopped-hard")
    gateway.configure(**{"mailbox.deliver_to": "maildir:state/mailbox"})
    with gateway:
        wait_until(lambda: len({one.partition(b"Message-ID")[2] for one in gateway.delivered()}) == 3)


def test_a_taken_port_is_one_clear_error(gateway):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gateway.configure(**{"outbound.listen": [f"127.0.0.1:{taken.getsockname()[1]}"]})
        done = subprocess.run(
            [*CP247, "serve", "--config", str(gateway.config)], capture_output=True, text=True, timeout=60, env=ENVIRONMENT,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "outbound.listen" in done.stderr
    assert "Traceback" not in done.stderr
