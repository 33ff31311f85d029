"""Makes and reads the return path of our mail: an address that names its case and cannot be guessed.

Never says that a mail is a bounce; only that it was sent to an address we made in the last fourteen days.
"""

import hashlib
import hmac
from dataclasses import dataclass

from gateway.mail.addresses import parse_address
from gateway.model.case import CROCKFORD, REFERENCE

VALID_DAYS = 14
MAX_LOCAL_OCTETS = 64
"""RFC 5321 section 4.5.3.1.1."""
MAC_CHARS = 10
AUTOMATIC, ANSWER = "r", "a"
"""Letters that say what was sent from a return path: a receipt or reminder, or an officer's answer."""
LETTERS = (AUTOMATIC, ANSWER)


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """What a return path of ours says."""

    case: str
    answer: bool
    """An officer's mail left with it, not a receipt."""


def make(secret: bytes, *, mailbox: str, case: str, day: int, answer: bool = False) -> str:
    """`247cp+r.<case>.<day>.<mac>@domain` for a mail sent on that day (any count of days, the same for `read`); `+a.` for an answer.

    Raises ValueError when the mailbox's local part leaves no room for it.
    """
    local, _, domain = mailbox.rpartition("@")
    letter = ANSWER if answer else AUTOMATIC
    made = f"{local}+{letter}.{case.lower()}.{day}.{_mac(secret, mailbox, letter, case, day)}"
    if len(made.encode("utf-8")) > MAX_LOCAL_OCTETS:
        raise ValueError(f"the local part of {mailbox} is too long for a return path")
    return f"{made}@{domain}"


def read(secret: bytes, address: str, *, mailbox: str, today: int) -> ReturnPath | None:
    """What a return path says that we made for this mailbox at most fourteen days ago, None for any other address."""
    parsed = parse_address(address.encode("utf-8", "surrogateescape"))
    local, _, domain = mailbox.lower().rpartition("@")
    if parsed is None or parsed.domain != domain:
        return None
    user, _, detail = parsed.local.partition("+")
    letter, _, said = detail.partition(".")
    case, _, rest = said.upper().partition(".")
    written_day, _, mac = rest.partition(".")
    if user.lower() != local or letter.lower() not in LETTERS:
        return None
    if REFERENCE.fullmatch(case) is None or not (written_day.isdecimal() and len(written_day) <= len(str(today))):
        return None
    day = int(written_day)
    if not 0 <= today - day <= VALID_DAYS:
        return None
    expected = _mac(secret, mailbox, letter.lower(), case, day).upper()
    if not hmac.compare_digest(expected.encode(), mac.encode()):
        return None
    return ReturnPath(case, answer=letter.lower() == ANSWER)


def _mac(secret: bytes, mailbox: str, letter: str, case: str, day: int) -> str:
    """Ten characters (50 bits) over everything the address says; lower case, since relays may change the case."""
    kind = {AUTOMATIC: "return-path", ANSWER: "return-path of an answer"}[letter]
    said = f"{kind}\0{mailbox.lower()}\0{case.upper()}\0{day}"
    digest = hmac.new(secret, said.encode("utf-8"), hashlib.sha256).digest()
    bits = int.from_bytes(digest[:7], "big") >> 6
    return "".join(CROCKFORD[(bits >> shift) & 31] for shift in range(5 * (MAC_CHARS - 1), -1, -5)).lower()
