"""Every reply the listener gives by itself, in one table; it never says which check failed inside us or why.

The enhanced codes are those of RFC 3463 and of the refusal table in the design; what `accept` or `answer` reply is theirs.
"""

import re
from enum import StrEnum


class Reply(StrEnum):
    """One complete reply line without CR LF: code, enhanced code (RFC 2034), one dull sentence."""

    OK = "250 2.0.0 OK"
    MAIL_OK = "250 2.1.0 Sender OK"
    RCPT_OK = "250 2.1.5 Recipient OK"
    START_DATA = "354 End data with <CR><LF>.<CR><LF>"
    BYE = "221 2.0.0 Bye"
    CANNOT_VERIFY = "252 2.0.0 Cannot verify the user, but will take a message"
    HELP = "214 2.0.0 RFC 5321"

    TOO_MANY_CONNECTIONS = "421 4.7.0 Too many connections, try again later"
    NOT_SMTP = "421 4.7.0 This is not SMTP, closing"
    EARLY_TALKER = "421 4.7.0 Client spoke before the greeting, closing"
    TOO_MANY_ERRORS = "421 4.7.0 Too many errors, closing"
    TOO_MANY_COMMANDS = "421 4.7.0 Too many commands without a message, closing"
    TIMEOUT = "421 4.4.2 Timeout, closing"
    SHUTDOWN = "421 4.3.2 Service is shutting down, try again"

    FAULT = "451 4.3.0 Temporary fault, try again later"
    TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"

    LINE_TOO_LONG = "500 5.5.2 Command line too long"
    BAD_LINE_END = "500 5.5.2 Command must end with CR LF and hold no control characters"
    UNKNOWN_COMMAND = "500 5.5.1 Command not recognized"
    BAD_COMMAND_SYNTAX = "501 5.5.4 Syntax error in parameters"
    BAD_SENDER = "501 5.1.7 Bad sender address syntax"
    BAD_RECIPIENT = "501 5.1.3 Bad recipient address syntax"
    NOT_IMPLEMENTED = "502 5.5.1 Command not implemented"
    HELLO_FIRST = "503 5.5.1 Say hello first"
    NESTED_MAIL = "503 5.5.1 Sender already given"
    MAIL_FIRST = "503 5.5.1 Need MAIL first"
    RCPT_FIRST = "503 5.5.1 Need RCPT first"
    TLS_ACTIVE = "503 5.5.1 TLS already active"
    IN_TRANSACTION = "503 5.5.1 Not within a transaction"
    TLS_REQUIRED = "530 5.7.0 Must issue a STARTTLS command first"
    NOT_OURS = "550 5.1.1 No such recipient here"
    BARE_LINE_END = "550 5.6.0 Bare CR, bare LF or NUL in message"
    NOT_ALLOWED = "550 5.7.1 Not allowed from this address"
    HEADER_TOO_LARGE = "552 5.3.4 Message header too large"
    TOO_LARGE = "552 5.3.4 Message too large"
    NEEDS_SMTPUTF8 = "553 5.6.7 Address needs SMTPUTF8"
    TOO_MANY_HOPS = "554 5.4.6 Too many hops"
    LONG_LINE = "554 5.6.0 Line too long in message"
    UNKNOWN_PARAMETER = "555 5.5.4 Parameter not recognized"


COMPLETE = re.compile(r"[245]\d\d [\x20-\x7e]{1,506}")
"""A reply fit for the wire (RFC 5321 section 4.5.3.1.5: 512 octets with CR LF)."""


def fit(reply: str) -> str:
    """The reply itself, or our 451 where it is not one complete printable line: nothing broken reaches a peer."""
    return reply if COMPLETE.fullmatch(reply) else Reply.FAULT
