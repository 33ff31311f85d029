"""All files of the rule tree in their shapes, and what must agree between them.

Compiles nothing; a tree that leaves here without a complaint can be compiled without one.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gateway.errors import Complaint
from gateway.mail.receipt import compile_check
from gateway.model.verdict import Category, Level, RuleFiles
from gateway.triage import experience
from gateway.triage.experience import Experience
from gateway.triage.matcher import pattern_fault, phrase_fault
from gateway.triage.ruleset_schema import (
    SEVERAL,
    ChannelShape,
    Group,
    ItemsShape,
    PhrasesShape,
    RuleShape,
    ScoringShape,
    Shape,
    Wording,
)
from gateway.triage.vocabulary import LANGUAGE, groups_known, made_for
from gateway.yamlfile import MAX_FILE_BYTES, Path, YamlFile, checked, read_yaml

MAX_COMPLAINTS = 100

_PHRASES = re.compile(r"phrases/([a-z]{2,3})\.yaml")
_RECEIPT = re.compile(r"receipts/([a-z]{2,3})/(full|minimal)\.txt\.j2")
_IGNORED = re.compile(r"README\.md|examples/.*|(?:.*/)?\..*")
_SINGLE: Mapping[str, type[Shape]] = {
    "scoring.yaml": ScoringShape,
    "items.yaml": ItemsShape,
    "channel.yaml": ChannelShape,
}


@dataclass(frozen=True, slots=True)
class RuleTree:
    """The whole tree, each file in its shape."""

    phrases: Mapping[str, PhrasesShape]
    scoring: ScoringShape
    items: ItemsShape
    channel: ChannelShape
    receipts: Mapping[tuple[str, Level], str] = field(repr=False)
    experience: Experience | None = field(repr=False)
    digest: str
    """SHA-256, hexadecimal, over paths, lengths and bytes, in the order of their paths, of the files that judge."""


def read_tree(files: RuleFiles) -> tuple[RuleTree | None, tuple[Complaint, ...]]:
    """The tree, or everything that is wrong with it, at most MAX_COMPLAINTS; never raises."""
    complaints: list[Complaint] = []
    contents = dict(files.files)
    complaints += (
        Complaint(path, 0, 0, "", "is not part of a rule tree", "remove or rename it")
        for path in sorted(contents)
        if not _belongs(path)
    )
    phrases = {
        match[1]: _read(path, contents, complaints) for path in sorted(contents) if (match := _PHRASES.fullmatch(path))
    }
    scoring = _read("scoring.yaml", contents, complaints)
    items = _read("items.yaml", contents, complaints)
    channel = _read("channel.yaml", contents, complaints)
    receipts = _receipts(contents, complaints)
    known_by_letters = _experience(contents, complaints)
    if not phrases:
        complaints.append(Complaint("phrases", 0, 0, "", "holds no <language>.yaml", "add phrases/en.yaml"))
    if complaints or scoring is None or items is None or channel is None:
        return None, tuple(complaints[:MAX_COMPLAINTS])
    known = {language: found for language, found in phrases.items() if found is not None}
    tree = RuleTree(
        phrases={language: found[1] for language, found in known.items()},
        scoring=scoring[1],
        items=items[1],
        channel=channel[1],
        receipts=receipts,
        experience=known_by_letters,
        digest=digest_of(files),
    )
    sources = {language: found[0] for language, found in known.items()}
    complaints += _disagreements(tree, sources, scoring[0])
    return (None if complaints else tree), tuple(complaints[:MAX_COMPLAINTS])


def judging(files: RuleFiles) -> RuleFiles:
    """The files that decide what is said of a mail: without README and examples."""
    return RuleFiles(tuple(one for one in sorted(files.files) if not _IGNORED.fullmatch(one[0])))


def digest_of(files: RuleFiles) -> str:
    """What names the set: nothing that judges can differ without another digest."""
    digest = hashlib.sha256()
    for path, content in judging(files).files:
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _belongs(path: str) -> bool:
    return (
        path in _SINGLE or path == experience.FILE or any(one.fullmatch(path) for one in (_PHRASES, _RECEIPT, _IGNORED))
    )


def _read(path: str, contents: Mapping[str, bytes], complaints: list[Complaint]) -> tuple[YamlFile, Any] | None:
    if path not in contents:
        complaints.append(Complaint(path, 0, 0, "", "is missing", "copy the shipped one"))
        return None
    read, found = _read_file(path, contents[path])
    complaints += found
    return read


@lru_cache(maxsize=64)
def _read_file(path: str, content: bytes) -> tuple[tuple[YamlFile, Any] | None, tuple[Complaint, ...]]:
    """One file in its shape; read once as long as its bytes stay, so that a reload reads what was changed."""
    source = read_yaml(path, content)
    if isinstance(source, Complaint):
        return None, (source,)
    value, found = checked(source, _SINGLE.get(path, PhrasesShape))
    return (None if value is None else (source, value)), found


def _experience(contents: Mapping[str, bytes], complaints: list[Complaint]) -> Experience | None:
    """What labelled letters taught, if the tree has it."""
    content = contents.get(experience.FILE)
    read = None if content is None else _read_experience(content)
    if isinstance(read, tuple):
        complaints += read
        return None
    return read


@lru_cache(maxsize=4)
def _read_experience(content: bytes) -> Experience | tuple[Complaint, ...]:
    return experience.read_experience(content)


def _receipts(contents: Mapping[str, bytes], complaints: list[Complaint]) -> dict[tuple[str, Level], str]:
    """Every receipt text; each language needs both levels, English is needed always."""
    found: dict[tuple[str, Level], str] = {}
    for path in sorted(contents):
        match = _RECEIPT.fullmatch(path)
        if match is None:
            continue
        if len(contents[path]) > MAX_FILE_BYTES:
            complaints.append(Complaint(path, 0, 0, "", "is too large", f"keep it below {MAX_FILE_BYTES} bytes"))
            continue
        try:
            text = contents[path].decode("utf-8")
            compile_check(text)
        except UnicodeDecodeError:
            complaints.append(Complaint(path, 0, 0, "", "is not UTF-8", "save it as UTF-8"))
        except ValueError as error:
            complaints.append(Complaint(path, 0, 0, "", str(error), "write only what the shipped receipts use"))
        else:
            found[match[1], Level(match[2])] = text
    complaints += (
        Complaint(path, 0, 0, "", "is missing", "each language needs full and minimal, en always")
        for language in sorted({"en", *(language for language, _ in found)})
        for level in (Level.FULL, Level.MINIMAL)
        if (path := f"receipts/{language}/{level}.txt.j2") not in contents
    )
    return found


def _disagreements(tree: RuleTree, sources: Mapping[str, YamlFile], scoring: YamlFile) -> Iterator[Complaint]:
    seen: dict[str, str] = {}
    for language, phrases in tree.phrases.items():
        source = sources[language]
        if phrases.language != language:
            yield source.complaint(("language",), f"is {phrases.language}, the file says {language}", "make them agree")
        for number, rule in enumerate(phrases.rules):
            path = ("rules", number)
            yield from _id_faults(rule, path, source, tree, seen)
            yield from _rule_faults(rule, path, source, tree)
        for name, group in phrases.words.items():
            yield from _wording_faults(group, ("words", name), source)
        yield from _phrase_faults(phrases.common_words, ("common_words",), source)
        for name in ("reference", "days", "preservation"):
            yield from _phrase_faults(getattr(phrases.labels, name), ("labels", name), source)
    yield from _unknown_needs(tree, scoring)


def _id_faults(
    rule: RuleShape, path: Path, source: YamlFile, tree: RuleTree, seen: dict[str, str]
) -> Iterator[Complaint]:
    """An id names one rule for ever; what is made for each language carries the language in it."""
    language = _language_of(source)
    for made in made_for(rule, language, tree.phrases):
        name = rule.id.replace(LANGUAGE, made)
        if name in seen:
            yield source.complaint((*path, "id"), f"{name} is already in {seen[name]}", "an id names one rule for ever")
        seen.setdefault(name, source.name)
    shared = language == SEVERAL and bool(rule.words)
    if shared != (LANGUAGE in rule.id):
        what = f"only a rule of {SEVERAL}.yaml that names words is made for each language, and its id says {LANGUAGE}"
        yield source.complaint((*path, "id"), what, "correct the id or the words")


def _rule_faults(rule: RuleShape, path: Path, source: YamlFile, tree: RuleTree) -> Iterator[Complaint]:
    if rule.item is not None and rule.item not in tree.items.items:
        yield source.complaint((*path, "item"), f"{rule.item} is not in items.yaml", "add it there or correct it")
    yield from _wording_faults(rule, path, source)
    for name in ("near", "not_near", "unless"):
        wording = getattr(rule, name)
        if wording is not None:
            yield from _wording_faults(wording, (*path, name), source)
    for place, wording in (
        ((), rule),
        (("near",), rule.near),
        (("not_near",), rule.not_near),
        (("unless",), rule.unless),
    ):
        yield from _unknown_groups(wording, (*path, *place, "words"), source, tree)


def _unknown_groups(wording: Wording | None, path: Path, source: YamlFile, tree: RuleTree) -> Iterator[Complaint]:
    known = groups_known(_language_of(source), tree.phrases)
    for number, name in enumerate(wording.words if wording is not None else ()):
        if name not in known:
            yield source.complaint((*path, number), f"{name} names no words", "add them under words or correct it")


def _language_of(source: YamlFile) -> str:
    return source.name.removeprefix("phrases/").removesuffix(".yaml")


def _wording_faults(wording: Wording | Group, path: Path, source: YamlFile) -> Iterator[Complaint]:
    yield from _phrase_faults(wording.phrases, (*path, "phrases"), source)
    for number, pattern in enumerate(wording.regex):
        fault = pattern_fault(pattern)
        if fault is not None:
            yield source.complaint((*path, "regex", number), f"{pattern[:60]!r} {fault}", "rewrite it")


def _phrase_faults(phrases: tuple[str, ...], path: Path, source: YamlFile) -> Iterator[Complaint]:
    for number, phrase in enumerate(phrases):
        fault = phrase_fault(phrase)
        if fault is not None:
            yield source.complaint((*path, number), f"{phrase[:60]!r} {fault}", "rewrite it")


def _unknown_needs(tree: RuleTree, scoring: YamlFile) -> Iterator[Complaint]:
    """Words of `needs` that nothing can ever meet: an emergency would be missed in silence."""
    marks = {mark for phrases in tree.phrases.values() for rule in phrases.rules for mark in rule.marks}
    known = marks | set(tree.items.items) | {one.value for one in Category if one is not Category.OTHER}
    for category in (one for one in Category if one is not Category.OTHER):
        for number, line in enumerate(getattr(tree.scoring.needs, category.name.lower()) or ()):
            for place, word in enumerate(line):
                if word not in known:
                    path = ("needs", category.value, number, place)
                    yield scoring.complaint(path, f"{word} is no mark of a rule, category or item", "correct it")
