"""Asks the database which rule set judges, so that a promotion on any machine counts here within a second.

Never reads the folder: that is a reload's business.
"""

import threading
from collections.abc import Callable

from gateway import log
from gateway.errors import StoreUnavailable
from gateway.model.rulebook import Act, RulesetChange
from gateway.store.rulebook import Rulebook

POLL_SECONDS = 0.25


class RuleWatch:
    """One thread; `prepare` is called with each proposal, `follow` with each change after which another set judges."""

    def __init__(
        self,
        book: Rulebook,
        *,
        prepare: Callable[[RulesetChange], None],
        follow: Callable[[RulesetChange], None],
        follow_shadow: Callable[[RulesetChange | None], None],
    ) -> None:
        self._book = book
        self._prepare = prepare
        self._follow = follow
        self._follow_shadow = follow_shadow
        self._newest = self._seen = self._seen_shadow = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; a set that is being taken is taken."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(POLL_SECONDS * 4)

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self._look()
            except StoreUnavailable:
                # the judges say so already; what is stored there is seen when it is back
                continue
            except Exception as error:  # noqa: BLE001 whatever is wrong with the new set, the old one judges on
                log.alarm("rules-not-taken", error=log.fault(error), remedy="run `cp247 rules rollback`, and report it")

    def _look(self) -> None:
        newest = next(iter(self._book.changes(limit=1)), None)
        if newest is None or newest.id == self._newest:
            return
        self._newest = newest.id
        if newest.act is Act.PROPOSED:
            self._prepare(newest)
        active = self._book.active()
        if active is not None and active.id != self._seen:
            # noted first: a set that cannot be used is complained of once, not four times a second
            self._seen = active.id
            self._follow(active)
        shadow = self._book.shadow()
        number = shadow.id if shadow is not None else 0
        if number != self._seen_shadow:
            self._seen_shadow = number
            self._follow_shadow(shadow)
