"""Notices of the gateway to its own mailbox; never to anyone outside."""

from datetime import datetime

from gateway.channel.patience import patience_with
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import CaseView
from gateway.model.channel import Decision, Dispatch
from gateway.model.hold import ChannelException, Hold, Refusal
from gateway.model.message import Arrival, Envelope
from gateway.model.outbox import HopReply, OutboxRow, OutMail
from gateway.model.settings import Settings
from gateway.model.verdict import Category
from gateway.pipeline.to_mailbox import to_mailbox

RELEASES = {
    "H1": "It leaves by itself when an administrator has confirmed the address by telephone and keys/ names it again.",
    "H2": "It leaves by itself when a usable key of the contact is pinned: cp247 keys add.",
    "H3": "It leaves by itself when outbound.relay_verified names a relay that sends over verified TLS only.",
}
"""What ends a hold without an exception, by rule."""


def passed_notice(refused: Decision, *, at: datetime, settings: Settings) -> OutMail:
    """In mode warn: what the gateway would have refused, word for word."""
    body = f"""\
The gateway runs in mode `warn`. An answer has just left that it would refuse in mode `enforce`.
The officer would have seen at Send:

{refused.reply}
"""
    return to_mailbox(
        f"notice.{refused.number.lower()}.{at:%Y%m%d%H%M%S%f}",
        f"This answer left, and would be refused [{refused.number}]",
        body,
        at=at,
        settings=settings,
    )


def again_notice(dispatch: Dispatch, envelope: Envelope, *, settings: Settings) -> OutMail:
    """A refused mail was sent again by a program: its officer has perhaps never read why it is refused (CHANNEL A4)."""
    decision = dispatch.decision
    body = f"""\
A mail program sends this mail again and again. It has NOT been sent, and will not be:

{decision.reply}

Case:          {decision.case or "-"}
To:            {", ".join(map(_printable, envelope.rcpt_tos))}
Message-ID:    {_printable(dispatch.message_id or "-")}

Open it in the outbox of that program or telephone, do what the line above says, or delete it there. This notice comes once.
"""
    return to_mailbox(
        f"notice.again.{decision.number.lower()}.{dispatch.decided_at:%Y%m%d%H%M%S%f}",
        f"NOT SENT: a mail that is sent again and again [{decision.number}]",
        body,
        at=dispatch.decided_at,
        settings=settings,
        in_reply_to=dispatch.message_id,
    )


def granted_notice(made: ChannelException, refusal: Refusal, *, at: datetime, settings: Settings) -> OutMail:
    """What was permitted, by whom and why; or that a second person is asked (CHANNEL A5)."""
    if made.granted_at is None:
        said = f"{made.proposed_by} permits the mail below. A SECOND person must, before it may be sent:\n\n"
        said += f'    cp247 exception grant {made.number} --reason "..."'
    else:
        people = " and ".join(dict.fromkeys(filter(None, (made.proposed_by, made.granted_by))))
        said = f"{people} permitted the mail below, {made.uses} time(s), until {made.until:%Y-%m-%d %H:%M} UTC.\n"
        said += "Press Send again; a held answer leaves by itself."
    body = f"""\
{said}

Reason:        {_printable(made.reason)}
Rule:          {refusal.reply}
Case:          {refusal.case or "-"}
To:            {", ".join(map(_printable, refusal.recipients))}

Whoever knows nothing of this ends it:  cp247 exception revoke {made.number}
"""
    return to_mailbox(
        f"notice.exception.{made.id}.{at:%Y%m%d%H%M%S%f}",
        f"{'Exception asked for' if made.granted_at is None else 'Exception granted'} [{made.number}]",
        body,
        at=at,
        settings=settings,
    )


def used_notice(dispatch: Dispatch, *, settings: Settings) -> OutMail:
    """A mail has just left because exceptions let it pass."""
    decision, at = dispatch.decision, dispatch.decided_at
    body = f"""\
This mail has just left by exception {", ".join(decision.waived)}.

Case:          {decision.case or "-"}
To:            {", ".join(map(_printable, decision.recipients))}
Message-ID:    {_printable(dispatch.message_id or "-")}

Who permitted it, and why:  cp247 exception list
"""
    return to_mailbox(
        f"notice.used.{decision.waived[0].lower()}.{at:%Y%m%d%H%M%S%f}",
        f"Sent by exception [{decision.waived[0]}]",
        body,
        at=at,
        settings=settings,
        in_reply_to=dispatch.message_id,
    )


def held_notice(dispatch: Dispatch, envelope: Envelope, case: CaseView | None, *, settings: Settings) -> OutMail:
    """An answer that is kept: why, what releases it, and when it comes back (CHANNEL A3)."""
    decision, at = dispatch.decision, dispatch.decided_at
    allowed = patience_with(case.category if case else Category.OTHER, decision.rule)
    body = f"""\
The gateway KEEPS an answer of yours. It has NOT been sent.

Why:           {decision.reply.removeprefix("250 2.0.0 HELD: ")}
Case:          {decision.case or "-"}
To:            {", ".join(map(_printable, envelope.rcpt_tos))}
Decision:      {decision.number}

{RELEASES.get(decision.rule, "")}
Or two people permit this one mail, each with their own login, neither of them the one who wrote it:

    cp247 exception grant {decision.number} --reason "..."

The duty officer is paged at {at + allowed.page:%Y-%m-%d %H:%M} UTC. At {at + allowed.give_back:%Y-%m-%d %H:%M} UTC
it is given back to you unsent. No clock ever sends it.
"""
    return to_mailbox(
        f"notice.held.{decision.number.lower()}.{at:%Y%m%d%H%M%S%f}",
        f"HELD, not sent: an answer of case {decision.case or '-'} [{decision.number}]",
        body,
        at=at,
        settings=settings,
        in_reply_to=dispatch.message_id,
    )


def waiting_notice(hold: Hold, *, at: datetime, settings: Settings) -> OutMail:
    """A reminder: the answer is still kept."""
    body = f"""\
The gateway still KEEPS this answer, since {hold.held_at:%Y-%m-%d %H:%M} UTC. It has NOT been sent.

Why:           {hold.reply.removeprefix("250 2.0.0 HELD: ")}
Case:          {hold.case or "-"}
To:            {", ".join(map(_printable, hold.envelope.rcpt_tos))}

{RELEASES.get(hold.rule, "")}
Or two people: cp247 exception grant {hold.number} --reason "..."
At {hold.held_at + patience_with(hold.category, hold.rule).give_back:%Y-%m-%d %H:%M} UTC it is given back to you unsent.
"""
    return to_mailbox(
        f"notice.waiting.{hold.id}.{at:%Y%m%d%H%M%S}",
        f"Still held, not sent: an answer of case {hold.case or '-'} [{hold.number}]",
        body,
        at=at,
        settings=settings,
        in_reply_to=hold.message_id,
    )


def given_back_notice(hold: Hold, *, at: datetime, settings: Settings) -> OutMail:
    """Nobody released the answer in time: it is the officer's again, and it was not sent."""
    body = f"""\
NOT SENT. Nobody released this answer since {hold.held_at:%Y-%m-%d %H:%M} UTC, and the gateway keeps it no longer.

Why:           {hold.reply.removeprefix("250 2.0.0 HELD: ")}
Case:          {hold.case or "-"}
To:            {", ".join(map(_printable, hold.envelope.rcpt_tos))}
Message-ID:    {_printable(hold.message_id)}

Your copy is in your Sent folder. When the cause is gone, send it again. Until then telephone the contact point, at the
number in the directory.
"""
    return to_mailbox(
        f"notice.given-back.{hold.id}",
        f"NOT SENT: an answer of case {hold.case or '-'} [{hold.number}]",
        body,
        at=at,
        settings=settings,
        in_reply_to=hold.message_id,
    )


def mla_first_notice(case: CaseView, message_id: str, *, at: datetime, settings: Settings) -> OutMail:
    """An answer that seems to send a requester away: it left, and somebody should read it once more."""
    body = f"""\
An answer of case {case.reference} has left that seems to ask for a mutual assistance request FIRST.

That is bad practice (e) of the network's 2017 report: a preservation is made at once, the mutual assistance request follows it
(Budapest Convention, Articles 29 and 30). It is no ground to refuse one.

Message-ID:    {_printable(message_id)}

If that was meant, nothing is to be done. If not: preserve now, and write to them again.
"""
    return to_mailbox(
        f"notice.mla-first.{case.reference.lower()}.{at:%Y%m%d%H%M%S%f}",
        f"Did this answer refuse a preservation? [{case.reference}]",
        body,
        at=at,
        settings=settings,
        in_reply_to=message_id or None,
    )


def returned_notice(row: OutboxRow, reply: HopReply, *, at: datetime, settings: Settings) -> OutMail:
    """An answer that the relay refused for good: it did not arrive, and somebody has to see to it."""
    case = row.case or "-"
    body = f"""\
An answer of case {case} did NOT reach the counterpart. The gateway does not try again.

To:            {row.rcpt_to}
Message-ID:    {row.message_id}
The relay says: {_printable(reply.text)}

Telephone the contact point, at the number in the directory. When the cause is gone, send the answer again.
"""
    return to_mailbox(
        f"notice.returned.{row.id}", f"NOT DELIVERED: an answer of case {case}", body, at=at, settings=settings
    )


def came_back_notice(arrival: Arrival, reference: str, *, settings: Settings) -> OutMail:
    """A mail system reports that an answer which left did not arrive."""
    body = f"""\
An answer of case {reference} came back: it did NOT reach the counterpart. The report is the mail this one answers to.

Telephone the contact point, at the number in the directory. When the cause is gone, send the answer again.
"""
    return to_mailbox(
        f"notice.came-back.{reference}.{arrival.id}",
        f"NOT DELIVERED: an answer of case {reference}",
        body,
        at=arrival.received_at,
        settings=settings,
        in_reply_to=keys_of(scan_header(arrival.content)[0], ()).message_id,
    )


def _printable(text: str) -> str:
    """What a foreign server said, without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)
