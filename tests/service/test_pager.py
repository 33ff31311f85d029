"""Somebody is woken: by a command, by a webhook, and not fifty times for the same flood."""

import contextlib
import json
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ports import wait_until

from gateway import metrics
from gateway.model.call import Call, Why
from gateway.model.settings import Page
from gateway.model.trust import Assurance
from gateway.service.pager import CLOSE_SECONDS, SHARED, Pager
from gateway.store.journal import Journal, open_journal

MAILBOX = "247cp@institution.gov.example"


@pytest.fixture
def journal(tmp_path):
    opened = open_journal(f"sqlite:{tmp_path / 'gateway.db'}", upgrade=True)
    yield opened
    opened.close()


@contextlib.contextmanager
def paging(journal: Journal, page: Page):
    pager = Pager(journal, page, mailbox=MAILBOX, owner="here")
    pager.start()
    yield pager
    pager.close()


def emergency(number: int, assurance: Assurance = Assurance.NONE, contact: str | None = None) -> Call:
    return Call(Why.EMERGENCY, f"arrival {number}", f"case-{number}", assurance, contact)


def trouble(number: int = 0) -> Call:
    return Call(Why.JUDGE_ERROR, f"arrival {number}", f"case-{number}")


@pytest.fixture
def bell(tmp_path):
    """A command that appends what it is told, and the lines it wrote."""
    rung = tmp_path / "rung"
    command = tmp_path / "bell"
    command.write_text(f'#!/bin/sh\nline=$(cat)\necho "$line" >> {rung}\n')
    command.chmod(0o755)
    return str(command), lambda: [json.loads(line) for line in rung.read_text().splitlines()] if rung.exists() else []


def test_a_proved_emergency_pages_each_time(bell, journal):
    command, rung = bell
    with paging(journal, Page(command=command)) as pager:
        for number in range(3):
            pager.call(emergency(number, Assurance.LISTED, "bx-police"))
        wait_until(lambda: len(rung()) == 3)
    assert sorted(one["case"] for one in rung()) == ["case-0", "case-1", "case-2"]


def test_the_same_cause_calls_once(bell, journal):
    command, rung = bell
    with paging(journal, Page(command=command)) as pager:
        for _ in range(5):
            pager.call(trouble(1))
        pager.call(trouble(2))
        wait_until(lambda: len(rung()) == 2)
    assert sorted(one["case"] for one in rung()) == ["case-1", "case-2"]


def test_unproved_emergencies_share_one_page_and_the_rest_wait_in_the_database(bell, journal):
    command, rung = bell
    with paging(journal, Page(command=command)) as pager:
        pager.call(emergency(0))
        wait_until(lambda: len(rung()) == 1)
        for number in range(1, 50):
            pager.call(emergency(number))
    assert [one["count"] for one in rung()] == [1]
    later = datetime.now(UTC) + SHARED + timedelta(minutes=1)
    assert len(journal.claim_calls(limit=99, owner="x", now=later, lease=SHARED)) == 49


def test_what_waited_five_minutes_is_one_page_with_a_count(bell, journal):
    command, rung = bell
    for number in range(49):
        journal.add_call(emergency(number), mailbox=MAILBOX, now=datetime.now(UTC))
    with paging(journal, Page(command=command)):
        wait_until(lambda: len(rung()) == 1)
    assert (rung()[0]["count"], rung()[0]["case"]) == (49, "")


def test_a_call_that_a_killed_process_left_is_rung_by_the_next(bell, journal):
    command, rung = bell
    journal.add_call(trouble(7), mailbox=MAILBOX, now=datetime.now(UTC))
    journal.claim_calls(limit=9, owner="here", now=datetime.now(UTC), lease=timedelta(hours=1))
    journal.release("here", now=datetime.now(UTC))
    with paging(journal, Page(command=command)):
        wait_until(lambda: len(rung()) == 1)
    assert rung()[0]["case"] == "case-7"


def test_a_message_that_defeated_the_judges_is_never_counted_away(bell, journal):
    command, rung = bell
    with paging(journal, Page(command=command)) as pager:
        for number in range(3):
            pager.call(trouble(number))
        wait_until(lambda: len(rung()) == 3)


def test_a_webhook_gets_one_json_object(journal):
    told = []

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    with paging(journal, Page(webhook=f"http://127.0.0.1:{server.server_address[1]}/")) as pager:
        pager.call(Call(Why.EMERGENCY, "arrival 1", "247CP-2026-000001-AAAA", Assurance.SIGNED, "bx-police"))
        wait_until(lambda: told)
    server.shutdown()
    server.server_close()
    thread.join()
    assert told == [
        {
            "case": "247CP-2026-000001-AAAA",
            "what": "emergency",
            "assurance": "signed",
            "contact": "bx-police",
            "count": 1,
        }
    ]


def test_without_a_way_to_page_nothing_waits_and_the_metric_says_nobody(journal):
    before = metrics.PAGES.labels("nobody")._value.get()
    with paging(journal, Page()) as pager:
        pager.call(trouble())
        wait_until(lambda: metrics.PAGES.labels("nobody")._value.get() == before + 1)
    assert journal.claim_calls(limit=9, owner="x", now=datetime.now(UTC) + SHARED, lease=SHARED) == ()


def test_a_command_that_is_missing_leaves_the_call_for_the_next_try(bell, journal, capfd):
    command, rung = bell
    with paging(journal, Page(command="/nonexistent/bell")) as pager:
        pager.call(trouble())
        wait_until(lambda: "page-failed" in "".join(capfd.readouterr()))
    with paging(journal, Page(command=command)):
        wait_until(lambda: len(rung()) == 1)


def test_a_command_that_fails_is_tried_again(tmp_path, journal):
    rung = tmp_path / "rung"
    command = tmp_path / "bell"
    command.write_text(f"#!/bin/sh\necho x >> {rung}\ntest $(wc -l < {rung}) -gt 1\n")
    command.chmod(0o755)
    with paging(journal, Page(command=str(command))) as pager:
        pager.call(trouble())
        wait_until(lambda: rung.exists() and rung.read_text() == "x\nx\n")


def test_a_way_that_hangs_holds_up_neither_the_other_nor_the_stop(bell, journal):
    command, rung = bell
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pager = Pager(
            journal,
            Page(command=command, webhook=f"http://127.0.0.1:{silent.getsockname()[1]}/"),
            mailbox=MAILBOX,
            owner="here",
        )
        pager.start()
        for number in range(9):
            pager.call(trouble(number))
        wait_until(lambda: len(rung()) == 9)
        began = time.monotonic()
        pager.close()
        assert time.monotonic() - began < 2 * CLOSE_SECONDS + 1


def test_a_webhook_that_speaks_no_http_does_not_end_the_pager(journal, capfd):
    with socket.create_server(("127.0.0.1", 0)) as rude:
        rude.settimeout(0.2)

        def shout():
            with contextlib.suppress(OSError):
                while True:
                    link, _ = rude.accept()
                    link.sendall(b"what?\r\n\r\n")
                    link.close()

        shouting = threading.Thread(target=shout)
        shouting.start()
        with paging(journal, Page(webhook=f"http://127.0.0.1:{rude.getsockname()[1]}/")) as pager:
            pager.call(trouble())
            wait_until(lambda: "page-failed" in "".join(capfd.readouterr()), seconds=10)
            assert pager._thread.is_alive()
        shouting.join()


def test_with_the_database_away_it_is_rung_all_the_same(bell, tmp_path, capfd):
    command, rung = bell
    journal = open_journal(f"sqlite:{tmp_path / 'gone.db'}", upgrade=True)
    with paging(journal, Page(command=command)) as pager:
        for name in ("gone.db", "gone.db-wal", "gone.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        with sqlite3.connect(tmp_path / "gone.db") as empty:
            empty.execute("CREATE TABLE other (id)")
        journal.database.close()
        pager.call(trouble())
        wait_until(lambda: len(rung()) >= 1)
    journal.close()
    assert "call-not-kept" in "".join(capfd.readouterr())
