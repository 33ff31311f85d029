"""Somebody is woken: by a command, by a webhook, and not fifty times for the same flood."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway.model.settings import Page
from gateway.model.trust import Assurance
from gateway.service.pager import Call, Pager


@pytest.fixture
def bell(tmp_path):
    """A command that appends what it is told, and the lines it wrote."""
    rung = tmp_path / "rung"
    command = tmp_path / "bell"
    command.write_text(f"#!/bin/sh\ncat >> {rung}; echo >> {rung}\n")
    command.chmod(0o755)
    return str(command), lambda: [json.loads(line) for line in rung.read_text().splitlines()] if rung.exists() else []


def test_a_proved_emergency_pages_each_time(bell):
    command, rung = bell
    pager = Pager(Page(command=command))
    for number in range(3):
        pager.call(Call(f"case-{number}", "emergency", Assurance.LISTED, "bx-police"))
    pager.close()
    assert [one["case"] for one in rung()] == ["case-0", "case-1", "case-2"]


def test_unproved_emergencies_share_one_page_with_a_count(bell):
    command, rung = bell
    pager = Pager(Page(command=command))
    for number in range(50):
        pager.call(Call(f"case-{number}", "emergency", Assurance.NONE))
    pager.close()
    assert [one["count"] for one in rung()] == [1, 49]


def test_a_message_that_defeated_the_judges_is_never_counted_away(bell):
    command, rung = bell
    pager = Pager(Page(command=command))
    for number in range(3):
        pager.call(Call(f"case-{number}", "judge-error"))
    pager.close()
    assert len(rung()) == 3


def test_a_webhook_gets_one_json_object():
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
    pager = Pager(Page(webhook=f"http://127.0.0.1:{server.server_address[1]}/"))
    pager.call(Call("247CP-2026-000001-AAAA", "emergency", Assurance.SIGNED, "bx-police"))
    pager.close()
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


def test_a_command_that_is_missing_does_not_stop_the_next_page(bell, capfd):
    command, rung = bell
    broken = Pager(Page(command="/nonexistent/bell"))
    broken.call(Call("x", "judge-error"))
    broken.close()
    working = Pager(Page(command=command))
    working.call(Call("y", "judge-error"))
    working.close()
    assert [one["case"] for one in rung()] == ["y"]
