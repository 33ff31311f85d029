"""What every system is given to work with, so that none has more than another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world around the systems under load."""

    sink: int
    """Port of the mailbox behind it."""
    nameserver: str
    dkim_key: tuple[str, str]
    """Name and text of the sender's DKIM record."""
