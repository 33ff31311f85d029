"""Reads what one ARC-Authentication-Results field says of DMARC (RFC 8617 section 4.1.1, RFC 8601 section 2.2).

Never guesses: a field that is not wholly understood, or says two things of DMARC, says nothing.
"""

import re

from gateway.trust.dkim_signature import host_of

_PIECE = re.compile(
    r'(?P<blank>\s++|\((?:[^()\\]|\\.)*\))|(?P<end>;)|(?P<word>(?:[^\s"();]++|"(?:[^"\\]|\\.)*")+)', re.DOTALL
)
_FROM = "header.from="


def dmarc_passed(value: bytes) -> str | None:
    """The author domain, as lower-case A-labels, for which the field says `dmarc=pass` and nothing else; None if there is none."""
    statements = _statements(value.decode("latin-1"))
    # The instance and the name of the server that checked come first; only what is behind them are results.
    said = [one for one in statements[2:] if one and one[0].lower().startswith("dmarc")]
    if len(said) != 1 or said[0][0].lower() != "dmarc=pass":
        return None
    named = [word[len(_FROM) :] for word in said[0] if word.lower().startswith(_FROM)]
    return host_of(named[0].encode("latin-1"), labels=2) if len(named) == 1 else None


def _statements(text: str) -> list[list[str]]:
    """The words of each statement between semicolons, comments left out; nothing where a quote or comment does not end."""
    found: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            return []
        if piece["end"]:
            found.append([])
        elif piece["word"]:
            found[-1].append(piece["word"])
        at = piece.end()
    return found
