"""What a mail asks: category, kind, urgency, language and what is missing, each with the rules that say so.

Never looks at who sent it: trust does not change what is asked, and what is asked does not change trust.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.model.message import Text
from gateway.model.verdict import Category, Classification, Identifier, Kind, Place, Reason, Trace, Weighing
from gateway.triage import checklist, experience, facts, identifiers
from gateway.triage.experience import Leaning
from gateway.triage.form import Form, read_form
from gateway.triage.hits import Folded, RuleHit, folded, rule_hits
from gateway.triage.language import language_of
from gateway.triage.near_misses import misses
from gateway.triage.normal import fold
from gateway.triage.period import period_asked
from gateway.triage.ruleset import Ruleset, Scoring
from gateway.triage.ruleset_schema import SEVERAL, TOLD_KINDS

_ASKED: tuple[Category, ...] = tuple(one for one in Category if one is not Category.OTHER)
MOST_BACKED = 2.0
"""How many times its threshold the rules of a category can back what experience says of it."""


def signs(text: Text, *, ruleset: Ruleset, own_addresses: tuple[str, ...], sender_domain: str | None) -> Counter[str]:
    """What experience reads in a mail and how often, for whoever makes experience of labelled ones."""
    text, form = read_form(text)
    texts = folded(text)
    evidence = _evidence(text, texts, ruleset, form, own_addresses, sender_domain, show=False)
    return _signs(texts, evidence.hits, evidence.identifiers)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What stands in the mail, before anything is concluded."""

    hits: tuple[RuleHit, ...]
    identifiers: tuple[Identifier, ...]
    items: frozenset[str]
    leaning: Leaning
    """Empty where the rule set has no experience, or the mail too few words for it."""
    scores: Mapping[Category, float]
    language: str | None
    words: frozenset[str]
    """Everything that a line of `needs` may name: marks, categories and items of what was hit."""


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
    leaning = _leaning(texts, hits, named.asked, ruleset)
    scores = _scores(hits, leaning, ruleset)
    return _Evidence(hits, named.asked, items, leaning, scores, language, words=_words(hits, items))


def _trace(texts: Folded, evidence: _Evidence, finding: _Finding, ruleset: Ruleset) -> Trace:
    known, scoring = evidence.words, ruleset.scoring
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
    nearly = misses(texts, hit=hit, ruleset=ruleset, without=_without(evidence.language, ruleset))
    signs = _signs(texts, evidence.hits, evidence.identifiers)
    return Trace(weighings, nearly, experience.heaviest(ruleset.experience, signs) if ruleset.experience else ())


def _without(language: str | None, ruleset: Ruleset) -> frozenset[str]:
    """Languages whose rules are not tried on a mail in that one."""
    return ruleset.scoring.kin.get(language, frozenset()) if language else frozenset()


def _signs(texts: Folded, hits: Iterable[RuleHit], found: Iterable[Identifier]) -> Counter[str]:
    """What experience reads: all words, the rules that hit but for items of checklists and signals, kinds of identifiers."""
    rules = (one.rule.family for one in hits if one.rule.item is None and one.rule.signal is None)
    return experience.signs_of(texts.values(), rules=rules, identifiers={one.kind for one in found})


def _leaning(texts: Folded, hits: Iterable[RuleHit], found: Iterable[Identifier], ruleset: Ruleset) -> Leaning:
    if ruleset.experience is None:
        return {}
    return experience.leaning(ruleset.experience, _signs(texts, hits, found))


def _scores(hits: tuple[RuleHit, ...], leaning: Leaning, ruleset: Ruleset) -> dict[Category, float]:
    """What experience says in points, backed a little by all rules, and each rule that it does not know by the weight it has."""
    known, scoring = ruleset.experience, ruleset.scoring
    by_rules = _by_rules(hits)
    if known is None or not leaning:
        return by_rules
    own = _by_rules(one for one in hits if one.rule.category is not None and not known.knows(one.rule.family))
    marks = frozenset(mark for one in hits for mark in one.rule.marks)
    scores = {}
    for one in _ASKED:
        backed = by_rules[one] / scoring.thresholds[one] if _met(scoring.needs[one], marks) else 0.0
        told = scoring.even[one] + scoring.points * leaning[one] + scoring.backing * min(backed, MOST_BACKED)
        scores[one] = round(max(0.0, told + own[one]), 2)
    return scores


def _by_rules(hits: Iterable[RuleHit]) -> dict[Category, float]:
    """What rules alone say, each by its weight and place."""
    sums: dict[Category, float] = dict.fromkeys(_ASKED, 0)
    for one in hits:
        if one.rule.category is not None:
            sums[one.rule.category] += one.hit.score
    return sums


def _sum(hits: Iterable[RuleHit]) -> float:
    return sum(one.hit.score for one in hits)


def _kind_told(hits: tuple[RuleHit, ...], scoring: Scoring) -> Kind | None:
    """The kind whose rules score most, if that is enough; the first of TOLD_KINDS where two score the same."""
    scores: dict[Kind | None, float] = dict.fromkeys(TOLD_KINDS, 0)
    for one in hits:
        if one.rule.kind in scores:
            scores[one.rule.kind] += one.hit.score
    best = max(TOLD_KINDS, key=lambda kind: scores[kind])
    return best if scores[best] >= scoring.kind_threshold else None


def _conclude(evidence: _Evidence, told: Kind | None, scoring: Scoring, *, automatic: bool) -> _Finding:
    """Categories in order, primary first; what was taken away, or only nearly reached, is a doubt."""
    if automatic:
        return _Finding((), doubtful=bool(_reached(evidence, evidence.scores, scoring)))
    silenced = _silenced(evidence, told, scoring)
    if evidence.leaning:
        return _by_experience(evidence, silenced, scoring)
    ratios = {category: evidence.scores[category] / scoring.thresholds[category] for category in _ASKED}
    reached = _reached(evidence, evidence.scores, scoring)
    kept = reached - silenced
    near = {one for one in _ASKED if ratios[one] >= scoring.doubtful} - kept
    # A mail that is nearly an emergency is looked at twice whatever else it is; words of asking are in every request,
    # so without the first of its needs, a danger, nothing is nearly one.
    danger = Category.EMERGENCY in near and _met(scoring.needs[Category.EMERGENCY][:1], evidence.words)
    doubtful = kept != reached or bool(near and (not kept or danger))
    ranked = sorted(kept, key=lambda one: (one is not Category.EMERGENCY, -ratios[one], _ASKED.index(one)))
    return _Finding(tuple(ranked), doubtful)


def _by_experience(evidence: _Evidence, silenced: frozenset[Category], scoring: Scoring) -> _Finding:
    """The likeliest category, then those that rules find beside it; what is little likelier than the next is a doubt."""
    sums = _by_rules(evidence.hits)
    by_rules = _reached(evidence, sums, scoring) - silenced
    excess = {one: evidence.scores[one] - scoring.thresholds[one] for one in _ASKED}
    plain = sums[Category.EMERGENCY] >= MOST_BACKED * scoring.thresholds[Category.EMERGENCY]
    if Category.EMERGENCY in by_rules and plain and excess[Category.EMERGENCY] <= 0:
        # a danger in so many words, and experience nearly agrees: between an emergency and a drill the emergency
        excess[Category.EMERGENCY] += scoring.close
    second, first = sorted((0.0, *excess.values()))[-2:]
    doubtful = first - second < scoring.close or Category.EMERGENCY in by_rules
    # from a few alarming words without a danger that a rule names nobody is called at night
    named = _met(scoring.needs[Category.EMERGENCY][:1], evidence.words)
    alarming = 0 < excess[Category.EMERGENCY] < scoring.close and not named
    likely = {one for one in _ASKED if excess[one] > 0 and not (alarming and one is Category.EMERGENCY)}
    among = likely or (by_rules if alarming else set())
    if not among:
        return _Finding((), doubtful or bool(by_rules))
    primary = max((one for one in _ASKED if one in among), key=lambda one: excess[one])
    beside = by_rules - {Category.EMERGENCY}
    if Category.EMERGENCY in likely and first - excess[Category.EMERGENCY] < scoring.close:
        # nearly as likely: whoever reads the verdict must not overlook it
        beside.add(Category.EMERGENCY)
    ranked = (primary, *(one for one in _ASKED if one in beside - {primary}))
    return _Finding(ranked, doubtful and primary is not Category.EMERGENCY)


def _reached(evidence: _Evidence, scores: Mapping[Category, float], scoring: Scoring) -> set[Category]:
    """Categories whose score and whose needs are met."""
    enough = (one for one in _ASKED if scores[one] >= scoring.thresholds[one])
    return {one for one in enough if _met(scoring.needs[one], evidence.words)}


def _met(lines: Iterable[frozenset[str]], known: frozenset[str]) -> bool:
    """Whether of every line at least one word is known."""
    return all(not known.isdisjoint(line) for line in lines)


def _words(hits: Iterable[RuleHit], items: frozenset[str]) -> frozenset[str]:
    rules = [one.rule for one in hits]
    categories = {one.category.value for one in rules if one.category is not None}
    return items.union(categories, *(one.marks for one in rules))


def _silenced(evidence: _Evidence, told: Kind | None, scoring: Scoring) -> frozenset[Category]:
    silence = scoring.silences.get(told) if told is not None else None
    if silence is None or any(one.kind in silence.unless_identifiers for one in evidence.identifiers):
        return frozenset()
    if not silence.unless_marks.isdisjoint(evidence.words):
        return frozenset()
    return silence.categories


def _quoted_too(finding: _Finding, text: Text, ruleset: Ruleset) -> _Finding:
    """A request that stands only in quoted older mail may be a forwarded one: it is nothing reached, but a doubt."""
    if not text.quoted:
        return finding
    texts = {Place.BODY: fold(text.quoted)}
    hits = rule_hits(texts, ruleset=ruleset, show=False)
    scores = _scores(hits, _leaning(texts, hits, (), ruleset), ruleset)
    reached = any(score >= ruleset.scoring.thresholds[category] for category, score in scores.items())
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
