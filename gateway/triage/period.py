"""Reads the period for which data are asked: two dates that a word or a dash joins.

Never guesses an open end; times of day stay with the moments that timestamps.py reads.
"""

import re
from itertools import pairwise

from gateway.triage.timestamps import Day, dates

MAX_YEARS = 200
"""Years looked at in one text."""
MAX_PERIOD = 90
"""Characters from the first year to the second."""
_REACH = 32
"""Characters on either side of a year in which its date stands."""

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_JOINED = re.compile(
    r"(?i)(?:\s?(?:года|г\.?|року|р\.?|թ\.?|წ\.?)(?!\w))?[\s,)]*(?:\(?\d{1,2}[:.h]\d{2}(?::\d{2})?\s*(?:h|hrs|uhr|utc|gmt|cet|cest|z)?\)?[\s,]*)?"
    r"(?:-|\u2013|\u2014|~|\u301c|to|until|till|through|and|up to|au|à|et|jusqu'au|al?|hasta(?: el)?|y(?: el)?|até|ao?|e(?: o)?|până la|la|și|bis(?: zum)?|und"
    r"|al|fino al|e il|по|до|и|та|إلى|حتى|و|ile|-?den|ve|tot(?: en met)?|t/m|en|から|まで|-დან|დან|მდე|და|-ից|մինչև|և)[\s,(]*"
    r"(?:(?:the|le|el|o|den|dem|zum|il)\s)?"
)


def period_asked(text: str) -> tuple[str, str] | None:
    """First and last day, ISO 8601, of the first period the text names; None where it names none."""
    years = [match for match, _ in zip(_YEAR.finditer(text), range(MAX_YEARS), strict=False)]
    for first, second in pairwise(years):
        if second.start() - first.end() > MAX_PERIOD:
            continue
        window = text[max(first.start() - _REACH, 0) : second.end() + _REACH].replace("\n", " ")
        for (_, end, since), (start, _, until) in pairwise(dates(window)):
            if _JOINED.fullmatch(window[end:start]) and since <= until and _real(since) and _real(until):
                return _iso(since), _iso(until)
    return None


def _real(day: Day) -> bool:
    return 1 <= day[1] <= 12 and 1 <= day[2] <= 31


def _iso(day: Day) -> str:
    return f"{day[0]:04}-{day[1]:02}-{day[2]:02}"
