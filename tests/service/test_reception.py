"""The process that takes mail in: replaced when it dies, gone when the service is gone, counted and seen as one with it."""

import contextlib
import json
import os
import signal
import smtplib
import socket
from pathlib import Path

import pytest
from ports import wait_until
from rule_pack import FOLDER
from running import Running, family

from gateway.service.promptness import JUDGE_NICENESS, SERVICE_NICENESS

MAILBOX = "247cp@institution.gov.example"
ARRIVALS = 'cp247_arrivals_total{source="smtp"}'
REFUSALS = 'cp247_refusals_total{code="550",direction="inbound"}'


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("reception") / "gateway", rules=FOLDER) as running:
        yield running


def reception(gateway):
    """Its process id, None between two of them."""
    return next((pid for pid in family(gateway.process.pid)[1:] if b"reception_child" in command(pid)), None)


def command(pid):
    """What it runs; nothing of a process that has just ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def send(gateway, subject, *, to=MAILBOX):
    with smtplib.SMTP("127.0.0.1", gateway.inbound, timeout=30) as client:
        client.sendmail("a@b.example", [to], f"From: a@b.example\r\nSubject: {subject}\r\n\r\nGood morning.\r\n")


def arrived(gateway, subject):
    wait_until(lambda: any(f"Subject: {subject}\r\n".encode() in one for one in gateway.delivered()), what=subject)


def test_one_that_died_is_replaced_and_no_sender_is_turned_away(gateway):
    before, first = gateway.metric(ARRIVALS), reception(gateway)
    send(gateway, "before")
    wait_until(lambda: gateway.metric(ARRIVALS) == before + 1, what="the first to be counted")
    os.kill(first, signal.SIGKILL)
    send(gateway, "after")
    arrived(gateway, "before")
    arrived(gateway, "after")
    assert reception(gateway) != first
    assert gateway.events("reception-died")
    assert json.loads(gateway.get("/readyz"))["listeners"] is True
    wait_until(lambda: gateway.metric(ARRIVALS) == before + 2, what="counts of both")


def test_service_and_judges_give_way_to_it_also_to_one_that_replaced_another(gateway):
    first = reception(gateway)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: reception(gateway) not in {None, first}, what="the next one")
    send(gateway, "next")
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    judges = [pid for pid in family(gateway.process.pid) if b"nursery" in command(pid)]
    assert os.getpriority(os.PRIO_PROCESS, reception(gateway)) == ours
    assert os.getpriority(os.PRIO_PROCESS, gateway.process.pid) == max(ours, SERVICE_NICENESS)
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in judges} == {max(ours, JUDGE_NICENESS)}


def test_who_is_refused_is_counted(gateway):
    before = gateway.metric(REFUSALS)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(gateway, "x", to="nobody@institution.gov.example")
    wait_until(lambda: gateway.metric(REFUSALS) == before + 1)


def test_it_survives_signals_meant_for_the_service(gateway):
    child = reception(gateway)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        os.kill(child, number)
    send(gateway, "signals")
    assert reception(gateway) == child


def test_it_is_gone_when_the_service_was_killed(tmp_path):
    gateway = Running(tmp_path / "gateway", rules=FOLDER).start()
    children = family(gateway.process.pid)[1:]
    gateway.process.kill()
    gateway.process.wait()
    gateway.process.stdout.close()
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), what="the end of all its children")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gateway.inbound), timeout=10)
