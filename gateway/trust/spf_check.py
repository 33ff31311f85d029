"""Asks whether the client may send for the domain of MAIL FROM (SPF, RFC 7208): pyspf decides, our resolver asks.

Never checks an address that is not the client's own, never fetches explanations, and never says `fail` where DNS was silent.
"""

import ipaddress
import re
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from gateway.errors import DnsUnavailable
from gateway.model.message import Envelope
from gateway.model.trust import AuthResult, DnsAnswer, Method, Result
from gateway.trust.resolver import Questions

with warnings.catch_warnings():
    # Python 3.12 prints pyspf's invalid escape sequences to the administrator the first time they are compiled.
    warnings.simplefilter("ignore")
    import spf

MAX_RECORD_CHARS = 4096
"""RFC 7208 section 3.4 recommends 450 octets."""
MAX_TERM_CHARS = 512
"""One term names one domain of 253 octets at most; pyspf's patterns are quadratic in its length."""
MAX_NAME_CHARS = 253
MAX_LOCAL_CHARS = 64
"""RFC 5321 section 4.5.3.1.1; macros repeat the local part."""
DOMAIN = re.compile(r"(?=.{1,253}$)(?:[^.\s@]{1,63}\.)+[^.\s@\[\]]{1,63}", re.DOTALL)
"""At least two labels, none empty or over 63 octets, no address literal (RFC 7208 section 4.3)."""

_asking: ContextVar[Questions] = ContextVar("asking")


def check_spf(envelope: Envelope, *, questions: Questions, at: datetime) -> AuthResult:
    """SPF result of MAIL FROM, or of HELO for the null reverse-path (RFC 7208 section 2.4); identity is the domain asked.

    `none` with a reason when the client is not known: `no-peer`, `peer-hidden`, `no-mail-from`, `no-domain`.
    """
    if envelope.peer_hidden:
        return _result(Result.NONE, None, "peer-hidden")
    peer = _address(envelope.peer)
    if peer is None:
        return _result(Result.NONE, None, "no-peer")
    if envelope.mail_from is None:
        return _result(Result.NONE, None, "no-mail-from")
    local, _, domain = (envelope.mail_from or f"postmaster@{envelope.helo or ''}").rpartition("@")
    ascii_domain = _a_labels(domain)
    if ascii_domain is None:
        return _result(Result.NONE, None, "no-domain")
    local, helo_name = (local or "postmaster")[:MAX_LOCAL_CHARS], (envelope.helo or "")[:MAX_NAME_CHARS]
    word, reason = _judge(peer, local, ascii_domain, helo_name, questions=questions, at=at)
    helo = "" if envelope.mail_from else "helo"
    return _result(word, ascii_domain, reason or helo)


def _result(word: Result, identity: str | None, reason: str) -> AuthResult:
    return AuthResult(Method.SPF, word, identity, reason)


def _address(text: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address((text or "").partition("%")[0]))
    except ValueError:
        return None


def _a_labels(domain: str) -> str | None:
    bare = domain.removesuffix(".")
    if DOMAIN.fullmatch(bare) is None:
        return None
    if bare.isascii():
        return bare.lower()
    try:
        return bare.encode("idna").decode().lower()
    except UnicodeError:
        return None


def _judge(peer: str, local: str, domain: str, helo: str, *, questions: Questions, at: datetime) -> tuple[Result, str]:
    token = _asking.set(questions)
    try:
        query = _Query(i=peer, s=f"{local}@{domain}", h=helo, strict=True, querytime=0)
        # pyspf splits at the first @, a quoted local part may hold one.
        query.l, query.o, query.d = local, domain, domain
        query.t = str(int(at.timestamp()))
        word = Result(query.check()[0])
    except Exception:  # noqa: BLE001 pyspf lets assertions and unicode errors of hostile records escape
        return Result.PERMERROR, "record-invalid"
    finally:
        _asking.reset(token)
    reasons = {Result.TEMPERROR: "dns", Result.PERMERROR: "record-invalid", Result.NONE: "no-record"}
    return word, reasons.get(word, "")


class _Query(spf.query):  # type: ignore[misc] # pyspf ships no types
    """One evaluation by pyspf, without fetching what a refusal would say: we refuse nobody for SPF."""

    def get_explanation(self, _spec: str) -> None:
        return None

    def expand(self, s: str, stripdot: bool = True) -> str:
        """Macro expansion, of a domain its last 253 octets by whole labels: pyspf drops one label only (RFC 7208 section 7.3)."""
        text: str = super().expand(s, stripdot=stripdot)
        if not stripdot or len(text) <= MAX_NAME_CHARS:
            return text
        end = text[-MAX_NAME_CHARS - 1 :]
        return end.partition(".")[2] or end


def _mail_exchanger(value: str) -> tuple[int, str]:
    preference, _, host = value.partition(" ")
    return int(preference), host


VALUES: dict[str, tuple[Callable[[Questions, str], DnsAnswer], Callable[[str], Any]]] = {
    "A": (Questions.a, str),
    "AAAA": (Questions.aaaa, str),
    "MX": (Questions.mx, _mail_exchanger),
    "PTR": (Questions.ptr, str),
    "TXT": (Questions.txt, lambda value: [value.encode("latin-1")]),
}
"""Record type -> how we ask, and the shape pyspf wants one value in."""


def _lookup(name: str, rdtype: str, _strict: object = True, _timeout: float = 0) -> list[tuple[tuple[str, str], Any]]:
    question, shaped = VALUES[rdtype]
    try:
        answer = question(_asking.get(), name)
    except DnsUnavailable as trouble:
        raise spf.TempError(str(trouble)) from trouble
    if any(_too_long(value) for value in answer.values):
        raise spf.PermError("SPF record too long")
    return [((name, rdtype), shaped(value)) for value in answer.values]


def _too_long(value: str) -> bool:
    if value[:6].lower() != "v=spf1":
        return False
    return len(value) > MAX_RECORD_CHARS or any(len(term) > MAX_TERM_CHARS for term in value.split(" "))


# The one door through which pyspf reaches DNS; its own goes through a process-wide resolver and waits 20 s.
spf.DNSLookup = _lookup
