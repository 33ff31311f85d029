"""The gateway as its operator meets it: first hour, refusals of the relay, reload, scrapes, shutdown. No mail system around it."""

import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import live_letters as letters
import pytest
from counterpart import Counterpart, field
from institution import MAILBOX, enrol
from lmtp_stub import Manners, lmtp_stub
from ports import free_port, wait_until
from running import Running, cp247, family

from gateway.cli.demo.stub_dns import StubDns

pytestmark = pytest.mark.live

PAGE = """\
#!/bin/sh
cat >> "$(dirname "$0")/pages"
echo >> "$(dirname "$0")/pages"
"""


def needs(program, package):
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: Debian package {package}")


@pytest.fixture(scope="module")
def relay():
    with lmtp_stub(Manners(smtp=True)) as stub:
        yield stub


@pytest.fixture(scope="module")
def counterparts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counterparts")
    found = [Counterpart(f"247cp@police.gov.{one}.example", "127.0.0.1", folder / one) for one in "bc"]
    yield found
    for one in found:
        one.key.end()


@pytest.fixture(scope="module")
def installed(tmp_path_factory, relay, counterparts):
    folder = tmp_path_factory.mktemp("operated")
    page = folder / "page"
    page.write_text(PAGE)
    page.chmod(0o755)
    with StubDns(counterparts[0].zone | counterparts[1].zone) as dns:
        found = Running(
            folder / "gateway",
            **{"dns.nameservers": [dns.nameserver], "outbound.relay": relay.target, "page.command": str(page)},
        )
        enrol(found, counterparts[0])
        with found:
            yield found


@pytest.fixture
def gateway(installed):
    """The gateway, running; started again if the test before has ended it."""
    if installed.process.poll() is not None:
        installed.start()
    return installed


def send(gateway, counterpart, content):
    with smtplib.SMTP("127.0.0.1", gateway.inbound, timeout=30) as client:
        client.sendmail(counterpart.mailbox, [MAILBOX], content)


def delivered(gateway, content):
    return wait_until(
        lambda: next((one for one in gateway.delivered() if one.endswith(content)), None), what="delivery"
    )


def test_the_first_hour_init_serve_swaks_cases_list(gateway, counterparts, tmp_path):
    needs("swaks", "swaks")
    content = counterparts[0].signed(MAILBOX, *letters.PRESERVATION)
    mail = tmp_path / "request.eml"
    mail.write_bytes(content.removesuffix(b"\r\n"))  # swaks ends the last line itself
    command = ["swaks", "--server", f"127.0.0.1:{gateway.inbound}", "--from", counterparts[0].mailbox, "--to", MAILBOX]
    done = subprocess.run([*command, "--data", f"@{mail}"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    found = delivered(gateway, content)
    block = found[: -len(content)]
    assert block.startswith(f"Return-Path: <{counterparts[0].mailbox}>\r\nReceived: ".encode())
    assert block.endswith(b"\r\n")
    case = field(found, "X-247CP-Case")
    assert case in cp247("cases", "list", config=gateway.config).stdout
    listed = [json.loads(line) for line in cp247("cases", "list", "--json", config=gateway.config).stdout.splitlines()]
    assert ("preservation", "open") in [(one["category"], one["state"]) for one in listed if one["reference"] == case]


def test_an_answer_that_the_relay_refuses_for_good_fails_its_case_and_wakes_somebody(gateway, counterparts, relay):
    content = counterparts[0].signed(MAILBOX, *letters.PRESERVATION)
    send(gateway, counterparts[0], content)
    case, to = field(delivered(gateway, content), "X-247CP-Case"), counterparts[0].mailbox
    gateway.idle()
    relay.manners.final["*"] = "554 5.7.1 not wanted here"
    answer = letters.answer(mailbox=MAILBOX, to=to, request_id=field(content, "Message-ID"))
    try:
        with smtplib.SMTP("127.0.0.1", gateway.outbound, timeout=60) as client:
            client.sendmail(MAILBOX, [to], answer)
        gateway.idle()
    finally:
        relay.manners.final.clear()
    shown = json.loads(cp247("cases", "show", case, "--json", config=gateway.config).stdout)
    assert shown["state"] == "answer-failed"
    refused = next(one for one in shown["mails"] if one["purpose"] == "answer")
    assert (refused["state"], refused["reply"]) == ("returned", "554 5.7.1 not wanted here")
    notice = wait_until(
        lambda: next((one for one in gateway.delivered() if b"Subject: NOT DELIVERED" in one), None), what="the notice"
    )
    assert case.encode() in notice
    assert b"554 5.7.1 not wanted here" in notice
    alarms = [one for one in gateway.events("not-delivered") if one["case"] == case]
    assert [(one["level"], one["purpose"]) for one in alarms] == [("error", "answer")]
    pages = gateway.folder.parent / "pages"
    wait_until(lambda: pages.exists() and case in pages.read_text(), what="a page")
    paged = next(json.loads(line) for line in pages.read_text().splitlines() if case in line)
    assert paged["what"] == "answer-failed"
    assert gateway.metric('cp247_pages_total{result="sent"}') >= 1


def test_sighup_takes_a_new_contact_in(gateway, counterparts):
    stranger = counterparts[1]
    before = stranger.plain(MAILBOX, *letters.PRESERVATION)
    send(gateway, stranger, before)
    assert field(delivered(gateway, before), "X-247CP-Assurance") == "domain"
    enrol(gateway, stranger)
    reloads = len(gateway.events("reloaded"))
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(gateway.events("reloaded")) > reloads, what="the reload")
    after = stranger.plain(MAILBOX, *letters.PRESERVATION)
    send(gateway, stranger, after)
    assert field(delivered(gateway, after), "X-247CP-Assurance") == "listed"
    assert gateway.metric('cp247_contacts{state="good"}') == 2


def test_promtool_finds_nothing_wrong_with_the_metrics(gateway):
    needs("promtool", "prometheus")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=gateway.get("/metrics"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_prometheus_scrapes_our_series(gateway, tmp_path):
    needs("prometheus", "prometheus")
    port = free_port()
    scrape = {"job_name": "cp247", "static_configs": [{"targets": [gateway.monitoring]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        names = wait_until(lambda: series(port), what="a scrape")
    finally:
        process.terminate()
        process.wait(20)
    assert {"cp247_queue_messages", "cp247_dependency_up", "cp247_unaccounted_deliveries"} <= names


def series(port):
    """Names of the gateway's series that this Prometheus knows."""
    query = urllib.parse.quote('{__name__=~"cp247_.+"}')
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={query}", timeout=5) as reply:
            return {one["metric"]["__name__"] for one in json.load(reply)["data"]["result"]}
    except OSError:
        return set()


def test_sigterm_with_a_session_open_says_421_and_ends_in_time(gateway, counterparts):
    children = family(gateway.process.pid)
    with socket.create_connection(("127.0.0.1", gateway.inbound), timeout=20) as session:
        assert session.recv(1000).startswith(b"220 ")
        session.sendall(b"EHLO mail.example\r\n")
        assert b"250 " in session.recv(4000)
        begun = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - begun < 10
        assert session.recv(1000).startswith(b"421 ")
    assert children
    assert not any(os.path.exists(f"/proc/{one}") for one in children)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", gateway.inbound), timeout=5)
