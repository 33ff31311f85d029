"""Leaves out the fields that a sealed letter repeats in its text for programs that cannot read the protected ones (RFC 9788).

Only a line that says what a field of the letter says anyway is left out: no words are lost, and none of them is taken for a quotation.
"""

from gateway.mail.decode import decoded_words
from gateway.model.message import Header, Part

MAX_FIELDS = 20
"""A letter that begins with more of them is read from there."""


def payload_of(root: Part) -> Part:
    """The entity whose header fields are the letter's own: what a signed root signs, its cryptographic payload (RFC 9787)."""
    return root.children[0] if root.content_type == "multipart/signed" and root.children else root


def is_protected(part: Part) -> bool:
    """Whether the fields of an entity are fields of the message it carries (RFC 9788 section 2.1, and the older v1)."""
    return part.parameter("hp") is not None or part.parameter("protected-headers") is not None


def repeats_fields(part: Part, payload: Part) -> bool:
    """Whether a text begins with such fields: RFC 9788 section 2.1.2, or a part of their own as before it."""
    older = part is not payload and part.parameter("protected-headers") is not None
    return part.parameter("hp-legacy-display") == "1" or older


def without_repeated_fields(text: str, header: Header) -> str:
    """The text without its first lines as far as each repeats a field of this header."""
    lines = text.lstrip().split("\n")
    first = lines[:MAX_FIELDS]
    kept = next((number for number, line in enumerate(first) if not _repeats(line, header)), len(first))
    return "\n".join(lines[kept:]).lstrip() if kept else text


def _repeats(line: str, header: Header) -> bool:
    name, colon, value = line.partition(":")
    said = (_words(decoded_words(one.value)) for one in header.all(name.strip()))
    return bool(colon) and _words(value) in said


def _words(text: str) -> str:
    return " ".join(text.split())
