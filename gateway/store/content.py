"""Bytes of messages as rows of at most 256 KiB, streamed in and out. Never changes one."""

import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, bindparam, insert, select

from gateway.errors import StoreUnavailable
from gateway.model.message import Body
from gateway.store.tables import content_chunks, contents

CHUNK_BYTES = 262_144
BATCH_BYTES = 1_048_576
"""So much of a message is in memory at once while it is stored."""

_ADD = insert(contents).returning(contents.c.id, sort_by_parameter_order=True)
_ADD_CHUNKS = insert(content_chunks)
_READ = select(content_chunks.c.octets).where(
    content_chunks.c.content_id == bindparam("content_id"), content_chunks.c.seq == bindparam("seq")
)
_READ_ALL = (
    select(content_chunks.c.content_id, content_chunks.c.octets)
    .where(content_chunks.c.content_id.in_(bindparam("ids", expanding=True)))
    .order_by(content_chunks.c.content_id, content_chunks.c.seq)
)


def add_bodies(connection: Connection, bodies: Iterable[tuple[str, Body]]) -> list[int]:
    """Content ids of (mailbox, body) in their order; raises StoreUnavailable when a body is not the size it says."""
    taken = list(bodies)
    rows = [{"mailbox": mailbox, "size": body.size, "sha256": body.sha256} for mailbox, body in taken]
    ids = list(connection.scalars(_ADD, rows))
    pending: list[dict[str, object]] = []
    weight = 0
    for content_id, (mailbox, body) in zip(ids, taken, strict=True):
        for seq, octets in enumerate(_whole(body)):
            pending.append({"mailbox": mailbox, "content_id": content_id, "seq": seq, "octets": octets})
            weight += len(octets)
            if weight >= BATCH_BYTES:
                connection.execute(_ADD_CHUNKS, pending)
                pending, weight = [], 0
    if pending:
        connection.execute(_ADD_CHUNKS, pending)
    return ids


def add_content(connection: Connection, mailbox: str, content: bytes) -> int:
    """Content id of bytes that are in memory anyway."""
    row = {"mailbox": mailbox, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    content_id: int = connection.scalars(_ADD, [row]).one()
    rows = [
        {"mailbox": mailbox, "content_id": content_id, "seq": seq, "octets": content[start : start + CHUNK_BYTES]}
        for seq, start in enumerate(range(0, len(content), CHUNK_BYTES))
    ]
    if rows:
        connection.execute(_ADD_CHUNKS, rows)
    return content_id


def read_chunk(connection: Connection, content_id: int, seq: int) -> bytes | None:
    """One chunk, None behind the last."""
    octets: bytes | None = connection.scalar(_READ, {"content_id": content_id, "seq": seq})
    return octets


def read_contents(connection: Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """Whole bytes by content id."""
    found: dict[int, list[bytes]] = {}
    for content_id, octets in connection.execute(_READ_ALL, {"ids": tuple(ids)}):
        found.setdefault(content_id, []).append(octets)
    return {content_id: chunks[0] if len(chunks) == 1 else b"".join(chunks) for content_id, chunks in found.items()}


def _whole(body: Body) -> Iterator[bytes]:
    """Chunks of the body, checked: what is stored must be what was counted when it came in."""
    size = 0
    for octets in body.chunks():
        size += len(octets)
        for start in range(0, len(octets), CHUNK_BYTES):
            yield octets[start : start + CHUNK_BYTES]
    if size != body.size:
        raise StoreUnavailable(f"a body of {body.size} octets gave {size} while it was stored")
