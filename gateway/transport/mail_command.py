"""Arguments of MAIL, RCPT and XFORWARD as values, or the reply that refuses them; it never looks at the session.

A parameter is refused only where its extension was not offered: real senders use what they are offered.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from gateway.transport.address_grammar import read_path
from gateway.transport.replies import Reply

IGNORED_OF_SUBMISSION = frozenset({"AUTH", "RET", "ENVID", "NOTIFY", "ORCPT"})
"""Parameters of RFC 3461 and RFC 4954 that an MTA in front may send and that change nothing here."""

XFORWARD_NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+(?:=[^\x00-\x20\x7f]*)?))?")
_HELLO = re.compile(r"[\x21-\x7e]{1,255}")
_BODY_TYPES = frozenset({"7BIT", "8BITMIME"})


@dataclass(frozen=True, slots=True)
class MailCommand:
    """What MAIL says: '' is the null reverse-path."""

    address: str
    smtputf8: bool = False


def read_hello(argument: str) -> str | None:
    """The client's name for itself, or None where it is not one printable word (it is shown to people later)."""
    return argument if _HELLO.fullmatch(argument) else None


def read_mail(argument: str, *, max_bytes: int, ignored: frozenset[str] = frozenset()) -> MailCommand | Reply:
    """The reverse-path and parameters of `MAIL` (RFC 5321 section 4.1.1.2, RFC 1870, 6152, 6531)."""
    if argument[:5].upper() != "FROM:":
        return Reply.BAD_COMMAND_SYNTAX
    path = read_path(argument[5:].lstrip(" "))
    if path is None or (path.address and not path.domain):
        return Reply.BAD_SENDER
    parameters = _parameters(path.rest, ignored)
    if isinstance(parameters, Reply):
        return parameters
    fault = _mail_fault(parameters, max_bytes)
    if fault is not None:
        return fault
    if not path.ascii and "SMTPUTF8" not in parameters:
        return Reply.NEEDS_SMTPUTF8
    return MailCommand(address=path.address, smtputf8="SMTPUTF8" in parameters)


def _mail_fault(parameters: Mapping[str, str], max_bytes: int) -> Reply | None:
    known = {"SIZE", "BODY", "SMTPUTF8"}
    if not known.issuperset(parameters):
        return Reply.UNKNOWN_PARAMETER
    size = parameters.get("SIZE", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):
        return Reply.BAD_COMMAND_SYNTAX
    if parameters.get("BODY", "7BIT").upper() not in _BODY_TYPES or parameters.get("SMTPUTF8"):
        return Reply.BAD_COMMAND_SYNTAX
    return Reply.TOO_LARGE if int(size) > max_bytes else None


def read_rcpt(argument: str, *, smtputf8: bool, ignored: frozenset[str] = frozenset()) -> str | Reply:
    """The forward-path of `RCPT` (RFC 5321 section 4.1.1.3); without domain only `postmaster`."""
    if argument[:3].upper() != "TO:":
        return Reply.BAD_COMMAND_SYNTAX
    path = read_path(argument[3:].lstrip(" "))
    if path is None or not path.address or (not path.domain and path.local.lower() != "postmaster"):
        return Reply.BAD_RECIPIENT
    parameters = _parameters(path.rest, ignored)
    if isinstance(parameters, Reply):
        return parameters
    if parameters:
        return Reply.UNKNOWN_PARAMETER
    return path.address if path.ascii or smtputf8 else Reply.NEEDS_SMTPUTF8


def _parameters(text: str, ignored: frozenset[str]) -> dict[str, str] | Reply:
    """Parameters by upper-case name, '' where one has no value; those to ignore are left out."""
    if text and not text.startswith(" "):
        return Reply.BAD_COMMAND_SYNTAX
    found: dict[str, str] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in found:
            return Reply.BAD_COMMAND_SYNTAX
        found[match[1].upper()] = match[2] or ""
    return {name: value for name, value in found.items() if name not in ignored}


def read_xforward(argument: str) -> dict[str, str | None] | Reply:
    """Attributes of Postfix' `XFORWARD` by upper-case name; None where the peer does not know one."""
    found: dict[str, str | None] = {}
    for word in argument.split():
        name, equals, value = word.partition("=")
        if not equals or name.upper() not in XFORWARD_NAMES:
            return Reply.BAD_COMMAND_SYNTAX
        decoded = _xtext(value)
        if decoded is None:
            return Reply.BAD_COMMAND_SYNTAX
        found[name.upper()] = None if decoded.upper() in ("[UNAVAILABLE]", "[TEMPUNAVAIL]") else decoded
    address = found.get("ADDR")
    if address is not None:
        plain = _forwarded_address(address)
        if plain is None:
            return Reply.BAD_COMMAND_SYNTAX
        found["ADDR"] = plain
    return found or Reply.BAD_COMMAND_SYNTAX


def _xtext(value: str) -> str | None:
    """Decoded xtext (RFC 3461 section 4), or None where it holds what may not be shown."""
    decoded = re.sub(r"\+([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), value)
    return decoded if re.fullmatch(r"[\x20-\x7e]{1,255}", decoded) else None


def _forwarded_address(text: str) -> str | None:
    try:
        return str(ip_address(text[5:] if text[:5].upper() == "IPV6:" else text))
    except ValueError:
        return None
