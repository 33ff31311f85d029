"""The set is what it says: every mail can be read back, the halves are fair and stay, the figures are those of the textbook."""

from collections import Counter
from typing import Any

import pytest

from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.verdict import Category, Classification, Hit, Identifier, Kind, Place

from .entries import LETTERS, Difficulty, Entry, Format, Half, halves, read_entries
from .mails import mail
from .report import Run, markdown
from .score import Answer, Share, accuracy, f1, identifiers_found, macro_f1, normal, recall

ENTRIES = read_entries()
EMERGENCY, PRESERVATION, SUBSCRIBER, OTHER = Category
LANGUAGES = {"ar", "de", "en", "es", "fr", "hy", "it", "ja", "ka", "nl", "pt", "ro", "ru", "tr", "uk"}


def entry(**changes: Any) -> Entry:
    given: dict[str, Any] = {
        "id": "xx-01", "language": "xx", "difficulty": Difficulty.EASY, "category": OTHER, "secondary": frozenset(),
        "kind": Kind.UNKNOWN, "urgent": False, "sender": "A <a@b.example>", "subject": "s", "body": "b\n",
        "format": Format.PLAIN, "charset": "utf-8", "encoding": "", "note": "n",
    }  # fmt: skip
    return Entry(**{**given, **changes})


def answer(wanted: Entry, *found: Identifier, category: Category = OTHER) -> Answer:
    return Answer(wanted, Classification(category=category, identifiers=found))


# ---- the mails


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_mail_can_be_read_back(language: str) -> None:
    for one in (one for one in ENTRIES if one.language == language):
        message = parse(mail(one))
        text = read(message)
        assert not message.defects, one.id
        assert message.sender is not None, one.id
        # The reader drops "Re:" and its like.
        assert text.subject, one.id
        assert one.subject.endswith(text.subject), one.id
        first = " ".join(one.body.split("\n", 1)[0].split())
        assert first in " ".join(" ".join((*text.headings, text.body, text.quoted)).split()), one.id


def test_ids_are_unique_and_begin_with_the_language() -> None:
    assert len({one.id for one in ENTRIES}) == len(ENTRIES)
    assert all(one.id.startswith(f"{one.language}-") for one in ENTRIES)


def test_every_language_has_every_category_and_a_fair_part_of_hard_mail() -> None:
    assert {one.language for one in ENTRIES} == LANGUAGES
    assert {(one.language, one.category) for one in ENTRIES} == {(one, two) for one in LANGUAGES for two in Category}
    hard = sum(one.difficulty is Difficulty.HARD for one in ENTRIES)
    assert 1 / 3 <= hard / len(ENTRIES) <= 1 / 2


def test_only_reserved_domains_send() -> None:
    assert all(one.sender.rstrip(">").rpartition(".")[2] in {"example", "test", "invalid"} for one in ENTRIES)


# ---- the letters to learn from

PRACTICE = [one for folder in sorted((LETTERS.parent / "practice").iterdir()) for one in read_entries(folder)]


def test_letters_to_learn_from_are_none_of_those_that_judge() -> None:
    assert len({one.id for one in PRACTICE}) == len(PRACTICE)
    assert {one.id for one in PRACTICE}.isdisjoint(one.id for one in ENTRIES)
    assert {one.body for one in PRACTICE}.isdisjoint(one.body for one in ENTRIES)


def test_letters_to_learn_from_come_from_reserved_domains() -> None:
    assert {one.sender.rstrip(">").rpartition(".")[2] for one in PRACTICE} <= {"example", "test", "invalid"}


def test_letters_to_learn_from_are_of_every_language_and_category() -> None:
    assert {(one.language, one.category) for one in PRACTICE} == {(one, two) for one in LANGUAGES for two in Category}


# ---- the halves


def test_halves_are_alike_in_every_language_and_category() -> None:
    half = halves(ENTRIES)
    counts = Counter((one.language, one.category, half[one.id]) for one in ENTRIES)
    for language, category in {(one.language, one.category) for one in ENTRIES}:
        assert abs(counts[language, category, Half.TUNE] - counts[language, category, Half.HELD]) <= 1


def test_a_mail_added_moves_none_that_was_there() -> None:
    before = halves(ENTRIES[:-40])
    assert before == {key: value for key, value in halves(ENTRIES).items() if key in before}


# ---- the figures


def test_f1_is_that_of_the_textbook() -> None:
    pairs = [(EMERGENCY, EMERGENCY), (EMERGENCY, OTHER), (OTHER, OTHER), (OTHER, OTHER), (PRESERVATION, OTHER)]
    assert f1(pairs, EMERGENCY) == pytest.approx(2 / 3)
    assert f1(pairs, OTHER) == pytest.approx(2 / 3)
    assert f1(pairs, PRESERVATION) == 0
    assert macro_f1(pairs) == pytest.approx(4 / 9)
    assert recall(pairs, EMERGENCY) == Share(1, 2)
    assert accuracy(pairs) == Share(3, 5)


def test_nothing_asked_is_nothing_wrong() -> None:
    assert Share(0, 0).ratio == 1.0
    assert macro_f1([]) == 1.0
    assert f1([], OTHER) == 1.0


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("ip", "2001:DB8:0:0::1", "2001:db8::1"),
        ("url", "https://www.shop.example/a/", "http://Shop.example/a"),
        ("phone", "+49 151 000", "0049151000"),
        ("account", "@Handle", "https://t.me/handle"),
        ("timestamp", "2026-11-03T21:14:05+02:00", "2026-11-03T19:14:05Z"),
        ("email", "A@B.example", "a@b.example"),
    ],
)
def test_manner_of_writing_does_not_count(kind: str, one: str, other: str) -> None:
    assert normal(kind, one) == normal(kind, other)


def test_crypto_addresses_differ_by_case() -> None:
    assert normal("crypto", "1aB") != normal("crypto", "1ab")


def test_what_is_tolerated_or_part_of_what_is_wanted_is_no_mistake() -> None:
    wanted = entry(identifiers={"url": ("https://shop.example/a",)}, tolerated=("192.0.2.1",))
    found = identifiers_found(
        [answer(wanted, Identifier("domain", "shop.example"), Identifier("domain", "else.example"))], "domain"
    )
    assert (found.recall, found.precision) == (Share(0, 0), Share(1, 2))
    assert identifiers_found([answer(wanted, Identifier("ip", "192.0.2.1"))], "ip").precision == Share(1, 1)
    assert identifiers_found([answer(wanted)], "url").recall == Share(0, 1)


# ---- the report


@pytest.mark.parametrize(("part", "told"), [(Half.HELD, False), (Half.TUNE, True)])
def test_held_out_misses_are_told_by_id_and_labels_alone(part: Half, told: bool) -> None:
    hit = Hit(rule="xx.secret-rule", place=Place.BODY, score=2.0, text="secret words")
    wrong = Answer(entry(category=EMERGENCY, body="secret words\n"), Classification(category=OTHER, hits=(hit,)))
    document = markdown(Run([wrong], part=part, ruleset="digest", day="2026-11-21"))
    assert "| xx-01 | easy | emergency | other |" in document
    assert ("xx.secret-rule" in document) is told
    assert "secret words" not in document
