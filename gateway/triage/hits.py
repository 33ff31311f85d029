"""Lets the rules look at one mail: which hit, where, with what score.

Knows nothing of categories and thresholds; each rule counts once, at its best place.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    hits = []
    for rule, where in rules_standing(looks, ruleset):
        if rule.language in without or taken_back(rule, looks):
            continue
        hit = _best_hit(rule, where, ruleset.scoring, show=show)
        if hit is not None:
            hits.append(hit)
    return tuple(sorted(hits, key=lambda one: (-one.hit.score, one.rule.id)))


def looks_of(texts: Folded, ruleset: Ruleset) -> tuple["Look", ...]:
    """The places of a mail in which something stands, each with where the terms of the rules stand in it."""
    # the title of a form is often the subject of its mail
    standing = {words: ruleset.index.look(words) for words in dict.fromkeys(texts.values()) if words}
    return tuple(Look(place, words, standing[words]) for place, words in texts.items() if words)


def rules_standing(looks: tuple["Look", ...], ruleset: Ruleset) -> Iterator[tuple[Rule, Sequence["Look"]]]:
    """Every rule whose own wording stands somewhere in the mail, and where, in the order of the rules."""
    where: defaultdict[int, list[Look]] = defaultdict(list)
    for look in looks:
        for terms in look.standing.terms():
            for number in ruleset.rules_of.get(terms, ()):
                where[number].append(look)
    for number in sorted(where):
        yield ruleset.rules[number], where[number]


@dataclass(frozen=True, slots=True)
class Look:
    """One place of the mail, and where terms stand in it."""

    place: Place
    words: str
    standing: Standing

    def shown(self, span: Span) -> str:
        """The words of an occurrence, as far as they are shown."""
        return self.words[span[0] : span[1]][:MAX_HIT_TEXT]


def taken_back(rule: Rule, looks: tuple[Look, ...]) -> bool:
    """Whether something stands somewhere in the mail that makes the whole rule void."""
    return rule.unless is not None and any(look.standing.first(rule.unless) for look in looks)


def has_near(rule: Rule, look: Look, span: Span) -> bool:
    """Whether what the rule must be near stands near that occurrence of its wording, if anything must."""
    return rule.near is None or _stands(rule.near, look, span)


def _best_hit(rule: Rule, looks: Sequence[Look], scoring: Scoring, *, show: bool) -> RuleHit | None:
    """The hit of one rule at the best of the places where its wording stands; None where it does not hit."""
    best: tuple[float, Look, Span] | None = None
    for look in looks:
        # nowhere in a place is an occurrence worth more than at its beginning
        hopeless = best is not None and rule.weight * _worth(look.place, 0, scoring) <= best[0]
        span = _span(rule, look) if look.place in rule.places and not hopeless else None
        if span is None:
            continue
        score = rule.weight * _worth(look.place, span[0], scoring)
        if best is None or score > best[0]:
            best = score, look, span
    if best is None:
        return None
    score, look, span = best
    shown = look.shown(span) if show else ""
    return RuleHit(rule, Hit(rule=rule.id, place=look.place, score=score, text=shown, offset=span[0]))


def _span(rule: Rule, look: Look) -> Span | None:
    """The earliest occurrence that is near what it must be near, and not near what it must not."""
    near, not_near, standing = rule.near, rule.not_near, look.standing
    if near is not None and near.terms not in standing:
        return None
    if not_near is not None and not_near.terms not in standing:
        not_near = None
    if near is None and not_near is None:
        return standing.first(rule.terms)
    for span in standing.spans(rule.terms)[:MAX_TRIED]:
        if (near is None or _stands(near, look, span)) and not (not_near and _stands(not_near, look, span)):
            return span
    return None


def _stands(near: Near, look: Look, span: Span) -> bool:
    return look.standing.near(near.terms, span, within=near.within)


def _worth(place: Place, offset: int, scoring: Scoring) -> float:
    """What an occurrence is worth there; on the first screen of a letter at least as much as that."""
    worth = scoring.places[place]
    if place is Place.BODY and offset < scoring.first_screen_characters:
        return max(worth, scoring.first_screen_score)
    return worth
