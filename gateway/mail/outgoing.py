"""What of an officer's mail may leave: a 7-bit entity to be signed, and the few header fields that stand outside.

Our own mail may be encoded anew, so that it arrives as it was signed. Never leaves: Received, Sender, Bcc, User-Agent, X-fields,
requests for read receipts; they name a login, a laptop, a program, or ask the counterpart for something.
"""

import re
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from gateway.errors import SealFailed
from gateway.mail import compose, encoding
from gateway.mail.addresses import parse_address_list
from gateway.mail.compose import Fields
from gateway.mail.decode import decoded_words
from gateway.mail.thread import keys_of
from gateway.model.message import Field, Header, Message, Part

MAX_REFERENCES = 20
MAX_NAME_CHARS = 200
MAX_SUBJECT_CHARS = 900
"""Even without a blank it fits into one line."""

_LOGIN = re.compile(rb"\(Authenticated sender: ([^()\s<>\"\\]{1,255})\)")
_LOGIN_MARK = re.compile(rb"authenticated sender", re.IGNORECASE)


def login_of(header: Header) -> tuple[str | None, Header]:
    """The login that Postfix wrote into the topmost Received (smtpd_sasl_authenticated_header), and the header without that field.

    Only for mail of a peer in `outbound.allow_from`. Two marks in the field, or a login with brackets in it, are no login.
    """
    trace = header.first("received")
    if trace is None:
        return None, header
    rest = Header(tuple(one for one in header.fields if one is not trace))
    found = _LOGIN.findall(trace.value)
    if len(found) != 1 or len(_LOGIN_MARK.findall(trace.value)) != 1:
        return None, rest
    return found[0].decode("utf-8", "replace"), rest


def outer_fields(
    message: Message,
    *,
    case: str,
    cipher: bool,
    in_reply_to: str | None = None,
    references: tuple[str, ...] = (),
    message_id: str | None = None,
    date: datetime | None = None,
) -> Fields:
    """The header fields outside, in order; of an encrypted mail the Subject is the case number alone.

    Threading is the client's own unless given; `date` counts where the client wrote none. Raises SealFailed for an
    address that 7-bit mail cannot carry.
    """
    keys = keys_of(message.header, ())
    parent = in_reply_to or next(iter(keys.in_reply_to), None)
    ancestors = references or keys.references or ((parent,) if parent else ())
    said = (
        ("From", _mailboxes(message, "from")),
        ("To", _mailboxes(message, "to")),
        ("Cc", _mailboxes(message, "cc")),
        ("Subject", f"[{case}]" if cipher else subject_of(message.header)),
        ("Date", _date(message, date)),
        ("Message-ID", message_id),
        ("In-Reply-To", parent),
        ("References", " ".join(_shortened(ancestors))),
        ("MIME-Version", "1.0"),
    )
    return tuple((name, value) for name, value in said if value)


def payload(
    message: Message, *, cipher: bool, case: str, outer: Fields | None = None, inner: Message | None = None
) -> bytes:
    """The 7-bit MIME entity to sign, with the header fields it protects (RFC 9788); of a signed mail what was signed.

    `outer` are the fields that will stand outside, `inner` the decrypted entity where the client had encrypted. A
    signature of the client's counts for nothing and is left out. Raises SealFailed for what cannot be made 7-bit.
    """
    source = inner or message
    root = _unsigned(source.root)
    outside = outer_fields(message, case=case, cipher=cipher) if outer is None else outer
    subject = next(filter(None, map(subject_of, (root.header, source.header, message.header))), "")
    kept = tuple((name, value) for name, value in outside if name not in ("Subject", "MIME-Version"))
    inside = (*kept, ("Subject", subject)) if subject else kept
    hidden = tuple((name, value) for name, value in outside if name != "MIME-Version")
    try:
        fields = compose.protected_fields(inside, cipher=cipher, outer=hidden)
        return encoding.entity(source, root, parameters=compose.protected_parameters(cipher=cipher), fields=fields)
    except ValueError as error:
        raise SealFailed(f"the mail cannot be made 7-bit: {error}") from error


def subject_of(header: Header) -> str:
    """The Subject as text on one line, '' without one."""
    field = header.first("subject")
    return _clean(decoded_words(field.value))[:MAX_SUBJECT_CHARS].strip() if field else ""


def _unsigned(part: Part) -> Part:
    """The part a client's signature is over, or the part itself."""
    while part.content_type == "multipart/signed" and part.children:
        part = part.children[0]
    return part


def _mailboxes(message: Message, name: str) -> str:
    found = [_spoken(field) for field in message.header.all(name)]
    return ", ".join(one for one in found if one)


def _spoken(field: Field) -> str:
    """The addresses of one field, written anew."""
    addresses = parse_address_list(field.value) or ()
    if not all(one.spec.isascii() for one in addresses):
        raise SealFailed("an address beyond ASCII cannot stand in 7-bit mail")
    return ", ".join(compose.mailbox(_clean(one.display_name)[:MAX_NAME_CHARS], one.spec) for one in addresses)


def _date(message: Message, fallback: datetime | None) -> str:
    field = message.header.first("date")
    try:
        written = parsedate_to_datetime(field.value.decode("ascii")) if field else fallback
    except (ValueError, TypeError, OverflowError):
        written = fallback
    return format_datetime(written) if written else ""


def _shortened(ids: tuple[str, ...]) -> tuple[str, ...]:
    """The first and the nearest of many ancestors; what is no plain id is left out."""
    plain = tuple(one for one in ids if one.isascii() and one.isprintable())
    return plain if len(plain) <= MAX_REFERENCES else (plain[0], *plain[1 - MAX_REFERENCES :])


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
