"""What the story plays on: sends mail to the running gateway as others would, and looks at what comes out."""

import smtplib
import time
from dataclasses import dataclass, field
from pathlib import Path

from gateway.cli.demo.foreign import Foreign
from gateway.config import load_settings
from gateway.mail.scan import scan_header
from gateway.model.message import Header
from gateway.model.trust import PinnedKey
from gateway.trust.gnupg_home import GnupgHome

CARD = ("Auto-Submitted", "auto-notified")
"""Field and value of what the gateway itself writes to the mailbox."""
PATIENCE = 30.0


@dataclass(slots=True)
class Stage:
    """The running gateway and those who write to it."""

    folder: Path
    ready: dict[str, object]
    foreigners: dict[str, Foreign]
    mailbox: str
    seen: set[str] = field(default_factory=set)
    request_id: str = ""
    """Message-ID of the encrypted request, which the officer answers."""

    @property
    def key(self) -> PinnedKey:
        """The gateway's own public key, as it was given to the others."""
        settings = load_settings(str(self.folder / "gateway.yaml"))
        return GnupgHome(settings.openpgp.home).own_key(settings.openpgp.signing_key)

    def send(self, content: bytes, *, mail_from: str, peer: str, helo: str) -> str:
        """Hand a mail over as the institution's Postfix would for a client of that address; the gateway's reply."""
        with smtplib.SMTP(*_place(self.ready["inbound"]), timeout=PATIENCE) as client:
            client.ehlo("mx.institution.gov.syldavia.example")
            client.docmd("XFORWARD", f"ADDR={peer} HELO={helo} PROTO=ESMTP")
            return _transaction(client, content, mail_from=mail_from, rcpt_tos=(self.mailbox,))

    def submit(self, content: bytes, *, rcpt_tos: tuple[str, ...]) -> str:
        """Press Send, as an officer's client does through the submission server; the line the officer sees."""
        with smtplib.SMTP(*_place(self.ready["outbound"]), timeout=PATIENCE) as client:
            client.ehlo("mail.institution.gov.syldavia.example")
            return _transaction(client, content, mail_from=self.mailbox, rcpt_tos=rcpt_tos)

    def delivered(self) -> bytes:
        """The next message in the mailbox that came in; cards about it are passed over."""
        while value(content := self._next(self.folder / "state" / "mailbox", wait=PATIENCE), CARD[0]) == CARD[1]:
            continue
        return content

    def relayed(self, *, wait: float = PATIENCE) -> bytes:
        """The next message that leaves; b'' when none does."""
        return self._next(self.folder / "state" / "relay", wait=wait)

    def _next(self, maildir: Path, *, wait: float) -> bytes:
        end = time.monotonic() + wait
        while True:
            for path in sorted((maildir / "new").glob("*"), key=lambda one: one.stat().st_mtime_ns):
                if str(path) not in self.seen:
                    self.seen.add(str(path))
                    return path.read_bytes()
            if time.monotonic() > end:
                return b""
            time.sleep(0.02)


def header_of(content: bytes) -> Header:
    """The header of a delivered or relayed message."""
    return scan_header(content)[0]


def value(content: bytes, name: str) -> str:
    """The topmost field of that name as text, '' where there is none."""
    found = header_of(content).first(name)
    return found.value.decode("utf-8", "replace") if found else ""


def _place(listening: object) -> tuple[str, int]:
    host, _, port = str(listening[0] if isinstance(listening, list) else "").rpartition(":")
    return host, int(port)


def _transaction(client: smtplib.SMTP, content: bytes, *, mail_from: str, rcpt_tos: tuple[str, ...]) -> str:
    client.mail(mail_from)
    for one in rcpt_tos:
        client.rcpt(one)
    code, text = client.data(content)
    return f"{code} {text.decode('utf-8', 'replace')}"
