"""Sends a withheld receipt after all, when a human says so: from the stored verdict, to the proved From address alone.

Judges nothing again, and answers nobody whom the directory does not name now as it did then.
"""

from dataclasses import replace
from datetime import datetime

from gateway.errors import NotPermitted
from gateway.mail.parse import parse
from gateway.model.message import Message
from gateway.model.outcome import Verdict
from gateway.model.settings import Settings
from gateway.model.trust import Assurance, Contact
from gateway.model.verdict import Disposition, Level, ReceiptDecision
from gateway.pipeline.receipts import compose_receipt
from gateway.service.single import equipment_of_files
from gateway.service.tools import make_tools
from gateway.store.again import Stored
from gateway.store.journal import Journal
from gateway.store.withheld import WithheldReceipt


class Release:
    """What any number of receipts are sent with: rules, keys and our own seal as they are now."""

    def __init__(self, settings: Settings, journal: Journal, *, by: str, reason: str) -> None:
        """`by`: the login that the case remembers. Raises ConfigError when rules or keys on disk cannot be used."""
        self._tools = make_tools(equipment_of_files(settings))
        self._journal = journal
        self._by = by
        self._reason = reason

    def send(self, waiting: WithheldReceipt, *, now: datetime) -> Level:
        """Queue the receipt and say how much it tells; raises NotPermitted, SealFailed, StoreUnavailable."""
        stored = next(one for one in self._journal.again.stored(waiting.case) if one.arrival.id == waiting.arrival_id)
        message = parse(stored.arrival.content)
        contact = self._proved(message, stored)
        encrypted = stored.case.floor.enc or message.root.content_type == "multipart/encrypted"
        level = _level(stored.latest.verdict, contact, encrypted=encrypted, now=now)
        receipt = ReceiptDecision(send=True, level=level)
        verdict = replace(stored.latest.verdict, receipt=receipt)
        mail = compose_receipt(
            stored.arrival,
            message,
            verdict,
            stored.case.reference,
            stored.latest.request_key,
            at=now,
            encrypted=encrypted,
            tools=self._tools,
        )
        outcome = replace(stored.latest, case=stored.case, verdict=verdict)
        self._journal.withheld.release(stored.arrival, outcome, mail, by=self._by, reason=self._reason, now=now)
        return level

    def _proved(self, message: Message, stored: Stored) -> Contact:
        """The contact the verdict named, whom From must still name in the directory; raises NotPermitted."""
        found = self._tools.book.get(message.sender.key) if message.sender else None
        if found is None or not found[1].verified or found[0].id != stored.latest.verdict.contact:
            raise NotPermitted(f"keys/ does not name the sender of {stored.case.reference} any more; nothing was sent")
        return found[0]


def _level(verdict: Verdict, contact: Contact, *, encrypted: bool, now: datetime) -> Level:
    """Full where the request was accepted as proved; minimal for what is held, or cannot be encrypted as the request was."""
    proved = verdict.assurance in (Assurance.LISTED, Assurance.SIGNED)
    readable = not encrypted or any(key.encrypts(now) for key in contact.keys)
    return Level.FULL if proved and readable and verdict.disposition is Disposition.ACCEPT else Level.MINIMAL
