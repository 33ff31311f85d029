"""The outward dialogue: an officer's mail at the end of DATA becomes a refusal, or is committed and gets its 250.

Whatever goes wrong with us is 451: a policy engine that fails never lets anything pass (DESIGN section 3).
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from gateway import log, metrics
from gateway.channel.refusals import CANNOT_DECIDE
from gateway.errors import JudgeDefeated, NotPermitted, StoreUnavailable
from gateway.mail.outgoing import login_of
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import make_reference
from gateway.model.channel import Act, Decision, Dispatch
from gateway.model.hold import Hold
from gateway.model.message import Envelope
from gateway.service.judges import Judge
from gateway.service.nursery import Nursery
from gateway.store.journal import Journal

DECIDE_SECONDS = 45.0
"""For all that is decided about one mail: the listener's patience (60 s) must outlast it, or the officer hears 451 of what leaves."""
AT_ONCE = 8
"""Officers' mails decided at the same time."""


class Answering:
    """Judges kept for officers' mail alone: a flood of requests never delays an answer."""

    def __init__(self, journal: Journal, nursery: Nursery, *, outbox_filled: Callable[[], None]) -> None:
        self._journal = journal
        self._nursery = nursery
        self._outbox_filled = outbox_filled
        self._idle: list[Judge] = []
        self._busy: set[Judge] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="answering")

    async def accept(self, envelope: Envelope, content: bytes) -> str:
        """The reply to the final dot, decided in a thread of our own: nothing else can keep it waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.answer, envelope, content)

    def equip(self, nursery: Nursery) -> None:
        """Decide with its equipment from the next mail on."""
        self._nursery = nursery

    def close(self) -> None:
        """End the judges; who still waits for a decision hears 451."""
        with self._lock:
            self._closed = True
            busy, idle, self._idle = tuple(self._busy), self._idle, []
        for judge in idle:
            judge.kill()
        for judge in busy:
            judge.interrupt()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def answer(self, envelope: Envelope, content: bytes) -> str:
        """The reply to the final dot."""
        now = datetime.now(UTC)
        try:
            dispatch = self._decided(envelope, content, now)
            self._commit(dispatch, envelope, content, now)
        except (JudgeDefeated, NotPermitted, StoreUnavailable) as error:
            log.alarm(
                "not-decided", error=str(error), remedy="run `cp247 doctor`; nothing was sent, the officer was told"
            )
            metrics.DECISIONS.labels(Act.DEFER.value, "D0").inc()
            return CANNOT_DECIDE
        decision = dispatch.decision
        self._tell(decision)
        return decision.reply or "250 2.0.0 Ok: queued"

    def try_again(self, hold: Hold, content: bytes) -> bool:
        """Whether a held answer has left now, by the table as it reads today; else it stays as it is.

        Raises JudgeDefeated and StoreUnavailable, after which it is held as before.
        """
        now = datetime.now(UTC)
        dispatch = self._decided(hold.envelope, content, now)
        if dispatch.decision.act not in (Act.ALLOW, Act.UPGRADE):
            return False
        try:
            self._commit(dispatch, hold.envelope, content, now)
        except NotPermitted:
            return False
        self._tell(dispatch.decision)
        return True

    def _tell(self, decision: Decision) -> None:
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

    def _decided(self, envelope: Envelope, content: bytes, now: datetime) -> Dispatch:
        nursery = self._nursery
        end = time.monotonic() + DECIDE_SECONDS
        header, _, _ = scan_header(content)
        keys = keys_of(header, envelope.rcpt_tos)
        mailbox = nursery.equipment.settings.contact_point.mailbox
        recall = self._journal.recall(keys, mailbox=mailbox, request_key=None, recipients=envelope.rcpt_tos)
        waived = self._journal.waived(mailbox, now=now, login=envelope.login or login_of(header)[0])

        def asked(judge: Judge, reference: str | None) -> Dispatch:
            left = max(0.1, end - time.monotonic())
            return judge.decide(envelope, content, recall.candidates, reference, at=now, seconds=left, waived=waived)

        with self._judge(nursery) as judge:
            dispatch = asked(judge, None)
            if dispatch.decision.opens and not dispatch.mails:
                number = self._journal.reserve_number(mailbox, now=now)
                dispatch = asked(judge, make_reference(nursery.equipment.secret, now.year, number))
        return _sound(dispatch, envelope)

    def _commit(self, dispatch: Dispatch, envelope: Envelope, content: bytes, now: datetime) -> None:
        waited = self._journal.dispatch(
            dispatch,
            mailbox=self._nursery.equipment.settings.contact_point.mailbox,
            envelope=envelope,
            content=content,
            now=now,
        )
        if waited is not None:
            metrics.FIRST_ANSWER.observe(waited.total_seconds())

    @contextlib.contextmanager
    def _judge(self, nursery: Nursery) -> Iterator[Judge]:
        """A judge of this equipment; kept for the next mail when it did its work, ended when anything went wrong."""
        judge = self._taken(nursery)
        try:
            yield judge
        except BaseException:
            with self._lock:
                self._busy.discard(judge)
            judge.kill()
            raise
        with self._lock:
            self._busy.discard(judge)
            if not self._closed:
                self._idle.append(judge)
                return
        judge.kill()

    def _taken(self, nursery: Nursery) -> Judge:
        with self._lock:
            if self._closed:
                raise JudgeDefeated("the gateway stops")
            idle, self._idle = self._idle, []
            fit = [one for one in idle if one.nursery is nursery and one.alive]
            judge = fit.pop() if fit else None
            self._idle = fit
            if judge is not None:
                self._busy.add(judge)
        for one in idle:
            if one is not judge and one not in fit:
                one.kill()
        if judge is None:
            judge = Judge(nursery)
            with self._lock:
                self._busy.add(judge)
        return judge


def _sound(dispatch: Dispatch, envelope: Envelope) -> Dispatch:
    """The dispatch, if each recipient gets the mail or the officer a reason; raises JudgeDefeated: 250 must not lose a mail."""
    decision = dispatch.decision
    reached = {one for mail in dispatch.mails for one in mail.rcpt_tos}
    leaves = not decision.reply and reached.issuperset(envelope.rcpt_tos)
    held = decision.act is Act.HOLD and decision.reply[:1] == "2" and bool(dispatch.mails)
    refused = decision.reply[:1] in ("4", "5") and not dispatch.mails
    recorded = decision.act is Act.DISCARD and not decision.reply and not dispatch.mails
    if not (leaves or held or refused or recorded):
        raise JudgeDefeated("the decision and what it sends do not fit together")
    return dispatch
