"""Judges a stored message by two rule sets with the very function that judges live mail, and says what differs.

Inputs are frozen: bytes, envelope, moment, DNS answers; keys are those of now, for both sets alike. Changes nothing anywhere.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

from gateway.errors import JudgeDefeated
from gateway.model.message import Arrival
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.rulebook import Difference, difference
from gateway.model.verdict import Reason, RuleFiles, Withheld
from gateway.service.judges import Judge
from gateway.service.judging import JUDGE_SECONDS
from gateway.service.nursery import Nursery
from gateway.triage.rule_tree import judging


@dataclass(slots=True)
class _Side:
    """One rule set and the judge that has it at the moment."""

    nursery: Nursery
    judge: Judge | None = None

    def verdict(self, arrival: Arrival, outcome: Outcome) -> Verdict | None:
        """None where the message defeats the judge."""
        facts = _facts(outcome)
        for seconds in JUDGE_SECONDS:
            self.judge = self.judge or Judge(self.nursery)
            try:
                return self.judge.assess(arrival, facts, seconds=seconds, dns=outcome.dns, reveal=False)
            except JudgeDefeated:
                self.judge = None
        return None

    def close(self) -> None:
        if self.judge is not None:
            self.judge.kill()
            self.judge = None


class Replay:
    """A judge for each of two sets; used by one thread."""

    def __init__(self, live: Nursery, draft: RuleFiles) -> None:
        """`live` stays the caller's. Raises ConfigError where the draft is broken, JudgeDefeated where no judge can start."""
        self._draft = Nursery(replace(live.equipment, rules=judging(draft)), parent=live)
        self._sides = (_Side(live), _Side(self._draft))
        self._threads = ThreadPoolExecutor(len(self._sides), thread_name_prefix="replay")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both judges and the draft's nursery."""
        self._threads.shutdown()
        for side in self._sides:
            side.close()
        self._draft.close()

    def difference(self, arrival: Arrival, outcome: Outcome) -> Difference | None:
        """What the draft makes of the message that the live set does not; None where it cannot be read as it was then."""
        live, draft = self._threads.map(lambda side: side.verdict(arrival, outcome), self._sides)
        if live is None or draft is None or _closed(live) > _closed(outcome.verdict):
            return None
        return difference(live, draft)


def _closed(verdict: Verdict) -> bool:
    """Whether it was encrypted and could not be opened."""
    return Reason.CANNOT_DECRYPT in verdict.reasons


def _facts(outcome: Outcome) -> Facts:
    """What the past was when the message was judged first, as far as its verdict tells."""
    verdict = outcome.verdict
    repeated = Reason.REPEATED in verdict.reasons
    return Facts(
        reference=outcome.case.reference,
        repeat_of=outcome.case.reference if repeated else None,
        receipt_due=verdict.receipt.reason is not Withheld.REPEATED,
        final=True,
    )
