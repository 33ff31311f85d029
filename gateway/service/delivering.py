"""The courier loop: claims what must leave, hands it to its hop, writes down the answer.

Each hop has its own threads: a mailbox that hangs delays no receipt.
"""

import contextlib
import queue
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway import log, metrics
from gateway.errors import BytesDiffer, HopUnavailable, StoreUnavailable
from gateway.model.outbox import Fate, Hop, HopReply, OutboxRow, Purpose
from gateway.model.settings import Settings
from gateway.pipeline.notices import returned_notice
from gateway.service.leaving import leaving
from gateway.service.retry import retry_at
from gateway.service.settling import Settling
from gateway.store.journal import Journal
from gateway.store.outbox import Lease, Sent
from gateway.transport.courier import deliver

BATCH = 8
THREADS = 2
LEASE = timedelta(minutes=15)
"""Longer than the longest delivery: the timeouts of the client add up to less."""
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""A mail that waited so long behind others of its batch goes back: its lease must outlast its own delivery."""
CLOSE_SECONDS = 4.0
SETTLE_SECONDS = 0.5
"""So long, after that, what was sent may take to be written down."""
MAX_HANDED = 16
"""So many mails wait here at most for one hop; the others wait in the outbox."""
MAX_HANDED_BYTES = 1 << 20
"""A longer mail waits without its bytes, which are read when it is its turn."""

REPORTED = frozenset({Purpose.RECEIPT, Purpose.ANSWER})
"""Mail whose failure must come back to us, with the case as its name."""

_ADDRESS = re.compile(r"[^\s<>,;:]+@[^\s<>,;:]+")


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail that is leased to us."""

    row: OutboxRow
    since: float
    """By the monotonic clock."""
    content: bytes | None = None
    """What is stored of it, where somebody had it at hand."""


class CourierLoop:
    """The threads that deliver."""

    def __init__(self, journal: Journal, settings: Settings, *, owner: str) -> None:
        self._journal = journal
        self._settings = settings
        self._targets = _targets(settings)
        self._mailbox = settings.contact_point.mailbox
        self._owner = owner
        self._stopping = threading.Event()
        self._settling = Settling(journal)
        self._handed: dict[Hop, queue.SimpleQueue[Handed | None]] = {hop: queue.SimpleQueue() for hop in self._targets}
        self._look_at = dict.fromkeys(self._targets, 0.0)
        self._threads = [
            threading.Thread(target=self._run, args=(hop,), name=f"courier-{hop.value}-{number}", daemon=True)
            for hop in self._targets
            for number in range(THREADS)
        ]

    def start(self) -> None:
        """Begin delivering."""
        self._settling.start()
        for thread in self._threads:
            thread.start()
        self.wake()

    def wake(self) -> None:
        """Something must leave: look now, not at the next poll."""
        for hop, handed in self._handed.items():
            self._look_at[hop] = 0.0
            handed.put(None)

    def lease(self, now: datetime) -> Lease | None:
        """A lease on mails about to be committed, so that they need no claim; None while enough wait here already."""
        if self._stopping.is_set() or any(handed.qsize() >= MAX_HANDED for handed in self._handed.values()):
            return None
        return Lease(self._owner, now + LEASE)

    def take(self, rows: tuple[OutboxRow, ...], contents: Mapping[str, bytes]) -> None:
        """Send these, which are leased to us; what is stored of them may be given by its SHA-256."""
        for row in rows:
            content = contents.get(row.sha256) if row.size <= MAX_HANDED_BYTES else None
            self._handed[row.hop].put(Handed(row, time.monotonic(), content))

    def close(self) -> bool:
        """Finish the deliveries that end soon; the rest waits in the outbox. Whether none is under way any more."""
        self._stopping.set()
        for _ in range(THREADS):
            self.wake()
        end = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))
        written = self._settling.close(SETTLE_SECONDS)
        return written and not any(thread.is_alive() for thread in self._threads)

    def _run(self, hop: Hop) -> None:
        while not self._stopping.is_set():
            try:
                self._deliver(self._next(hop))
            except Exception as error:  # noqa: BLE001 a fault of ours must not end the thread that everything waits for
                log.alarm("courier-failed", hop=hop.value, error=log.fault(error), remedy="report it; mails wait")

    def _next(self, hop: Hop) -> tuple[Handed, ...]:
        """What was handed over, or what waits in the outbox; returns when there may be something."""
        with contextlib.suppress(queue.Empty):
            handed = self._handed[hop].get(timeout=POLL_SECONDS)
            if handed is not None:
                return (handed,)
        return tuple(Handed(row, time.monotonic()) for row in self._looked(hop))

    def _deliver(self, mails: tuple[Handed, ...]) -> None:
        for mail in mails:
            if self._stopping.is_set():
                break
            if time.monotonic() > mail.since + PATIENCE_SECONDS:
                self._give_back(mail.row)
            else:
                self._settle(mail.row, self._attempt(mail))

    def _looked(self, hop: Hop) -> tuple[OutboxRow, ...]:
        """What waits in the outbox, if it is time to look: what is handed over needs no look."""
        now = time.monotonic()
        if now < self._look_at[hop]:
            return ()
        self._look_at[hop] = now + POLL_SECONDS
        rows = self._claimed(hop)
        if rows:
            # there may be more, and another thread to send it
            self._look_at[hop] = 0.0
            self._handed[hop].put(None)
        return rows

    def _give_back(self, row: OutboxRow) -> None:
        now = datetime.now(UTC)
        with contextlib.suppress(StoreUnavailable):
            self._journal.settle(row.id, HopReply(Fate.RETRY, "waited behind slow deliveries"), now=now, retry_at=now)

    def _claimed(self, hop: Hop) -> tuple[OutboxRow, ...]:
        try:
            return self._journal.claim_mails(
                hop=hop, limit=BATCH, owner=self._owner, now=datetime.now(UTC), lease=LEASE
            )
        except StoreUnavailable as error:
            log.alarm(
                "not-claimed",
                hop=hop.value,
                error=str(error),
                remedy="see the database; mails wait there and nothing is lost",
            )
            return ()

    def _attempt(self, mail: Handed) -> HopReply:
        """What the hop says; whatever keeps it from saying so is a reason to try again."""
        row = mail.row
        try:
            content = self._journal.content(row.content_id) if mail.content is None else mail.content
            whole = leaving(row, content)
            return deliver(
                self._targets[row.hop],
                mail_from=self._mail_from(row),
                rcpt_to=self._rcpt_to(row),
                chunks=lambda: iter((whole,)),
                size=len(whole),
                helo=self._settings.hostname,
                envelope_id=row.case or "" if row.purpose in REPORTED else "",
            )
        except BytesDiffer as error:
            log.alarm(
                "bytes-differ", message=row.id, error=str(error), remedy="restore the database: stored bytes changed"
            )
            return HopReply(Fate.RETRY, str(error))
        except (HopUnavailable, StoreUnavailable) as error:
            return HopReply(Fate.RETRY, str(error))
        except Exception as error:  # noqa: BLE001 a fault of ours over one mail must not end the thread that delivers all others
            log.alarm(
                "courier-failed", message=row.id, error=log.fault(error), remedy="report it; the mail is tried again"
            )
            return HopReply(Fate.RETRY, f"fault of the gateway: {type(error).__name__}")

    def _mail_from(self, row: OutboxRow) -> str:
        """The envelope sender unchanged; '' where a mailbox server would refuse the request for its UTF-8 (RFC 6531).

        Few mailbox servers offer SMTPUTF8. The address stands in the message; a request that never arrives helps nobody.
        """
        maildir = self._targets[row.hop].startswith("maildir:")
        return row.mail_from if row.mail_from.isascii() or maildir or row.purpose is not Purpose.DELIVERY else ""

    def _rcpt_to(self, row: OutboxRow) -> str:
        """Whatever address of ours a mail came to, the mailbox behind is one: it need not know aliases or return paths."""
        return self._mailbox if row.hop is Hop.MAILBOX else row.rcpt_to

    def _settle(self, row: OutboxRow, reply: HopReply) -> None:
        now = datetime.now(UTC)
        again = retry_at(row, reply, now=now)
        metrics.DELIVERIES.labels(row.purpose.value, reply.fate.value).inc()
        if reply.fate is Fate.SENT:
            if row.purpose is Purpose.RECEIPT:
                metrics.RECEIPT_DELAY.observe((now - row.created_at).total_seconds())
            self._settling.add(Sent(row.id, reply.text, now))
            return
        log.alarm(
            "not-delivered",
            message=row.id,
            purpose=row.purpose.value,
            hop=row.hop.value,
            tries=row.tries,
            # relays quote the address they refuse: it stands in `cp247 queue list`, not in a log
            error=_ADDRESS.sub("...", reply.text)[:200],
            remedy="see the next hop; it is tried again"
            if again
            else "see `cp247 queue list` and the case: a human sends it",
            case=row.case,
        )
        final = HopReply(Fate.REFUSED, reply.text) if reply.fate is Fate.RETRY and again is None else reply
        failed = again is None and row.purpose is Purpose.ANSWER
        notice = returned_notice(row, final, at=now, settings=self._settings) if failed else None
        try:
            self._journal.settle(row.id, final, now=now, retry_at=again, notice=notice)
        except StoreUnavailable as error:
            # the lease ends, and it is tried again
            log.alarm("not-settled", message=row.id, error=str(error))
        if failed:
            self.wake()


def _targets(settings: Settings) -> dict[Hop, str]:
    """Where each configured hop is; what waits for one that is configured no more stays in the outbox, and shows there."""
    outbound = settings.outbound
    named = {
        Hop.MAILBOX: settings.mailbox.deliver_to,
        Hop.RELAY: outbound.relay,
        Hop.RELAY_ENCRYPTED: outbound.relay_encrypted,
        Hop.RELAY_VERIFIED: outbound.relay_verified,
    }
    return {hop: target for hop, target in named.items() if target}
