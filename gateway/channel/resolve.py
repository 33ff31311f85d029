"""Finds the case a message belongs to: by thread, by case tag, by the Microsoft conversation, by the only open case (CHANNEL A2).

Never reads the journal: the candidates are given. Two different hits are never a choice.
"""

from gateway.mail.addresses import parse_address
from gateway.model.case import CaseState, CaseView, is_reference
from gateway.model.channel import Resolution
from gateway.model.message import ThreadKeys


def resolve(
    keys: ThreadKeys, candidates: tuple[CaseView, ...], *, recipients: tuple[str, ...], secret: bytes
) -> Resolution:
    """The case of a message; `recipients` are the addresses it has to do with, the counterpart's among them.

    The first way that hits wins. Thread, tag and conversation naming two cases are a conflict, several cases by a later way are
    `several`.
    A tag alone binds only where the case's own address is among the recipients; otherwise its case is `unbound`.
    """
    valid = tuple(tag.upper() for tag in keys.tags if is_reference(secret, tag))
    bad_tag = len(valid) < len(keys.tags)
    tagged = tuple(case for case in candidates if case.reference.upper() in valid)
    threaded = _by_thread(keys, candidates)
    named, talked = _once((*threaded, *tagged)), _by_conversation(keys, candidates)
    # Two requests of one conversation are two cases that share it: only a conversation of other cases contradicts.
    if len(named) > 1 or (named and talked and named[0] not in talked):
        return Resolution(conflict=_references(_once((*named, *talked))), bad_tag=bad_tag)
    present = frozenset(map(address_key, recipients))
    if named and not threaded and not present & addresses_of(named[0]):
        return Resolution(unbound=_references(named), bad_tag=bad_tag)
    if named:
        return Resolution(case=named[0], by="thread" if threaded else "tag", bad_tag=bad_tag)
    found, by = (talked, "thread-index") if talked else (_open_with(candidates, present), "address")
    if len(found) == 1:
        return Resolution(case=found[0], by=by, bad_tag=bad_tag)
    return Resolution(several=_references(found), bad_tag=bad_tag)


def addresses_of(case: CaseView) -> frozenset[str]:
    """The counterpart's addresses in the case, as the directory compares them: a0, and the proved Reply-To."""
    proved = (case.origin, case.reply_to if case.reply_to_proved else None)
    return frozenset(address_key(one) for one in proved if one)


def address_key(text: str) -> str:
    """An address as the directory compares it; what is no strict address is kept in lower case and matches nothing there."""
    address = parse_address(text.encode("utf-8", "surrogateescape"))
    return address.key if address else text.lower()


def _by_thread(keys: ThreadKeys, candidates: tuple[CaseView, ...]) -> tuple[CaseView, ...]:
    """In-Reply-To first, then References from the last, the nearest ancestor, to the first."""
    ids = (*keys.in_reply_to, *reversed(keys.references))
    return _once(tuple(case for one in ids for case in candidates if one in case.thread))


def _by_conversation(keys: ThreadKeys, candidates: tuple[CaseView, ...]) -> tuple[CaseView, ...]:
    """Cases of the same Microsoft conversation."""
    conversation = keys.thread_index
    return _once(tuple(case for case in candidates if conversation and conversation in case.thread_indexes))


def _open_with(candidates: tuple[CaseView, ...], present: frozenset[str]) -> tuple[CaseView, ...]:
    """Cases that are not closed, of an address the message goes to.

    An answered one is still open here: a second answer that lost its thread must not leave as a new request.
    """
    open_cases = (case for case in candidates if case.state is not CaseState.CLOSED)
    return _once(tuple(case for case in open_cases if present & addresses_of(case)))


def _once(cases: tuple[CaseView, ...]) -> tuple[CaseView, ...]:
    return tuple({case.reference: case for case in cases}.values())


def _references(cases: tuple[CaseView, ...]) -> tuple[str, ...]:
    return tuple(case.reference for case in cases)
