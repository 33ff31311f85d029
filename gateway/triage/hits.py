"""Lets the rules look at one mail: which hit, where, with what score.

Knows nothing of categories and thresholds; each rule counts once, at its best place.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.message import Text
from gateway.model.verdict import Hit, Place
from gateway.triage.matcher import Candidates
from gateway.triage.normal import fold
from gateway.triage.phrase import Span
from gateway.triage.ruleset import Near, Rule, Ruleset, Scoring

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
    looks = tuple(_Look(place, words, ruleset.index.candidates(words)) for place, words in texts.items() if words)
    numbers = sorted({owner // 4 for look in looks for owner in look.candidates if owner % 4 == 0})
    found = []
    for number in numbers:
        trial = _Trial(ruleset.rules[number], first=number * 4)
        if any(trial.taken_back(look) for look in looks):
            continue
        hits = (_hit(trial, look, ruleset.scoring, show=show) for look in looks if look.place in trial.rule.places)
        best = max((hit for hit in hits if hit is not None), key=lambda hit: hit.score, default=None)
        if best is not None:
            found.append(RuleHit(trial.rule, best))
    return tuple(sorted(found, key=lambda one: (-one.hit.score, one.rule.id)))


@dataclass(frozen=True, slots=True)
class _Look:
    """One place of the mail, and the terms worth looking for in it."""

    place: Place
    words: str
    candidates: Candidates


@dataclass(frozen=True, slots=True)
class _Trial:
    """One rule tried on a mail; its four Terms stand in the index from `first` on, as Ruleset says."""

    rule: Rule
    first: int

    def taken_back(self, look: _Look) -> bool:
        """Whether something stands there that makes the whole rule void."""
        rule, owner = self.rule, self.first + 3
        if rule.unless is None or owner not in look.candidates:
            return False
        return rule.unless.stand_in(look.words, among=look.candidates[owner])

    def span(self, look: _Look) -> Span | None:
        """The earliest occurrence that counts."""
        if self.first not in look.candidates or not self._possible(look):
            return None
        return self.rule.terms.first(
            look.words, counts=lambda span: self._counts(look, span), among=look.candidates[self.first]
        )

    def _possible(self, look: _Look) -> bool:
        """Whether what the rule must be near stands there at all."""
        return self.rule.near is None or self.first + 1 in look.candidates

    def _counts(self, look: _Look, span: Span) -> bool:
        """Whether the occurrence is near what it must be near, and not near what it must not."""
        near, not_near = self.rule.near, self.rule.not_near
        if near is not None and not self._stands(near, self.first + 1, look, span):
            return False
        return not_near is None or not self._stands(not_near, self.first + 2, look, span)

    def _stands(self, near: Near, owner: int, look: _Look, span: Span) -> bool:
        if owner not in look.candidates:
            return False
        return near.terms.stand_near(look.words, span, within=near.within, among=look.candidates[owner])


def _hit(trial: _Trial, look: _Look, scoring: Scoring, *, show: bool) -> Hit | None:
    span = trial.span(look)
    if span is None:
        return None
    worth = scoring.places[look.place]
    if look.place is Place.BODY and span[0] < scoring.first_screen_characters:
        worth = max(worth, scoring.first_screen_score)
    shown = look.words[span[0] : span[1]][:MAX_HIT_TEXT] if show else ""
    return Hit(rule=trial.rule.id, place=look.place, score=trial.rule.weight * worth, text=shown, offset=span[0])
