"""Composes and seals the receipt of one request: English, and the request's language where it is configured.

Protection mirrors the request: signed always, encrypted iff the request was (CHANNEL C).
"""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta

from gateway.errors import SealFailed
from gateway.mail import compose, return_path
from gateway.mail.receipt import ReceiptContext, receipt_fields, render
from gateway.mail.thread import keys_of
from gateway.model.message import Arrival, Message
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.outcome import Verdict
from gateway.model.trust import PinnedKey
from gateway.model.verdict import Level
from gateway.pipeline.sealing import seal_payload
from gateway.pipeline.tools import Tools

FIRST_LANGUAGE = "en"
BETWEEN_LANGUAGES = "\n----------\n\n"


def compose_receipt(
    arrival: Arrival,
    message: Message,
    verdict: Verdict,
    reference: str,
    key: str,
    *,
    at: datetime,
    encrypted: bool,
    tools: Tools,
) -> OutMail:
    """The receipt, complete, written at that moment; the same request key gives the same Message-ID. Raises SealFailed."""
    if message.sender is None:
        raise SealFailed("nobody to write to")
    point = tools.settings.contact_point
    keys = keys_of(message.header, ())
    pinned = _keys(verdict.contact, at, tools) if encrypted else ()
    fields = receipt_fields(
        name=point.name,
        mailbox=point.mailbox,
        to=message.sender.spec,
        reference=reference,
        at=at,
        hostname=tools.settings.hostname,
        request_key=key,
        in_reply_to=keys.message_id,
        references=keys.references,
    )
    body = _text(arrival, verdict, reference, keys.message_id or "", tools)
    try:
        payload = compose.text_entity(body, fields=fields, cipher=bool(pinned), outer=fields if pinned else ())
        content = compose.message(fields, seal_payload(payload, keys=pinned, seal=tools.seal))
    except ValueError as error:
        raise SealFailed(f"the receipt cannot be written: {error}") from error
    return OutMail(
        purpose=Purpose.RECEIPT,
        hop=Hop.RELAY,
        mail_from=return_path.make(tools.secret, mailbox=point.mailbox, case=reference, day=at.toordinal()),
        rcpt_tos=(message.sender.spec,),
        message_id=dict(fields)["Message-ID"],
        content=tools.seal.dkim_field(content, at=at) + content,
    )


def _keys(contact: str | None, at: datetime, tools: Tools) -> tuple[PinnedKey, ...]:
    """The contact's keys that can be encrypted to now; none: the receipt is minimal and only signed."""
    return tuple(key for key in tools.contacts[contact].keys if key.encrypts(at)) if contact else ()


def _text(arrival: Arrival, verdict: Verdict, reference: str, message_id: str, tools: Tools) -> str:
    languages = (FIRST_LANGUAGE, *_further(verdict, tools))
    try:
        texts = [
            render(
                tools.ruleset.receipt_template(language, verdict.receipt.level),
                context=_context(arrival, verdict, reference, message_id, language, tools),
            )
            for language in languages
        ]
    except ValueError as error:
        raise SealFailed(f"the receipt's template: {error}") from error
    return BETWEEN_LANGUAGES.join(texts)


def _further(verdict: Verdict, tools: Tools) -> tuple[str, ...]:
    """The request's own language, where `receipts.languages` names it and rules/ has words in it."""
    own = (verdict.classification.language or FIRST_LANGUAGE).partition("-")[0]
    written = (own, verdict.receipt.level) in tools.ruleset.receipts
    return (own,) if written and own != FIRST_LANGUAGE and own in tools.settings.receipts.languages else ()


def _context(
    arrival: Arrival, verdict: Verdict, reference: str, message_id: str, language: str, tools: Tools
) -> ReceiptContext:
    found, point, at = verdict.classification, tools.settings.contact_point, arrival.received_at
    ends = at + timedelta(days=point.preservation_days)
    minutes = tools.ruleset.first_answer_minutes.get(found.category)
    full = verdict.receipt.level is Level.FULL
    return ReceiptContext(
        reference=reference,
        level=verdict.receipt.level,
        category=found.category,
        kind=found.kind,
        urgent=found.urgent,
        received_at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        received_local=at.astimezone(ZoneInfo(point.timezone)).isoformat(timespec="seconds"),
        sha256=arrival.sha256 if full else "",
        message_id=message_id,
        missing=tuple((item, tools.ruleset.item_name(item, language)) for item in found.missing) if full else (),
        phone=point.phone,
        contact_point_name=point.name,
        country=point.country,
        preservation_days=point.preservation_days,
        preservation_until=f"{ends:%Y-%m-%d}",
        mla_intended=found.mla_intended,
        sla=_in_words(minutes, language) if minutes else "",
    )


@lru_cache(maxsize=64)
def _in_words(minutes: int, language: str) -> str:
    return format_timedelta(timedelta(minutes=minutes), locale=language, threshold=1.2)
