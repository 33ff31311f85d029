"""A verdict as the one JSON object that scripts rely on; later keys may be added, none changes its meaning (DESIGN section 5)."""

from typing import Any

from gateway.model.outcome import Verdict
from gateway.model.verdict import IDENTIFIER_KINDS, Classification


def verdict_json(verdict: Verdict, *, file: str, sha256: str) -> dict[str, Any]:
    """The keys of `explain --json`, values as plain JSON types."""
    found = verdict.classification
    return {
        "file": file,
        "sha256": sha256,
        "category": found.category.value,
        "secondary": [one.value for one in found.secondary],
        "kind": found.kind.value,
        "urgent": found.urgent,
        "language": found.language,
        "assurance": verdict.assurance.value,
        "disposition": verdict.disposition.value,
        "reasons": [one.value for one in verdict.reasons],
        "receipt": {
            "send": verdict.receipt.send,
            "level": verdict.receipt.level.value,
            "reason": verdict.receipt.reason.value if verdict.receipt.reason else None,
        },
        "results": [
            {"method": one.method.value, "result": one.result.value, "identity": one.identity, "reason": one.reason}
            for one in verdict.results
        ],
        "hits": [
            {"rule": one.rule, "place": one.place.value, "score": one.score, "text": one.text} for one in found.hits
        ],
        "score": found.score,
        "missing": list(found.missing),
        **_identifiers(found),
        "reference": found.reference,
        "mla_intended": found.mla_intended,
        "preservation_days": found.preservation_days,
        "period": None if found.period is None else {"from": found.period[0], "to": found.period[1]},
        "contact": verdict.contact,
        "signals": [{"reason": one.reason.value, "detail": one.detail} for one in verdict.signals],
        "ruleset": verdict.ruleset,
        **_trace(found),
    }


def _trace(found: Classification) -> dict[str, Any]:
    """The key `trace`, where --trace asked for it."""
    if found.trace is None:
        return {}
    weighings = [
        {
            "category": one.category.value,
            "score": one.score,
            "threshold": one.threshold,
            "lacking": list(one.lacking),
            "reached": one.reached,
        }
        for one in found.trace.weighings
    ]
    misses = [
        {"rule": one.rule, "place": one.place.value, "stopped_by": one.stopped_by.value, "text": one.text}
        for one in found.trace.misses
    ]
    signs = [{"sign": one.sign, "adds": list(one.adds)} for one in found.trace.signs]
    return {"trace": {"categories": weighings, "misses": misses, "signs": signs}}


def _identifiers(found: Classification) -> dict[str, Any]:
    values: dict[str, list[str]] = {kind: [] for kind in IDENTIFIER_KINDS}
    for one in found.identifiers:
        if one.value not in values[one.kind]:
            values[one.kind].append(one.value)
    details = [
        {
            "kind": one.kind,
            "value": one.value,
            "written": one.written,
            "place": one.place.value,
            "offset": one.offset,
            "context": one.context,
            "port": one.port,
            "at": one.at,
        }
        for one in found.identifiers
    ]
    return {"identifiers": values, "identifiers_detail": details}
