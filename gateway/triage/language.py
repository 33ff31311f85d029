"""Tells the language of a mail: by its script, by its everyday words as the rule set lists them, by lingua where it is installed.

Never guesses from a few words: not knowing is an answer. lingua's models (30 MiB, 0.3 s) are loaded by the first mail that needs them,
or by `prepare`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

MAX_CHARACTERS = 3000
MAX_ASKED = 300
"""Characters that lingua is asked about at once: more cost time and change nothing."""
MIN_LETTERS = 40
MIN_HALF = 100
"""Characters of half a mail from which on its language is told with some certainty."""
MIN_SCRIPT_LETTERS = 12
MIN_WORDS = 3
MARGIN = 1.5
"""How many times more everyday words the language must have than the next one."""
CLEAR_WORDS, CLEAR_MARGIN = 12, 4.0
"""So many of them, and so many times more, that lingua need not be asked."""
CONFIDENT, AHEAD = 0.5, 0.2
"""Least confidence of lingua in its first language, and least lead over its second."""

SCRIPTS: Mapping[str, str] = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "GEORGIAN": "ka", "ARMENIAN": "hy", "GREEK": "el", "HANGUL": "ko", "HEBREW": "he", "THAI": "th",
}  # fmt: skip
"""Scripts that one language writes, by the first word of the names of their letters in Unicode."""
NEIGHBOURS = (
    "POLISH CZECH SLOVAK HUNGARIAN CATALAN SWEDISH DANISH BOKMAL FINNISH ALBANIAN CROATIAN SERBIAN BULGARIAN MACEDONIAN BELARUSIAN "
    "AZERBAIJANI PERSIAN URDU"
)
"""Languages without rules that would otherwise be taken for one that has some."""
OURS = "ENGLISH FRENCH SPANISH PORTUGUESE ROMANIAN GERMAN ITALIAN RUSSIAN UKRAINIAN ARABIC TURKISH DUTCH"

_NO_WORDS = re.compile(r"(?<![!-~])[!-~]*[0-9@/\\_|=][!-~]*")


def language_of(text: str, folded: str, *, common_words: Mapping[str, frozenset[str]]) -> str | None:
    """BCP 47 tag of the language the text is written in, or None where that is not clear; `folded` is the same text folded."""
    words = _NO_WORDS.sub(" ", text[:MAX_CHARACTERS])
    letters = Counter({one: count for one, count in Counter(words).items() if one.isalpha()})
    by_script = _by_script(letters)
    if by_script is not None:
        return by_script
    language, counted, margin = _by_words(folded, common_words)
    if counted >= CLEAR_WORDS and margin >= CLEAR_MARGIN and _is_latin(letters):
        return language
    if letters.total() < MIN_LETTERS:
        return None
    told = language if margin >= MARGIN else None
    if find_spec("lingua") is None:
        return told
    doubtful = counted >= MIN_WORDS and margin < MARGIN
    return _of_both_halves(words, strict=doubtful, otherwise=told)


def prepare() -> None:
    """Load lingua's models now, where it is installed: processes that are forked later share them."""
    if find_spec("lingua") is not None:
        for one_script in ("request", "запрос", "طلب"):
            _by_lingua(one_script)


def _of_both_halves(words: str, *, strict: bool, otherwise: str | None) -> str | None:
    """The language of both halves: of a mail in two neither is the language; `strict`: both must be told."""
    middle = len(words) // 2
    if middle < MIN_HALF and not strict:
        return _by_lingua(words) or otherwise
    halves = [_by_lingua(words[:middle]), _by_lingua(words[middle:])]
    told = set(halves) - {None}
    if len(told) > 1 or (strict and None in halves):
        return None
    return told.pop() if told else _by_lingua(words) or otherwise


def _by_script(letters: Counter[str]) -> str | None:
    """The language of the script that most letters have, if only one language writes it."""
    foreign = {one: count for one, count in letters.items() if one > "\u036f"}
    number = sum(foreign.values())
    if number < MIN_SCRIPT_LETTERS:
        return None
    scripts: Counter[str] = Counter()
    for one, count in foreign.items():
        scripts[unicodedata.name(one, "").partition(" ")[0]] += count
    # Japanese is told by its kana, however many of its letters are Chinese.
    told = Counter(
        {language: sum(scripts[one] for one, of in SCRIPTS.items() if of == language) for language in SCRIPTS.values()}
    )
    ((language, count),) = told.most_common(1)
    rest = number - (scripts["CJK"] if language == "ja" else 0)
    latin = letters.total() - number
    return language if count >= MIN_SCRIPT_LETTERS and 2 * count > rest and 2 * number > latin else None


def _by_words(folded: str, common_words: Mapping[str, frozenset[str]]) -> tuple[str | None, int, float]:
    """The language with most everyday words, how many, and how many times more than the next one has."""
    words = Counter(word.strip(".,;:!?()\"'") for word in folded[:MAX_CHARACTERS].split())
    if sum(len(word) * count for word, count in words.items() if word.isalpha()) < MIN_LETTERS:
        return None, 0, 0.0
    counts = sorted(
        ((sum(words[word] for word in words.keys() & common), language) for language, common in common_words.items()),
        reverse=True,
    )
    if not counts or counts[0][0] < MIN_WORDS:
        return None, 0, 0.0
    second = counts[1][0] if len(counts) > 1 else 0
    return counts[0][1], counts[0][0], counts[0][0] / max(second, 0.5)


def _is_latin(letters: Counter[str]) -> bool:
    return 2 * sum(count for one, count in letters.items() if one < "\u0250") > letters.total()


def _by_lingua(words: str) -> str | None:
    first, second, *_ = _detector().compute_language_confidence_values(" ".join(words.split())[:MAX_ASKED])
    sure = first.value >= CONFIDENT and first.value - second.value >= AHEAD
    tag: str = first.language.iso_code_639_1.name.lower()
    return tag if sure else None


@cache
def _detector() -> Any:
    """Trigrams only: enough for a letter, a tenth of the memory."""
    import lingua

    known = [getattr(lingua.Language, name) for name in (*OURS.split(), *NEIGHBOURS.split())]
    return lingua.LanguageDetectorBuilder.from_languages(*known).with_low_accuracy_mode().build()
