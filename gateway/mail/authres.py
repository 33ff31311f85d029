"""Writes one Authentication-Results field (RFC 8601) from results.

Never reads one. Whatever a stranger put into an identity or a reason stays inside its quotes.
"""

import re
from collections.abc import Iterator

from gateway.model.trust import AuthResult, Method

MAX_VALUE_CHARS = 255

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_MAILBOX = re.compile(r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)?@[A-Za-z0-9.-]+")

PROPERTIES = {
    Method.SPF: "smtp.mailfrom",
    Method.DKIM: "header.d",
    Method.DMARC: "header.from",
    Method.ARC: "header.d",
    Method.OPENPGP: "body.fingerprint",
    Method.SMIME: "body.smime-identifier",
}
"""What the identity of a result is (RFC 8601 section 2.7; OpenPGP is not registered and ignored by who does not know it)."""


def field(authserv_id: str, results: tuple[AuthResult, ...]) -> bytes:
    """The whole field, one result a line, folded, with its CRLF; `none` when nothing was checked (section 2.2)."""
    said = [_result(one) for one in results] or ["none"]
    lines = [f"Authentication-Results: {_value(authserv_id)}", *(f"\t{one}" for one in said)]
    return ";\r\n".join(lines).encode("ascii") + b"\r\n"


def _result(result: AuthResult) -> str:
    return " ".join((f"{result.method.value}={result.result.value}", *_details(result)))


def _details(result: AuthResult) -> Iterator[str]:
    """Reason first, then properties, as section 2.2 orders them."""
    if result.reason:
        yield f"reason={_quoted(result.reason)}"
    if result.identity:
        # The HELO identity is checked when there is no mail_from (RFC 7208 section 2.4).
        helo = result.method is Method.SPF and result.reason == "helo"
        yield f"{'smtp.helo' if helo else PROPERTIES[result.method]}={_value(result.identity)}"
    if result.selector:
        yield f"header.s={_value(result.selector)}"


def _value(text: str) -> str:
    """A token or mailbox as it is, everything else quoted."""
    shown = _printable(text)
    return shown if _TOKEN.fullmatch(shown) or _MAILBOX.fullmatch(shown) else _quoted(shown)


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", _printable(text))
    return f'"{escaped}"'


def _printable(text: str) -> str:
    """Printable ASCII, cut; a control character could end the line and begin a field of the stranger's."""
    return "".join(char if " " <= char <= "~" else "?" for char in text[:MAX_VALUE_CHARS])
