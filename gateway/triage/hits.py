"""Lets the rules look at one mail: which hit, where, with what score.

Knows nothing of categories and thresholds; each rule counts once, at its best place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.model.message import Text
from gateway.model.verdict import Hit, Place
from gateway.triage.matcher import Known
from gateway.triage.normal import fold
from gateway.triage.phrase import Span
from gateway.triage.ruleset import Near, Rule, Ruleset, Scoring
from gateway.triage.term_index import Candidates

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


def rule_hits(
    texts: Folded, *, ruleset: Ruleset, show: bool, without: frozenset[str] = frozenset()
) -> tuple[RuleHit, ...]:
    """Every rule that hits, highest score first; without `show` no word of the mail is in it.

    Rules of the languages `without` are not tried.
    """
    looks = looks_of(texts, ruleset)
    trials = (trial for trial in trials_of(looks, ruleset) if trial.rule.language not in without)
    hits = (best_hit(trial, looks, ruleset.scoring, show=show) for trial in trials)
    return tuple(sorted((hit for hit in hits if hit is not None), key=lambda one: (-one.hit.score, one.rule.id)))


def looks_of(texts: Folded, ruleset: Ruleset) -> tuple["Look", ...]:
    """The places of a mail in which something stands, each with the terms worth looking for."""
    return tuple(Look(place, words, ruleset.index.candidates(words)) for place, words in texts.items() if words)


def trials_of(looks: tuple["Look", ...], ruleset: Ruleset) -> Iterator["Trial"]:
    """Every rule whose own wording may stand somewhere in the mail, in the order of the rules."""
    for number in sorted({owner for look in looks for owner in look.candidates if owner < len(ruleset.rules)}):
        yield Trial(ruleset.rules[number], number, len(ruleset.rules))


def best_hit(trial: "Trial", looks: tuple["Look", ...], scoring: Scoring, *, show: bool) -> RuleHit | None:
    """The hit of one rule at its best place; None where it does not hit or something takes it back."""
    if trial.rule.unless is not None and any(trial.taken_back(look) for look in looks):
        return None
    hits = (_hit(trial, look, scoring, show=show) for look in looks if look.place in trial.rule.places)
    best = max((hit for hit in hits if hit is not None), key=lambda hit: hit.score, default=None)
    return None if best is None else RuleHit(trial.rule, best)


@dataclass(frozen=True, slots=True)
class Look:
    """One place of the mail, and the terms worth looking for in it."""

    place: Place
    words: str
    candidates: Candidates
    known: Known = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule tried on a mail; where its Terms stand in the index, Ruleset says."""

    rule: Rule
    number: int
    rules: int
    """How many there are."""

    def taken_back(self, look: Look) -> bool:
        """Whether something stands there that makes the whole rule void."""
        unless, owner = self.rule.unless, self._further(2)
        if unless is None or owner not in look.candidates:
            return False
        return unless.stand_in(look.words, among=look.candidates[owner])

    def span(self, look: Look) -> Span | None:
        """The earliest occurrence that counts."""
        if self.number not in look.candidates or not self._possible(look):
            return None
        return self.rule.terms.first(
            look.words,
            counts=lambda span: self._counts(look, span),
            among=look.candidates[self.number],
            known=look.known,
        )

    def occurs(self, look: Look) -> Span | None:
        """The earliest occurrence of its own wording, whether it counts or not."""
        if self.number not in look.candidates:
            return None
        return self.rule.terms.first(look.words, counts=lambda _: True, among=look.candidates[self.number])

    def has_near(self, look: Look, span: Span) -> bool:
        """Whether what the rule must be near stands near that occurrence, if anything must."""
        return self.rule.near is None or self._stands(self.rule.near, self._further(0), look, span)

    def _further(self, role: int) -> int:
        return self.rules + 3 * self.number + role

    def _possible(self, look: Look) -> bool:
        """Whether what the rule must be near stands there at all."""
        return self.rule.near is None or self._further(0) in look.candidates

    def _counts(self, look: Look, span: Span) -> bool:
        """Whether the occurrence is near what it must be near, and not near what it must not."""
        not_near = self.rule.not_near
        if not self.has_near(look, span):
            return False
        return not_near is None or not self._stands(not_near, self._further(1), look, span)

    def _stands(self, near: Near, owner: int, look: Look, span: Span) -> bool:
        if owner not in look.candidates:
            return False
        return near.terms.stand_near(look.words, span, within=near.within, among=look.candidates[owner])


def _hit(trial: Trial, look: Look, scoring: Scoring, *, show: bool) -> Hit | None:
    span = trial.span(look)
    if span is None:
        return None
    worth = scoring.places[look.place]
    if look.place is Place.BODY and span[0] < scoring.first_screen_characters:
        worth = max(worth, scoring.first_screen_score)
    shown = shown_text(look, span) if show else ""
    return Hit(rule=trial.rule.id, place=look.place, score=trial.rule.weight * worth, text=shown, offset=span[0])


def shown_text(look: Look, span: Span) -> str:
    """The words of an occurrence, as far as they are shown."""
    return look.words[span[0] : span[1]][:MAX_HIT_TEXT]
