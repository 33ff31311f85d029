"""The gateway under load: as its operator runs it, with one contact enrolled, the sink as mailbox and as relay."""

import json
import subprocess
from pathlib import Path

from running import CP247, Running, cp247

from .letters import ASKING, OURS
from .load import Route
from .processes import daemons_of, reception_of
from .sink import Taken
from .surroundings import Surroundings

XFORWARD = f"XFORWARD ADDR={ASKING.address} HELO=mail.{ASKING.domain} PROTO=ESMTP\r\n".encode()


class Gateway:
    """The whole gateway: every message is delivered and answered with a signed receipt."""

    name = "gateway"
    slow = False
    per_letter = 2
    """The delivery and the receipt."""

    def __init__(self, folder: Path, *, public_key: bytes, around: Surroundings) -> None:
        self._running = Running(
            folder,
            mailbox=OURS,
            **{
                "inbound.trusted_peers": ["127.0.0.0/8"],
                "mailbox.deliver_to": f"smtp://127.0.0.1:{around.sink}",
                "outbound.relay": f"smtp://127.0.0.1:{around.sink}",
                "dns.nameservers": [around.nameserver],
                "receipts.per_contact_hour": 10_000_000,
                "receipts.all_hour": 10_000_000,
            },
        )
        key = folder / "asking.asc"
        key.write_bytes(public_key)
        options = ("--name", ASKING.name, "--country", ASKING.country, "--folder", ASKING.id, "--enrolled-by", "bench")
        cp247("keys", "add", ASKING.mailbox, str(key), *options, "--verified-how", "bench", config=self._running.config)

    def __enter__(self) -> "Gateway":
        self._running.start()
        self.route = Route(self._running.inbound, ASKING.mailbox, OURS, (XFORWARD,))
        return self

    def __exit__(self, *exit_: object) -> None:
        self._running.__exit__(*exit_)

    @property
    def roots(self) -> set[int]:
        """The service, whose children are the judges, and the gpg-agent it started."""
        return {self._running.process.pid} | daemons_of(self._running.folder)

    def faults(self, taken: Taken) -> str:
        """What is wrong with one mail at the sink, '' if nothing."""
        if taken.field("Auto-Submitted"):
            signed = "multipart/signed" in taken.field("Content-Type") and taken.field("DKIM-Signature")
            return "" if signed else "receipt without signatures"
        results = taken.field("Authentication-Results")
        wanted = {"dkim=pass", "spf=pass", "dmarc=pass", "openpgp=pass"}
        missing = sorted(one for one in wanted if one not in results)
        facts = taken.field("X-247CP-Class"), taken.field("X-247CP-Assurance")
        return "" if not missing and facts == ("preservation", "signed") else f"{missing} missing, {facts}"

    def log(self) -> str:
        """The last lines of its log."""
        return self._running.log.read_text()[-3000:]


class ListenerAlone:
    """A gateway that only listens; `pid` is its process that takes mail in."""

    def __init__(self, gateway_folder: Path) -> None:
        self._config = gateway_folder / "gateway.yaml"

    def __enter__(self) -> "ListenerAlone":
        command = [*CP247, "--config", str(self._config), "serve", "--role", "listener"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = json.loads(self._process.stdout.readline())
        self.pid = reception_of(self._process.pid)
        self.port = int(ready["inbound"][0].rpartition(":")[2])
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=15)
