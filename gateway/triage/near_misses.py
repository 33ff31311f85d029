"""Rules whose wording stands in a mail and which do not hit all the same, each with what stopped it."""

from gateway.model.verdict import Miss, Stop
from gateway.triage.hits import Folded, Look, Trial, looks_of, shown_text, trials_of
from gateway.triage.ruleset import Ruleset


def misses(
    texts: Folded, *, hit: frozenset[str], ruleset: Ruleset, without: frozenset[str] = frozenset()
) -> tuple[Miss, ...]:
    """The misses in the order of the rules; `hit` are the ids of those that hit, `without` languages that were not tried."""
    looks = looks_of(texts, ruleset)
    found = (_miss(trial, looks, without) for trial in trials_of(looks, ruleset) if trial.rule.id not in hit)
    return tuple(one for one in found if one is not None)


def _miss(trial: Trial, looks: tuple[Look, ...], without: frozenset[str]) -> Miss | None:
    """None where its wording only seemed to stand there."""
    # where the rule may look comes first: that is what an administrator wants to hear about
    ordered = sorted(looks, key=lambda look: look.place not in trial.rule.places)
    for look in ordered:
        span = trial.occurs(look)
        if span is not None:
            stop = _stop(trial, look, looks, span, without)
            return Miss(trial.rule.id, look.place, stop, shown_text(look, span))
    return None


def _stop(trial: Trial, look: Look, looks: tuple[Look, ...], span: tuple[int, int], without: frozenset[str]) -> Stop:
    if trial.rule.language in without:
        return Stop.LANGUAGE
    if any(trial.taken_back(one) for one in looks):
        return Stop.UNLESS
    if look.place not in trial.rule.places:
        return Stop.PLACE
    return Stop.NOT_NEAR if trial.has_near(look, span) else Stop.NEAR
