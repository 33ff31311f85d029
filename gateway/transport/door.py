"""What a listener is told about its side of the gateway: whom it serves, for whom it takes mail, who answers for it."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.model.message import Envelope
from gateway.model.settings import Settings
from gateway.transport.address_grammar import address_key
from gateway.transport.body import SpooledBody
from gateway.transport.limits import Limits, Networks

Note = Callable[[str, Mapping[str, object]], None]
"""Called with an event word and its facts: `refused`, `fault`, `cut`; it must return at once and raise nothing."""

Finish = Callable[[Envelope, SpooledBody], Awaitable[str]]
"""Called at the end of DATA; its complete reply is what the client hears, any exception becomes 451."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One side of the gateway, inward or outward, as its SMTP sessions see it."""

    hostname: str
    finish: Finish
    note: Note
    recipient: Callable[[str], str | None]
    """The recipient to put into the envelope, or None where nobody here has that address."""
    max_bytes: int
    limits: Limits
    announced_bytes: int | None = None
    """What EHLO promises to take, where it is less: a mail in between is refused by whoever can say what to do."""
    lmtp: bool = False
    allowed: Networks | None = None
    """Who may send at all; None = everybody."""
    trusted: Networks = ()
    """Who may say XFORWARD and is not counted per address."""
    ignored_parameters: frozenset[str] = frozenset()
    tls_required: bool = False
    tls: Callable[[], ssl.SSLContext | None] = field(default=lambda: None)
    """The context for the next handshake; a renewed certificate changes it."""
    spool: str | None = None
    """Folder for bodies over 1 MiB, on the file system whose room is watched."""


def own_recipient(settings: Settings) -> Callable[[str], str | None]:
    """Recipients that are ours: mailbox, aliases, `local+...` of the mailbox, postmaster at its domain; without case.

    A bare `postmaster` gets the mailbox's domain; every other address stays as the client wrote it. A subaddress beyond ASCII
    is nobody's: not every mailbox server could take it.
    """
    mailbox = address_key(settings.contact_point.mailbox)
    local, _, domain = mailbox.rpartition("@")
    ours = {f"postmaster@{domain}", *(address_key(one) for one in settings.mailboxes)}

    def recipient(address: str) -> str | None:
        if "@" not in address:
            return f"{address}@{domain}"
        key = address_key(address)
        of_mailbox = key.isascii() and key.startswith(f"{local}+") and key.endswith(f"@{domain}")
        return address if key in ours or of_mailbox else None

    return recipient
