"""One running gateway for the transcripts of the channel table: their contacts, their requests, and what each mail caused.

The format is described in tests/dialogues/channel/README.md. Everything that a transcript asks for is made before the first is
played, so that the gateway starts once and its keys are read once more.
"""

import contextlib
import json
import re
import signal
import smtplib
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from counterpart import Counterpart
from counterpart import field as field_of
from dialogue import unescaped
from dkim_signer import sign
from gnupg_keys import primary_of
from ports import wait_until
from running import Running
from sealed_mail import encrypted_entity

from gateway.cli.demo.stub_dns import StubDns

MAILBOX = "247cp@institution.gov.example"
SUBJECT = "Data preservation request under Article 29"
BODY = """\
Under Article 29 of the Budapest Convention on Cybercrime we request the expedited preservation of stored
computer data of deals@shop.example. Offence: computer-related fraud.
"""
_HEAD = re.compile(r"(contact|request|afterwards|away): *(.*)")
_STEP = re.compile(r"(C|C>|S|P|L|H|N|E):(?: (.*))?")


@dataclass
class Row:
    """One transcript: what must be there before, its steps, and the names its request was given."""

    path: Path
    head: list[tuple[str, str]] = field(default_factory=list)
    steps: list[tuple[int, str, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def wanted(self, option: str) -> list[str]:
        return [value for name, value in self.head if name == option]


def read_row(path: Path) -> Row:
    """The transcript of that file; ValueError names the line that is none."""
    row = Row(path)
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        head, step = _HEAD.fullmatch(line), _STEP.fullmatch(line)
        if head and not row.steps:
            row.head.append((head[1], head[2]))
        elif step:
            row.steps.append((number, step[1], step[2] or ""))
        else:
            raise ValueError(f"{path}:{number}: neither an option nor a step: {line}")
    return row


class Stage:
    """The gateway, those who wrote to it, and its database to look into."""

    def __init__(self, folder: Path, rows: list[Row]) -> None:
        self.folder = folder
        self.rows = rows
        self.people: dict[str, Counterpart] = {}
        self.gateway = Running(
            folder / "gateway",
            **{
                "contact_point.delegates": ["j.doe"],
                "contact_point.aliases": ["duty@institution.gov.example"],
                "contact_point.partner_domains": ["prosecution.example"],
                "inbound.max_message_bytes": 2_800_000,
                "receipts.enabled": False,
            },
        )

    @contextlib.contextmanager
    def running(self) -> Iterator["Stage"]:
        """The gateway with every request taken in, and the directory as it is afterwards."""
        for row in self.rows:
            for contact in row.wanted("contact"):
                self._enrol(*contact.split())
        with StubDns({name: found for one in self.people.values() for name, found in one.zone.items()}) as dns:
            self.gateway.configure(**{"dns.nameservers": [dns.nameserver], "dns.timeout": 2})
            try:
                with self.gateway:
                    for row in self.rows:
                        self._ask(row)
                    self.gateway.idle(seconds=120)
                    for row in self.rows:
                        self._name(row)
                    self._afterwards()
                    yield self
            finally:
                for one in self.people.values():
                    if "key" in one.__dict__:
                        one.key.end()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.gateway.outbound), timeout=60)

    def key(self, name: str) -> bytes:
        """Armored public key: of `us` or of a contact."""
        return self._own_key if name == "us" else self.people[name].key.armored

    def caused(self, message_id: str) -> "Caused":
        """What the mail of that Message-ID left in the database."""
        with self._database() as database:
            mails = database.execute(
                "SELECT hop, purpose, rcpt_to, content_id FROM outbox WHERE message_id = ? AND hop != 'mailbox' ORDER BY id",
                (message_id,),
            ).fetchall()
            notices = database.execute("SELECT content_id FROM outbox WHERE purpose = 'notice'").fetchall()
            told = database.execute("SELECT happening, facts FROM events ORDER BY id").fetchall()
            read = partial(_content, database)
            return Caused(
                [(rcpt_to, read(content)) for _, _, rcpt_to, content in mails],
                [one for one in map(read, (content for (content,) in notices)) if message_id.encode() in one],
                [(what, json.loads(facts)) for what, facts in told if message_id in facts],
            )

    @contextlib.contextmanager
    def away(self, tables: list[str]) -> Iterator[None]:
        """The database without these tables, as far as the gateway can see."""
        with self._database() as database:
            for one in tables:
                database.execute(f"ALTER TABLE {one} RENAME TO {one}_away")
        try:
            yield
        finally:
            with self._database() as database:
                for one in tables:
                    database.execute(f"ALTER TABLE {one}_away RENAME TO {one}")

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        path = self.gateway.folder / "state" / "gateway.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
            yield database

    def _enrol(self, name: str, mailbox: str, *flags: str) -> None:
        """A folder below keys/ as an administrator makes it by hand; transcripts may share a contact."""
        if name in self.people:
            return
        person = Counterpart(mailbox, f"192.0.2.{len(self.people) + 1}", self.folder / name)
        self.people[name] = person
        folder = self.gateway.folder / "keys" / name
        folder.mkdir()
        addresses, minimum = [f"{{address: {mailbox}, verified: true}}"], ""
        for flag in flags:
            word, _, value = flag.partition("=")
            if word == "key":
                (folder / f"{primary_of(person.key.armored)}.asc").write_bytes(person.key.armored)
            elif word == "minimum":
                minimum = f"minimum: {{{value.replace(':', ': ')}}}\n"
            else:
                traits = {
                    "joint": "verified: true, joint: true",
                    "also": "verified: true",
                    "unverified": "verified: false",
                }
                addresses.append(f"{{address: {value}, {traits[word]}}}")
        (folder / "contact.yaml").write_text(
            f"name: {name}\ncountry: BX\naddresses:\n" + "".join(f"  - {one}\n" for one in addresses) + minimum
        )

    @property
    def _own_key(self) -> bytes:
        home = str(self.gateway.folder / "state" / "gnupg")
        command = ["gpg", "--homedir", home, "--batch", "--armor", "--export", MAILBOX]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def _ask(self, row: Row) -> None:
        """Each `request: HOW WHO [Field=value]` comes in over SMTP, as from the Internet."""
        for number, request in enumerate(row.wanted("request"), start=1):
            how, who, *fields = request.split()
            person = self.people[who]
            more = {"key": self._own_key} if how == "encrypted" else {}
            content = getattr(person, how)(MAILBOX, SUBJECT, BODY, **more)
            for one in fields:
                name, _, value = one.removeprefix("dkim:").partition("=")
                content = f"{name}: {value}\r\n".encode() + content
                if one.startswith("dkim:"):
                    content = sign(
                        content, d=person.domain, s="mail", h=f"from:to:subject:date:message-id:{name.lower()}"
                    )
            with smtplib.SMTP("127.0.0.1", self.gateway.inbound, timeout=60) as client:
                client.sendmail(person.mailbox, [MAILBOX], content)
            row.names["request" + str(number if number > 1 else "")] = field_of(content, "Message-ID")

    def _name(self, row: Row) -> None:
        with self._database() as database:
            for name, message_id in tuple(row.names.items()):
                found = database.execute("SELECT reference FROM thread_keys WHERE key = ?", (message_id,)).fetchone()
                assert found, f"{row.path}: the request has no case"
                row.names[name.replace("request", "case")] = found[0]

    def _afterwards(self) -> None:
        """What changes in the directory behind the requests' back; the gateway reads it when told to."""
        for change in (one for row in self.rows for one in row.wanted("afterwards")):
            word, name = change.split()
            folder = self.gateway.folder / "keys" / name
            for file in folder.glob("*.asc" if word == "loses-key" else "*"):
                file.unlink()
            if word == "leaves":
                folder.rmdir()
        self.gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.gateway.events("reloaded"), seconds=60, what="the directory to be read again")


@dataclass
class Caused:
    """What one mail of an officer's caused."""

    mails: list[tuple[str, bytes]]
    """(recipient, bytes) of what leaves the institution or goes to colleagues."""
    notices: list[bytes]
    events: list[tuple[str, dict]]

    @property
    def form(self) -> str:
        kinds = {"multipart/signed": "signed", "multipart/encrypted": "encrypted"}
        found = {kinds.get(field_of(one, "Content-Type").partition(";")[0], "unsigned") for _, one in self.mails}
        return " and ".join(sorted(found)) or "nothing"


def _content(database: sqlite3.Connection, content_id: int) -> bytes:
    chunks = database.execute("SELECT octets FROM content_chunks WHERE content_id = ? ORDER BY seq", (content_id,))
    return b"".join(octets for (octets,) in chunks)


class Player:
    """The submission server that says the C lines and expects the S lines; then a look at what the mail caused."""

    def __init__(self, stage: Stage, row: Row) -> None:
        self._stage = stage
        self._row = row
        self._socket = stage.connect()
        self._wire = self._socket.makefile("rb")
        self._message_id = ""

    def play(self) -> None:
        plays = {"C": self._say, "C>": self._raw, "S": self._expect, "P": self._sealed}
        looks = {"L": self._leaves, "H": self._header, "N": self._notice, "E": self._event}
        try:
            with self._stage.away([one for wanted in self._row.wanted("away") for one in wanted.split()]):
                for number, mark, text in self._row.steps:
                    if mark in plays:
                        plays[mark](number, self._filled(text))
        finally:
            self._wire.close()
            self._socket.close()
        caused = self._stage.caused(self._message_id)
        for number, mark, text in self._row.steps:
            if mark in looks:
                looks[mark](f"{self._row.path}:{number}", self._filled(text), caused)

    def _filled(self, text: str) -> str:
        for name, value in self._row.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _say(self, _number: int, text: str) -> None:
        if text.lower().startswith("message-id: "):
            self._message_id = text[12:]
        self._socket.sendall(text.encode() + b"\r\n")

    def _raw(self, _number: int, text: str) -> None:
        self._socket.sendall(unescaped(text))

    def _sealed(self, _number: int, text: str) -> None:
        """A whole PGP/MIME entity, its Content-Type first, that the client encrypted to these keys."""
        keys = [self._stage.key(one) for one in text.split()]
        writer = next(one for one in self._stage.people.values() if "key" in one.__dict__)
        inside = b"Content-Type: text/plain\r\n\r\nThe data are kept.\r\n"
        self._socket.sendall(encrypted_entity(writer.key.encrypt(inside, *keys)))

    def _expect(self, number: int, text: str) -> None:
        said = self._wire.readline().decode().removesuffix("\r\n") or "(closed)"
        wanted = re.escape(text).replace(r"\.\.\.", ".*")
        assert re.fullmatch(wanted, said), f"{self._row.path}:{number}: expected {text!r}, got {said!r}"

    def _leaves(self, where: str, text: str, caused: Caused) -> None:
        form, _, recipients = text.partition(" to ")
        assert caused.form == form, f"{where}: {caused.form}"
        assert [one for one, _ in caused.mails] == recipients.replace(",", "").split(), f"{where}: {caused.mails}"

    def _header(self, where: str, text: str, caused: Caused) -> None:
        wanted, absent = text.removeprefix("no "), text.startswith("no ")
        name, _, value = wanted.partition(": ")
        for _, content in caused.mails:
            found = field_of(content, name)
            assert (found == "") if absent else (found == value), f"{where}: {name}: {found}"

    def _notice(self, where: str, text: str, caused: Caused) -> None:
        assert any(text in field_of(one, "Subject") for one in caused.notices), f"{where}: {caused.notices}"

    def _event(self, where: str, text: str, caused: Caused) -> None:
        told = [(what, facts.get("decision", {})) for what, facts in caused.events]
        found = [f"{what} {decision.get('rule')} row {decision.get('row')}" for what, decision in told]
        assert text in found, f"{where}: {found}"
