"""Bytes of messages as rows of at most 256 KiB, streamed in and out. Never changes one."""

import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, bindparam, insert, select

from gateway.errors import StoreUnavailable
from gateway.model.message import Body
from gateway.store.statement import Statement, among
from gateway.store.tables import content_chunks, contents

CHUNK_BYTES = 262_144
BATCH_BYTES = 1_048_576
"""So much of a message is in memory at once while it is stored."""

_ADD = Statement(insert(contents).returning(contents.c.id))
_ADD_CHUNKS = Statement(insert(content_chunks))
_READ = Statement(
    select(content_chunks.c.octets).where(
        content_chunks.c.content_id == bindparam("content_id"), content_chunks.c.seq == bindparam("seq")
    )
)
_READ_ALL = Statement(
    lambda dialect: (
        select(content_chunks.c.content_id, content_chunks.c.octets)
        .where(among(dialect, content_chunks.c.content_id, "ids"))
        .order_by(content_chunks.c.content_id, content_chunks.c.seq)
    )
)


def add_bodies(connection: Connection, bodies: Iterable[tuple[str, Body]]) -> list[int]:
    """Content ids of (mailbox, body) in their order; raises StoreUnavailable when a body is not the size it says."""
    taken = list(bodies)
    ids = [_add(connection, mailbox, size=body.size, sha256=body.sha256) for mailbox, body in taken]
    pending: list[dict[str, object]] = []
    weight = 0
    for content_id, (mailbox, body) in zip(ids, taken, strict=True):
        for seq, octets in enumerate(_whole(body)):
            pending.append({"mailbox": mailbox, "content_id": content_id, "seq": seq, "octets": octets})
            weight += len(octets)
            if weight >= BATCH_BYTES:
                _ADD_CHUNKS.run(connection, *pending)
                pending, weight = [], 0
    _ADD_CHUNKS.run(connection, *pending)
    return ids


def add_content(connection: Connection, mailbox: str, content: bytes) -> int:
    """Content id of bytes that are in memory anyway."""
    content_id = _add(connection, mailbox, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    rows = [
        {"mailbox": mailbox, "content_id": content_id, "seq": seq, "octets": content[start : start + CHUNK_BYTES]}
        for seq, start in enumerate(range(0, len(content), CHUNK_BYTES))
    ]
    _ADD_CHUNKS.run(connection, *rows)
    return content_id


def read_chunk(connection: Connection, content_id: int, seq: int) -> bytes | None:
    """One chunk, None behind the last."""
    return _READ.value(connection, {"content_id": content_id, "seq": seq})


def read_contents(connection: Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """Whole bytes by content id."""
    found: dict[int, list[bytes]] = {}
    for content_id, octets in _READ_ALL.rows(connection, {"ids": tuple(ids)}):
        found.setdefault(content_id, []).append(octets)
    return {content_id: chunks[0] if len(chunks) == 1 else b"".join(chunks) for content_id, chunks in found.items()}


def _add(connection: Connection, mailbox: str, *, size: int, sha256: str) -> int:
    return int(_ADD.one(connection, {"mailbox": mailbox, "size": size, "sha256": sha256}).id)


def _whole(body: Body) -> Iterator[bytes]:
    """Chunks of the body, checked: what is stored must be what was counted when it came in."""
    size = 0
    for octets in body.chunks():
        size += len(octets)
        for start in range(0, len(octets), CHUNK_BYTES):
            yield octets[start : start + CHUNK_BYTES]
    if size != body.size:
        raise StoreUnavailable(f"a body of {body.size} octets gave {size} while it was stored")
