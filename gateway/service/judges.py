"""The judges: killable processes, started, timed, replaced; a message that defeats one never takes the gateway with it."""

import contextlib
import os
import pickle
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from gateway import metrics
from gateway.errors import JudgeDefeated
from gateway.model.case import CaseView
from gateway.model.channel import Dispatch
from gateway.model.message import Arrival, Envelope
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.trust import DnsAnswer
from gateway.service.nursery import Nursery
from gateway.service.requests import (
    DISPATCH,
    OUTCOME,
    VERDICT,
    AssessArrival,
    JudgeAnswer,
    JudgeArrival,
    Request,
    unpack,
)
from gateway.service.wire import receive, send


class Judge:
    """One judge process; used by one thread at a time."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        self._link, self._pid = nursery.birth()
        try:
            # a handle, not a number: the number may belong to somebody else by the time we kill
            self._process = os.pidfd_open(self._pid)
        except OSError as error:
            self._link.close()
            raise JudgeDefeated(f"the judge died at its birth: {error!r}") from error
        metrics.JUDGES.inc()

    def judge(
        self, arrival: Arrival, facts: Facts, *, seconds: float, dns: tuple[DnsAnswer, ...] | None = None
    ) -> Outcome:
        """The outcome of one arrival, with these DNS answers if they are given; raises JudgeDefeated after `seconds`."""
        text, blobs = self._ask(JudgeArrival(replace(arrival, content=b""), facts, dns), arrival.content, seconds)
        with self._nonsense():
            outcome = OUTCOME.validate_json(text)
            return replace(outcome, prepend=blobs[0], receipts=unpack(outcome.receipts, blobs[1:]))

    def assess(
        self,
        arrival: Arrival,
        facts: Facts,
        *,
        seconds: float,
        dns: tuple[DnsAnswer, ...] | None = None,
        reveal: bool = True,
        trace: bool = False,
    ) -> Verdict:
        """The verdict of one arrival and nothing else; raises JudgeDefeated after `seconds`."""
        request = AssessArrival(replace(arrival, content=b""), facts, dns, reveal, trace)
        text, _ = self._ask(request, arrival.content, seconds)
        with self._nonsense():
            return VERDICT.validate_json(text)

    def decide(
        self,
        envelope: Envelope,
        content: bytes,
        candidates: tuple[CaseView, ...],
        reference: str | None,
        *,
        at: datetime,
        seconds: float,
        waived: frozenset[str],
    ) -> Dispatch:
        """The dispatch of one officer's mail; raises JudgeDefeated after `seconds`."""
        text, blobs = self._ask(JudgeAnswer(envelope, candidates, reference, at, waived), content, seconds)
        with self._nonsense():
            dispatch = DISPATCH.validate_json(text)
            return replace(dispatch, mails=unpack(dispatch.mails, blobs))

    @property
    def alive(self) -> bool:
        """Whether the process has not ended by itself."""
        waiting = select.poll()
        waiting.register(self._process, select.POLLIN)
        return not waiting.poll(0)

    def kill(self) -> None:
        """End the process now, and the gpg it may be waiting for."""
        if self._process < 0:
            return
        metrics.JUDGES.dec()
        self.interrupt()
        os.close(self._process)
        self._process = -1
        self._link.close()

    def interrupt(self) -> None:
        """End the process from another thread: the one that waits for its answer gets JudgeDefeated."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._process, signal.SIGSTOP)
            os.killpg(self._pid, signal.SIGKILL)

    def _ask(self, request: Request, content: bytes, seconds: float) -> tuple[bytes, tuple[bytes, ...]]:
        self._link.settimeout(seconds)
        try:
            send(self._link, b"", (pickle.dumps(request), content))
            return receive(self._link, deadline=time.monotonic() + seconds)
        except TimeoutError:
            self.kill()
            metrics.JUDGE_FAILURES.labels("time").inc()
            raise JudgeDefeated(f"no answer within {seconds} s") from None
        except (OSError, EOFError):
            self.kill()
            metrics.JUDGE_FAILURES.labels("died").inc()
            raise JudgeDefeated("the judge died") from None

    @contextlib.contextmanager
    def _nonsense(self) -> Iterator[None]:
        """Turn an answer that does not validate into JudgeDefeated: the child is not trusted, and not asked again."""
        try:
            yield
        except (ValueError, IndexError) as error:
            self.kill()
            metrics.JUDGE_FAILURES.labels("nonsense").inc()
            raise JudgeDefeated("the judge answered nonsense") from error
