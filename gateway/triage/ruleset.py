"""The rule tree as one value: parsed whole, checked whole, compiled once, named by its digest.

Never half-valid: either every file is right or ConfigError names every place that is not. Reads no file itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import ConfigError
from gateway.model.channel import ChannelRules
from gateway.model.verdict import Category, Kind, Level, Place, Reason, RuleFiles
from gateway.triage.experience import Experience
from gateway.triage.matcher import Terms, compile_terms
from gateway.triage.normal import fold
from gateway.triage.rule_tree import RuleTree, read_tree
from gateway.triage.ruleset_schema import SEVERAL, ChannelShape, LabelsShape, Nearness, RuleShape, ScoringShape, Wording
from gateway.triage.term_index import Index
from gateway.triage.vocabulary import written_out

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Near:
    """Terms that must, or must not, stand at most `within` characters away."""

    terms: Terms
    within: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled; exactly one of category, kind, urgent, item, signal says what a hit means."""

    id: str
    language: str
    terms: Terms
    places: frozenset[Place]
    weight: float
    category: Category | None = None
    kind: Kind | None = None
    urgent: bool = False
    item: str | None = None
    signal: Reason | None = None
    countries: frozenset[str] = frozenset()
    """Whose statute it is; only of a rule that tells `foreign-statute`."""
    marks: frozenset[str] = frozenset()
    near: Near | None = None
    not_near: Near | None = None
    unless: Terms | None = None

    @property
    def family(self) -> str:
        """Its name without the language: what is asked in any language by the same rule."""
        return self.id.replace(f".{self.language}", "", 1)


@dataclass(frozen=True, slots=True)
class Silence:
    """Categories that a kind takes away, unless the mail names an identifier of these kinds or a rule so marked hits."""

    categories: frozenset[Category]
    unless_identifiers: frozenset[str]
    unless_marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scoring:
    """scoring.yaml: what a place is worth, and from which sum on something is said."""

    places: Mapping[Place, float]
    first_screen_characters: int
    first_screen_score: float
    thresholds: Mapping[Category, float]
    kind_threshold: float
    urgent_threshold: float
    doubtful: float
    needs: Mapping[Category, tuple[frozenset[str], ...]]
    """Every set must be met; a set is met by any of its marks, categories or item ids."""
    silences: Mapping[Kind, Silence]
    kin: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By language the others whose words look like its own: they are not looked for in a mail of that language."""
    even: Mapping[Category, float] = field(default_factory=dict)
    """Score of a category that is, by experience, as likely as `other`."""
    points: float = 0.0
    """By how much the score grows when the category becomes e times likelier."""
    backing: float = 0.0
    """What the rules of a category add to what experience says of it, each time they reach its threshold."""
    close: float = 0.0
    """Two scores, each above its threshold or below, that differ by less are a doubt."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a checklist (DOMAIN of the Convention: Article 29(2), Article 31, emergency)."""

    id: str
    category: Category | None
    required: bool
    identifiers: frozenset[str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Labels:
    """Words in front of facts that are read out of the text."""

    reference: Terms = Terms()
    days: Terms = Terms()
    preservation: Terms = Terms()


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Everything that decides what a mail asks; two with the same digest judge alike."""

    digest: str
    rules: tuple[Rule, ...] = field(repr=False)
    index: Index = field(repr=False, compare=False)
    """Over all wording of the rules: their own, of near, of not_near, of unless."""
    rules_of: Mapping[Terms, tuple[int, ...]] = field(repr=False, compare=False)
    """By their own wording the numbers of the rules that have it."""
    scoring: Scoring = field(repr=False)
    experience: Experience | None = field(repr=False)
    """What labelled letters taught; without it rules alone decide."""
    items: Mapping[str, Item] = field(repr=False)
    common_words: Mapping[str, frozenset[str]] = field(repr=False)
    """By language, folded: how the language of a mail is told."""
    labels: Labels = field(repr=False)
    """Of all languages together: bilingual forms are common."""
    first_answer_minutes: Mapping[Category, int] = field(repr=False)
    channel: ChannelRules = field(repr=False)
    receipts: Mapping[tuple[str, Level], str] = field(repr=False)
    telling: Mapping[str, Rule] = field(default_factory=dict, repr=False)
    """By id the rules that tell a signal."""
    free_mail: frozenset[str] = field(default=frozenset(), repr=False)
    """Domains at which anybody gets a mailbox."""

    def receipt_template(self, language: str, level: Level) -> str:
        """Jinja2 text of the receipt in that language, in English where there is none."""
        text = self.receipts.get((language, level))
        return self.receipts[FALLBACK_LANGUAGE, level] if text is None else text

    def item_name(self, item: str, language: str) -> str:
        """Name of a checklist item as a receipt shows it, in English where the language has none."""
        names = self.items[item].names
        return names.get(language, names[FALLBACK_LANGUAGE])


def parse_ruleset(files: RuleFiles) -> Ruleset:
    """The rule set these files describe; raises ConfigError with every complaint, in the order of the files."""
    return compile_ruleset(parse_tree(files))


def parse_tree(files: RuleFiles) -> RuleTree:
    """The same, checked and not yet compiled: it travels to another process at little cost."""
    tree, complaints = read_tree(files)
    if complaints or tree is None:
        raise ConfigError(*complaints)
    return tree


def compile_ruleset(tree: RuleTree) -> Ruleset:
    """The rule set ready to judge; raises nothing that `parse_tree` has not."""
    rules = tuple(_rule(shape, language) for language, shape in written_out(tree.phrases))
    return Ruleset(
        digest=tree.digest,
        rules=rules,
        index=Index(terms for rule in rules for terms in _wording_of(rule)),
        rules_of=_rules_of(rules),
        scoring=_scoring(tree.scoring),
        experience=tree.experience and tree.experience.compact(),
        items=_items(tree),
        common_words={
            language: frozenset(map(fold, phrases.common_words))
            for language, phrases in tree.phrases.items()
            if language != SEVERAL
        },
        labels=_labels(tuple(phrases.labels for phrases in tree.phrases.values())),
        first_answer_minutes=_by_category(tree.channel.first_answer, tuple(Category)),
        channel=_channel(tree.channel),
        receipts=tree.receipts,
        telling={rule.id: rule for rule in rules if rule.signal is not None},
        free_mail=frozenset(tree.channel.free_mail),
    )


def _channel(shape: ChannelShape) -> ChannelRules:
    return ChannelRules(
        colleague_in_copy=shape.colleague_in_copy == "allow",
        reply_all=shape.reply_all == "allow",
        encrypted_without_tls=shape.encrypted_without_tls == "allow",
        provider_domains=shape.provider_domains,
        mla_first=tuple(one for phrases in shape.mla_first.values() for one in phrases),
    )


def _rule(shape: RuleShape, language: str) -> Rule:
    return Rule(
        id=shape.id,
        language=language,
        terms=_terms(shape),
        places=frozenset(shape.places),
        weight=shape.weight,
        category=shape.category,
        kind=shape.kind,
        urgent=shape.flag is not None,
        item=shape.item,
        signal=shape.signal,
        countries=frozenset(shape.countries),
        marks=frozenset(shape.marks),
        near=_near(shape.near),
        not_near=_near(shape.not_near),
        unless=None if shape.unless is None else _terms(shape.unless),
    )


def _wording_of(rule: Rule) -> Iterator[Terms]:
    yield rule.terms
    yield from (near.terms for near in (rule.near, rule.not_near) if near is not None)
    if rule.unless is not None:
        yield rule.unless


def _rules_of(rules: tuple[Rule, ...]) -> dict[Terms, tuple[int, ...]]:
    found: defaultdict[Terms, list[int]] = defaultdict(list)
    for number, rule in enumerate(rules):
        found[rule.terms].append(number)
    return {terms: tuple(numbers) for terms, numbers in found.items()}


def _terms(wording: Wording) -> Terms:
    return compile_terms(wording.phrases, wording.regex)


def _near(shape: Nearness | None) -> Near | None:
    return None if shape is None else Near(_terms(shape), shape.within)


def _scoring(shape: ScoringShape) -> Scoring:
    asked = tuple(one for one in Category if one is not Category.OTHER)
    needs = {one: getattr(shape.needs, one.name.lower()) or () for one in asked}
    experience = shape.experience
    return Scoring(
        places={place: getattr(shape.places, place.value) for place in Place},
        first_screen_characters=shape.first_screen.characters,
        first_screen_score=shape.first_screen.score,
        thresholds=_by_category(shape.thresholds, asked),
        kind_threshold=shape.thresholds.kind,
        urgent_threshold=shape.thresholds.urgent,
        doubtful=shape.doubtful,
        needs={category: tuple(map(frozenset, lines)) for category, lines in needs.items()},
        silences={
            kind: Silence(frozenset(one.categories), frozenset(one.unless_identifiers), frozenset(one.unless_marks))
            for kind, one in shape.silences.items()
        },
        even=_by_category(experience.even or shape.thresholds, asked),
        points=experience.points,
        backing=experience.backing,
        close=experience.close,
        kin={language: frozenset(family) - {language} for family in shape.kin for language in family},
    )


def _by_category(shape: object, categories: tuple[Category, ...]) -> dict[Category, Any]:
    return {one: getattr(shape, one.name.lower()) for one in categories}


def _items(tree: RuleTree) -> dict[str, Item]:
    return {
        key: Item(key, one.category, one.required, frozenset(one.identifiers), one.names)
        for key, one in tree.items.items.items()
    }


def _labels(shapes: tuple[LabelsShape, ...]) -> Labels:
    return Labels(
        reference=compile_terms([word for one in shapes for word in one.reference], ()),
        days=compile_terms([word for one in shapes for word in one.days], ()),
        preservation=compile_terms([word for one in shapes for word in one.preservation], ()),
    )
