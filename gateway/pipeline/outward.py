"""The road of an officer's mail: resolve the case, decide, then sign, encrypt, repair threading (CHANNEL A).

What the table refuses comes back with its line; what it lets pass comes back complete, ready for the relay.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from gateway import log
from gateway.channel.decide import decide
from gateway.channel.refusals import CANNOT_DECIDE
from gateway.channel.resolve import address_key, resolve
from gateway.errors import SealFailed
from gateway.mail import compose, outgoing, return_path
from gateway.mail.automatic import automatic
from gateway.mail.parse import parse
from gateway.mail.thread import keys_of
from gateway.model.case import CaseState, CaseView
from gateway.model.channel import Act, Decision, Dispatch
from gateway.model.message import Envelope, Message
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.settings import Mode
from gateway.model.trust import PinnedKey
from gateway.pipeline.notices import passed_notice
from gateway.pipeline.sealing import seal_payload
from gateway.pipeline.tools import Tools

PASSING = frozenset({Act.ALLOW, Act.UPGRADE})
REFUSING = frozenset({Act.REJECT, Act.HOLD})


def outward(
    content: bytes,
    envelope: Envelope,
    *,
    candidates: tuple[CaseView, ...],
    reference: str | None,
    tools: Tools,
    at: datetime,
) -> Dispatch:
    """The decision over an officer's mail and the mails it causes; `reference` is the number a case of our own may open.

    A decision that opens a case comes back without mails while `reference` is None: the caller reserves one and asks again.
    """
    message = parse(content)
    message_id = _message_id(message, tools.settings.hostname)
    decision = _decided(message, envelope, candidates, tools, at)
    case = next((one for one in candidates if one.reference == decision.case), None)
    dispatch = Dispatch(decision=decision, decided_at=at, message_id=message_id)
    if decision.act in REFUSING and tools.settings.outbound.mode is not Mode.ENFORCE:
        return _let_pass(dispatch, message, envelope, tools)
    if decision.act not in PASSING:
        return dispatch
    if decision.internal:
        return replace(dispatch, mails=_by_hop(_as_it_is(message, envelope, message_id), tools), case=case)
    if decision.opens:
        if reference is None:
            return dispatch
        case = _own_case(reference, decision, tools, at)
        dispatch = replace(dispatch, decision=replace(decision, case=reference))
    try:
        mail = _sealed(message, message_id, dispatch.decision, tools, at)
    except SealFailed as error:
        # Fail closed, temporarily: nothing leaves unsealed.
        log.alarm("not-sealed", error=str(error), remedy="run `cp247 doctor`; nothing was sent, the officer was told")
        return replace(
            dispatch, decision=Decision(act=Act.DEFER, rule="D0", row=38, reply=CANNOT_DECIDE, case=decision.case)
        )
    return replace(dispatch, mails=_by_hop(mail, tools), case=_answered(case, message_id) if case else None)


def _decided(
    message: Message, envelope: Envelope, candidates: tuple[CaseView, ...], tools: Tools, at: datetime
) -> Decision:
    login, _ = outgoing.login_of(message.header)
    encrypted_to = _encrypted_to(message, tools)
    keys = keys_of(message.header, envelope.rcpt_tos)
    resolution = resolve(keys, candidates, recipients=envelope.rcpt_tos, secret=tools.secret)
    # Without our own key nobody can say whether the client encrypted to it: a fault of ours is no refusal.
    cannot_tell = encrypted_to is not None and not tools.own_keys
    return decide(
        message,
        envelope,
        resolution=None if cannot_tell else resolution,
        settings=tools.settings,
        book=tools.book,
        own_fingerprints=tools.own_keys,
        encrypted_to=encrypted_to,
        login=envelope.login or login,
        automatic=automatic(message, envelope),
        at=at,
    )


def _encrypted_to(message: Message, tools: Tools) -> frozenset[str] | None:
    """Key ids the client encrypted to; None for a mail in clear, nothing for one that cannot be read."""
    named = tools.seal.recipients_of(message)
    return named if named or message.root.content_type == "multipart/encrypted" else None


def _sealed(message: Message, message_id: str, decision: Decision, tools: Tools, at: datetime) -> OutMail:
    """The mail as it leaves: signed, or signed and encrypted, with the fields that may stand outside."""
    reference, cipher = decision.case or "", bool(decision.encrypt_to)
    outer = outgoing.outer_fields(
        message,
        case=reference,
        cipher=cipher,
        in_reply_to=decision.in_reply_to,
        references=decision.references,
        message_id=message_id,
        date=at,
    )
    payload = outgoing.payload(message, cipher=cipher, case=reference, outer=outer, inner=_opened(message, tools, at))
    try:
        content = compose.message(outer, seal_payload(payload, keys=_keys(decision, tools, at), seal=tools.seal))
    except ValueError as error:
        raise SealFailed("the mail cannot be written as one of ours") from error
    return OutMail(
        purpose=Purpose.ANSWER,
        hop=Hop.RELAY,
        mail_from=return_path.make(
            tools.secret, mailbox=tools.settings.contact_point.mailbox, case=reference, day=at.toordinal()
        ),
        rcpt_tos=decision.recipients,
        message_id=message_id,
        content=tools.seal.dkim_field(content, at=at) + content,
    )


def _by_hop(mail: OutMail, tools: Tools) -> tuple[OutMail, ...]:
    """The mail for the relay, and the copy to our own mailbox straight there: it must not come in again as a request."""
    own = frozenset(map(address_key, tools.settings.mailboxes))
    copies = tuple(one for one in mail.rcpt_tos if address_key(one) in own)
    others = tuple(one for one in mail.rcpt_tos if address_key(one) not in own)
    relayed = (replace(mail, rcpt_tos=others),) if others else ()
    # A notice: that our own mailbox does not take its copy is no failed answer.
    kept = (replace(mail, purpose=Purpose.NOTICE, hop=Hop.MAILBOX, rcpt_tos=copies),) if copies else ()
    return (*relayed, *kept)


def _keys(decision: Decision, tools: Tools, at: datetime) -> tuple[PinnedKey, ...]:
    found = tuple(_usable(decision, tools, at))
    if decision.encrypt_to and not found:
        raise SealFailed("no usable key of the counterpart")
    return found


def _usable(decision: Decision, tools: Tools, at: datetime) -> Iterator[PinnedKey]:
    for contact in decision.encrypt_to:
        yield from (key for key in tools.contacts[contact].keys if key.encrypts(at))


def _opened(message: Message, tools: Tools, at: datetime) -> Message | None:
    """What the client had encrypted, opened: the gateway signs with its own key and encrypts again (row 4)."""
    if _encrypted_to(message, tools) is None:
        return None
    unsealed = tools.unseal(message, None, at)
    if unsealed.content is None:
        raise SealFailed("the client's encryption cannot be opened")
    return parse(unsealed.content)


def _own_case(reference: str, decision: Decision, tools: Tools, at: datetime) -> CaseView:
    """The case a request of our own opens (row 36): its answers are watched."""
    named = [tools.book[key] for key in map(address_key, decision.recipients) if key in tools.book]
    # As the table reads it: a joint address stands beside the one that is asked.
    contact, address = min(named, key=lambda one: one[1].joint)
    return CaseView(
        reference=reference,
        mailbox=tools.settings.contact_point.mailbox,
        opened_at=at,
        ours=True,
        contact=contact.id,
        origin=address.address.spec,
        floor=decision.protection.join(contact.minimum),
    )


def _answered(case: CaseView, message_id: str) -> CaseView:
    state = case.state if case.ours else CaseState.ANSWERED
    return replace(case, state=state, thread=tuple(dict.fromkeys((*case.thread, message_id))))


def _as_it_is(message: Message, envelope: Envelope, message_id: str) -> OutMail:
    """The officer's own bytes, without the field that names login and laptop (row 18)."""
    return OutMail(
        purpose=Purpose.ANSWER,
        hop=Hop.RELAY,
        mail_from=envelope.mail_from or "",
        rcpt_tos=envelope.rcpt_tos,
        message_id=message_id,
        content=_without_login(message),
    )


def _without_login(message: Message) -> bytes:
    trace = message.header.first("received")
    cut = (trace.start, trace.start + len(trace.raw)) if trace else (0, 0)
    return message.content[: cut[0]] + message.content[cut[1] :]


def _let_pass(dispatch: Dispatch, message: Message, envelope: Envelope, tools: Tools) -> Dispatch:
    """Modes observe and warn: what would be refused leaves as it is; the decision tells the rule, warn tells the officer."""
    refused = dispatch.decision
    mails = [*_by_hop(_as_it_is(message, envelope, dispatch.message_id or ""), tools)]
    if tools.settings.outbound.mode is Mode.WARN:
        mails.append(passed_notice(refused, at=dispatch.decided_at, settings=tools.settings))
    passed = replace(refused, act=Act.ALLOW, reply="", recipients=envelope.rcpt_tos)
    return replace(dispatch, decision=passed, mails=tuple(mails))


def _message_id(message: Message, hostname: str) -> str:
    """The client's own id where it can leave; else one of ours, the same for the same mail however often it is sent."""
    written = keys_of(message.header, ()).message_id
    if written is not None and written.isascii():
        return written
    return f"<answer.{hashlib.sha256(_without_login(message)).hexdigest()[:32]}@{hostname}>"
