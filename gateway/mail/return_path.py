"""Makes and reads the return path of our receipts: an address that names its case and cannot be guessed.

Never says that a mail is a bounce; only that it was sent to an address we made in the last fourteen days.
"""

import hashlib
import hmac

from gateway.mail.addresses import parse_address
from gateway.model.case import CROCKFORD, REFERENCE

VALID_DAYS = 14
MAX_LOCAL_OCTETS = 64
"""RFC 5321 section 4.5.3.1.1."""
MAC_CHARS = 10


def make(secret: bytes, *, mailbox: str, case: str, day: int) -> str:
    """`247cp+r.<case>.<day>.<mac>@domain` for a mail sent on that day (any count of days, the same for `read`).

    Raises ValueError when the mailbox's local part leaves no room for it.
    """
    local, _, domain = mailbox.rpartition("@")
    made = f"{local}+r.{case.lower()}.{day}.{_mac(secret, mailbox, case, day)}"
    if len(made.encode("utf-8")) > MAX_LOCAL_OCTETS:
        raise ValueError(f"the local part of {mailbox} is too long for a return path")
    return f"{made}@{domain}"


def read(secret: bytes, address: str, *, mailbox: str, today: int) -> str | None:
    """The case reference of a return path we made for this mailbox at most fourteen days ago, else None."""
    parsed = parse_address(address.encode("utf-8", "surrogateescape"))
    local, _, domain = mailbox.lower().rpartition("@")
    if parsed is None or parsed.domain != domain or not parsed.local.lower().startswith(f"{local}+r."):
        return None
    case, _, rest = parsed.local[len(local) + 3 :].upper().partition(".")
    written_day, _, mac = rest.partition(".")
    if REFERENCE.fullmatch(case) is None or not (written_day.isdecimal() and len(written_day) <= len(str(today))):
        return None
    day = int(written_day)
    if not 0 <= today - day <= VALID_DAYS:
        return None
    expected = _mac(secret, mailbox, case, day).upper()
    return case if hmac.compare_digest(expected.encode(), mac.encode()) else None


def _mac(secret: bytes, mailbox: str, case: str, day: int) -> str:
    """Ten characters (50 bits) over everything the address says; lower case, since relays may change the case."""
    said = f"return-path\0{mailbox.lower()}\0{case.upper()}\0{day}"
    digest = hmac.new(secret, said.encode("utf-8"), hashlib.sha256).digest()
    bits = int.from_bytes(digest[:7], "big") >> 6
    return "".join(CROCKFORD[(bits >> shift) & 31] for shift in range(5 * (MAC_CHARS - 1), -1, -5)).lower()
