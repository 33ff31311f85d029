"""One gateway without its service: real keys, real gpg, the shipped rules, a stub for DNS; and who writes to it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from counterpart import Counterpart

from gateway.cli.demo.stub_dns import StubDns
from gateway.cli.init import make_dkim_key
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import CaseView, make_reference
from gateway.model.channel import Dispatch
from gateway.model.message import Arrival, Envelope
from gateway.model.outcome import Facts, Outcome
from gateway.model.settings import ContactPoint, Dkim, Dns, Openpgp, Outbound, Receipts, Settings
from gateway.pipeline.inward import inward
from gateway.pipeline.outward import outward
from gateway.pipeline.tools import Tools
from gateway.service.equipment import Equipment
from gateway.service.live_rules import read_rules
from gateway.service.tools import make_tools
from gateway.trust.directory import parse_directory
from gateway.trust.gnupg_home import GnupgHome

MAILBOX = "247cp@institution.gov.example"
ALIAS = "duty@institution.gov.example"
HOSTNAME = "gw.institution.gov.example"
SECRET = b"a secret of forty-eight octets, good for nothing"
NOW = datetime.now(UTC).replace(microsecond=0)
"""When the tests began: to count days from. What a correspondent signs is judged by the clock it is signed by."""
RULES = Path(__file__).parents[2] / "rules"

PRESERVATION = (
    "Request for expedited preservation of stored computer data",
    (
        "Under Article 29 of the Budapest Convention we request the expedited preservation of stored computer data:\r\n"
        "subscriber and traffic data of the account canary-7731@shop.example. Our reference: BX/2026/1187\r\n"
    ),
)
PRESERVATION_FR = (
    "Demande de conservation rapide de données informatiques stockées",
    (
        "Chers collègues,\r\n\r\nEn vertu de l'article 29 de la Convention de Budapest, nous demandons la conservation rapide de données\r\n"
        "informatiques stockées : les données relatives au trafic et les données relatives aux abonnés du compte\r\n"
        "cible@boutique.example. Nous avons l'intention de présenter une demande d'entraide judiciaire.\r\n"
    ),
)
EMERGENCY = (
    "EMERGENCY - child in immediate danger - disclosure request",
    (
        "Emergency disclosure request, Article 9 of the Second Additional Protocol. There is a significant and imminent\r\n"
        "risk to her life: the abductor will kill her before midnight. We request subscriber information.\r\n"
    ),
)


def reference(number: int) -> str:
    return make_reference(SECRET, NOW.year, number)


def contact_yaml(name: str, country: str, *addresses: str, minimum: str = "") -> bytes:
    lines = [f"name: {name}", f"country: {country}", "addresses:", *(f"  - {{{one}}}" for one in addresses)]
    return "\n".join([*lines, *([f"minimum: {minimum}"] if minimum else [])]).encode() + b"\n"


@dataclass
class World:
    """The gateway and its correspondents."""

    tools: Tools
    stub: StubDns
    zone: dict
    bx: Counterpart
    """Its key is pinned; it has a joint address and one that nobody verified."""
    sx: Counterpart
    """Has a key, and none is pinned."""
    own_key: bytes
    own_record: str
    numbers: int = 0

    def arrival(self, content: bytes, *, sender: Counterpart, **envelope: object) -> Arrival:
        """The message as it comes from the counterpart's own server."""
        self.numbers += 1
        given = {
            "mail_from": sender.mailbox,
            "rcpt_tos": (MAILBOX,),
            "peer": sender.peer,
            "helo": f"mail.{sender.domain}",
        }
        return Arrival(
            self.numbers, MAILBOX, datetime.now(UTC), Envelope(**{**given, **envelope}), content,
            hashlib.sha256(content).hexdigest(), number=self.numbers,
        )  # fmt: skip

    def receive(
        self,
        content: bytes,
        *,
        sender: Counterpart,
        tools: Tools | None = None,
        facts: dict | None = None,
        **envelope: object,
    ) -> Outcome:
        """What the message causes."""
        arrival = self.arrival(content, sender=sender, **envelope)
        given = {"reference": reference(arrival.number), "final": True, **(facts or {})}
        return inward(arrival, Facts(**given), tools or self.tools)

    def case_of(self, content: bytes, *, sender: Counterpart) -> CaseView:
        """The case a request opens, as the journal would keep it once its receipt has left."""
        outcome = self.receive(content, sender=sender)
        receipts = tuple(mail.message_id for mail in outcome.receipts)
        return replace(outcome.case, thread=(*outcome.case.thread, *receipts))

    def answer(self, content: bytes, *rcpt_tos: str, cases: tuple[CaseView, ...] = (), tools: Tools | None = None,
               mail_from: str = MAILBOX, number: str | None = None) -> Dispatch:  # fmt: skip
        """What becomes of an officer's mail."""
        return outward(
            content, Envelope(mail_from=mail_from, rcpt_tos=rcpt_tos), candidates=cases, reference=number,
            tools=tools or self.tools, at=datetime.now(UTC),
        )  # fmt: skip

    def with_settings(self, **changes: object) -> Tools:
        return replace(self.tools, settings=replace(self.tools.settings, **changes))


def make_world(folder: Path, stub: StubDns) -> World:
    home = GnupgHome(str(folder / "own"))
    fingerprint = home.make_own_key(name="24/7 Contact Point", mailbox=MAILBOX)
    record = make_dkim_key(folder / "dkim.pem")
    bx = Counterpart("247cp@police.gov.b.example", "192.0.2.10", folder / "bx")
    sx = Counterpart("247cp@gov.c.example", "198.51.100.20", folder / "sx")
    settings = Settings(
        hostname=HOSTNAME,
        contact_point=ContactPoint(
            name="24/7 Contact Point", country="XX", mailbox=MAILBOX, aliases=(ALIAS,), phone="+000 1 234 567",
            internal_domains=("institution.gov.example",),
        ),
        dkim=Dkim(domain="institution.gov.example", key=str(folder / "dkim.pem")),
        outbound=Outbound(),
        rules=str(RULES),
        openpgp=Openpgp(home=str(home.home), signing_key=fingerprint),
        receipts=Receipts(languages=("en", "fr")),
        dns=Dns(nameservers=(stub.nameserver,), timeout=1.0),
    )  # fmt: skip
    files = (
        ("bx-police/contact.yaml", contact_yaml(
            "Police of Borduria", "BX",
            "address: 247cp@police.gov.b.example, verified: true",
            "address: joint@police.gov.b.example, verified: true, joint: true",
            "address: answers@police.gov.b.example, verified: true",
            "address: new@police.gov.b.example",
        )),
        (f"bx-police/{bx.key.fingerprint}.asc", bx.key.armored),
        ("sx/contact.yaml", contact_yaml("Contact Point of C", "CX", "address: 247cp@gov.c.example, verified: true")),
        ("lx/contact.yaml", contact_yaml(
            "Contact Point of L", "LX", "address: 247cp@gov.l.example, verified: true", minimum="{enc: true}"
        )),
    )  # fmt: skip
    directory, complaints = parse_directory(files, inspect=home.inspect_keys)
    assert not complaints, complaints
    tools = make_tools(Equipment(settings, read_rules(settings), directory, SECRET))
    own_zone = {"cp247._domainkey.institution.gov.example": [{"TXT": record}]}
    zone = {**bx.zone, **sx.zone, **own_zone}
    stub.publish(zone)
    return World(tools, stub, zone, bx, sx, home.export(fingerprint), record)


def message_id(content: bytes) -> str:
    return keys_of(scan_header(content)[0], ()).message_id


def draft(*, to: str = "247cp@police.gov.b.example", text: str = "The data you asked for are kept.\n",
          parent: str | None = None, **fields: str) -> bytes:  # fmt: skip
    """An officer's mail as mail clients and the submission server write it, client and laptop and all."""
    written = {
        "Received": "from laptop-17 (laptop-17.duty.institution.gov.example [10.1.2.3])\r\n"
        "\t(Authenticated sender: j.doe)\r\n\tby mail.institution.gov.example (Postfix) with ESMTPSA id 4XyZ",
        "From": f"Duty officer <{MAILBOX}>",
        "Sender": "j.doe@institution.gov.example",
        "To": to,
        "Subject": "Re: your request",
        "Date": "Sat, 21 Nov 2026 12:00:00 +0000",
        "Message-ID": f"<{hashlib.sha256(repr((to, text, parent, fields)).encode()).hexdigest()[:16]}@laptop-17>",
        "User-Agent": "Some Client 17.3",
        "X-Originating-IP": "10.1.2.3",
        "Disposition-Notification-To": MAILBOX,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        **({"In-Reply-To": parent, "References": parent} if parent else {}),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    header = "".join(f"{name}: {value}\r\n" for name, value in written.items() if value)
    return (header + "\r\n" + text.replace("\n", "\r\n")).encode()


LATER = timedelta(minutes=10)
