"""Moments: with their zone or not at all."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.timestamps import MAX_TIMES, moments

READ = [
    ("2026-03-12T14:22:05Z", "2026-03-12T14:22:05Z"),
    ("2026-03-12T14:22:05.123456+02:00", "2026-03-12T14:22:05.123456+02:00"),
    ("2026-03-12T14:22:05.5Z", "2026-03-12T14:22:05.500000Z"),
    ("2026-03-12 14:22:05 -0500", "2026-03-12T14:22:05-05:00"),
    ("2026-03-12 14:22 UTC", "2026-03-12T14:22:00Z"),
    ("2026-03-12, 14:22 (UTC+2)", "2026-03-12T14:22:00+02:00"),
    ("2026-03-12 14:22:05 UTC+02:00.", "2026-03-12T14:22:05+02:00"),
    ("2026-03-12 14:22 GMT - 3", "2026-03-12T14:22:00-03:00"),
    ("12/03/2026 14:22 UTC", "2026-03-12T14:22:00Z"),
    ("12.03.2026 um 14:22 MEZ", "2026-03-12T14:22:00+01:00"),
    ("12-03-2026 14.22.05 CET", "2026-03-12T14:22:05+01:00"),
    ("03/25/2026 14:22:01 EDT", "2026-03-25T14:22:01-04:00"),
    ("12 March 2026 at 14:22 CET", "2026-03-12T14:22:00+01:00"),
    ("12th of March 2026, 14:22:01 UTC", "2026-03-12T14:22:01Z"),
    ("March 12, 2026 2:22 pm EST", "2026-03-12T14:22:00-05:00"),
    ("March 12, 2026 12:05 a.m. UTC", "2026-03-12T00:05:00Z"),
    ("12 mars 2026 à 14:22 UTC", "2026-03-12T14:22:00Z"),
    ("1er avril 2026 14h22 CEST", "2026-04-01T14:22:00+02:00"),
    ("12 août 2026, 14:22 CEST", "2026-08-12T14:22:00+02:00"),
    ("12 de marzo de 2026 a las 14:22 GMT-3", "2026-03-12T14:22:00-03:00"),
    ("12. Oktober 2026 14:22 MESZ", "2026-10-12T14:22:00+02:00"),
    ("12 dicembre 2026 14:22 CET", "2026-12-12T14:22:00+01:00"),
    ("29/02/2028 23:59:59 Z", "2028-02-29T23:59:59Z"),
]


@pytest.mark.parametrize(("written", "expected"), READ, ids=[row[0] for row in READ])
def test_is_read(written, expected):
    assert [value for _, _, value in moments(f"seen {written} from there")] == [expected]


NOT_READ = [
    ("no zone", "2026-03-12 14:22:05"),
    ("zone that means several", "2026-03-12 14:22 CST"),
    ("India or Israel or Ireland", "2026-03-12 14:22 IST"),
    ("word that is no zone", "2026-03-12 14:22 and"),
    ("no such day", "2026-02-30 14:22 UTC"),
    ("no such hour", "2026-02-20 25:22 UTC"),
    ("no such month", "12 Marchtember 2026 14:22 UTC"),
    ("thirteenth of thirteenth", "13/13/2026 14:22 UTC"),
    ("year nil", "0000-01-01 14:22 UTC"),
    ("offset beyond the world", "2026-03-12T14:22:05-99:00"),
    ("offset of half a day more", "2026-03-12T14:22:05+1460"),
    ("time without date", "at 14:22 UTC"),
    ("date without time", "12/03/2026 UTC"),
    ("date too far away", "12/03/2026 " + "x" * 50 + " 14:22 UTC"),
    ("digits around it", "112/03/20261 14:22 UTC"),
    ("inside a longer number", "2026-03-12 1.14:22:05.1:2 UTC"),
]


@pytest.mark.parametrize("written", [row[1] for row in NOT_READ], ids=[row[0] for row in NOT_READ])
def test_is_not_guessed(written):
    assert list(moments(written)) == []


def test_place_is_the_whole_writing():
    text = "seen on 12 March 2026 at 14:22 (UTC+2) by us"
    ((start, end, _),) = moments(text)
    assert text[start:end] == "12 March 2026 at 14:22 (UTC+2)"


def test_several_moments_are_read_in_order():
    text = "from 2026-03-12 14:22 UTC to 2026-03-13 15:00 UTC"
    assert [value for _, _, value in moments(text)] == ["2026-03-12T14:22:00Z", "2026-03-13T15:00:00Z"]


def test_there_is_an_end_to_moments():
    assert len(list(moments("2026-03-12 14:22 UTC " * 2000))) == MAX_TIMES


@settings(max_examples=200, deadline=None)
@given(st.datetimes(min_value=datetime(1000, 1, 1)), st.integers(min_value=-12 * 60, max_value=14 * 60))  # noqa: DTZ001 the zone is drawn beside it
def test_every_rfc_3339_moment_comes_back(moment, minutes):
    sign = "-" if minutes < 0 else "+"
    written = f"{moment.isoformat(timespec='microseconds')}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    ((_, _, value),) = moments(f"at {written} exactly")
    assert datetime.fromisoformat(value) == datetime.fromisoformat(written)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789:-/.T ZUCTGMapm+()March,", max_size=60))
def test_any_text_is_read_or_not(text):
    for start, end, value in moments(text):
        assert 0 <= start < end <= len(text)
        assert datetime.fromisoformat(value).tzinfo is not None


IN_REQUESTS = [
    ("on 12/03/2026 14:22:05 and 15:30:00 UTC", "2026-03-12T14:22:05Z 2026-03-12T15:30:00Z"),
    ("from 2026-06-01 00:00 to 2026-06-02 23:59 UTC", "2026-06-01T00:00:00Z 2026-06-02T23:59:00Z"),
    ("between 14:02 and 14:05 UTC on 12 March 2026", "2026-03-12T14:02:00Z 2026-03-12T14:05:00Z"),
    ("at 14:22:05 (UTC+2) on 12 March 2026", "2026-03-12T14:22:05+02:00"),
    ("12 марта 2026 г. в 14:22 (МСК)", "2026-03-12T14:22:00+03:00"),
    ("12 березня 2026 р. о 14:22 UTC", "2026-03-12T14:22:00Z"),
    ("12 березня 2026 року о 14:22 год. (UTC+2)", "2026-03-12T14:22:00+02:00"),
    ("12 Mart 2026 saat 14:22 (UTC+3)", "2026-03-12T14:22:00+03:00"),
    ("12 مارس 2026 الساعة 14:22 بتوقيت غرينتش", "2026-03-12T14:22:00Z"),
    ("12 مارس 2026 الساعة 14:22 UTC", "2026-03-12T14:22:00Z"),
    ("2026年3月12日14時22分05秒 (JST)", "2026-03-12T14:22:05+09:00"),
    ("2026年3月12日 午後2時22分(日本時間)", "2026-03-12T14:22:00+09:00"),
    ("令和8年3月12日 14:22 JST", "2026-03-12T14:22:00+09:00"),
    ("2026 წლის 12 მარტი, 14:22 (UTC+4)", "2026-03-12T14:22:00+04:00"),
    ("2026 թ. մարտի 12-ին, ժամը 14:22 UTC+4", "2026-03-12T14:22:00+04:00"),
    ("12 maart 2026 om 14:22 uur (CET)", "2026-03-12T14:22:00+01:00"),
    ("12. März 2026, 14.22 Uhr MEZ", "2026-03-12T14:22:00+01:00"),
    ("am 12.03.2026 gegen 14:22 Uhr (MEZ)", "2026-03-12T14:22:00+01:00"),
    ("Thu, 12 Mar 2026 14:22:05 +0100", "2026-03-12T14:22:05+01:00"),
    ("12/Mar/2026:14:22:05 +0000", "2026-03-12T14:22:05Z"),
    ("12-Mar-2026 14:22:05 GMT", "2026-03-12T14:22:05Z"),
    ("20260312T142205Z", "2026-03-12T14:22:05Z"),
    ("unix time 1773325325", "2026-03-12T14:22:05Z"),
    ("12 martie 2026, ora 14:22 (EET)", "2026-03-12T14:22:00+02:00"),
    ("12 marzo 2026 alle ore 14:22 UTC", "2026-03-12T14:22:00Z"),
    ("12 de março de 2026, às 14h22 (UTC-3)", "2026-03-12T14:22:00-03:00"),
    ("12 mars 2026 à 14h22 UTC", "2026-03-12T14:22:00Z"),
    ("le 12 mars 2026 à 14 h 22 (UTC+1)", "2026-03-12T14:22:00+01:00"),
    ("2026/03/12 14:22:05 UTC", "2026-03-12T14:22:05Z"),
    ("Date and time (UTC): 2026-03-12 14:22:05", "2026-03-12T14:22:05Z"),
    ("All times are in UTC.\n2026-03-12 14:22:05\n2026-03-13 14:22:05", "2026-03-12T14:22:05Z 2026-03-13T14:22:05Z"),
    ("2:22 PM EST on March 12, 2026", "2026-03-12T14:22:00-05:00"),
    ("March 12, 2026 at 2:22:05 p.m. EDT", "2026-03-12T14:22:05-04:00"),
    ("03/25/2026 14:22:01 UTC and 03/05/2026 14:22:01 UTC", "2026-03-25T14:22:01Z 2026-03-05T14:22:01Z"),
    ("12.03.26 14:22:05 UTC", "2026-03-12T14:22:05Z"),
    ("203.0.113.7 | 2026-03-12 14:22:05 UTC | 51234", "2026-03-12T14:22:05Z"),
    ("15 iunie 2026 la ora 08:14:22 UTC", "2026-06-15T08:14:22Z"),
    ("15 июня 2026 года в 08:14:22 UTC+3", "2026-06-15T08:14:22+03:00"),
    ("15.06.2026 08:14:22 (по московскому времени)", "2026-06-15T08:14:22+03:00"),
    ("14 June 2026, 23:41:07 UTC (source port 51820)", "2026-06-14T23:41:07Z"),
    ("14 junio 2026 23:41:07 h UTC", "2026-06-14T23:41:07Z"),
    ("2026-06-14T23:41:07+00:00", "2026-06-14T23:41:07Z"),
    ("2026-06-14 23:41:07Z", "2026-06-14T23:41:07Z"),
    ("13 June 2026 22:15 - 23:40 UTC", "2026-06-13T22:15:00Z 2026-06-13T23:40:00Z"),
    ("on 13 June 2026 at 22.15 hrs UTC", "2026-06-13T22:15:00Z"),
    ("2026-06-13 22:15 hrs (GMT+3)", "2026-06-13T22:15:00+03:00"),
    ("13 Haziran 2026, 22:15:09 (TSİ)", "2026-06-13T22:15:09+03:00"),
    ("13 juni 2026 omstreeks 22:15 uur UTC", "2026-06-13T22:15:00Z"),
    ("born 12.03.1990, IP logged at 14:22 UTC", ""),
    ("office hours 08:00-16:00, time zone UTC+1. 2026-06-13 22:15", ""),
]


@pytest.mark.parametrize(("words", "expected"), IN_REQUESTS, ids=[row[0][:40] for row in IN_REQUESTS])
def test_moments_are_read_as_requests_of_many_languages_write_them(words, expected):
    assert " ".join(value for _, _, value in moments(words.replace("\n", " "))) == expected
