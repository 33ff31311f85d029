"""The marks with which forms show a box: every program has its own, readers of documents write these two.

Holds no logic; DOMAIN knowledge of the forms themselves stands in form.py.
"""

TICKED = "\u2612"
EMPTY = "\u2610"

TICKED_MARKS = "\u2611\u2612\u2705\u2713\u2714\u2717\u2718\u25a0\u25a3\u25c9\u25cf\u2716\u274e\U0001f5f7\U0001f5f9"
"""Drawn as a box or circle that is filled, ticked or crossed."""
EMPTY_MARKS = "\u2610\u25a1\u25a2\u25fb\u25ef\u25cb\u2751\u274f\u2b1c\U0001f78e\U0001f790"

SYMBOL_FONTS = {
    "wingdings": ("\xfe\xfd\xfc\xfbxn", "\xa8oqrpm"),
    "wingdings 2": ("RSTPVQ", "\xa3\xa4*0"),
}
"""Font, lower case -> characters that are drawn as a ticked box, and as an empty one."""


def symbol(character: str, font: str) -> str | None:
    """The box that a character of a symbol font shows, or None where it shows something else.

    Private-use code points U+F0xx stand for the character xx of the font, as Word writes them.
    """
    known = SYMBOL_FONTS.get(font.lower())
    if known is None:
        return None
    code = ord(character)
    plain = chr(code - 0xF000) if 0xF000 <= code <= 0xF0FF else character
    ticked, empty = known
    return TICKED if plain in ticked else EMPTY if plain in empty else None
