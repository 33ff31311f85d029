"""Judges stored messages again with the keys of now; everything else is what it was: bytes, envelope, clock, DNS answers, rules.

Never pages anybody: whoever asks for it reads the answer. What becomes of a receipt is the journal's business.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from gateway.errors import JudgeDefeated
from gateway.mail.scan import scan_header, sender_of
from gateway.mail.thread import keys_of
from gateway.model.history import Appearance, History, Trait
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.settings import Settings
from gateway.model.verdict import Reason
from gateway.pipeline.cases import request_key
from gateway.service.judges import Judge
from gateway.service.judging import JUDGE_SECONDS
from gateway.service.nursery import Nursery
from gateway.service.single import equipment_of_files
from gateway.store.again import Stored
from gateway.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A message that was judged again."""

    arrival_id: int
    reference: str
    before: Verdict
    after: Verdict
    number: int
    """Of the new verdict."""


class Review:
    """Judges for any number of stored messages, one for each set of rules they were judged by."""

    def __init__(self, settings: Settings, journal: Journal, *, by: str) -> None:
        """`by`: the login that the case remembers. Raises ConfigError when rules or keys on disk cannot be used."""
        self._settings = settings
        self._journal = journal
        self._by = by
        self._equipment = equipment_of_files(settings)
        self._nurseries: dict[str, Nursery] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for nursery in self._nurseries.values():
            nursery.close()

    def again(self, reference: str) -> tuple[Reviewed, ...]:
        """Every judged message of a case, each with one more verdict; raises JudgeDefeated, StoreUnavailable."""
        return tuple(self._reviewed(one) for one in self._journal.again.stored(reference))

    def _reviewed(self, stored: Stored) -> Reviewed:
        now = datetime.now(UTC)
        receipts = self._settings.receipts
        kept = self._journal.again.record(
            stored.arrival.id,
            self._judged(stored, self._facts(stored, now)),
            now=now,
            per_contact_hour=receipts.per_contact_hour,
            all_hour=receipts.all_hour,
            by=self._by,
        )
        return Reviewed(
            stored.arrival.id, stored.case.reference, stored.latest.verdict, kept.outcome.verdict, kept.number
        )

    def _facts(self, stored: Stored, now: datetime) -> Facts:
        """The past as judgement needs it; the message stays in the case it is in, whatever it proves now."""
        header, _, _ = scan_header(stored.arrival.content)
        sender, _ = sender_of(header)
        recall = self._journal.recall(
            keys_of(header, ()),
            mailbox=stored.arrival.mailbox,
            request_key=request_key(stored.arrival.content),
            arrival=stored.arrival,
            sender=sender.key if sender else None,
        )
        repeated = Reason.REPEATED in stored.latest.verdict.reasons
        return Facts(
            reference=stored.case.reference,
            candidates=() if stored.opened else (stored.case,),
            repeat_of=stored.case.reference if repeated else None,
            final=True,
            receipt_at=now,
            history=_without(stored.latest.appearance, recall.history),
        )

    def _judged(self, stored: Stored, facts: Facts) -> Outcome:
        """In a killable judge, twice as on the road; the first verdict's DNS answers hold for all that follow."""
        nursery = self._nursery(stored.latest.verdict.ruleset)
        for attempt, seconds in enumerate(JUDGE_SECONDS, start=1):
            judge = Judge(nursery)
            try:
                outcome = judge.judge(stored.arrival, facts, seconds=seconds, dns=stored.latest.dns)
            except JudgeDefeated:
                if attempt == len(JUDGE_SECONDS):
                    raise
            else:
                return replace(outcome, case=replace(outcome.case, reference=stored.case.reference))
            finally:
                judge.kill()
        raise JudgeDefeated("no judge was tried")

    def _nursery(self, ruleset: str) -> Nursery:
        """With the rules of that digest, kept by the journal; with those on disk where it has them no more."""
        if ruleset not in self._nurseries:
            kept = self._journal.ruleset(ruleset)
            equipment = self._equipment if kept is None else replace(self._equipment, rules=kept)
            self._nurseries[ruleset] = Nursery(equipment)
        return self._nurseries[ruleset]


def _without(own: Appearance | None, history: History) -> History:
    """The history before this message was remembered, as far as that tells: its signature is not a repeat of itself."""
    traits = () if own is None else own.traits
    ids = {value for trait, value in traits if trait is Trait.SIGNATURE_ID}
    return History(
        tuple(one for one in history.sightings if not (one.trait is Trait.SIGNATURE_ID and one.value in ids))
    )
