"""What an administrator may write in the rule tree: the shape of each file, checked strictly.

Knows no text and no mail; what the values mean together is `ruleset`'s business.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway.model.verdict import IDENTIFIER_KINDS, TOLD_BY_RULES, Category, Kind, Place, Reason

MAX_PHRASE = 200
MAX_PATTERN = 500
MAX_WITHIN = 500
"""Characters between an occurrence and what must, or must not, stand near it."""

SEVERAL = "mul"
"""ISO 639-2 for several languages: phrases/mul.yaml holds the rules that each language fills with its own words."""

TOLD_KINDS = (
    Kind.EXTENSION,
    Kind.FOLLOW_UP,
    Kind.WITHDRAWAL,
    Kind.STATUS_QUERY,
    Kind.ACKNOWLEDGEMENT,
    Kind.ANSWER,
    Kind.NETWORK_TEST,
    Kind.CIRCULAR,
)
"""Kinds that words can tell; the others follow from the header or from the category."""

Word = Annotated[str, Field(min_length=1, max_length=MAX_PHRASE)]
Words = Annotated[tuple[Word, ...], Field(strict=False, max_length=400)]
Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)], ...], Field(strict=False, max_length=100)
]
RuleId = Annotated[str, Field(pattern=r"^[a-z0-9]+([.-]([a-z0-9]+|\{language\}))*$", max_length=80)]
GroupName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
ItemId = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9-]{0,31}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Mark = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,31}$")]
Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


def _asked(category: Category) -> Category:
    if category is Category.OTHER:
        raise ValueError("other is no category of requests; a mail is other when nothing is reached")
    return category


def _told(kind: Kind) -> Kind:
    if kind not in TOLD_KINDS:
        raise ValueError(f"no rule tells this kind; use one of {', '.join(TOLD_KINDS)}")
    return kind


def _signal(reason: Reason) -> Reason:
    if reason not in TOLD_BY_RULES:
        raise ValueError(f"no rule tells this signal; use one of {', '.join(TOLD_BY_RULES)}")
    return reason


RequestCategory = Annotated[Category, Field(strict=False), AfterValidator(_asked)]
RuleKind = Annotated[Kind, Field(strict=False), AfterValidator(_told)]
RuleSignal = Annotated[Reason, Field(strict=False), AfterValidator(_signal)]
IdentifierKind = Literal[
    "ip", "email", "url", "domain", "phone", "account", "crypto", "imei", "asn", "hash", "timestamp"
]
IdentifierKinds = Annotated[tuple[IdentifierKind, ...], Field(strict=False, max_length=len(IDENTIFIER_KINDS))]


class Shape(BaseModel):
    """Strictly typed, no unknown key, never changed after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Group(Shape):
    """Phrases and patterns that rules use by the name of the group."""

    phrases: Words = ()
    regex: Patterns = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.phrases and not self.regex:
            raise ValueError("neither phrases nor regex are given")
        return self


class Wording(Shape):
    """Phrases and patterns, written here or named by their groups, of which any may stand."""

    words: Annotated[tuple[GroupName, ...], Field(strict=False, max_length=20)] = ()
    phrases: Words = ()
    regex: Patterns = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.words and not self.phrases and not self.regex:
            raise ValueError("neither phrases nor regex are given")
        return self


class Nearness(Wording):
    """Wording that stands at most `within` characters from an occurrence."""

    within: Annotated[int, Field(ge=1, le=MAX_WITHIN)]


MEANINGS = ("category", "kind", "flag", "item", "signal")
"""What a hit can mean; a rule gives one of them."""


class RuleShape(Wording):
    """One rule of phrases/<lang>.yaml."""

    id: RuleId
    category: RequestCategory | None = None
    kind: RuleKind | None = None
    flag: Literal["urgent"] | None = None
    item: ItemId | None = None
    signal: RuleSignal | None = None
    countries: Annotated[tuple[Country, ...], Field(strict=False, max_length=50)] = ()
    places: Annotated[tuple[Annotated[Place, Field(strict=False)], ...], Field(strict=False, min_length=1)] = tuple(
        Place
    )
    near: Nearness | None = None
    not_near: Nearness | None = None
    unless: Wording | None = None
    weight: Score = 1.0
    marks: Annotated[tuple[Mark, ...], Field(strict=False, max_length=5)] = ()
    why: Annotated[str, Field(min_length=3, max_length=500)]

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        given = [name for name in MEANINGS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(MEANINGS)} is needed, found {', '.join(given) or 'none'}")
        return self

    @model_validator(mode="after")
    def _statute_of_a_country(self) -> Self:
        if (self.signal is Reason.FOREIGN_STATUTE) != bool(self.countries):
            raise ValueError(f"countries belong to a rule with signal: {Reason.FOREIGN_STATUTE}, and to no other")
        return self


class LabelsShape(Shape):
    """Words in front of facts that are read out of the text."""

    reference: Words = ()
    days: Words = ()
    preservation: Words = ()


class PhrasesShape(Shape):
    """phrases/<lang>.yaml."""

    language: Language
    common_words: Annotated[tuple[Word, ...], Field(strict=False, min_length=10, max_length=200)] = ()
    labels: LabelsShape = LabelsShape()
    words: Annotated[dict[GroupName, Group], Field(max_length=200)] = {}
    rules: Annotated[tuple[RuleShape, ...], Field(strict=False, max_length=2000)] = ()

    @model_validator(mode="after")
    def _own_words(self) -> Self:
        if (self.language == SEVERAL) == bool(self.common_words):
            raise ValueError(f"common_words are needed in every file but {SEVERAL}.yaml")
        if self.language == SEVERAL and self.words:
            raise ValueError("words belong to one language; write them into its file")
        return self


class PlacesShape(Shape):
    """Score of a hit by place."""

    template: Score
    subject: Score
    heading: Score
    body: Score
    attachment: Score
    filename: Score


class FirstScreenShape(Shape):
    """The beginning of the body counts more."""

    characters: Annotated[int, Field(ge=0, le=10_000)]
    score: Score


class ThresholdsShape(Shape):
    """Sum of scores from which something is said of a mail."""

    emergency: Annotated[Score, Field(gt=0)]
    preservation: Annotated[Score, Field(gt=0)]
    subscriber_info: Annotated[Score, Field(gt=0, alias="subscriber-info")]
    kind: Annotated[Score, Field(gt=0)]
    urgent: Annotated[Score, Field(gt=0)]


Needs = Annotated[
    tuple[Annotated[tuple[Word, ...], Field(strict=False, min_length=1)], ...], Field(strict=False, min_length=1)
]


class NeedsShape(Shape):
    """What must be hit beside the threshold: every line, by any of its words."""

    emergency: Needs
    preservation: Needs | None = None
    subscriber_info: Annotated[Needs | None, Field(alias="subscriber-info")] = None

    @model_validator(mode="after")
    def _danger(self) -> Self:
        if ("danger",) not in self.emergency:
            raise ValueError("emergency needs a line [danger]: a danger to life or safety makes it one")
        return self


class SilenceShape(Shape):
    """Categories a kind takes away, unless the mail names such an identifier or a rule with such a mark hits."""

    categories: Annotated[tuple[RequestCategory, ...], Field(strict=False, min_length=1)]
    unless_identifiers: IdentifierKinds = ()
    unless_marks: Annotated[tuple[Mark, ...], Field(strict=False, max_length=5)] = ()


class EvenShape(Shape):
    """Score of each category that is, by experience, as likely as `other`."""

    emergency: Score
    preservation: Score
    subscriber_info: Annotated[Score, Field(alias="subscriber-info")]


class ExperienceShape(Shape):
    """How experience.tsv becomes a score."""

    points: Annotated[float, Field(gt=0, le=100)] = 2.0
    backing: Score = 0.4
    close: Score = 1.2
    even: EvenShape | None = None
    """Left out: the thresholds."""


class ScoringShape(Shape):
    """scoring.yaml."""

    places: PlacesShape
    first_screen: FirstScreenShape
    thresholds: ThresholdsShape
    doubtful: Annotated[float, Field(gt=0, le=1)] = 0.5
    needs: NeedsShape
    silences: dict[RuleKind, SilenceShape] = {}
    experience: ExperienceShape = ExperienceShape()
    kin: Annotated[
        tuple[Annotated[tuple[Language, ...], Field(strict=False, min_length=2)], ...], Field(strict=False)
    ] = ()


class ItemShape(Shape):
    """One item of a checklist."""

    category: RequestCategory | None = None
    required: bool = False
    identifiers: IdentifierKinds = ()
    names: Annotated[dict[Language, Word], Field(min_length=1)]

    @model_validator(mode="after")
    def _english(self) -> Self:
        if "en" not in self.names:
            raise ValueError("names needs en, which stands in for every other language")
        return self


class ItemsShape(Shape):
    """items.yaml."""

    items: Annotated[dict[ItemId, ItemShape], Field(max_length=100)]


class FirstAnswerShape(Shape):
    """Minutes to the first human answer that we aim at."""

    emergency: Annotated[int, Field(ge=1)]
    preservation: Annotated[int, Field(ge=1)]
    subscriber_info: Annotated[int, Field(ge=1, alias="subscriber-info")]
    other: Annotated[int, Field(ge=1)]


LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class ChannelShape(Shape):
    """channel.yaml."""

    first_answer: FirstAnswerShape
    colleague_in_copy: Literal["allow", "reject"] = "allow"
    reply_all: Literal["allow", "reject"] = "reject"
    encrypted_without_tls: Literal["allow", "hold"] = "hold"
    provider_domains: Annotated[tuple[Domain, ...], Field(strict=False, max_length=200)] = ()
    free_mail: Annotated[tuple[Domain, ...], Field(strict=False, max_length=1000)] = ()
    mla_first: Annotated[dict[LanguageTag, Words], Field(max_length=50)] = {}
