"""Tells the language of a mail by its everyday words, as the rule set lists them.

Never guesses from a few words: not knowing is an answer.
"""

from collections import Counter
from collections.abc import Mapping

MAX_CHARACTERS = 4000
MIN_LETTERS = 40
MIN_WORDS = 3
MARGIN = 1.5
"""How many times more everyday words the language must have than the next one."""


def language_of(folded: str, *, common_words: Mapping[str, frozenset[str]]) -> str | None:
    """BCP 47 tag of the language the folded text is written in, or None where that is not clear."""
    words = Counter(word.strip(".,;:!?()\"'") for word in folded[:MAX_CHARACTERS].split())
    if sum(len(word) * count for word, count in words.items() if word.isalpha()) < MIN_LETTERS:
        return None
    counts = sorted(
        ((sum(words[word] for word in common), language) for language, common in common_words.items()), reverse=True
    )
    if not counts or counts[0][0] < MIN_WORDS:
        return None
    if len(counts) > 1 and counts[0][0] < MARGIN * counts[1][0]:
        return None
    return counts[0][1]
