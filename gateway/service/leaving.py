"""The bytes that leave: prepended block plus stored bytes, compared with what was stored before a hop sees them."""

import hashlib
from collections.abc import Iterator

from gateway.errors import BytesDiffer
from gateway.model.outbox import OutboxRow

PREFIX = b"X-Foreign-"


def leaving(row: OutboxRow, content: bytes) -> bytes:
    """The complete message of one row; raises BytesDiffer unless taking the block and the prefixes away gives what was stored."""
    if not row.prepend and not row.insertions:
        _compare(row, content)
        return content
    whole = row.prepend + b"".join(_renamed(content, row.insertions))
    _compare(row, _original(whole[len(row.prepend) :], row.insertions))
    return whole


def _renamed(content: bytes, insertions: tuple[int, ...]) -> Iterator[bytes]:
    start = 0
    for offset in insertions:
        yield content[start:offset]
        yield PREFIX
        start = offset
    yield content[start:]


def _original(changed: bytes, insertions: tuple[int, ...]) -> bytes:
    """What stays when the prefixes are taken out again, wherever they really are."""
    pieces: list[bytes] = []
    start = 0
    for done, offset in enumerate(insertions):
        at = offset + done * len(PREFIX)
        pieces.append(changed[start:at])
        start = at + len(PREFIX)
    pieces.append(changed[start:])
    return b"".join(pieces)


def _compare(row: OutboxRow, original: bytes) -> None:
    if hashlib.sha256(original).hexdigest() != row.sha256:
        raise BytesDiffer(f"outbox row {row.id}: the bytes differ from those stored")
