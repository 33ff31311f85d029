"""The judges: killable processes, started, timed, replaced; a message that defeats one never takes the gateway with it."""

import contextlib
import pickle
import socket
import subprocess
import sys
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
from gateway.service.equipment import Equipment
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

START_SECONDS = 30.0


class Judge:
    """One child process with its equipment; used by one thread at a time."""

    def __init__(self, equipment: Equipment) -> None:
        ours, theirs = socket.socketpair()
        self._link = ours
        with theirs:
            command = [sys.executable, "-m", "gateway.service.judge_child", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        self.equipment = equipment
        self._link.settimeout(START_SECONDS)
        try:
            send(self._link, b"equipment", (pickle.dumps(equipment),))
            receive(self._link)
        except (OSError, EOFError) as error:
            self.kill()
            raise JudgeDefeated(f"a judge did not start: {error!r}") from error
        metrics.JUDGES.inc()

    def judge(self, arrival: Arrival, facts: Facts, *, seconds: float) -> Outcome:
        """The outcome of one arrival; raises JudgeDefeated after `seconds`."""
        text, blobs = self._ask(JudgeArrival(replace(arrival, content=b""), facts), arrival.content, seconds)
        with _nonsense():
            outcome = OUTCOME.validate_json(text)
            return replace(outcome, prepend=blobs[0], receipts=unpack(outcome.receipts, blobs[1:]))

    def assess(self, arrival: Arrival, facts: Facts, *, seconds: float) -> Verdict:
        """The verdict of one arrival and nothing else; raises JudgeDefeated after `seconds`."""
        text, _ = self._ask(AssessArrival(replace(arrival, content=b""), facts), arrival.content, seconds)
        with _nonsense():
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
    ) -> Dispatch:
        """The dispatch of one officer's mail; raises JudgeDefeated after `seconds`."""
        text, blobs = self._ask(JudgeAnswer(envelope, candidates, reference, at), content, seconds)
        with _nonsense():
            dispatch = DISPATCH.validate_json(text)
            return replace(dispatch, mails=unpack(dispatch.mails, blobs))

    def kill(self) -> None:
        """End the process now, whatever it does."""
        if self._process.poll() is None:
            metrics.JUDGES.dec()
        self._process.kill()
        self._process.wait()
        self._link.close()

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
def _nonsense() -> Iterator[None]:
    """Turn an answer that does not validate into JudgeDefeated: the child is not trusted."""
    try:
        yield
    except (ValueError, IndexError) as error:
        metrics.JUDGE_FAILURES.labels("nonsense").inc()
        raise JudgeDefeated("the judge answered nonsense") from error
