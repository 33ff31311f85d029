"""What a listener process takes: little for a connection that waits, little more than nothing for a large message."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MIB = 1024 * 1024
LISTENER = """
import asyncio, sys
from listening import settings
from gateway.transport.listener import start_inward

async def accept(incoming):
    return f"250 2.0.0 {sum(map(len, incoming.body.chunks()))}"

async def main():
    listener = await start_inward(settings=settings(state=sys.argv[1]), accept=accept)
    print(listener.addresses[0], flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


class Process:
    def __init__(self, running: subprocess.Popen[str]) -> None:
        assert running.stdout is not None
        self._running = running
        self.port = int(running.stdout.readline().rpartition(":")[2])

    def kibibytes(self, name: str) -> int:
        status = Path(f"/proc/{self._running.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1])

    def greeted(self, source: str) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))
        client.recv(200)
        client.sendall(b"EHLO client.example\r\n")
        client.recv(500)
        return client


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    folders = Path(__file__).parent.parent
    environment = {"PYTHONPATH": f"{folders / 'support'}:{folders.parent}"}
    command = [sys.executable, "-c", LISTENER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        yield Process(running)
        running.terminate()


def test_connection_that_waits_takes_at_most_32_kib(process: Process) -> None:
    before = process.kibibytes("VmRSS")
    clients = [process.greeted(f"127.0.{number // 50}.1") for number in range(200)]
    assert (process.kibibytes("VmRSS") - before) / len(clients) <= 32
    for client in clients:
        client.close()


def test_message_of_25_mib_takes_at_most_60_mib(process: Process) -> None:
    before = process.kibibytes("VmRSS")
    lines = b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * (25 * MIB // 78)
    with process.greeted("127.0.0.1") as client:
        client.sendall(b"MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\n")
        time.sleep(0.1)
        client.recv(500)
        client.sendall(lines + b".\r\n")
        assert client.recv(100) == f"250 2.0.0 {len(lines)}\r\n".encode()
    assert process.kibibytes("VmHWM") - before <= 60 * 1024
