"""Holds the header fields inside a sealed entity against those outside: RFC 9788, and the older `protected-headers="v1"`.

Says what differs and what is covered; never decides which of the two is right, and never takes a field from inside for one outside.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from gateway.mail.addresses import parse_address_list
from gateway.mail.decode import decoded_words
from gateway.mail.legacy_display import is_protected
from gateway.model.message import Header, Part
from gateway.model.verdict import Reason

PLACEHOLDERS = frozenset({("",), ("...",), ("[...]",), ("encrypted message",)})
"""Outer subjects, in small letters, that clients write where the real one is inside (RFC 9788 section 3.2.1 and practice)."""
_ID = re.compile(rb"<[^<>\s]+>")

Values = tuple[bytes, ...]
Said = tuple[str | float, ...]
"""What the fields of one name say, in a form that may be compared."""


def _words(values: Values) -> Said:
    return tuple(" ".join(decoded_words(one).split()) for one in values)


def _addresses(values: Values) -> Said:
    """The addresses without display names, which confidentiality policies may take away (RFC 9788 section 3.2.2)."""
    lists = [parse_address_list(one) for one in values]
    found = [one.key for addresses in lists for one in addresses or ()]
    return _words(values) if None in lists else tuple(sorted(found))


def _moments(values: Values) -> Said:
    try:
        return tuple(parsedate_to_datetime(one.decode("latin-1")).timestamp() for one in values)
    except (ValueError, TypeError, IndexError, OverflowError):
        return _words(values)


def _ids(values: Values) -> Said:
    found = [one.decode("latin-1") for value in values for one in _ID.findall(value)]
    return tuple(found) or _words(values)


FIELDS: tuple[tuple[str, Reason, Callable[[Values], Said]], ...] = (
    ("from", Reason.PROTECTED_FROM_DIFFERS, _addresses),
    ("subject", Reason.SUBJECT_DIFFERS, _words),
    ("to", Reason.PROTECTED_TO_DIFFERS, _addresses),
    ("cc", Reason.PROTECTED_CC_DIFFERS, _addresses),
    ("date", Reason.PROTECTED_DATE_DIFFERS, _moments),
    ("message-id", Reason.PROTECTED_MESSAGE_ID_DIFFERS, _ids),
    ("reply-to", Reason.PROTECTED_REPLY_TO_DIFFERS, _addresses),
    ("in-reply-to", Reason.PROTECTED_IN_REPLY_TO_DIFFERS, _ids),
    ("references", Reason.PROTECTED_REFERENCES_DIFFERS, _ids),
)
"""Fields that are compared where they stand inside, the finding if they differ, and what of them counts."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How the two sets of fields stand to each other."""

    covers: tuple[str, ...] = ()
    """Lower-case names of fields inside that say what the outer ones say, or what encryption may hide there."""
    reasons: tuple[Reason, ...] = ()


def compared(outer: Header, sealed: Part, *, encrypted: bool) -> Compared:
    """The protected fields of a sealed entity against those of the message; nothing if the entity does not say that it has any.

    An encrypted message may hide a field: then outside stands nothing, a placeholder for the subject, or what HP-Outer repeats
    inside (RFC 9788 section 4.2). From is never hidden.
    """
    if not is_protected(sealed):
        return Compared()
    covers, reasons = [], []
    for name, reason, said in FIELDS:
        inside, outside = _values(sealed.header, name), _values(outer, name)
        if not inside:
            continue
        hidden = encrypted and name != "from" and _hidden(name, outside, sealed.header, said)
        if hidden or said(inside) == said(outside):
            covers.append(name)
        else:
            reasons.append(reason)
    return Compared(tuple(covers), tuple(reasons))


def _hidden(name: str, outside: Values, inside: Header, said: Callable[[Values], Said]) -> bool:
    """Whether what stands outside is what the sender put there instead of the field inside."""
    if name == "subject" and tuple(str(one).lower() for one in _words(outside) or ("",)) in PLACEHOLDERS:
        return True
    copies = [one.partition(b":") for one in _values(inside, "hp-outer")]
    return said(outside) == said(
        tuple(value.strip() for copy, _, value in copies if copy.strip().lower() == name.encode())
    )


def _values(header: Header, name: str) -> Values:
    return tuple(one.value for one in header.all(name))
