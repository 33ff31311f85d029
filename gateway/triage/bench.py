"""The administrator's bench: judges the examples beside the rules, and says where they and the rules differ.

Judges with the very functions that judge live mail; changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.mail.automatic import automatic, kind_of
from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.message import Envelope, Message
from gateway.model.verdict import Category, Classification
from gateway.triage.classify import classify
from gateway.triage.ruleset import Ruleset

EXPECT_FIELD = "X-Expect"
"""Header field of an example: `kind=extension; urgent=yes; missing=P5,P6`, any subset of FACTS."""

FACTS: dict[str, Callable[[Classification], str]] = {
    "kind": lambda found: found.kind.value,
    "urgent": lambda found: "yes" if found.urgent else "no",
    "secondary": lambda found: ",".join(found.secondary),
    "language": lambda found: found.language or "unknown",
    "missing": lambda found: ",".join(found.missing),
    "reference": lambda found: found.reference or "",
    "doubtful": lambda found: "yes" if found.findings else "no",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One mail beside the rules: `path` is examples/<category>/<name>.eml."""

    path: str
    content: bytes

    @property
    def category(self) -> str:
        """The category its folder names."""
        return self.path.split("/")[1]


@dataclass(frozen=True, slots=True)
class Difference:
    """An example and the rules say different things; `hits` names what led the rules there."""

    path: str
    what: str
    expected: str
    found: str
    hits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one run over all examples."""

    examples: int
    differences: tuple[Difference, ...]
    idle: tuple[str, ...]
    """Ids of rules that no example hits: nobody would notice if they broke."""

    @property
    def good(self) -> bool:
        """Every example as expected, every rule exercised, and there was something to run."""
        return self.examples > 0 and not self.differences and not self.idle


def examples_of(files: tuple[tuple[str, bytes], ...]) -> tuple[Example, ...]:
    """The examples among the files of a rule tree, in the order of their paths."""
    return tuple(
        Example(path, content)
        for path, content in sorted(files)
        if path.startswith("examples/") and path.endswith(".eml") and path.count("/") >= 2
    )


def run(examples: tuple[Example, ...], *, ruleset: Ruleset) -> Report:
    """Every difference between the examples and what the rules make of them; never raises on any bytes."""
    idle = {rule.id for rule in ruleset.rules}
    differences: list[Difference] = []
    for example in examples:
        message = parse(example.content)
        found = judge(message, ruleset=ruleset)
        idle -= {hit.rule for hit in found.hits}
        differences += _differences(example, message, found)
    return Report(len(examples), tuple(differences), tuple(sorted(idle)))


def judge(message: Message, *, ruleset: Ruleset) -> Classification:
    """The classification of an example: no envelope but its Return-Path, no address of ours."""
    field = message.header.first("return-path")
    mail_from = field.value.decode("ascii", "replace").strip("<> ") if field else None
    withheld = automatic(message, Envelope(mail_from=mail_from, rcpt_tos=()))
    return classify(
        read(message),
        ruleset=ruleset,
        kind=None if withheld is None else kind_of(withheld),
        own_addresses=(),
        sender_domain=message.sender.domain if message.sender else None,
        encrypted=False,
    )


def _differences(example: Example, message: Message, found: Classification) -> Iterator[Difference]:
    hits = tuple(f"{hit.rule} {hit.place} {hit.score:g} {hit.text}" for hit in found.hits)
    if example.category not in tuple(Category):
        yield Difference(example.path, "folder", " | ".join(Category), example.category)
    elif example.category != found.category:
        yield Difference(example.path, "category", example.category, found.category.value, hits)
    for name, expected in _expected(message):
        if name not in FACTS:
            yield Difference(example.path, EXPECT_FIELD, " | ".join(FACTS), name)
        elif FACTS[name](found) != expected:
            yield Difference(example.path, name, expected, FACTS[name](found), hits)


def _expected(message: Message) -> Iterator[tuple[str, str]]:
    for field in message.header.all(EXPECT_FIELD):
        for part in field.value.decode("utf-8", "replace").split(";"):
            name, _, value = part.partition("=")
            if name.strip():
                yield name.strip(), value.strip()
