"""Reads points in time as requests write them: ISO 8601, day first, or with the name of the month; zone and all.

Never guesses a zone: a time without one, or with a name that means several, is not read. Day and month in figures are
read day first, as both forms of the Convention Committee ask (DD/MM/YYYY), unless only the other order is a date.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone

from gateway.triage.normal import fold

MAX_TIMES = 500
"""Times looked at in one text."""

_BEFORE = 48
"""Characters before a time in which its date must stand."""

# Standard library patterns, each run on a window of bounded length only.
_TIME = re.compile(
    r"(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?(?![\d:])"
)
_DATE = re.compile(
    r"(?<![\w/.-])(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}"
    r"|\d{1,2}(?:st|nd|rd|th|er|\.)? (?:de |of )?[^\W\d]{3,10}\.?,? (?:de |del )?\d{4}"
    r"|[^\W\d]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
    r"(?:T|,? +(?:(?:at|um|a|à|a las|às|alle|alle ore|o|kl\.?) +)?)$",
    re.IGNORECASE,
)
_HALF = re.compile(r" ?([ap])\.?m\b\.?", re.IGNORECASE)
_AFTER = re.compile(
    r"\s{0,2}(?P<bracket>[(\[])?\s?(?P<zone>(?:utc|gmt)? ?[+-] ?\d{1,2}(?::?\d{2})?|[a-z]{1,4})(?![\w:])[)\]]?",
    re.IGNORECASE,
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_FIGURES = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|\.)? (?:de |of )?([^\W\d]+)\.?,? (?:de |del )?(\d{4})"
    r"|([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})"
)
_OFFSET = re.compile(r"(?:utc|gmt)? ?([+-]) ?(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)

_ZONES: Mapping[str, float] = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3,
    "msk": 3, "trt": 3, "gst": 4, "pkt": 5, "wib": 7, "ict": 7, "hkt": 8, "sgt": 8, "pht": 8, "jst": 9, "kst": 9,
    "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3, "art": -3, "clst": -3, "clt": -4, "edt": -4, "est": -5,
    "cdt": -5, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip
"""Hours ahead of UTC; CST, IST, BST and AST mean several zones and are left out on purpose."""

_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan january janvier janv enero ene januar janeiro gennaio",
            "feb february fevrier fevr febrero februar fevereiro febbraio",
            "mar march mars marzo marz maerz marco",
            "apr april avril avr abril abr aprile",
            "may mai mayo maio maggio",
            "jun june juin junio juni junho giugno",
            "jul july juillet juil julio juli julho luglio",
            "aug august aout agosto ago",
            "sep sept september septembre septiembre setembro settembre",
            "oct october octobre octubre oktober okt outubro ottobre",
            "nov november novembre noviembre novembro",
            "dec december decembre diciembre dic dezember dez dezembro dicembre",
        ),
        start=1,
    )
    for name in names.split()
}


def moments(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and RFC 3339 form, with the offset it was written with, of every moment of the text."""
    for count, time in enumerate(_TIME.finditer(text)):
        if count == MAX_TIMES:
            return
        low = max(time.start() - _BEFORE, 0)
        if text[time.start() - 1 : time.start()] in (":", "."):
            continue
        date = _DATE.search(text[low : time.start()])
        if date is None:
            continue
        half = _HALF.match(text, time.end())
        after = _AFTER.match(text, half.end() if half else time.end())
        if after is None:
            continue
        value = _moment(date["date"], time, half[1].lower() if half else "", after["zone"])
        if value is not None:
            yield low + date.start(), after.end(), value


def _moment(date: str, time: re.Match[str], half: str, zone_name: str) -> str | None:
    day, zone = _day(date), _zone(zone_name)
    if day is None or zone is None:
        return None
    hour = int(time["hour"]) if not half else int(time["hour"]) % 12 + (12 if half == "p" else 0)
    microsecond = int((time["fraction"] or "").ljust(6, "0")[:6])
    try:
        moment = datetime(*day, hour, int(time["minute"]), int(time["second"] or 0), microsecond, tzinfo=zone)
    except ValueError:
        return None
    return moment.isoformat().replace("+00:00", "Z")


def _day(written: str) -> tuple[int, int, int] | None:
    if iso := _ISO.fullmatch(written):
        return int(iso[1]), int(iso[2]), int(iso[3])
    if figures := _FIGURES.fullmatch(written):
        day, month, year = map(int, figures.groups())
        return (year, day, month) if month > 12 else (year, month, day)
    named = _NAMED.fullmatch(fold(written))
    if named is None:
        return None
    day_text, name, year_text = named.group(1, 2, 3) if named[1] else named.group(5, 4, 6)
    month = _MONTHS.get(name, 0)
    return (int(year_text), month, int(day_text)) if month else None


def _zone(written: str) -> timezone | None:
    if offset := _OFFSET.fullmatch(written):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes <= 14 * 60 else None
    hours = _ZONES.get(written.lower())
    if hours is None:
        return None
    return UTC if hours == 0 else timezone(timedelta(hours=hours))
