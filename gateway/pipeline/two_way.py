"""The channel rule the other way: an answer to a request of ours that came by another channel is marked, never kept back.

It is delivered like any mail, since it may be evidence; the officer reads which address to ask again (CHANNEL A1).
"""

from gateway.channel.resolve import addresses_of, resolve
from gateway.mail.thread import keys_of
from gateway.model.case import CaseView
from gateway.model.message import Arrival, Message
from gateway.model.outcome import Facts
from gateway.model.trust import Identity, SigLevel
from gateway.model.verdict import Reason, Signal


def off_channel(
    arrival: Arrival, facts: Facts, message: Message, identity: Identity, *, secret: bytes
) -> tuple[Signal, ...]:
    """What is said of an answer to our own request from another address, or less protected than we sent it."""
    case = _asked(arrival, facts, message, secret)
    if case is None or message.sender is None:
        return ()
    wrong = _wrong(case, message.sender.key, identity)
    if not wrong:
        return ()
    # The address is ours to name: of our own request, not of this mail.
    again = f"ask again at {case.origin}, as an answer to your own request"
    return (Signal(Reason.OFF_CHANNEL, f"It answers our request {case.reference} {wrong}: {again}."),)


def _asked(arrival: Arrival, facts: Facts, message: Message, secret: bytes) -> CaseView | None:
    """The request of ours that it answers, by thread or number, whoever wrote it."""
    ours = tuple(one for one in facts.candidates if one.ours)
    if not ours or message.sender is None:
        return None
    keys = keys_of(message.header, arrival.envelope.rcpt_tos)
    found = resolve(keys, ours, recipients=(message.sender.spec,), secret=secret)
    if found.case is not None:
        return found.case
    return next((one for one in ours if one.reference in found.unbound), None)


def _wrong(case: CaseView, sender: str, identity: Identity) -> str:
    if sender not in addresses_of(case) and not _joint(case, identity):
        return "from another address than we asked"
    if case.floor.enc and not identity.protection.enc:
        return "in clear, although we asked encrypted"
    # Who has no pinned key cannot sign for us: only from others a signature is missed.
    signs = identity.contact is not None and bool(identity.contact.keys)
    if signs and case.floor.sig is SigLevel.OPENPGP and identity.protection.sig is not SigLevel.OPENPGP:
        return "without a good signature, although their key is pinned"
    return ""


def _joint(case: CaseView, identity: Identity) -> bool:
    """Another address that the directory says stands for the one we asked."""
    same = identity.contact is not None and identity.contact.id == case.contact
    return same and identity.address is not None and identity.address.joint
