"""Rules whose wording stands in a mail and which do not hit all the same, each with what stopped it."""

from gateway.model.verdict import Miss, Stop
from gateway.triage.hits import Folded, Look, has_near, looks_of, rules_standing, taken_back
from gateway.triage.ruleset import Rule, Ruleset


def misses(
    texts: Folded, *, hit: frozenset[str], ruleset: Ruleset, without: frozenset[str] = frozenset()
) -> tuple[Miss, ...]:
    """The misses in the order of the rules; `hit` are the ids of those that hit, `without` languages that were not tried."""
    looks = looks_of(texts, ruleset)
    found = (_miss(rule, looks, without) for rule, _ in rules_standing(looks, ruleset) if rule.id not in hit)
    return tuple(one for one in found if one is not None)


def _miss(rule: Rule, looks: tuple[Look, ...], without: frozenset[str]) -> Miss | None:
    """None where its wording only seemed to stand there."""
    # where the rule may look comes first: that is what an administrator wants to hear about
    ordered = sorted(looks, key=lambda look: look.place not in rule.places)
    for look in ordered:
        span = look.standing.first(rule.terms)
        if span is not None:
            stop = _stop(rule, look, looks, span, without)
            return Miss(rule.id, look.place, stop, look.shown(span))
    return None


def _stop(rule: Rule, look: Look, looks: tuple[Look, ...], span: tuple[int, int], without: frozenset[str]) -> Stop:
    if rule.language in without:
        return Stop.LANGUAGE
    if taken_back(rule, looks):
        return Stop.UNLESS
    if look.place not in rule.places:
        return Stop.PLACE
    return Stop.NOT_NEAR if has_near(rule, look, span) else Stop.NEAR
