"""Ports and waiting for servers on loopback."""

import contextlib
import os
import random
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    """A port below the ephemeral range, where no outgoing connection can take it meanwhile."""
    for _ in range(500):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def wait_for_port(port: int, *, process: subprocess.Popen, log: Path | None = None, seconds: float = 60) -> None:
    """Return when something listens; say what the server logged if it ended or never does."""

    def logged() -> str:
        return log.read_text(errors="replace")[-3000:] if log is not None and log.exists() else "no log"

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"server ended with {process.returncode}: {logged()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise TimeoutError(f"port {port} does not open: {logged()}")


def stretched(seconds: float) -> float:
    """As many seconds as these are of a machine that has nothing else to do: on a busy one each second is shared."""
    running = int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[0])
    return seconds * max(1.0, max(os.getloadavg()[0], running) / os.cpu_count())


def wait_until(claim, *, seconds: float = 60, what: str = "it") -> object:
    """The first true value of `claim`; fails the test when it stays false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := claim():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")
