"""The world of the golden cases: a fixed directory, our own keys, the shipped rules, and DNS as each case has it."""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.cli.demo.stub_dns import StubDns
from gateway.cli.verdict_json import verdict_json
from gateway.config import read_tree
from gateway.model.case import CaseView, make_reference
from gateway.model.history import History, Sighting, Trait
from gateway.model.message import Arrival, Envelope
from gateway.model.outbox import Hop, OutboxRow, Purpose
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.settings import Arc, ContactPoint, Dkim, Dns, Openpgp, Settings
from gateway.model.trust import Protection, SigLevel
from gateway.pipeline.inward import assess, inward
from gateway.pipeline.tools import Tools
from gateway.service.equipment import Equipment
from gateway.service.leaving import leaving
from gateway.service.live_rules import read_rules
from gateway.service.tools import make_check, make_tools
from gateway.trust.directory import parse_directory
from gateway.trust.gnupg_home import GnupgHome

TESTS = Path(__file__).parent.parent
CASES = TESTS / "cases"
DATA = TESTS / "data"
OWN_KEY = "82057FDAA478DD0E10B6BD83141FB0974D60D2F7"
SECRET = b"the secret of the cases, 48 bytes, protects none"
MAILBOX = "247cp@institution.gov.example"
ANSWERED = CaseView(
    reference=make_reference(SECRET, 2026, 7),
    mailbox=MAILBOX,
    opened_at=datetime(2026, 6, 14, 8, tzinfo=UTC),
    contact="bx-police",
    origin="247cp@police.gov.b.example",
    floor=Protection(sig=SigLevel.DKIM),
    thread=("<request@police.gov.b.example>", "<our.answer@gw.institution.gov.example>"),
)
"""A case of bx-police that stands open: what the journal recalls where envelope.json says `answered`."""

ENVELOPE: dict[str, Any] = {
    "mail_from": "247cp@police.gov.b.example",
    "rcpt_tos": [MAILBOX],
    "peer": "192.0.2.25",
    "helo": "mail.police.gov.b.example",
}
RECEIVED_AT = "2026-06-15T10:00:00+00:00"


@dataclass(frozen=True)
class Case:
    """One folder of tests/cases."""

    name: str
    content: bytes
    zone: dict[str, Any]
    envelope: dict[str, Any]
    expected: dict[str, Any]
    why: str

    @property
    def arrival(self) -> Arrival:
        names = {one.name for one in fields(Envelope)}
        given = {**ENVELOPE, **{key: value for key, value in self.envelope.items() if key in names}}
        envelope = Envelope(**{**given, "rcpt_tos": tuple(given["rcpt_tos"])})
        at = datetime.fromisoformat(self.envelope.get("received_at", RECEIVED_AT))
        sha256 = hashlib.sha256(self.content).hexdigest()
        return Arrival(42, MAILBOX, at, envelope, self.content, sha256, number=42)

    @property
    def facts(self) -> Facts:
        return Facts(
            reference=make_reference(SECRET, 2026, 42),
            candidates=(ANSWERED,) if self.envelope.get("answered") else (),
            receipt_due=self.envelope.get("receipt_due", True),
            final=self.envelope.get("final", True),
            history=_history(self.envelope["history"]) if "history" in self.envelope else None,
        )


def _history(sightings: list[list[Any]]) -> History:
    """`[trait, value, messages]` each, seen half a year before."""
    at = datetime(2026, 1, 15, tzinfo=UTC)
    return History(tuple(Sighting(Trait(trait), value, at, at, messages) for trait, value, messages in sightings))


FILES = frozenset({"message.eml", "expected.json", "why.md", "envelope.json", "zone.json"})
"""What may stand in a case's folder; the first three must."""


def read_case(folder: Path) -> Case:
    """The case; what a file leaves out is as everywhere (zone.json and ENVELOPE)."""

    def read(path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    return Case(
        name=folder.name,
        content=(folder / "message.eml").read_bytes(),
        zone={**read(CASES / "zone.json"), **read(folder / "zone.json")},
        envelope=read(folder / "envelope.json"),
        expected=read(folder / "expected.json"),
        why=(folder / "why.md").read_text(encoding="utf-8"),
    )


def case_folders() -> list[Path]:
    """Every folder that is a case."""
    return sorted(one for one in CASES.iterdir() if one.is_dir() and one.name not in {"recipes", "__pycache__"})


def case_settings(home: Path | str) -> Settings:
    """Settings of the gateway that the cases arrive at."""
    return Settings(
        hostname="gw.institution.gov.example",
        contact_point=ContactPoint(
            name="24/7 Contact Point", country="XX", mailbox=MAILBOX, phone="+000 1 234 567",
            internal_domains=("institution.gov.example",),
        ),
        dkim=Dkim(domain="institution.gov.example", key=str(DATA / "secrets" / "gateway.dkim.pem")),
        rules=str(TESTS.parent / "rules"),
        keys=str(DATA / "directory"),
        openpgp=Openpgp(home=str(home), signing_key=OWN_KEY),
        dns=Dns(timeout=1.0),
        arc=Arc(trusted_sealers=("relay.example",)),
    )  # fmt: skip


@contextmanager
def own_home() -> Iterator[str]:
    """A GnuPG home with the gateway's key; its name is short, an agent's socket has room for 108 characters."""
    home = tempfile.mkdtemp(prefix="gold-")
    Path(home, "gpg-agent.conf").write_text("disable-scdaemon\n", encoding="ascii")
    secret = DATA / "secrets" / "gateway.sec.asc"
    subprocess.run(["gpg", "--homedir", home, "--batch", "--quiet", "--import", secret], check=True)
    yield home
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    shutil.rmtree(home, ignore_errors=True)


class World:
    """One gateway for all cases; only DNS differs from one to the next."""

    def __init__(self, home: str, stub: StubDns) -> None:
        settings = case_settings(home)
        directory, complaints = parse_directory(read_tree(settings.keys), inspect=GnupgHome(home).inspect_keys)
        assert not complaints, complaints
        self._stub = stub
        self._tools = make_tools(Equipment(settings, read_rules(settings), directory, SECRET))

    def tools(self, case: Case) -> Tools:
        """Tools whose DNS is the case's zone, asked anew."""
        self._stub.publish(case.zone)
        settings = self._tools.settings
        dns = replace(settings.dns, nameservers=(self._stub.nameserver,))
        return replace(self._tools, check=make_check(dns, trusted_sealers=settings.arc.trusted_sealers))

    def judge(self, case: Case) -> Outcome:
        """What the arrival causes."""
        return inward(case.arrival, case.facts, self.tools(case))

    def explain(self, case: Case) -> Verdict:
        """What is said of it without any effect."""
        return assess(case.arrival, case.facts, self.tools(case)).verdict


def said(case: Case, outcome: Outcome) -> dict[str, Any]:
    """What expected.json may compare: the keys of `explain --json`, `checks`, `case` and `foreign` (see README.md)."""
    checks = defaultdict(list)
    for one in outcome.verdict.results:
        checks[one.method.value].append(f"{one.result.value} {one.reason}".rstrip())
    return {
        **verdict_json(outcome.verdict, file=case.name, sha256=case.arrival.sha256),
        "page": outcome.verdict.page,
        "checks": dict(checks),
        "case": {
            "opens": outcome.opens,
            "number": int(outcome.case.reference.split("-")[2]),
            "contact": outcome.case.contact,
            "origin": outcome.case.origin,
            "reply_to": outcome.case.reply_to,
            "reply_to_proved": outcome.case.reply_to_proved,
            "floor": f"{outcome.case.floor.sig.value}{' encrypted' if outcome.case.floor.enc else ''}",
        },
        "foreign": re.findall(r"^X-Foreign-([^:\r\n]+)", delivered(case, outcome).decode("latin-1"), re.MULTILINE),
    }


def delivered(case: Case, outcome: Outcome) -> bytes:
    """The bytes the mailbox gets, through the comparison that every delivery passes."""
    row = OutboxRow(
        id=1, purpose=Purpose.DELIVERY, hop=Hop.MAILBOX, mail_from="", rcpt_to=MAILBOX, content_id=1,
        size=len(case.content), sha256=case.arrival.sha256, created_at=case.arrival.received_at, tries=0,
        prepend=outcome.prepend, insertions=outcome.insertions,
    )  # fmt: skip
    return leaving(row, case.content)


def differing(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Where the verdict is not what the hand wrote: one line for each key given."""
    lines = []
    for key, value in expected.items():
        if key not in found:
            lines.append(f"{key}: is not said at all")
        elif isinstance(value, dict):
            lines += [f"{key}.{line}" for line in differing(value, found[key])]
        elif value != found[key]:
            lines.append(f"{key}: expected {json.dumps(value)}, found {json.dumps(found[key])}")
    return lines
