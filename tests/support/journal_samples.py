"""Small real values for tests of the journal: bodies, arrivals, outcomes, decisions."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gateway.model.case import CaseView, make_reference
from gateway.model.channel import Act, Decision, Dispatch
from gateway.model.message import Envelope, Incoming, Source
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.outcome import Outcome, Verdict
from gateway.model.trust import Assurance, DnsAnswer
from gateway.model.verdict import Category, Classification, Disposition, Hit, Level, Place, Reason, ReceiptDecision

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MAILBOX = "247cp@institution.gov.example"
ASKER = "247cp@police.gov.b.example"
SECRET = b"0123456789abcdef"
CONFIGURATION = """\
hostname: gw.institution.gov.example
contact_point: {name: Contact Point, country: XX, mailbox: 247cp@institution.gov.example}
dkim: {domain: institution.gov.example}
openpgp: {signing_key: 0123456789ABCDEF0123456789ABCDEF01234567}
database: "sqlite:gateway.db"
"""


@dataclass(frozen=True)
class MemoryBody:
    """A body that is in memory."""

    octets: bytes
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.octets).hexdigest())

    @property
    def size(self) -> int:
        return len(self.octets)

    def chunks(self) -> Iterator[bytes]:
        return (self.octets[start : start + 262_144] for start in range(0, len(self.octets), 262_144))


def incoming(
    octets: bytes = b"Subject: request\r\n\r\nPlease preserve.\r\n",
    *,
    mailbox: str = MAILBOX,
    rcpt_tos: tuple[str, ...] = (MAILBOX,),
    received_at: datetime = NOW,
) -> Incoming:
    envelope = Envelope(mail_from=ASKER, rcpt_tos=rcpt_tos, peer="192.0.2.7", helo="mx.police.gov.b.example")
    return Incoming(mailbox, received_at, Source.SMTP, envelope, MemoryBody(octets))


def reference_of(number: int, year: int = 2026) -> str:
    return make_reference(SECRET, year, number)


def case_view(number: int, **fields: object) -> CaseView:
    known: dict[str, object] = {
        "reference": reference_of(number),
        "mailbox": MAILBOX,
        "opened_at": NOW,
        "category": Category.PRESERVATION,
        "contact": "bx-police",
        "origin": ASKER,
        "thread": (f"<request-{number}@police.gov.b.example>",),
    }
    return CaseView(**{**known, **fields})  # type: ignore[arg-type]


def receipt_mail(number: int, rcpt_to: str = ASKER) -> OutMail:
    return OutMail(
        purpose=Purpose.RECEIPT,
        hop=Hop.RELAY,
        mail_from=f"247cp+r.{number}@institution.gov.example",
        rcpt_tos=(rcpt_to,),
        message_id=f"<rcpt.{number}@gw.institution.gov.example>",
        content=b"Subject: Auto: receipt\r\n\r\nReceived.\r\n",
    )


def outcome(
    number: int,
    *,
    case: CaseView | None = None,
    opens: bool = True,
    request_key: str | None = None,
    receipts: tuple[OutMail, ...] | None = None,
    disposition: Disposition = Disposition.ACCEPT,
    category: Category = Category.PRESERVATION,
    contact: str | None = "bx-police",
) -> Outcome:
    receipts = (receipt_mail(number),) if receipts is None else receipts
    verdict = Verdict(
        classification=Classification(category=category, hits=(Hit("preservation.en", Place.BODY, 5.0, "preserve"),)),
        assurance=Assurance.SIGNED,
        disposition=disposition,
        reasons=(Reason.REPLY_TO_DIFFERS,),
        results=(),
        receipt=ReceiptDecision(send=bool(receipts), level=Level.FULL),
        contact=contact,
        ruleset="f" * 64,
    )
    return Outcome(
        verdict=verdict,
        case=case or case_view(number, category=category),
        opens=opens,
        request_key=request_key or f"key {number}",
        prepend=b"X-247CP-Case: " + reference_of(number).encode() + b"\r\n\xff",
        insertions=(3, 7),
        receipts=receipts,
        dns=(DnsAnswer("police.gov.b.example", "TXT", "answer", ("v=spf1 -all",), 300),),
    )


def answer_mail(name: str = "answer-1", rcpt_tos: tuple[str, ...] = (ASKER,)) -> OutMail:
    return OutMail(
        purpose=Purpose.ANSWER,
        hop=Hop.RELAY,
        mail_from=MAILBOX,
        rcpt_tos=rcpt_tos,
        message_id=f"<{name}@institution.gov.example>",
        content=b"Subject: answer\r\n\r\nPreserved.\r\n",
    )


def dispatch(
    case: CaseView | None, *mails: OutMail, act: Act = Act.UPGRADE, reply: str = "", internal: bool = False
) -> Dispatch:
    decision = Decision(
        act=act, rule="A1", row=1, reply=reply, case=case.reference if case else None, internal=internal
    )
    return Dispatch(decision, NOW, "<answer-1@institution.gov.example>", mails, case)


SUBMITTED = Envelope(mail_from=MAILBOX, rcpt_tos=(ASKER,), peer="127.0.0.1", login="j.doe")


def configured(folder: Path) -> str:
    """Path of a gateway.yaml whose database is gateway.db beside it."""
    file = folder / "gateway.yaml"
    file.write_text(CONFIGURATION)
    return str(file)
