"""Reads points in time as requests write them, in any order of date, time and zone, with the names of many languages.

Never guesses a zone: a time without one is read only where the same line, or a statement about all times of the text, gives it one;
names that mean several zones are none. Day and month in figures are read day first, as both forms of the Convention Committee ask
(DD/MM/YYYY), unless only the other order is a date, here or in a neighbour written alike.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from gateway.triage.calendar_words import HOUR_WORDS, MONTHS, ZONES
from gateway.triage.normal import fold

MAX_TIMES = 500
"""Times looked at in one text."""

_BEFORE = 56
"""Characters before a time in which its date must stand."""
_AFTER = 72
"""Characters behind it in which date and zone must stand."""
_NEXT = 14
"""Characters behind a date in which the time it belongs to begins."""
MAX_SHARED = 40
"""Characters between two times that share a date or a zone: `from 14:00 to 15:00 UTC`."""
FIRST_YEAR, LAST_YEAR = 1970, 2105
"""Of seconds since 1970 as systems write them."""

# Standard library patterns, each run on a window of bounded length only.
_TIME = re.compile(
    r"(?:(?<![\d:.,])|(?<=/\d{4}:))(?:(?P<early>午前|午後|قبل الظهر|بعد الظهر)\s?)?(?P<hour>\d{1,2})(?P<joint>[:.h時시点]| h ?|：)\s?(?P<minute>\d{2})"
    r"(?:[:.分'′m](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?(?:秒|分|s\b)?(?![\d:])"
)
_LONG = re.compile(r"\d\d{7}")
"""A row of figures that may be one of the next two, which take ten times as long to look for."""
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})[T ](\d{2})(\d{2})(\d{2})(Z|[+-]\d{4})(?!\d)")
_EPOCH = re.compile(r"(?i)\b(?:epoch|unix)(?:[ -]?(?:time|timestamp|seconds))?\W{1,4}(\d{10})(\d{3})?\b")
_MONTH = r"[^\W\d_]{2,12}(?: [^\W\d_]{5,6})?"
_ORDINAL = r"(?:st|nd|rd|th|er|re|º|°|ª|\.|-?го|-?й|-?е)?"
_OF = r"(?:de |of |del |din |d'|d’)?"
_FIGURES_DATE = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})"
_DATES = (
    rf"{_FIGURES_DATE}|\d{{4}} ?年 ?\d{{1,2}} ?月 ?\d{{1,2}} ?日|令和 ?\d{{1,2}} ?年 ?\d{{1,2}} ?月 ?\d{{1,2}} ?日"
    rf"|\d{{1,2}}{_ORDINAL}[ /.-]{{1,2}}{_OF}{_MONTH}\.?,?[ /.-]{{1,2}}{_OF}\d{{4}}"
    rf"|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    rf"|\d{{4}} ?(?:წლის|წ\.?|թ\.?|թվականի|г\.?|года)? ?(?:\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}})"
)
_APART = r"(?:(?<![\w/.-])|(?<=[\u3040-\u30ff\u4e00-\u9fff]))"
"""Nothing that a date could be part of stands before it; Japanese sets no blank there."""
_DATE_BEFORE = re.compile(rf"{_APART}(?P<date>{_DATES})(?P<gap>\D{{0,24}})$", re.IGNORECASE)
_DATE_BEHIND = re.compile(rf"(?P<gap>\D{{0,16}}?){_APART}(?P<date>{_DATES})(?![\d/])", re.IGNORECASE)
_GOES_ON = re.compile(r"[./-]\d|\D{0,4}\d{1,2}[:h]\d{2}")
_HALF = re.compile(r" ?([ap])\.? ?m\b\.?", re.IGNORECASE)
_OFFSET_TEXT = r"(?:utc|gmt|tmg|мск)? ?[+\u2212\u2013-] ?\d{1,2}(?::?\d{2})?(?!\d)"
_ZONE = re.compile(
    rf"(?:\s?(?:{HOUR_WORDS})(?!\w))?[\s(\[,;/]{{0,3}}(?:(?:heure|hora|ora|time|zone|saat dilimi|по|in|за) )?"
    rf"(?P<zone>{_OFFSET_TEXT}|[^\W\d_]+(?: [^\W\d_]+){{0,3}})(?![\w:])[)\]]?",
    re.IGNORECASE,
)
_TRANSLATED = {ord(" "): None, 0x2212: "-", 0x2013: "-"}
_OFFSET = re.compile(r"(?:utc|gmt|tmg|мск)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_SAID = re.compile(
    r"(?i)(?:times?|timestamps?|dates?|heures?|horas?|horarios?|fechas?|uhrzeit(?:en)?|zeit(?:en|angaben|punkt)?|datum|orari?|ore?|ora"
    r"|время|дата|час|saat(?:ler)?|tarih|tijd(?:en|stip)?|الوقت|التوقيت|時刻|日時|დრო|ժամ)(?P<between>[^\d\n.!?]{0,24}?)"
    r"[\s(\[]?(?P<zone>\b(?:utc|gmt)(?: ?[+\u2212-] ?\d{1,2}(?::?\d{2})?)?|\b(?:cest|cet|eest|eet|mesz|mez|msk)\b|мск)(?!\w)"
)
_MAX_STATEMENTS = 50
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_FIGURES = re.compile(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})")
_SLASHED = re.compile(r"(\d(?<![\d/]\d)\d?)/(\d{1,2})/\d{4}(?![\d/])")
"""A figure comes before what must not stand in front of it: only where one stands is more looked at."""
_EASTERN = re.compile(r"(令和)? ?(\d{1,4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日")
_REIWA = 2018
_NUMBERS = re.compile(r"\d+")
_WORDS = re.compile(r"[^\W\d_]+")

_YEAR_WORDS = frozenset(["г", "год", "года", "р", "рік", "року", "թ", "թվականի", "წ", "წელს", "წლის"])
"""What stands behind a year and is no word between a date and a time."""

Day = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A time of day and what was found around it."""

    start: int
    end: int
    clock: tuple[int, int, int, int]
    day: Day | None = None
    zone: timezone | None = None


def moments(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and RFC 3339 form, with the offset it was written with, of every moment of the text, in their order."""
    seen = list(_times(text))
    whole = None if all(one.zone for one in seen) else _said_zone(text)
    found = [(one.start, one.end, _written(one, whole)) for one in _shared(text, seen)]
    found += _compact(text)
    yield from sorted((start, end, value) for start, end, value in found if value is not None)


def day_of(written: str, *, month_first: bool = False) -> Day | None:
    """Year, month and day of a date alone, written in figures or with the name of its month."""
    if iso := _ISO.fullmatch(written):
        return int(iso[1]), int(iso[2]), int(iso[3])
    if eastern := _EASTERN.fullmatch(written):
        return int(eastern[2]) + (_REIWA if eastern[1] else 0), int(eastern[3]), int(eastern[4])
    if figures := _FIGURES.fullmatch(written):
        first, second, year = int(figures[1]), int(figures[3]), int(figures[4])
        swapped = second > 12 or (month_first and figures[2] == "/" and first <= 12)
        month, day = (first, second) if swapped else (second, first)
        return (year if year > 99 else 2000 + year), month, day
    return _named_day(written)


def dates(window: str) -> Iterator[tuple[int, int, Day]]:
    """Dates without a time in a short text, in their order."""
    for match in re.finditer(rf"{_APART}(?:{_DATES})(?![\d/])", window, re.IGNORECASE):
        day = day_of(match[0])
        if day is not None:
            yield match.start(), match.end(), day


def _times(text: str) -> Iterator[_Seen]:
    month_first = _writes_month_first(text)
    since = 0
    for count, time in enumerate(_TIME.finditer(text)):
        if count == MAX_TIMES:
            return
        if time.start() >= since and not _is_date(text, time):
            seen = _seen(text, time, since=since, month_first=month_first)
            since = seen.end
            yield seen


def _seen(text: str, time: re.Match[str], *, since: int, month_first: bool) -> _Seen:
    """The time with its zone and the date that stands before it, else behind it."""
    half = _HALF.match(text, time.end())
    end, zone = _zone_at(text, half.end() if half else time.end())
    one = _Seen(time.start(), end, _clock(text, time), zone=zone)
    low = max(time.start() - _BEFORE, since)
    before = _DATE_BEFORE.search(text[low : time.start()])
    if before is not None and _near(before["gap"]):
        return replace(one, start=low + before.start(), day=day_of(before["date"], month_first=month_first))
    return _with_date_behind(text, one, month_first=month_first)


def _with_date_behind(text: str, one: _Seen, *, month_first: bool) -> _Seen:
    behind = _DATE_BEHIND.match(text[one.end : one.end + _AFTER])
    day = None if behind is None else day_of(behind["date"], month_first=month_first)
    if behind is None or day is None:
        return one
    end = one.end + behind.end()
    if _TIME.match(text[end : end + _NEXT].lstrip(" ,T")):
        # the date is that of the next time
        return one
    if one.zone is not None:
        return replace(one, end=end, day=day)
    end, zone = _zone_at(text, end)
    return replace(one, end=end, day=day, zone=zone)


def _is_date(text: str, time: re.Match[str]) -> bool:
    """Whether `12.03` begins a date, or `12.03.26` stands before a time."""
    return time["joint"] == "." and _GOES_ON.match(text, time.end()) is not None


def _near(gap: str) -> bool:
    """Whether a gap between date and time belongs to both: an ISO T, blanks, two short words."""
    words = [word for word in _WORDS.findall(gap) if word.lower() not in _YEAR_WORDS]
    return len(words) <= 2 and not any(mark in gap for mark in "!?@")


def _clock(text: str, time: re.Match[str]) -> tuple[int, int, int, int]:
    half = _HALF.match(text, time.end())
    hour = int(time["hour"])
    if half is not None or time["early"]:
        late = half[1].lower() == "p" if half is not None else time["early"] in ("午後", "بعد الظهر")
        hour = hour % 12 + (12 if late else 0)
    return hour, int(time["minute"]), int(time["second"] or 0), int((time["fraction"] or "").ljust(6, "0")[:6])


def _zone_at(text: str, end: int) -> tuple[int, timezone | None]:
    """The zone that begins at `end`, and where it ends; of several words as many as name one."""
    after = _ZONE.match(text[end : end + _AFTER])
    words = after["zone"] if after is not None else ""
    while after is not None and words:
        zone = _zone(words)
        if zone is not None:
            close = end + after.start("zone") + len(words)
            return close + (text[close : close + 1] in (")", "]") and "(" in text[end:close]), zone
        words = words.rpartition(" ")[0]
    return end, None


def _zone(written: str) -> timezone | None:
    if offset := _OFFSET.fullmatch(written.translate(_TRANSLATED)):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes <= 14 * 60 else None
    hours = ZONES.get(fold(written))
    if hours is None:
        return None
    return UTC if hours == 0 else timezone(timedelta(hours=hours))


def _shared(text: str, seen: list[_Seen]) -> list[_Seen]:
    """The times with dates and zones that neighbours on the same line give them."""
    for number in range(1, len(seen)):
        last, one = seen[number - 1], seen[number]
        if one.day is None and last.day is not None and _joined(text, last, one):
            seen[number] = replace(one, day=last.day)
    for number in range(len(seen) - 2, -1, -1):
        one, following = seen[number], seen[number + 1]
        if _joined(text, one, following):
            seen[number] = replace(one, day=one.day or following.day, zone=one.zone or following.zone)
    for number in range(1, len(seen)):
        last, one = seen[number - 1], seen[number]
        if one.zone is None and last.zone is not None and _joined(text, last, one):
            seen[number] = replace(one, zone=last.zone)
    return seen


def _joined(text: str, one: _Seen, following: _Seen) -> bool:
    gap = text[one.end : following.start]
    return len(gap) <= MAX_SHARED and not any(mark in gap for mark in "\n!?") and ". " not in gap


def _said_zone(text: str) -> timezone | None:
    """The zone that a heading or a sentence says of all times, if all such statements agree."""
    said = set()
    for count, match in enumerate(_SAID.finditer(text)):
        if count == _MAX_STATEMENTS:
            break
        if "office" not in text[max(match.start() - 40, 0) : match.start()].lower():
            said.add(_zone(match["zone"]))
    return said.pop() if len(said) == 1 else None


def _written(one: _Seen, whole: timezone | None) -> str | None:
    zone = one.zone or whole
    return None if one.day is None or zone is None else _rfc3339(one.day, one.clock, zone)


def _rfc3339(day: Day, clock: tuple[int, int, int, int], zone: timezone) -> str | None:
    try:
        moment = datetime(*day, *clock, tzinfo=zone)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat().replace("+00:00", "Z")


def _compact(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Moments as machines write them: ISO 8601 without joints, seconds since 1970 behind their name."""
    if _LONG.search(text) is None:
        return
    for count, match in enumerate(_COMPACT.finditer(text)):
        if count == MAX_TIMES:
            break
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        zone = _zone(match[7])
        value = None if zone is None else _rfc3339((year, month, day), (hour, minute, second, 0), zone)
        yield match.start(), match.end(), value
    for count, match in enumerate(_EPOCH.finditer(text)):
        if count == MAX_TIMES:
            break
        moment = datetime.fromtimestamp(int(match[1]), UTC)
        if FIRST_YEAR < moment.year <= LAST_YEAR:
            exact = moment.replace(microsecond=int(match[2] or 0) * 1000)
            yield match.start(1), match.end(), exact.isoformat().replace("+00:00", "Z")


def _writes_month_first(text: str) -> bool:
    """Whether a date of the text has its day behind its month, and none has it before."""
    found = [(int(one[1]), int(one[2])) for one, _ in zip(_SLASHED.finditer(text), range(MAX_TIMES), strict=False)]
    return any(second > 12 for _, second in found) and all(first <= 12 for first, _ in found)


def _named_day(written: str) -> Day | None:
    folded = fold(written)
    names = [MONTHS[name] for name in _month_names(folded) if name in MONTHS]
    numbers = _NUMBERS.findall(folded)
    if len(names) != 1 or len(numbers) != 2:
        return None
    first, second = numbers
    year, day = (first, second) if len(first) == 4 else (second, first)
    return int(year), names[0], int(day)


def _month_names(folded: str) -> list[str]:
    words = _WORDS.findall(folded)
    return [*words, *(" ".join(words[number : number + 2]) for number in range(len(words) - 1))]
