"""What differs between two rule trees, in the words of the files: rules, thresholds, items. Judges nothing."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from gateway.triage.rule_tree import RuleTree


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is in one tree only, or different; '' where it is not there."""

    where: str
    before: str
    after: str


def differences(before: RuleTree, after: RuleTree) -> tuple[Change, ...]:
    """Every difference, rules first; equal trees have none."""
    return tuple(
        Change(where, first.get(where, ""), second.get(where, ""))
        for first, second in ((_rules(before), _rules(after)), (_rest(before), _rest(after)))
        for where in sorted({*first, *second})
        if first.get(where, "") != second.get(where, "")
    )


def _rules(tree: RuleTree) -> dict[str, str]:
    """Every key of every rule, as `rule id: key`."""
    found: dict[str, str] = {}
    for phrases in tree.phrases.values():
        for rule in phrases.rules:
            for key, value in _given(rule).items():
                if key != "id":
                    found |= {f"{rule.id}: {path}": text for path, text in _flat(value, key)}
    return found


def _rest(tree: RuleTree) -> dict[str, str]:
    """Everything that is no rule, as `file: path of keys`."""
    found: dict[str, str] = {}
    for language, phrases in tree.phrases.items():
        words = {key: value for key, value in _given(phrases).items() if key != "rules"}
        found |= {f"phrases/{language}.yaml: {path}": text for path, text in _flat(words, "")}
    for name, shape in (("scoring", tree.scoring), ("items", tree.items), ("channel", tree.channel)):
        found |= {f"{name}.yaml: {path}": text for path, text in _flat(_given(shape), "")}
    if tree.experience is not None:
        known = repr(sorted(tree.experience.rows.items())).encode()
        found["experience.tsv: signs"] = f"{len(tree.experience.rows)}, sha256 {hashlib.sha256(known).hexdigest()[:12]}"
    for (language, level), text in tree.receipts.items():
        found[f"receipts/{language}/{level}.txt.j2: text"] = f"sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return found


def _given(shape: BaseModel) -> dict[str, Any]:
    return shape.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Path and text of each leaf; a list of words is one entry for each word, so that one more word shows as one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        for one in value:
            yield f"{path} {one!r}", "there"
    else:
        yield path, str(value)
