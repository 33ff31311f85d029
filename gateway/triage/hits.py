"""Lets the rules look at one mail: which hit, where, with what score.

Knows nothing of categories and thresholds; each rule counts once, at its best place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model.message import Text
from gateway.model.verdict import Hit, Place
from gateway.triage.matcher import Span
from gateway.triage.normal import fold
from gateway.triage.ruleset import Rule, Ruleset, Scoring

MAX_HIT_TEXT = 120

Folded = Mapping[Place, str]
"""Text by place in folded form; several headings, attachments or file names are lines."""


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule and its hit."""

    rule: Rule
    hit: Hit


def folded(text: Text) -> dict[Place, str]:
    """The text as rules see it; what is quoted from older mail is not among it."""
    return {
        Place.TEMPLATE: fold(text.template),
        Place.SUBJECT: fold(text.subject),
        Place.HEADING: "\n".join(map(fold, text.headings)),
        Place.BODY: fold(text.body),
        Place.ATTACHMENT: "\n".join(map(fold, text.attachments)),
        Place.FILENAME: "\n".join(fold(_words(name)) for name in text.filenames),
    }


def _words(filename: str) -> str:
    """A file name as words: `data_preservation_request.pdf` says what it is."""
    return filename.replace("_", " ")


def rule_hits(texts: Folded, *, ruleset: Ruleset, show: bool) -> tuple[RuleHit, ...]:
    """Every rule that hits, highest score first; without `show` no word of the mail is in it."""
    candidates = {place: ruleset.index.candidates(words) for place, words in texts.items() if words}
    numbers = sorted(set().union(*candidates.values()))
    found = []
    for number in numbers:
        rule = ruleset.rules[number]
        here = {place: texts[place] for place, asked in candidates.items() if number in asked and place in rule.places}
        if rule.unless is not None and any(rule.unless.stand_in(words) for words in texts.values()):
            continue
        hit = _best(rule, here, ruleset.scoring, show=show)
        if hit is not None:
            found.append(RuleHit(rule, hit))
    return tuple(sorted(found, key=lambda one: (-one.hit.score, one.rule.id)))


def _best(rule: Rule, texts: Folded, scoring: Scoring, *, show: bool) -> Hit | None:
    hits = (_hit(rule, place, words, scoring, show=show) for place, words in texts.items())
    return max((hit for hit in hits if hit is not None), key=lambda hit: hit.score, default=None)


def _hit(rule: Rule, place: Place, words: str, scoring: Scoring, *, show: bool) -> Hit | None:
    span = next(_counting(rule, words), None)
    if span is None:
        return None
    worth = scoring.places[place]
    if place is Place.BODY and span[0] < scoring.first_screen_characters:
        worth = max(worth, scoring.first_screen_score)
    shown = words[span[0] : span[1]][:MAX_HIT_TEXT] if show else ""
    return Hit(rule=rule.id, place=place, score=rule.weight * worth, text=shown, offset=span[0])


def _counting(rule: Rule, words: str) -> Iterator[Span]:
    """Occurrences that count, first things first: near what they must be near, and not near what they must not."""
    for span in rule.terms.spans(words):
        if rule.near is not None and not rule.near.terms.stand_near(words, span, within=rule.near.within):
            continue
        if rule.not_near is not None and rule.not_near.terms.stand_near(words, span, within=rule.not_near.within):
            continue
        yield span
