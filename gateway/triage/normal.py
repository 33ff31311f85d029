"""Folded text: what rules and mails are compared in, so that writing, script tricks and line breaks make no difference.

Never used for anything that is shown, stored or answered to: the original words stay where they are.
"""

import unicodedata
from functools import lru_cache

_INVISIBLE = (
    *range(0x09),  # controls, back-space among them
    *range(0x0E, 0x1C),
    0x7F,
    0xAD,  # soft hyphen
    0x034F,
    0x061C,
    0x0640,  # Arabic tatweel
    0x180E,
    *range(0x200B, 0x2010),  # zero-width and bidirectional marks
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),  # variation selectors
    0xFEFF,
    *range(0xE0000, 0xE0080),  # tag characters
)

# Marks of Latin, Greek, Cyrillic, Hebrew and Arabic; vowel signs of other scripts carry meaning and stay.
_MARKS = (
    *range(0x0300, 0x0370),
    *range(0x0483, 0x0488),
    *range(0x0591, 0x05BE),
    *range(0x0610, 0x061B),
    *range(0x064B, 0x0660),
    0x0670,
    *range(0x06D6, 0x06DD),
    *range(0x1AB0, 0x1B00),
    *range(0x1DC0, 0x1E00),
    *range(0x20D0, 0x2100),
    *range(0xFE20, 0xFE30),
)

_LETTERS = str.maketrans("łđøħıŧ", "ldohit") | {ord("æ"): "ae", ord("œ"): "oe", ord("þ"): "th", ord("ð"): "d"}

# UTS #39 skeletons, the part that is used against Latin words; applied to rules too, so Cyrillic and Greek rules still hit.
_LOOK_ALIKES = str.maketrans("авекмнорстухѕіјԁԛԝһӏαβγεηικνορτυχωɑɡօսո", "abekmhopctyxsijdqwhlabyenikvoptuxwagoun")

_ARABIC = str.maketrans("أإآٱىة", "اااايه")

_PUNCTUATION = (
    dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032"), "'")
    | dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"), '"')
    | dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"), "-")
)

_TABLE = dict.fromkeys((*_INVISIBLE, *_MARKS)) | _LETTERS | _LOOK_ALIKES | _ARABIC | _PUNCTUATION
# Thai to Burmese, Khmer, kana, Han and their extensions: words are not set apart by spaces.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0x20000, 0x323AF),
)
_FIRST_UNSPACED = chr(_UNSPACED[0][0])
_NEVER = rf"\W_{''.join(f'{chr(low)}-{chr(high)}' for low, high in _UNSPACED)}"
WORD_LETTER, NO_WORD_LETTER = f"[^{_NEVER}]", f"[{_NEVER}]"
"""What `is_word` is true of, and what it is not, for patterns of the standard library."""


def fold(text: str) -> str:
    """Text in folded form: NFKC, no case, marks, invisible or look-alike characters, every run of white space one space.

    Linear in the text; folding twice changes nothing. Lone surrogates become question marks.
    """
    words = text.split()
    plain = " ".join(words)
    if plain.isascii() and plain.isprintable():
        return plain.lower()
    strange = tuple({word for word in words if not (word.isascii() and word.isprintable())})
    # Each different word once and all of them in one pass: translating a whole mail costs ten times as much.
    shapes = dict(zip(strange, _shape("\n".join(strange)).split("\n"), strict=True))
    return " ".join(" ".join(shapes[word] if word in shapes else word.lower() for word in words).split())


def _shape(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode("utf-8")
    caseless = unicodedata.normalize("NFKC", clean).casefold()
    return unicodedata.normalize("NFKD", caseless).translate(_TABLE)


def fold_pattern(pattern: str) -> str:
    """A regular expression whose letters outside ASCII are folded like text; its syntax, which is ASCII, is untouched."""
    composed = unicodedata.normalize("NFC", pattern)
    return "".join(one if one.isascii() else " " if one.isspace() else fold(one) for one in composed)


@lru_cache(maxsize=4096)
def is_word(character: str) -> bool:
    """Whether the character continues a word: a letter or digit of a script that sets words apart by spaces."""
    if not character.isalnum():
        return False
    return character < _FIRST_UNSPACED or not any(low <= ord(character) <= high for low, high in _UNSPACED)
