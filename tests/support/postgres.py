"""A throw-away PostgreSQL cluster for tests: own folder, unix socket only, run by an unprivileged user, ended by pid."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
MISSING = "PostgreSQL's server programs are not installed (Debian package postgresql)"
OPTIONS = ("-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=60", "-F")


def _user() -> dict[str, int]:
    """PostgreSQL refuses to be run by root."""
    if os.geteuid():
        return {}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid}


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Folder of the socket of a running server that trusts user `gateway`; raises FileNotFoundError without programs."""
    if not PROGRAMS:
        raise FileNotFoundError(MISSING)
    programs, user = PROGRAMS[-1].parent, _user()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if user:
            os.chown(folder, user["user"], user["group"])
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        started = {
            "env": environment,
            "cwd": folder,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            **user,
        }
        initdb = (programs / "initdb", "-D", folder / "data", "-U", "gateway", "-A", "trust", "-E", "UTF8", "-N")
        subprocess.run(initdb, check=True, **started)
        server = subprocess.Popen((programs / "postgres", "-D", folder / "data", "-k", folder, *OPTIONS), **started)
        try:
            _wait(programs, folder)
            yield str(folder)
        finally:
            server.send_signal(2)  # fast shutdown
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(programs: Path, folder: Path) -> None:
    for _ in range(200):
        if subprocess.run((programs / "pg_isready", "-q", "-h", folder), check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not start within 10 s")
