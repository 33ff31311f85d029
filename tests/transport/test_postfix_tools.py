"""Interoperation on loopback with programs of Postfix and with swaks; each test names what is missing where it is skipped."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from listening import listening, settings

from gateway.model.outbox import Fate
from gateway.model.settings import Inbound, Protocol
from gateway.transport.courier import Kept, deliver

PATH = "/usr/sbin:/usr/bin:/bin"
MAILBOX = "247cp@institution.gov.example"


def program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_smtp_source_delivers_many_messages_over_ten_connections() -> None:
    source = program("smtp-source")
    with listening() as door:
        host, port = door.place
        arguments = ["-s", "10", "-m", "100", "-l", "4096", "-f", "a@police.example", "-t", MAILBOX, f"{host}:{port}"]
        subprocess.run([source, *arguments], check=True, timeout=30)
        assert len(door.desk.taken) == 100
        assert all(taken.content.count(b"\r\n") == taken.content.count(b"\n") for taken in door.desk.taken)
        assert door.desk.refused() == []


def test_smtp_source_delivers_by_lmtp_to_two_recipients() -> None:
    source = program("smtp-source")
    with listening(settings(inbound=Inbound(protocol=Protocol.LMTP))) as door:
        host, port = door.place
        arguments = [
            "-L",
            "-d",
            "-m",
            "5",
            "-r",
            "2",
            "-f",
            "a@police.example",
            "-t",
            "postmaster@institution.gov.example",
        ]
        # smtp-source writes a number before the address of each recipient: they are not ours, and each is told so.
        ran = subprocess.run([source, *arguments, f"{host}:{port}"], check=False, timeout=30, capture_output=True)
        assert b"550 5.1.1" in ran.stderr
        arguments[arguments.index("-r") + 1] = "1"
        subprocess.run([source, *arguments, f"{host}:{port}"], check=True, timeout=30)
        assert len(door.desk.taken) == 5


@pytest.mark.parametrize("option", [[], ["--pipeline"]])
def test_swaks_delivers_a_file_exactly(option: list[str], tmp_path: Path) -> None:
    swaks = program("swaks")
    message = tmp_path / "message.eml"
    message.write_bytes(b"Subject: test\n\n.dot\n..two\nplain \xc3\xa9\n")
    with listening() as door:
        host, port = door.place
        arguments = ["--server", host, "--port", str(port), "--from", "a@police.example", "--to", MAILBOX, *option]
        subprocess.run([swaks, *arguments, "--data", f"@{message}"], check=True, timeout=30, capture_output=True)
        (taken,) = door.desk.taken
        assert taken.content.startswith(message.read_bytes().replace(b"\n", b"\r\n"))


def test_swaks_shows_the_officer_our_line() -> None:
    swaks = program("swaks")
    line = "550 5.7.1 NOT SENT: recipient is not the one who asked [D-7K3QX2]"
    with listening(outward=True) as door:
        door.desk.reply = line
        host, port = door.place
        arguments = ["--server", host, "--port", str(port), "--from", MAILBOX, "--to", "x@elsewhere.example"]
        ran = subprocess.run([swaks, *arguments], check=False, timeout=30, capture_output=True, text=True)
        assert f"<** {line}" in ran.stdout


def test_smtp_sink_gets_what_the_courier_sends(tmp_path: Path) -> None:
    sink = program("smtp-sink")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tmp_path.chmod(0o777)
    arguments = ["-u", "nobody"] if os.geteuid() == 0 else []
    running = subprocess.Popen([sink, *arguments, "-d", "%M.", f"127.0.0.1:{port}", "16"], cwd=tmp_path)
    kept = Kept()
    content = b"Subject: x\r\n\r\n.dot\r\n..\r\n" + "é\r\n".encode() * 100_000
    try:
        _wait_for_port(port)
        target = f"smtp://127.0.0.1:{port}"
        for _ in range(3):
            reply = deliver(
                target, mail_from="", rcpt_to=MAILBOX, chunks=lambda: iter((content,)), size=len(content), kept=kept
            )
            assert reply.fate is Fate.SENT
    finally:
        kept.close()
        running.terminate()
        running.wait(10)
    stored = [file.read_bytes() for file in tmp_path.iterdir()]
    assert len(stored) == 3
    # smtp-sink writes LF and fields of its own before the message.
    assert all(one.rstrip(b"\n").endswith(content.replace(b"\r\n", b"\n").rstrip(b"\n")) for one in stored)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
