"""Reads a message once for every room: our scan, doubted by two other readers of headers.

Where readers see different messages in the same bytes, nobody may be believed; which of them is right is never asked.
"""

from dataclasses import dataclass, replace
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from functools import lru_cache

import mailparser

from gateway.mail.addresses import parse_address
from gateway.mail.scan import scan
from gateway.model.message import Message
from gateway.model.verdict import AMBIGUOUS, Reason

MAX_CONTENT_TYPE_BYTES = 4096
"""Beyond this the other readers need quadratic time for one field, and no honest program writes it."""

KEPT_SENDERS = 64
"""The same few people write again and again."""


@dataclass(frozen=True, slots=True)
class _View:
    """What one reader sees, as far as an attack could make readers differ."""

    names: tuple[str, ...]
    sender: str
    content_type: str
    boundary: str


def parse(content: bytes) -> Message:
    """The scanned message; READERS_DISAGREE is among its defects when another reader sees other headers."""
    message = scan(content)
    if AMBIGUOUS.isdisjoint(message.defects) and not _readers_agree(message):
        return replace(message, defects=(*message.defects, Reason.READERS_DISAGREE))
    return message


def _readers_agree(message: Message) -> bool:
    field = message.header.first("content-type")
    if field is not None and len(field.raw) > MAX_CONTENT_TYPE_BYTES:
        return False
    try:
        return _our_view(message) == _standard_view(message) and all(
            _our_sender(message) == _mail_parser_sender(one.raw) for one in message.header.all("from")
        )
    except Exception:  # noqa: BLE001 whatever a reader chokes on is a message that readers do not agree on
        return False


def _our_view(message: Message) -> _View:
    return _View(
        names=tuple(one.name.lower() for one in message.header.fields),
        sender=_our_sender(message),
        content_type=message.root.content_type,
        boundary=(message.root.parameter("boundary") or "").rstrip(),
    )


def _our_sender(message: Message) -> str:
    return message.sender.spec if message.sender else ""


def _standard_view(message: Message) -> _View:
    """The standard library's reading of the header (compat32: the default policy raises on hostile addresses)."""
    read = BytesHeaderParser().parsebytes(message.content[: message.root.body_start])
    fields = [(name.lower(), value) for name, value in read.raw_items()]
    senders = [_unfolded(value) for name, value in fields if name == "from"]
    return _View(
        names=tuple(name for name, _ in fields),
        sender=_spec(parseaddr(senders[0])[1]) if len(senders) == 1 else "",
        content_type=read.get_content_type().partition("(")[0].strip(),
        boundary=read.get_boundary() or "",
    )


@lru_cache(maxsize=KEPT_SENDERS)
def _mail_parser_sender(field: bytes) -> str:
    """The address of a From field as mail-parser reads it; it is given nothing else, because it takes all of it apart."""
    addresses = mailparser.parse_from_bytes(field + b"\r\n").from_
    return _spec(addresses[0][1]) if len(addresses) == 1 else ""


def _unfolded(value: str) -> str:
    return value.replace("\r\n", "")


def _spec(address: str) -> str:
    """The address in our spelling, so that only another address is a disagreement."""
    parsed = parse_address(address.encode("utf-8", "surrogateescape"))
    return parsed.spec if parsed else ""
