"""Lets the rules look at one mail: which hit, where, with what score.

Knows nothing of categories and thresholds; each rule counts once, at its best place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from gateway.model.message import Text
from gateway.model.verdict import Hit, Place
from gateway.triage.normal import fold
from gateway.triage.phrase import Span
from gateway.triage.ruleset import Near, Rule, Ruleset, Scoring
from gateway.triage.term_index import Standing

MAX_HIT_TEXT = 120
MAX_TRIED = 1000
"""Occurrences of a rule's wording looked at in one place: the first decides almost always, a flood shall cost little."""

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
    """The places of a mail in which something stands, each with where the terms of the rules stand in it."""
    return tuple(Look(place, words, ruleset.index.look(words)) for place, words in texts.items() if words)


def trials_of(looks: tuple["Look", ...], ruleset: Ruleset) -> Iterator["Trial"]:
    """Every rule whose own wording stands somewhere in the mail, in the order of the rules."""
    standing = {terms for look in looks for terms in look.standing.terms()}
    for number in sorted({number for terms in standing for number in ruleset.rules_of.get(terms, ())}):
        yield Trial(ruleset.rules[number])


def best_hit(trial: "Trial", looks: tuple["Look", ...], scoring: Scoring, *, show: bool) -> RuleHit | None:
    """The hit of one rule at its best place; None where it does not hit or something takes it back."""
    if trial.rule.unless is not None and any(trial.taken_back(look) for look in looks):
        return None
    hits = (_hit(trial, look, scoring, show=show) for look in looks if look.place in trial.rule.places)
    best = max((hit for hit in hits if hit is not None), key=lambda hit: hit.score, default=None)
    return None if best is None else RuleHit(trial.rule, best)


@dataclass(frozen=True, slots=True)
class Look:
    """One place of the mail, and where terms stand in it."""

    place: Place
    words: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule tried on a mail."""

    rule: Rule

    def taken_back(self, look: Look) -> bool:
        """Whether something stands there that makes the whole rule void."""
        return self.rule.unless is not None and bool(look.standing.spans(self.rule.unless))

    def span(self, look: Look) -> Span | None:
        """The earliest occurrence that counts."""
        near, standing = self.rule.near, look.standing
        if self.rule.terms not in standing or not (near is None or near.terms in standing):
            return None
        spans = islice(standing.spans(self.rule.terms), MAX_TRIED)
        return next((span for span in spans if self._counts(look, span)), None)

    def occurs(self, look: Look) -> Span | None:
        """The earliest occurrence of its own wording, whether it counts or not."""
        return next(iter(look.standing.spans(self.rule.terms)), None)

    def has_near(self, look: Look, span: Span) -> bool:
        """Whether what the rule must be near stands near that occurrence, if anything must."""
        return self.rule.near is None or _stands(self.rule.near, look, span)

    def _counts(self, look: Look, span: Span) -> bool:
        """Whether the occurrence is near what it must be near, and not near what it must not."""
        not_near = self.rule.not_near
        return self.has_near(look, span) and (not_near is None or not _stands(not_near, look, span))


def _stands(near: Near, look: Look, span: Span) -> bool:
    return near.terms in look.standing and look.standing.near(near.terms, span, within=near.within)


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
