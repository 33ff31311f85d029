"""Judges single files as `explain` does: in a killable judge with the limits of live mail, without memory and without effect."""

import hashlib
from datetime import datetime
from pathlib import Path

from gateway.errors import Complaint, ConfigError, JudgeDefeated
from gateway.model.message import Arrival, Envelope, Source
from gateway.model.outcome import Facts, Verdict
from gateway.model.settings import Settings
from gateway.pipeline.inward import DEFEATED
from gateway.service.equipment import Equipment, read_equipment
from gateway.service.judges import Judge
from gateway.service.judging import JUDGE_SECONDS
from gateway.service.nursery import Nursery


class SingleFiles:
    """One judge for any number of files."""

    def __init__(self, settings: Settings) -> None:
        self._nursery = Nursery(equipment_of_files(settings))
        self._judge: Judge | None = None

    def verdict(self, arrival: Arrival, *, trace: bool = False) -> Verdict:
        """The verdict live mail would get, judged at `received_at`."""
        for seconds in JUDGE_SECONDS:
            self._judge = self._judge or Judge(self._nursery)
            try:
                return self._judge.assess(arrival, Facts(reference="", final=True), seconds=seconds, trace=trace)
            except JudgeDefeated:
                self._judge = None
        return DEFEATED

    def close(self) -> None:
        """End the judge and its nursery."""
        if self._judge is not None:
            self._judge.kill()
        self._nursery.close()


def equipment_of_files(settings: Settings) -> Equipment:
    """Equipment of the rules and keys on disk alone; raises ConfigError when the rules are broken."""
    return read_equipment(settings)


def arrival_of_file(path: str, *, mailbox: str, envelope: Envelope, received_at: datetime) -> Arrival:
    """The file as if it had arrived at that moment with that envelope; raises ConfigError when it cannot be read."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            Complaint(path, 0, 0, "", f"cannot be read: {error.strerror}", "name a file with one message")
        ) from None
    return Arrival(
        id=0,
        mailbox=mailbox,
        received_at=received_at,
        envelope=envelope,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        source=Source.EXPLAIN,
    )
