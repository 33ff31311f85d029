"""Takes these bytes to this hop for one recipient, and tells what the hop answered; it never tries twice by itself.

Content is never converted: 8-bit content waits for a hop that takes it. Outcomes that cannot be known (the connection broke
after the final dot) count as not delivered: rather two copies than none.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.errors import ConnectionEnded, HopUnavailable
from gateway.model.outbox import Fate, HopReply
from gateway.transport.maildir import deliver_to_maildir
from gateway.transport.smtp_client import Answer, SmtpClient, Timeouts

KEEP_SECONDS = 20.0
"""A connection idle for longer is not used again: the hop may have closed it."""

Chunks = Callable[[], Iterator[bytes]]


@dataclass(slots=True)
class Kept:
    """Connections that wait for the next mail to the same hop, and since when; used by any thread."""

    idle: dict[str, list[tuple[float, SmtpClient]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, target: str) -> SmtpClient | None:
        """A connection to that hop which waited not too long, the last one used; older ones are closed."""
        oldest = time.monotonic() - KEEP_SECONDS
        with self.lock:
            waiting = self.idle.pop(target, [])
            fresh = [one for one in waiting if one[0] >= oldest]
            stale = [client for since, client in waiting if since < oldest]
            chosen = fresh.pop()[1] if fresh else None
            if fresh:
                self.idle[target] = fresh
        for client in stale:
            client.quit()
        return chosen

    def give(self, target: str, client: SmtpClient) -> None:
        """Keep a connection on which nothing is under way."""
        with self.lock:
            self.idle.setdefault(target, []).append((time.monotonic(), client))

    def close(self) -> None:
        """Take leave of all hops."""
        with self.lock:
            waiting = [client for clients in self.idle.values() for _, client in clients]
            self.idle.clear()
        for client in waiting:
            client.quit()


KEPT = Kept()
"""The connections of this process."""


def deliver(
    target: str,
    *,
    mail_from: str,
    rcpt_to: str,
    chunks: Chunks,
    size: int,
    helo: str | None = None,
    envelope_id: str = "",
    timeouts: Timeouts | None = None,
    kept: Kept = KEPT,
) -> HopReply:
    """What the hop `maildir:PATH`, `lmtp://HOST:PORT` or `smtp://HOST:PORT` made of this mail for this recipient.

    `mail_from` is '' for the null path and goes out unchanged; `chunks` gives the bytes, each time it is called, and `size`
    counts them. `envelope_id` is what a report shall name, where the hop offers reports (RFC 3461); '' asks for none.
    SENT only after the hop's own 250. Raises HopUnavailable (try again) and BytesDiffer (SMTP would change them).
    """
    if any(ord(one) < 32 or ord(one) == 127 for one in mail_from + rcpt_to):
        return HopReply(Fate.REFUSED, "address holds a control character: not sent")
    scheme, _, place = target.partition(":")
    if scheme == "maildir":
        return deliver_to_maildir(place, mail_from=mail_from, chunks=chunks())
    mail = _Mail(mail_from, rcpt_to, chunks, size, envelope_id)
    hop = _Hop(target, helo or socket.gethostname(), timeouts or Timeouts())
    return _by_smtp(hop, mail, kept)


@dataclass(frozen=True, slots=True)
class _Mail:
    mail_from: str
    rcpt_to: str
    chunks: Chunks
    size: int
    envelope_id: str


@dataclass(frozen=True, slots=True)
class _Hop:
    target: str
    helo: str
    timeouts: Timeouts

    def connect(self) -> SmtpClient:
        """A new connection; ValueError where the target is not one of ours (the configuration was checked before)."""
        scheme, _, place = self.target.partition("://")
        if scheme not in ("lmtp", "smtp"):
            raise ValueError(f"unknown kind of hop: {self.target}")
        host, _, port = place.rpartition(":")
        return SmtpClient(host.strip("[]"), int(port), lmtp=scheme == "lmtp", helo=self.helo, timeouts=self.timeouts)


def _by_smtp(hop: _Hop, mail: _Mail, kept: Kept) -> HopReply:
    """One transaction, on a kept connection if it still lives, else on a new one."""
    used = kept.take(hop.target)
    if used is not None:
        with contextlib.suppress(ConnectionEnded):
            return _over(used, hop, mail, kept, used=True)
    return _over(hop.connect(), hop, mail, kept)


def _over(client: SmtpClient, hop: _Hop, mail: _Mail, kept: Kept, *, used: bool = False) -> HopReply:
    """The reply over this connection, which then is kept or closed."""
    try:
        reply = _transact(client, mail, used=used)
    except BaseException:
        client.close()
        raise
    if reply.fate is Fate.SENT and client.quiet:
        kept.give(hop.target, client)
    else:
        client.quit()
    return reply


def _transact(client: SmtpClient, mail: _Mail, *, used: bool) -> HopReply:
    """MAIL, RCPT, DATA and the message; the first answer that is no success settles it. Raises ConnectionEnded."""
    lacking = _lacking(client, mail)
    if lacking:
        return HopReply(Fate.RETRY, lacking)
    sender, recipient = _envelope(client, mail)
    commands = (*(("RSET",) if used else ()), sender, recipient, "DATA")
    answers = client.ask_all(commands) if client.offers("PIPELINING") else map(client.ask, commands)
    if used and not _alive(answers):
        raise ConnectionEnded
    for _ in (sender, recipient):
        reply = next(answers).settled()
        if reply.fate is not Fate.SENT:
            # a go-ahead that was asked for already is left unused: without its end no hop takes a message
            return reply
    go_ahead = next(answers)
    if go_ahead.code != 354:
        reply = go_ahead.settled()
        return reply if reply.fate is not Fate.SENT else HopReply(Fate.RETRY, f"unexpected reply: {reply.text}")
    return client.send_message(mail.chunks()).settled()


def _alive(answers: Iterator[Answer]) -> bool:
    try:
        return next(answers).code == 250
    except HopUnavailable:
        return False


def _envelope(client: SmtpClient, mail: _Mail) -> tuple[str, str]:
    """The commands that say who sends it to whom."""
    sender = f"MAIL FROM:<{mail.mail_from}>{_parameters(client, mail)}"
    recipient = f"RCPT TO:<{mail.rcpt_to}>"
    if not mail.envelope_id or not client.offers("DSN"):
        return sender, recipient
    # RFC 3461: a failure or delay is reported to our return path; nobody needs our text back, nor a report that it went on.
    return f"{sender} RET=HDRS ENVID={mail.envelope_id}", f"{recipient} NOTIFY=FAILURE,DELAY"


def _lacking(client: SmtpClient, mail: _Mail) -> str:
    """What the hop would have to offer for this mail and does not, '' when nothing is missing."""
    if not (mail.mail_from + mail.rcpt_to).isascii() and not client.offers("SMTPUTF8"):
        return "the hop does not offer SMTPUTF8, which an address of this mail needs"
    if not client.offers("8BITMIME") and not all(chunk.isascii() for chunk in mail.chunks()):
        return "the hop does not offer 8BITMIME, which this mail needs: content is never converted"
    return ""


def _parameters(client: SmtpClient, mail: _Mail) -> str:
    """MAIL parameters: BODY=8BITMIME also for 7-bit content (RFC 6152 allows it), SMTPUTF8 only for an address that needs it.

    Saying SMTPUTF8 for UTF-8 in a header alone would make a later hop without it bounce what it delivers well as 8-bit.
    """
    wanted = {
        f" SIZE={mail.size}": client.offers("SIZE"),
        " BODY=8BITMIME": client.offers("8BITMIME"),
        " SMTPUTF8": not (mail.mail_from + mail.rcpt_to).isascii(),
    }
    return "".join(parameter for parameter, say in wanted.items() if say)
