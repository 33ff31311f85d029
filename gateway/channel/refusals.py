"""Every line an officer hears when a mail does not leave at once, in one table.

Never decides: the rules do. A line holds addresses and case numbers only, nothing of the mail's content, because relays log it.
"""

import hashlib
from collections.abc import Iterable

from gateway.model.case import CROCKFORD

MAX_LINE_OCTETS = 500
"""RFC 5321 section 4.5.3.1.5 allows 512 with the line's end."""
MAX_LISTED = 3
MAX_ITEM_CHARS = 80

_ADMINISTRATOR = "this case needs an administrator ({reason})"
_HELD = "not sent yet, {reason}. The notice in the mailbox says what releases it."

REFUSALS: dict[str, tuple[str, str]] = {
    "D0": ("451 4.3.0", "the gateway cannot decide now, nothing was sent. Press Send again in a few minutes."),
    "R0": ("550 5.7.1", _ADMINISTRATOR),
    "R1": ("550 5.7.1", "the mail needs exactly one From with exactly one address. Write it anew and press Send."),
    "R2": ("550 5.7.1", "automatic answers may not leave the contact point; switch the absence notice off."),
    "R3": ("550 5.7.1", "write a normal reply; redirected mails and calendar answers may not leave the contact point."),
    "R4": ("553 5.7.1", "answer from {mailbox}. Case {case} came to that mailbox; change From and press Send again."),
    "R5": ("553 5.7.1", "mail to a contact point must come from {mailbox}."),
    "R6": ("553 5.7.1", "your login may not send as {mailbox}; ask an administrator."),
    "R7": ("553 5.7.1", "the envelope sender is not {mailbox}; correct the account's address and press Send again."),
    "R8": ("553 5.7.1", "answer from {mailbox}. Case {case} came to that mailbox; change From and press Send again."),
    "R9": ("550 5.7.1", "it names two cases ({cases}). Answer each in its own mail."),
    "R10": ("550 5.7.1", "put the case number in the subject ({cases}) or use Reply on the request."),
    "R11": (
        "550 5.7.1",
        "send to {origin}. The request asks for answers at {found}, which is not verified for that country.",
    ),
    "R12": ("550 5.7.1", "send to {origin}, the address that asked; {found} may not stand in for it."),
    "R13": ("550 5.7.1", "answer {origin} only. Reply-all would also reach {found}."),
    "R14": ("550 5.7.1", "send to {origin} only. Remove {found} and press Send again."),
    "R15": ("550 5.7.1", "{found} did not ask in case {cases}. Correct the recipient or the case number."),
    "R16": ("550 5.7.1", "move {found} from Bcc to Cc; contact points are never copied blind."),
    "R17": (
        "550 5.7.1",
        "{found} is not in the contact-point directory; this mailbox writes to contact points only.",
    ),
    "R18": ("550 5.7.1", "{found} is not verified yet; ask an administrator to confirm it by telephone."),
    "R19": (
        "550 5.7.5",
        "encrypted to a key that is not pinned ({found}). Send it unencrypted: the gateway encrypts.",
    ),
    "R20": (
        "550 5.7.5",
        "encrypt also to the contact point's own key, or send it unencrypted: the gateway encrypts.",
    ),
    "R21": ("550 5.7.1", "send it as HTML or plain text and as a whole mail ({found} may not leave)."),
    "R22": (
        "550 5.7.1",
        "{found} cannot read an encrypted answer. Remove it and forward a copy inside the institution.",
    ),
    "R23": (
        "552 5.3.4",
        "{found} is too large; split it into several numbered mails in this thread. Do not use a download link.",
    ),
    "R24": (
        "550 5.7.1",
        "address the note to the mailbox with +note.<case number> alone, for a case there is. Nobody else gets a note.",
    ),
    "H1": ("250 2.0.0", _HELD),
    "H2": ("250 2.0.0", _HELD),
    "H3": ("250 2.0.0", _HELD),
}
"""Rule -> reply code with enhanced code (RFC 3463), and what to do, the essence in the first 60 characters."""


def line(rule: str, number: str, **names: str | Iterable[str]) -> str:
    """The complete reply of a rule: one line, ASCII, at most 500 octets, `<code> NOT SENT: <what to do> [<number>]`, or HELD.

    Names fill the rule's placeholders; a list shows its first three. Raises KeyError for an unknown rule or a name left out.
    """
    code, text = REFUSALS[rule]
    said = text.format_map({name: _listed(value) for name, value in names.items()})
    start, end = f"{code} {'HELD' if code.startswith('2') else 'NOT SENT'}: ", f" [{number}]"
    room = MAX_LINE_OCTETS - len(start) - len(end)
    return start + (said if len(said) <= room else said[: room - 3] + "...") + end


def decision_number(rule: str, case: str | None, sender: str, recipients: Iterable[str]) -> str:
    """`D-7K3QX2`: the same for the same rule, case, From and set of recipients, so that pressing Send twice is one entry."""
    key = "\0".join((rule, case or "", sender.lower(), *sorted({one.lower() for one in recipients})))
    bits = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()[:4], "big") >> 2
    return "D-" + "".join(CROCKFORD[(bits >> shift) & 31] for shift in range(25, -1, -5))


def _listed(value: str | Iterable[str]) -> str:
    if isinstance(value, str):
        return _printable(value)
    items = [_printable(one) for one in value]
    more = len(items) - MAX_LISTED
    return ", ".join(items[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _printable(text: str) -> str:
    """Printable ASCII only: what stands in a reply may be written by a stranger."""
    shown = "".join(char if " " <= char <= "~" else "?" for char in text)
    return shown if len(shown) <= MAX_ITEM_CHARS else shown[: MAX_ITEM_CHARS - 3] + "..."


CANNOT_DECIDE = line("D0", decision_number("D0", None, "", ()))
"""The reply while nothing is known of the mail yet: nothing was sent, the client keeps it."""
