"""What can stop us; a finding about a message is never an exception.

GatewayError
 +- ConfigError        a file of the administrator's is wrong; the administrator mends it
 +- StoreUnavailable   the database does not answer or refuses; whoever asked tries again
 +- DnsUnavailable     DNS did not answer; asked again later
 +- GpgUnavailable     gpg cannot be run, hangs or contradicts itself; the operator mends it
 +- SealFailed         our own mail cannot be signed or encrypted; a human sends it
 +- HopUnavailable     the next hop cannot be reached; the courier tries again
 +- BytesDiffer        what would leave is not what was stored; nothing leaves
 +- NotPermitted       an exception that may not be granted, or is used up; an act that does not fit its case; nothing changes
 +- JudgeDefeated      a judge died, hung or answered nonsense over one message; tried again, then judge-error
"""

from dataclasses import dataclass


class GatewayError(Exception):
    """Root of all that can stop the gateway; never raised itself."""


@dataclass(frozen=True)
class Complaint:
    """One thing wrong in one file, and its remedy."""

    file: str
    line: int
    """1-based; 0 = the file as a whole."""
    column: int
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        """Render as `file:line:column: key: what; remedy`, without the parts that are not known."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}:{key} {self.what}{remedy}"


class ConfigError(GatewayError):
    """A configuration, rule or key file is wrong; all complaints at once, for the administrator."""

    def __init__(self, *complaints: Complaint) -> None:
        super().__init__("\n".join(str(one) for one in complaints))
        self.complaints = complaints


class StoreUnavailable(GatewayError):
    """The database does not answer, is locked or the disk is full; answered with 451, tried again."""


class DnsUnavailable(GatewayError):
    """DNS timed out, failed or the message's budget of questions is used up: temperror, never `no record`."""


class GpgUnavailable(GatewayError):
    """Running gpg failed, hung or was contradictory: temperror, never `unsigned`."""


class SealFailed(GatewayError):
    """Signing or encrypting a mail of our own failed; it does not leave unsealed."""


class HopUnavailable(GatewayError):
    """The next hop refused the connection, hung or broke off; the courier tries again."""


class ConnectionEnded(GatewayError):
    """A connection that was kept from an earlier mail had ended before this one."""


class BytesDiffer(GatewayError):
    """The bytes about to leave differ from those stored; nothing leaves, an operator looks."""


class ReceptionUnavailable(GatewayError):
    """The process that takes mail in cannot be started; no sender hears 250."""


class NotPermitted(GatewayError):
    """An exception may not be granted by this person, or is used up by now; an act does not fit its case. Says why and what to do."""


class JudgeDefeated(GatewayError):
    """A judge died, hung or answered nonsense over one message; that judge is gone, the message is not."""
