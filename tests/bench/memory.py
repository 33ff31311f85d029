"""What one large message and one waiting connection take of a listener process."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from .gateway import ListenerAlone
from .letters import ASKING, OURS
from .processes import memory_kib

MIB = 1 << 20
LARGE_BYTES = 25 * MIB
WARM, WAITING = 50, 200
"""Connections that use up what the start of the process left free, and those that are counted then."""
ROOT = Path(__file__).parent.parent.parent
LISTENER = """
import asyncio, sys
from listening import settings
from gateway.transport.listener import start_inward

async def main():
    listener = await start_inward(settings=settings(state=sys.argv[1]), accept=None)
    print(listener.addresses[0], flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def large_message_mib(folder: Path) -> float:
    """Peak memory of the listener above its rest while it takes one message of 25 MiB."""
    content = b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * (LARGE_BYTES // 78) + b".\r\n"
    with ListenerAlone(folder) as listener:
        with _greeted(listener.port) as client:
            _say(client, f"MAIL FROM:<{ASKING.mailbox}>")
            _say(client, f"RCPT TO:<{OURS}>")
            _say(client, "DATA")
            before = memory_kib(listener.pid, "VmRSS")
            client.sendall(content)
            if not client.recv(500).startswith(b"250"):
                raise RuntimeError("the listener refused a message of 25 MiB")
        return (memory_kib(listener.pid, "VmHWM") - before) / 1024


def idle_connection_kib(folder: Path) -> float:
    """Memory of one connection that has said EHLO and waits, in a process that is nothing but a listener.

    In the whole service the connections would hide in what its start has left free.
    """
    path = os.pathsep.join(str(one) for one in (ROOT, ROOT / "tests" / "support"))
    command = [sys.executable, "-c", LISTENER, str(folder)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": path}) as process,
        contextlib.ExitStack() as clients,
    ):
        clients.callback(process.terminate)
        port = int(process.stdout.readline().rpartition(":")[2])
        for number in range(WARM):
            clients.enter_context(_greeted(port, f"127.0.{number // 50}.1"))
        before = memory_kib(process.pid, "VmRSS")
        for number in range(WAITING):
            clients.enter_context(_greeted(port, f"127.1.{number // 50}.1"))
        return (memory_kib(process.pid, "VmRSS") - before) / WAITING


def _greeted(port: int, source: str = "127.0.0.1") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))
    client.recv(500)
    _say(client, f"EHLO mail.{ASKING.domain}")
    return client


def _say(client: socket.socket, command: str) -> None:
    client.sendall(f"{command}\r\n".encode())
    answer = client.recv(1000)
    if answer[:1] not in b"23":
        raise RuntimeError(f"{command}: {answer!r}")
