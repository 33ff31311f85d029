"""A whole gateway as its operator runs it: `cp247 init`, a few lines changed, `cp247 serve` in a process of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from gateway.cli.demo.foreign import Foreign

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With compiled modules a judge starts three times faster."""

CP247 = [sys.executable, "-m", "gateway.cli.main"]


def cp247(
    *arguments: str, config: Path | None = None, check: bool = True, uid: int | None = None
) -> subprocess.CompletedProcess:
    """Run one verb as a shell would; with `check`, a failure shows what it said; with `uid` as that person behind sudo."""
    command = [*CP247, *(["--config", str(config)] if config else []), *arguments]
    environment = {**ENVIRONMENT, **({} if uid is None else {"SUDO_UID": str(uid)})}
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert not check or run.returncode == 0, f"cp247 {' '.join(arguments)}: {run.stderr}"
    return run


class Running:
    """The gateway's folder and, between start and stop, its process."""

    def __init__(
        self,
        folder: Path,
        *,
        mailbox: str = "247cp@institution.gov.example",
        rules: Path | None = None,
        **changes: object,
    ) -> None:
        """`rules` stand in for the shipped ones where no claim is about the words of a mail: they are read in no time."""
        self.folder = folder
        self.config = folder / "gateway.yaml"
        self.process: subprocess.Popen | None = None
        self.log = folder / "serve.log"
        cp247("init", str(folder), "--mailbox", mailbox)
        if rules is not None:
            shutil.rmtree(folder / "rules")
            shutil.copytree(rules, folder / "rules")
        self.configure(
            **{
                "inbound.listen": ["127.0.0.1:0"],
                "outbound.listen": ["127.0.0.1:0"],
                "monitoring.listen": "127.0.0.1:0",
                **changes,
            }
        )

    def configure(self, **changes: object) -> None:
        """Set keys of gateway.yaml, written as section.key."""
        yaml = YAML(typ="rt")
        document = yaml.load(self.config.read_text(encoding="utf-8"))
        for path, value in changes.items():
            *sections, key = path.split(".")
            node = document
            for section in sections:
                node = node.setdefault(section, {})
            node[key] = value
        written = StringIO()
        yaml.dump(document, written)
        self.config.write_text(written.getvalue(), encoding="utf-8")

    def enrol(self, foreign: Foreign, *, verified: bool = True) -> None:
        """Pin a counterpart's key as an administrator does."""
        key = self.folder / f"{foreign.identity.id}.asc"
        key.write_bytes(foreign.public_key)
        facts = [
            "--name",
            foreign.identity.name,
            "--country",
            foreign.identity.country,
            "--folder",
            foreign.identity.id,
        ]
        if verified:
            facts += ["--verified-how", "telephone", "--enrolled-by", "test"]
        cp247("keys", "add", foreign.identity.mailbox, str(key), *facts, config=self.config)
        key.unlink()

    def start(self) -> "Running":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*CP247, "serve", "--config", str(self.config)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=ENVIRONMENT,
            )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the gateway did not start: {self.log.read_text()[-3000:]}")
        ready = json.loads(line)
        assert ready["event"] == "ready"
        self.inbound = int(ready["inbound"][0].rpartition(":")[2])
        self.outbound = int(ready["outbound"][0].rpartition(":")[2])
        self.monitoring = ready["monitoring"]
        return self

    def stop(self) -> int:
        """SIGTERM; the exit status, which must come within ten seconds."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self.process.stdout.close()

    def kill(self) -> None:
        """SIGKILL to the service and all its children at one moment, as a power cut would."""
        for one in family(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.monitoring}{path}", timeout=10) as reply:
            return reply.read().decode()

    def metric(self, sample: str) -> float:
        """Value of one sample, written as Prometheus writes it; 0 where it is absent."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(sample + " "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def delivered(self) -> list[bytes]:
        """What lies in the Maildir of the mailbox, oldest first."""
        return maildir(self.folder / "state" / "mailbox")

    def relayed(self) -> list[bytes]:
        """What lies in the Maildir of the relay, oldest first."""
        return maildir(self.folder / "state" / "relay")

    def events(self, event: str) -> list[dict]:
        """Log lines of that event."""
        found = []
        for line in self.log.read_text().splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if one.get("event") == event:
                found.append(one)
        return found

    def idle(self, *, seconds: float = 30) -> None:
        """Wait until nothing is judged and nothing waits to leave."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            waiting = [line for line in self.get("/metrics").splitlines() if line.startswith("cp247_queue_messages{")]
            if all(line.endswith(" 0.0") for line in waiting):
                return
            time.sleep(0.05)
        raise AssertionError(f"the gateway is not idle after {seconds} s: {waiting}")

    def __enter__(self) -> "Running":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def maildir(folder: Path) -> list[bytes]:
    """Messages of a Maildir, oldest first."""
    paths = [path for path in (folder / "new").glob("*") if path.is_file()] if folder.exists() else []
    return [path.read_bytes() for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)]
