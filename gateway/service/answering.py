"""The outward dialogue: an officer's mail at the end of DATA becomes a refusal, or is committed and gets its 250.

Whatever goes wrong with us is 451: a policy engine that fails never lets anything pass (DESIGN section 3).
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from gateway import log, metrics
from gateway.channel.refusals import CANNOT_DECIDE
from gateway.errors import JudgeDefeated, StoreUnavailable
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import make_reference
from gateway.model.channel import Act, Dispatch
from gateway.model.message import Envelope
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery
from gateway.store.journal import Journal

DECIDE_SECONDS = 60.0


class Answering:
    """Judges kept for officers' mail alone: a flood of requests never delays an answer."""

    def __init__(self, journal: Journal, nursery: Nursery, *, outbox_filled: Callable[[], None]) -> None:
        self._journal = journal
        self._nursery = nursery
        self._outbox_filled = outbox_filled
        self._idle: list[Judge] = []
        self._lock = threading.Lock()

    def equip(self, nursery: Nursery) -> None:
        """Decide with its equipment from the next mail on."""
        self._nursery = nursery

    def close(self) -> None:
        """End the judges."""
        for judge in self._idle:
            judge.kill()

    def answer(self, envelope: Envelope, content: bytes) -> str:
        """The reply to the final dot."""
        now = datetime.now(UTC)
        try:
            dispatch = self._decided(envelope, content, now)
            self._commit(dispatch, envelope, content, now)
        except (JudgeDefeated, StoreUnavailable) as error:
            log.alarm(
                "not-decided", error=str(error), remedy="run `cp247 doctor`; nothing was sent, the officer was told"
            )
            metrics.DECISIONS.labels(Act.DEFER.value, "D0").inc()
            return CANNOT_DECIDE
        decision = dispatch.decision
        metrics.DECISIONS.labels(decision.act.value, decision.rule).inc()
        log.note(
            "decided",
            decision=decision.act.value,
            rule=decision.rule,
            row=decision.row,
            case=decision.case,
            code=decision.reply[:3],
        )
        self._outbox_filled()
        return decision.reply or "250 2.0.0 Ok: queued"

    def _decided(self, envelope: Envelope, content: bytes, now: datetime) -> Dispatch:
        nursery = self._nursery
        header, _, _ = scan_header(content)
        keys = keys_of(header, envelope.rcpt_tos)
        mailbox = nursery.equipment.settings.contact_point.mailbox
        recall = self._journal.recall(keys, mailbox=mailbox, request_key=None, recipients=envelope.rcpt_tos)
        judge = self._take(nursery)
        dispatch = judge.decide(envelope, content, recall.candidates, None, at=now, seconds=DECIDE_SECONDS)
        if dispatch.decision.opens and not dispatch.mails:
            number = self._journal.reserve_number(mailbox, now=now)
            reference = make_reference(nursery.equipment.secret, now.year, number)
            dispatch = judge.decide(envelope, content, recall.candidates, reference, at=now, seconds=DECIDE_SECONDS)
        with self._lock:
            self._idle.append(judge)
        return dispatch

    def _commit(self, dispatch: Dispatch, envelope: Envelope, content: bytes, now: datetime) -> None:
        self._journal.dispatch(
            dispatch,
            mailbox=self._nursery.equipment.settings.contact_point.mailbox,
            envelope=envelope,
            content=content,
            now=now,
        )

    def _take(self, nursery: Nursery) -> Judge:
        with self._lock:
            while self._idle:
                judge = self._idle.pop()
                if judge.nursery is nursery:
                    return judge
                judge.kill()
        return Judge(nursery)
