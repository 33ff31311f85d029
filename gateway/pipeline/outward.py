"""The road of an officer's mail: resolve the case, decide, then sign, encrypt, repair threading (CHANNEL A).

What the table refuses comes back with its line; what it lets pass comes back complete, ready for the relay.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from gateway import log
from gateway.channel.decide import decide, too_large
from gateway.channel.draft import is_own
from gateway.channel.refusals import CANNOT_DECIDE
from gateway.channel.resolve import address_key, resolve
from gateway.errors import SealFailed
from gateway.mail import compose, outgoing, return_path
from gateway.mail.automatic import automatic
from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.mail.thread import keys_of
from gateway.model.case import CaseState, CaseView
from gateway.model.channel import Act, Decision, Dispatch
from gateway.model.message import Envelope, Message
from gateway.model.outbox import Hop, OutMail, Purpose
from gateway.model.settings import Mode
from gateway.model.trust import PinnedKey, TlsLevel
from gateway.model.verdict import Category
from gateway.pipeline.case_notes import note_decision, note_text
from gateway.pipeline.notices import again_notice, held_notice, mla_first_notice, passed_notice, used_notice
from gateway.pipeline.sealing import seal_payload
from gateway.pipeline.tools import Tools
from gateway.triage.practices import sends_to_mla_first

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
    waived: frozenset[str] = frozenset(),
) -> Dispatch:
    """The decision over an officer's mail and the mails it causes; `reference` is the number a case of our own may open.

    A decision that opens a case comes back without mails while `reference` is None: the caller reserves one and asks again.
    """
    message = parse(content)
    message_id = _message_id(message, tools.settings.hostname)
    noted = _noted(message, envelope, candidates, tools)
    decision = noted or _decided(message, envelope, candidates, tools, at, waived)
    case = next((one for one in candidates if one.reference == decision.case), None)
    dispatch = Dispatch(
        decision=decision,
        decided_at=at,
        message_id=message_id,
        sender=message.sender.spec if message.sender else "",
        login=_login(message, envelope),
        note=note_text(message, encrypted=_encrypted_to(message, tools) is not None) if noted else None,
    )
    if decision.act in REFUSING and tools.settings.outbound.mode is not Mode.ENFORCE:
        return _let_pass(dispatch, message, envelope, tools)
    if decision.act is Act.HOLD:
        return replace(dispatch, mails=(held_notice(dispatch, envelope, case, settings=tools.settings),))
    if decision.act is Act.REJECT:
        return _refused(dispatch, envelope, tools)
    if decision.act not in PASSING or (decision.opens and reference is None):
        return dispatch
    if decision.opens and reference is not None:
        case = _own_case(reference, decision, tools, at)
        dispatch = replace(dispatch, decision=replace(decision, case=reference))
    return _passed(dispatch, message, envelope, case, tools)


def _noted(message: Message, envelope: Envelope, candidates: tuple[CaseView, ...], tools: Tools) -> Decision | None:
    login, settings = _login(message, envelope), tools.settings
    return note_decision(message, envelope, candidates, settings=settings, secret=tools.secret, login=login)


def _passed(dispatch: Dispatch, message: Message, envelope: Envelope, case: CaseView | None, tools: Tools) -> Dispatch:
    """The mails that leave: the officer's own bytes inside the institution, sealed everywhere else."""
    decision, message_id = dispatch.decision, dispatch.message_id or ""
    if not decision.sign:
        return replace(dispatch, mails=_by_hop(_as_it_is(message, envelope, message_id), tools), case=case)
    try:
        mail = _sealed(message, envelope, message_id, decision, tools, dispatch.decided_at)
    except SealFailed as error:
        # Fail closed, temporarily: nothing leaves unsealed.
        log.alarm("not-sealed", error=str(error), remedy="run `cp247 doctor`; nothing was sent, the officer was told")
        return replace(
            dispatch, decision=Decision(act=Act.DEFER, rule="D0", row=38, reply=CANNOT_DECIDE, case=decision.case)
        )
    if len(mail.content) > tools.settings.inbound.max_message_bytes:
        # Text of eight bits grows most of all: better said at Send than by the relay an hour later.
        refused = too_large(decision, size=len(mail.content), sender=dispatch.sender, recipients=envelope.rcpt_tos)
        return _refused(replace(dispatch, decision=refused), envelope, tools)
    answered = case if decision.internal or case is None else _answered(case, message, message_id)
    told = (used_notice(dispatch, settings=tools.settings),) if decision.waived else ()
    return replace(
        dispatch, mails=(*_by_hop(mail, tools), *told, *_practice(dispatch, message, case, tools)), case=answered
    )


def _practice(dispatch: Dispatch, message: Message, case: CaseView | None, tools: Tools) -> tuple[OutMail, ...]:
    """A line to the officers about an answer that seems to send the requester of a preservation away."""
    if case is None or case.ours or dispatch.decision.internal or case.category is not Category.PRESERVATION:
        return ()
    at = dispatch.decided_at
    said = read(_opened(message, tools, at) or message)
    if not sends_to_mla_first(said, tools.ruleset.channel.mla_first):
        return ()
    return (mla_first_notice(case, dispatch.message_id or "", at=at, settings=tools.settings),)


def _refused(dispatch: Dispatch, envelope: Envelope, tools: Tools) -> Dispatch:
    return replace(dispatch, again=again_notice(dispatch, envelope, settings=tools.settings))


def _decided(
    message: Message,
    envelope: Envelope,
    candidates: tuple[CaseView, ...],
    tools: Tools,
    at: datetime,
    waived: frozenset[str],
) -> Decision:
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
        login=_login(message, envelope),
        automatic=automatic(message, envelope),
        at=at,
        rules=tools.ruleset.channel,
        waived=waived,
    )


def _login(message: Message, envelope: Envelope) -> str | None:
    """The officer's login: our own AUTH, else the topmost Received of the submission server."""
    return envelope.login or outgoing.login_of(message.header)[0]


def _encrypted_to(message: Message, tools: Tools) -> frozenset[str] | None:
    """Key ids the client encrypted to; None for a mail in clear, nothing for one that cannot be read."""
    named = tools.seal.recipients_of(message)
    return named if named or message.root.content_type == "multipart/encrypted" else None


def _sealed(
    message: Message, envelope: Envelope, message_id: str, decision: Decision, tools: Tools, at: datetime
) -> OutMail:
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
        hop=_relay(decision, tools),
        mail_from=_mail_from(reference, envelope, tools, at),
        rcpt_tos=decision.recipients,
        message_id=message_id,
        content=tools.seal.dkim_field(content, at=at) + content,
    )


def _mail_from(reference: str, envelope: Envelope, tools: Tools, at: datetime) -> str:
    """The return path that names the case; a forward to a partner without a case keeps the officer's own."""
    if not reference:
        return envelope.mail_from or ""
    mailbox = tools.settings.contact_point.mailbox
    return return_path.make(tools.secret, mailbox=mailbox, case=reference, day=at.toordinal(), answer=True)


def _relay(decision: Decision, tools: Tools) -> Hop:
    """The relay that promises the TLS asked for; what no relay promises was held, or goes as the rule file allows."""
    outbound = tools.settings.outbound
    if decision.protection.tls is TlsLevel.VERIFIED and outbound.relay_verified:
        return Hop.RELAY_VERIFIED
    if decision.protection.tls is TlsLevel.TLS and outbound.relay_encrypted:
        return Hop.RELAY_ENCRYPTED
    return Hop.RELAY


def _by_hop(mail: OutMail, tools: Tools) -> tuple[OutMail, ...]:
    """The mail for the relay, and the copy to our own mailbox straight there: it must not come in again as a request."""
    copies = tuple(one for one in mail.rcpt_tos if is_own(tools.settings, address_key(one)))
    others = tuple(one for one in mail.rcpt_tos if one not in copies)
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
    case = CaseView(
        reference=reference,
        mailbox=tools.settings.contact_point.mailbox,
        opened_at=at,
        ours=True,
        floor=decision.protection,
    )
    if not named:
        # A provider of the rule file, or a stranger whom an exception names: the address asked is the channel.
        return replace(case, origin=decision.recipients[0])
    # As the table reads it: a joint address stands beside the one that is asked.
    contact, address = min(named, key=lambda one: one[1].joint)
    floor = decision.protection.join(contact.minimum)
    return replace(case, contact=contact.id, origin=address.address.spec, floor=floor)


def _answered(case: CaseView, message: Message, message_id: str) -> CaseView:
    """The case after its answer, whose id and conversation belong to it from now on."""
    conversation = keys_of(message.header, ()).thread_index
    return replace(
        case,
        state=case.state if case.ours else CaseState.ANSWERED,
        thread=tuple(dict.fromkeys((*case.thread, message_id))),
        thread_indexes=tuple(dict.fromkeys(filter(None, (*case.thread_indexes, conversation)))),
    )


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
