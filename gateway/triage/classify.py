"""What a mail asks: category, kind, urgency, language and what is missing, each with the rules that say so.

Never looks at who sent it: trust does not change what is asked, and what is asked does not change trust.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.model.message import Text
from gateway.model.verdict import Category, Classification, Identifier, Kind, Place, Reason, Trace, Weighing
from gateway.triage import checklist, facts, identifiers
from gateway.triage.form import Form, read_form
from gateway.triage.hits import Folded, RuleHit, folded, rule_hits
from gateway.triage.language import language_of
from gateway.triage.near_misses import misses
from gateway.triage.normal import fold
from gateway.triage.period import period_asked
from gateway.triage.ruleset import Ruleset, Scoring
from gateway.triage.ruleset_schema import SEVERAL, TOLD_KINDS

_ASKED: tuple[Category, ...] = tuple(one for one in Category if one is not Category.OTHER)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What stands in the mail, before anything is concluded."""

    hits: tuple[RuleHit, ...]
    identifiers: tuple[Identifier, ...]
    items: frozenset[str]
    scores: Mapping[Category, float]
    language: str | None


@dataclass(frozen=True, slots=True)
class _Finding:
    """Categories reached, primary first, and whether a human should look twice."""

    reached: tuple[Category, ...]
    doubtful: bool


def classify(
    text: Text,
    *,
    ruleset: Ruleset,
    kind: Kind | None,
    own_addresses: tuple[str, ...],
    sender_domain: str | None,
    encrypted: bool,
    trace: bool = False,
) -> Classification:
    """The classification of new text; `kind` is what the header said of automatic mail, which asks for nothing.

    The same text and rule set give the same answer. Of encrypted mail no word leaves: hits without text, no identifiers,
    no reference; whoever may read it finds them again with `identifiers.find`. With `trace` it says what nearly hit. Never raises.
    """
    text, form = read_form(text)
    texts = folded(text)
    evidence = _evidence(text, texts, ruleset, form, own_addresses, sender_domain, show=not encrypted)
    told = kind or form.status or _kind_told(evidence.hits, ruleset.scoring)
    finding = _conclude(evidence, told, ruleset.scoring, automatic=kind is not None)
    if not finding.reached and kind is None:
        finding = _quoted_too(finding, text, ruleset)
    primary, *secondary = finding.reached or (Category.OTHER,)
    of_kind = told or (Kind.NEW if finding.reached else Kind.UNKNOWN)
    return Classification(
        category=primary,
        secondary=tuple(secondary),
        kind=of_kind,
        urgent=form.urgent or _sum(one for one in evidence.hits if one.rule.urgent) >= ruleset.scoring.urgent_threshold,
        language=evidence.language or _language_of_rules(evidence.hits),
        hits=tuple(one.hit for one in evidence.hits),
        score=evidence.scores.get(primary, 0.0),
        missing=checklist.missing(categories=finding.reached, kind=of_kind, found=evidence.items, items=ruleset.items),
        identifiers=() if encrypted else evidence.identifiers,
        reference=None if encrypted else facts.reference(text, folded=_reference_places(texts), labels=ruleset.labels),
        mla_intended=checklist.mla_intended(evidence.items),
        preservation_days=_days(texts, ruleset),
        period=None if encrypted else period_asked("\n".join((text.subject, text.body, *text.attachments))),
        findings=(*((Reason.DOUBTFUL_CATEGORY,) if finding.doubtful else ()), *form.findings),
        trace=_trace(texts, evidence, finding, ruleset) if trace else None,
    )


def _evidence(
    text: Text,
    texts: Folded,
    ruleset: Ruleset,
    form: Form,
    own_addresses: tuple[str, ...],
    sender_domain: str | None,
    *,
    show: bool,
) -> _Evidence:
    language = _language(text, texts, ruleset)
    hits = rule_hits(texts, ruleset=ruleset, show=show, without=_without(language, ruleset))
    named = identifiers.find(text, sender_domain=sender_domain, own_addresses=own_addresses)
    by_rules = frozenset(one.rule.item for one in hits if one.rule.item is not None)
    told = checklist.with_box(by_rules, mla_intended=form.mla_intended)
    items = checklist.items_found(by_rules=told, identifiers=(*named.asked, *named.own), items=ruleset.items)
    return _Evidence(hits, named.asked, items, _scores(hits), language)


def _trace(texts: Folded, evidence: _Evidence, finding: _Finding, ruleset: Ruleset) -> Trace:
    known, scoring = _words(evidence), ruleset.scoring
    weighings = tuple(
        Weighing(
            category=category,
            score=evidence.scores[category],
            threshold=scoring.thresholds[category],
            lacking=tuple(" or ".join(sorted(line)) for line in scoring.needs[category] if known.isdisjoint(line)),
            reached=category in finding.reached,
        )
        for category in _ASKED
    )
    hit = frozenset(one.rule.id for one in evidence.hits)
    return Trace(weighings, misses(texts, hit=hit, ruleset=ruleset, without=_without(evidence.language, ruleset)))


def _without(language: str | None, ruleset: Ruleset) -> frozenset[str]:
    """Languages whose rules are not tried on a mail in that one."""
    return ruleset.scoring.kin.get(language, frozenset()) if language else frozenset()


def _scores(hits: tuple[RuleHit, ...]) -> dict[Category, float]:
    return {category: _sum(one for one in hits if one.rule.category is category) for category in _ASKED}


def _sum(hits: Iterable[RuleHit]) -> float:
    return sum(one.hit.score for one in hits)


def _kind_told(hits: tuple[RuleHit, ...], scoring: Scoring) -> Kind | None:
    """The kind whose rules score most, if that is enough; the first of TOLD_KINDS where two score the same."""
    scores = {kind: _sum(one for one in hits if one.rule.kind is kind) for kind in TOLD_KINDS}
    best = max(TOLD_KINDS, key=lambda kind: scores[kind])
    return best if scores[best] >= scoring.kind_threshold else None


def _conclude(evidence: _Evidence, told: Kind | None, scoring: Scoring, *, automatic: bool) -> _Finding:
    """Categories in order, primary first; what was taken away, or only nearly reached, is a doubt."""
    known = _words(evidence)
    ratios = {category: evidence.scores[category] / scoring.thresholds[category] for category in _ASKED}
    reached = {category for category in _ASKED if ratios[category] >= 1 and _met(scoring.needs[category], known)}
    kept = set() if automatic else reached - _silenced(evidence, told, scoring)
    near = {one for one in _ASKED if ratios[one] >= scoring.doubtful} - kept
    # A mail that is nearly an emergency is looked at twice whatever else it is; words of asking are in every request,
    # so without the first of its needs, a danger, nothing is nearly one.
    danger = Category.EMERGENCY in near and _met(scoring.needs[Category.EMERGENCY][:1], known)
    doubtful = kept != reached or bool(near and (not kept or danger))
    ranked = sorted(
        (one for one in _ASKED if one in kept), key=lambda one: (one is not Category.EMERGENCY, -ratios[one])
    )
    return _Finding(tuple(ranked), doubtful)


def _met(lines: Iterable[frozenset[str]], known: frozenset[str]) -> bool:
    """Whether of every line at least one word is known."""
    return all(not known.isdisjoint(line) for line in lines)


def _words(evidence: _Evidence) -> frozenset[str]:
    """Everything that a line of `needs` may name: marks, categories and items of what was hit."""
    marks = (mark for one in evidence.hits for mark in one.rule.marks)
    categories = (one.rule.category.value for one in evidence.hits if one.rule.category is not None)
    return frozenset((*marks, *categories, *evidence.items))


def _silenced(evidence: _Evidence, told: Kind | None, scoring: Scoring) -> frozenset[Category]:
    silence = scoring.silences.get(told) if told is not None else None
    if silence is None or any(one.kind in silence.unless_identifiers for one in evidence.identifiers):
        return frozenset()
    if not silence.unless_marks.isdisjoint(_words(evidence)):
        return frozenset()
    return silence.categories


def _quoted_too(finding: _Finding, text: Text, ruleset: Ruleset) -> _Finding:
    """A request that stands only in quoted older mail may be a forwarded one: it is nothing reached, but a doubt."""
    if not text.quoted:
        return finding
    hits = rule_hits({Place.BODY: fold(text.quoted)}, ruleset=ruleset, show=False)
    reached = any(score >= ruleset.scoring.thresholds[category] for category, score in _scores(hits).items())
    return _Finding((), doubtful=finding.doubtful or reached)


def _days(texts: Folded, ruleset: Ruleset) -> int | None:
    """Of the letter, else of its attachments."""
    found = (facts.preservation_days(texts[one], labels=ruleset.labels) for one in (Place.BODY, Place.ATTACHMENT))
    return next((days for days in found if days is not None), None)


def _reference_places(texts: Folded) -> tuple[str, ...]:
    return texts[Place.SUBJECT], texts[Place.HEADING], texts[Place.BODY], texts[Place.ATTACHMENT]


def _language(text: Text, texts: Folded, ruleset: Ruleset) -> str | None:
    """By the words of the letter, else of its attachments."""
    words = "\n".join((text.subject, *((text.body,) if text.body else text.attachments)))
    places = (Place.SUBJECT, Place.BODY if text.body else Place.ATTACHMENT)
    return language_of(words, " ".join(texts[one] for one in places), common_words=ruleset.common_words)


def _language_of_rules(hits: tuple[RuleHit, ...]) -> str | None:
    """Where the words of a mail are too few: the one language whose category rules hit."""
    by_rules = {one.rule.language for one in hits if one.rule.category is not None} - {SEVERAL}
    return by_rules.pop() if len(by_rules) == 1 else None
