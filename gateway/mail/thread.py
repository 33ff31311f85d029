"""Finds what may tie a message to a case: message ids, case tags, the Microsoft conversation.

Whether any of it is true is not asked here: tags are not checked against our secret, ids not against cases.
"""

import re

from gateway.mail.decode import base64_bytes, decoded_words
from gateway.model.case import REFERENCE
from gateway.model.message import Header, ThreadKeys

MAX_REFERENCES = 20
CONVERSATION_BYTES = 22
"""Length of a conversation in Thread-Index; every answer appends five more octets (MS-OXOMSG section 2.2.1.3)."""

_MESSAGE_ID = re.compile(rb"<[!-;=?-~\x80-\xff]{1,900}>")
_CASE_RECIPIENT = re.compile(r"[^@]*\+(?:c|note)\.(" + REFERENCE.pattern + r")@", re.IGNORECASE)


def keys_of(header: Header, rcpt_tos: tuple[str, ...]) -> ThreadKeys:
    """The thread keys of a message: ids with angle brackets in order of appearance, tags upper case, each once."""
    own = _ids(header, "message-id")
    return ThreadKeys(
        message_id=own[0] if own else None,
        in_reply_to=_ids(header, "in-reply-to"),
        references=_ids(header, "references"),
        tags=_tags(header, rcpt_tos),
        thread_index=_conversation(header),
    )


def fields_of_thread(in_reply_to: str | None, references: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    """In-Reply-To and References of a mail of ours about that message: only ids that may stand in a field, each once.

    At most 20 of them, the first and the last: a foreign thread may be of any length.
    """
    thread = _plain((*references, in_reply_to or ""))
    shown = thread if len(thread) <= MAX_REFERENCES else (thread[0], *thread[1 - MAX_REFERENCES :])
    said = (("In-Reply-To", " ".join(_plain((in_reply_to or "",)))), ("References", " ".join(shown)))
    return tuple((field, value) for field, value in said if value)


def _plain(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Message-IDs that may stand in a field of ours, each once."""
    return tuple(dict.fromkeys(one for one in ids if one.isascii() and one.isprintable() and _is_id(one)))


def _is_id(text: str) -> bool:
    return text.startswith("<") and text.endswith(">") and not {" ", "<", ">"} & set(text[1:-1]) and len(text) <= 900


def _ids(header: Header, name: str) -> tuple[str, ...]:
    found = (one for field in header.all(name) for one in _MESSAGE_ID.findall(field.value))
    return tuple(dict.fromkeys(one.decode("utf-8", "replace") for one in found))


def _tags(header: Header, rcpt_tos: tuple[str, ...]) -> tuple[str, ...]:
    subjects = (decoded_words(field.value) for field in header.all("subject"))
    in_subject = (match[0] for subject in subjects for match in REFERENCE.finditer(subject))
    in_recipients = (match[1] for match in map(_CASE_RECIPIENT.match, rcpt_tos) if match)
    return tuple(dict.fromkeys(tag.upper() for tag in (*in_subject, *in_recipients)))


def _conversation(header: Header) -> str | None:
    field = header.first("thread-index")
    data = base64_bytes(field.value) if field else b""
    return data[:CONVERSATION_BYTES].hex() if len(data) >= CONVERSATION_BYTES else None
