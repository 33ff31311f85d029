"""What one large message and one waiting connection take of a listener process."""

import contextlib
import socket
from pathlib import Path

from .gateway import ListenerAlone
from .letters import ASKING, OURS

MIB = 1 << 20
LARGE_BYTES = 25 * MIB
WARM, WAITING = 150, 300
"""Connections that use up what the start of the process left free, and those that are counted then."""


def large_message_mib(folder: Path) -> float:
    """Peak memory of the listener above its rest while it takes one message of 25 MiB."""
    content = b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * (LARGE_BYTES // 78) + b".\r\n"
    with ListenerAlone(folder) as listener:
        with _greeted(listener.port) as client:
            _say(client, f"MAIL FROM:<{ASKING.mailbox}>")
            _say(client, f"RCPT TO:<{OURS}>")
            _say(client, "DATA")
            before = listener.memory_kib("VmRSS")
            client.sendall(content)
            if not client.recv(500).startswith(b"250"):
                raise RuntimeError("the listener refused a message of 25 MiB")
        return (listener.memory_kib("VmHWM") - before) / 1024


def idle_connection_kib(folder: Path) -> float:
    """Memory of one connection that has said EHLO and waits."""
    with ListenerAlone(folder) as listener, contextlib.ExitStack() as clients:
        for _ in range(WARM):
            clients.enter_context(_greeted(listener.port))
        before = listener.memory_kib("VmRSS")
        for _ in range(WAITING):
            clients.enter_context(_greeted(listener.port))
        return (listener.memory_kib("VmRSS") - before) / WAITING


def _greeted(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.recv(500)
    _say(client, f"EHLO mail.{ASKING.domain}")
    return client


def _say(client: socket.socket, command: str) -> None:
    client.sendall(f"{command}\r\n".encode())
    answer = client.recv(1000)
    if answer[:1] not in b"23":
        raise RuntimeError(f"{command}: {answer!r}")
