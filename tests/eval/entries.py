"""The mails of the set as their author wrote and labelled them, and the half each belongs to; judges nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gateway.model.verdict import IDENTIFIER_KINDS, Category, Kind

LETTERS = Path(__file__).parent / "letters"


class Half(StrEnum):
    """What a mail is for: to tune rules by, or to be held out until they are done."""

    TUNE = "tune"
    HELD = "held"


class Difficulty(StrEnum):
    """How much reading the mail asks of an officer."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Format(StrEnum):
    """How a mail program would send it."""

    PLAIN = "plain"
    HTML = "html"
    """Only HTML, marked up as Outlook does."""
    ALTERNATIVE = "alternative"
    """Plain text beside the same in HTML, marked up as a webmail does."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail and what a careful officer says of it."""

    id: str
    language: str
    difficulty: Difficulty
    category: Category
    secondary: frozenset[Category]
    kind: Kind
    urgent: bool
    sender: str
    subject: str
    body: str
    format: Format
    charset: str
    encoding: str
    """Transfer encoding; '' = quoted-printable where it is needed."""
    note: str
    header: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)
    """File name -> text."""
    forwarded: str = ""
    """Attached as message/rfc822: header fields, an empty line, text."""
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tolerated: tuple[str, ...] = ()
    """Identifiers that are neither asked for nor wrong to name: of quoted mail, of the requester's own institution."""


def read_entries(folder: Path = LETTERS) -> list[Entry]:
    """Every mail of the set, in the order of the files; raises ValueError or KeyError where a label is no word of ours."""
    # Every scalar stays text: a phone number is no integer and a time no date.
    reader = YAML(typ="base", pure=True)
    return [_entry(one, path.stem) for path in sorted(folder.glob("*.yaml")) for one in reader.load(path)]


def halves(entries: Iterable[Entry]) -> dict[str, Half]:
    """The half of each id.

    Of every two mails of one language and category, in the order written, a hash of the first one's id says which is held out:
    both halves stay alike, and a mail added later moves none that was there.
    """
    strata: dict[tuple[str, Category], list[str]] = defaultdict(list)
    for entry in entries:
        strata[entry.language, entry.category].append(entry.id)
    found: dict[str, Half] = {}
    for ids in strata.values():
        for first, *second in (ids[at : at + 2] for at in range(0, len(ids), 2)):
            order = (Half.TUNE, Half.HELD) if sha256(first.encode()).digest()[0] % 2 else (Half.HELD, Half.TUNE)
            found.update(zip((first, *second), order, strict=False))
    return found


def _entry(one: Mapping[str, Any], language: str) -> Entry:
    category = Category(one["category"])
    identifiers = {kind: tuple(values) for kind, values in one.get("identifiers", {}).items()}
    if unknown := identifiers.keys() - set(IDENTIFIER_KINDS):
        raise ValueError(f"{one['id']}: no kind of identifier: {', '.join(unknown)}")
    return Entry(
        id=one["id"],
        language=language,
        difficulty=Difficulty(one["difficulty"]),
        category=category,
        secondary=frozenset(map(Category, one.get("secondary", ()))),
        kind=Kind(one.get("kind", Kind.UNKNOWN if category is Category.OTHER else Kind.NEW)),
        urgent=one.get("urgent", "true" if category is Category.EMERGENCY else "false") == "true",
        sender=one["from"],
        subject=one["subject"],
        body=one["body"],
        format=Format(one.get("format", Format.PLAIN)),
        charset=one.get("charset", "utf-8"),
        encoding=one.get("encoding", ""),
        note=one["note"],
        header=one.get("header", {}),
        attachments=one.get("attachments", {}),
        forwarded=one.get("forwarded", ""),
        identifiers=identifiers,
        tolerated=tuple(one.get("tolerated", ())),
    )
