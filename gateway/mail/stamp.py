"""Makes the block of fields prepended to a delivered message, and finds forged fields whose names must change.

Never touches the message: offsets and bytes come back, the courier joins them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime

from gateway.mail import authres
from gateway.mail.compose import field_line
from gateway.model.message import Envelope, Field, Header, Source
from gateway.model.outcome import Verdict
from gateway.model.verdict import Category, Disposition, Reason

OWN_PREFIX = "x-247cp"
MAX_WORD_CHARS = 255
SHOWN = frozenset({Reason.OFF_CHANNEL})
"""Reasons that mark a message although it is accepted."""
MAX_UNFOLDED = 30
"""Reasons on one line of a field."""

_AUTHSERV_ID = re.compile(rb'"((?:[^"\\]|\\.)*)"|[^\s;()"]+')
_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}|\[(?:IPv6:)?[0-9A-Fa-f.:]{1,45}\]")
_ADDRESS_LITERAL = re.compile(r"[0-9A-Fa-f.:]{1,45}")


def foreign(header: Header, *, hostname: str, signed: frozenset[str]) -> tuple[tuple[int, ...], tuple[Reason, ...]]:
    """Offsets of the field names that get `X-Foreign-` in front, ascending, and what was found.

    `signed` holds the lower-case names any DKIM signature covers: such a field stays as it is, and the verdict says so.
    """
    forged = [one for one in header.fields if _is_ours(one, hostname)]
    renamed = tuple(one.start for one in forged if _name(one) not in signed)
    reasons = []
    if renamed:
        reasons.append(Reason.FOREIGN_FIELD_RENAMED)
    if len(renamed) < len(forged):
        reasons.append(Reason.FOREIGN_FIELD_SIGNED)
    return renamed, tuple(reasons)


def block(
    *,
    verdict: Verdict,
    reference: str,
    hostname: str,
    envelope: Envelope,
    received_at: datetime,
    arrival_id: int,
    source: Source,
    importance_free: bool,
) -> bytes:
    """The prepended fields of DESIGN section 5 in their order, each with its CRLF; the courier adds Return-Path.

    `importance_free` says that no DKIM signature lists Importance and the message has none.
    """
    said = [
        ("Received", _received(hostname, envelope, received_at, arrival_id, source)),
        ("X-247CP-Case", reference),
        ("X-247CP-Class", verdict.classification.category.value),
    ]
    if verdict.classification.urgent:
        said.append(("X-247CP-Urgent", "yes"))
    said.append(("X-247CP-Assurance", verdict.assurance.value))
    said.append(("X-247CP-Disposition", _disposition(verdict)))
    if importance_free and verdict.classification.category is Category.EMERGENCY:
        said.append(("Importance", "high"))
    lines = [field_line(name, value) for name, value in said]
    return lines[0] + authres.field(hostname, verdict.results) + b"".join(lines[1:])


def _disposition(verdict: Verdict) -> str:
    accepted = verdict.disposition is Disposition.ACCEPT
    reasons = tuple(one for one in verdict.reasons if one in SHOWN) if accepted else verdict.reasons
    return f"{verdict.disposition.value}; reason={_listed(reasons)}" if reasons else verdict.disposition.value


def _listed(reasons: tuple[Reason, ...]) -> str:
    """Words without blanks between them; so many that no line holds them get one where the line may be folded."""
    words = [reason.value for reason in reasons]
    groups = (words[start : start + MAX_UNFOLDED] for start in range(0, len(words), MAX_UNFOLDED))
    return ", ".join(map(",".join, groups))


def _received(hostname: str, envelope: Envelope, received_at: datetime, arrival_id: int, source: Source) -> str:
    """RFC 5321 section 4.4; `for` only when there is one recipient: the others are nobody's business (section 7.2)."""
    return " ".join(_trace(hostname, envelope, arrival_id, source)) + f"; {format_datetime(received_at)}"


def _trace(hostname: str, envelope: Envelope, arrival_id: int, source: Source) -> Iterator[str]:
    yield f"from {_word(envelope.helo, _HOST)} ({_peer(envelope)})"
    yield f"by {hostname}"
    yield f"with {_protocol(envelope, source)}"
    yield f"id {arrival_id}"
    recipients = {one.lower() for one in envelope.rcpt_tos}
    if len(recipients) == 1 and (only := envelope.rcpt_tos[0]).isascii() and only.isprintable() and " " not in only:
        yield f"for <{only[:MAX_WORD_CHARS]}>"


def _peer(envelope: Envelope) -> str:
    peer = _word(envelope.peer, _ADDRESS_LITERAL)
    literal = f"IPv6:{peer}" if ":" in peer else peer
    return f"[{literal}]" if envelope.peer else literal


def _protocol(envelope: Envelope, source: Source) -> str:
    """Words of RFC 3848, and of RFC 6531 section 4.3 for internationalized mail."""
    if source is Source.EXPLAIN:
        return "local"
    internationalized = "UTF8" if envelope.smtputf8 else ""
    protocol = "LMTP" if source is Source.LMTP else ("SMTP" if envelope.smtputf8 else "ESMTP")
    return f"{internationalized}{protocol}{'S' if envelope.tls else ''}"


def _word(text: str | None, allowed: re.Pattern[str]) -> str:
    """What the client said, if it is of the expected form: a stranger's blanks and brackets would change the trace."""
    return text if text and allowed.fullmatch(text) else "unknown"


def _is_ours(field: Field, hostname: str) -> bool:
    """A field only this gateway may write."""
    name = _name(field)
    if name.startswith(OWN_PREFIX):
        return True
    return name == "authentication-results" and _authserv_id(field.value) == hostname.lower()


def _name(field: Field) -> str:
    """The name as the most tolerant reader takes it, blanks before the colon left out."""
    return field.raw.partition(b":")[0].strip(b" \t\r\n").decode("latin-1").lower()


def _authserv_id(value: bytes) -> str:
    """The identifier before the first semicolon, comments and quotes left out (RFC 8601 section 2.5)."""
    found = _AUTHSERV_ID.match(value, _after_comments(value))
    if found is None:
        return ""
    written = found[0] if found[1] is None else re.sub(rb"\\(.)", rb"\1", found[1])
    return written.decode("latin-1").lower().rstrip(".")


def _after_comments(value: bytes) -> int:
    """Where the first thing begins that is neither blank nor a comment, nested ones included (RFC 5322 section 3.2.2)."""
    depth, offset = 0, 0
    while offset < len(value):
        octet = value[offset : offset + 1]
        if depth and octet == b"\\":
            offset += 1
        elif octet == b"(":
            depth += 1
        elif depth and octet == b")":
            depth -= 1
        elif not depth and octet not in b" \t\r\n":
            break
        offset += 1
    return offset
