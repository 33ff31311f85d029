"""Somebody is woken: by a command, by a webhook, and not fifty times for the same flood."""

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ports import wait_until

from gateway.model.settings import Page
from gateway.model.trust import Assurance
from gateway.service.pager import CLOSE_SECONDS, Call, Pager


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


def test_a_command_that_fails_is_tried_again(tmp_path):
    rung = tmp_path / "rung"
    command = tmp_path / "bell"
    command.write_text(f"#!/bin/sh\necho x >> {rung}\ntest $(wc -l < {rung}) -gt 1\n")
    command.chmod(0o755)
    pager = Pager(Page(command=str(command)))
    pager.call(Call("x", "judge-error"))
    pager.close()
    assert rung.read_text() == "x\nx\n"


def test_a_way_that_hangs_holds_up_neither_the_other_nor_the_stop(bell):
    command, rung = bell
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pager = Pager(Page(command=command, webhook=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        for number in range(3):
            pager.call(Call(f"case-{number}", "judge-error"))
        wait_until(lambda: len(rung()) == 3)
        began = time.monotonic()
        pager.close()
        assert time.monotonic() - began < CLOSE_SECONDS + 1


def test_a_webhook_that_speaks_no_http_does_not_end_the_pager(capfd):
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
        pager = Pager(Page(webhook=f"http://127.0.0.1:{rude.getsockname()[1]}/"))
        pager.call(Call("x", "judge-error"))
        wait_until(lambda: "page-failed" in "".join(capfd.readouterr()), seconds=10)
        assert pager._ways[0]._thread.is_alive()
        pager.close()
        shouting.join()
