"""Which case an arrival belongs to, and how that case stands afterwards.

Only a message of a proved counterpart joins a case or adds its id to the thread: a forger cannot graft himself in (CHANNEL A2).
"""

import hashlib
from dataclasses import replace

from gateway.channel.resolve import resolve
from gateway.mail import return_path
from gateway.mail.addresses import parse_address_list
from gateway.mail.return_path import ReturnPath
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import CaseState, CaseView
from gateway.model.message import Arrival, Message
from gateway.model.outcome import Facts, Verdict
from gateway.model.trust import Assurance, Checks, Identity, Method, Result
from gateway.model.verdict import Category, Kind, Withheld
from gateway.pipeline.tools import Tools

PROVED = frozenset({Assurance.LISTED, Assurance.SIGNED})
THREADED = frozenset({"thread", "tag", "thread-index"})
BOUNCES = frozenset({Withheld.NULL_SENDER, Withheld.REPORT})
STRONGEST = tuple(Category)


def request_key(content: bytes) -> str:
    """What makes a repeat a repeat: Message-ID and body, hashed (CHANNEL C, resends)."""
    header, body_start, _ = scan_header(content)
    return key_of_request(keys_of(header, ()).message_id, memoryview(content)[body_start:])


def key_of_request(message_id: str | None, body: memoryview) -> str:
    """The same of a message whose header was scanned already."""
    digest = hashlib.sha256((message_id or "").encode("utf-8", "surrogateescape") + b"\0")
    digest.update(hashlib.sha256(body).digest())
    return digest.hexdigest()


def new_case(arrival: Arrival, reference: str, *, mailbox: str) -> CaseView:
    """A case that nothing is known of but its arrival."""
    return CaseView(reference=reference, mailbox=mailbox, opened_at=arrival.received_at)


def case_after(
    arrival: Arrival,
    facts: Facts,
    message: Message,
    checks: Checks,
    identity: Identity,
    verdict: Verdict,
    automatic: Withheld | None,
    tools: Tools,
) -> tuple[CaseView, bool]:
    """The case as it shall stand, and whether this arrival opens it."""
    named = _named(arrival, facts, message, identity, verdict, automatic, tools)
    proved = verdict.assurance in PROVED
    if named is not None and automatic is None and not facts.repeat_of:
        return _joined(named, message, identity, verdict), False
    if named is not None and automatic is None and proved and named.origin is None:
        # The copy that came first proved nothing; without a channel nobody could ever answer it.
        return _proved(_joined(named, message, identity, verdict), message, checks, identity, tools), False
    if named is not None:
        return named, False
    case = new_case(arrival, facts.reference, mailbox=tools.settings.contact_point.mailbox)
    case = replace(
        case,
        category=verdict.classification.category,
        kind=verdict.classification.kind,
        urgent=verdict.classification.urgent,
        language=verdict.classification.language,
        assurance=verdict.assurance,
    )
    if automatic is not None:
        return replace(case, state=CaseState.CLOSED), True
    return (_proved(case, message, checks, identity, tools) if proved else case), True


def _named(
    arrival: Arrival,
    facts: Facts,
    message: Message,
    identity: Identity,
    verdict: Verdict,
    automatic: Withheld | None,
    tools: Tools,
) -> CaseView | None:
    """The case this arrival belongs to: a repeat's, a bounce's, or the one a proved counterpart's thread names."""
    known = {case.reference: case for case in facts.candidates}
    proved = identity.contact.id if identity.contact and verdict.assurance in PROVED else None
    if facts.repeat_of is not None:
        found = known.get(facts.repeat_of)
        # The same words under another contact's proof are that contact's request, not a repeat.
        return None if found and proved and found.contact not in (None, proved) else found
    if (path := bounce_path(arrival, automatic, tools.secret)) is not None:
        return known.get(path.case)
    if proved is None or message.sender is None:
        return None
    keys = keys_of(message.header, arrival.envelope.rcpt_tos)
    own = tuple(case for case in facts.candidates if case.contact == proved)
    resolution = resolve(keys, own, recipients=(message.sender.spec,), secret=tools.secret)
    return resolution.case if resolution.by in THREADED else None


def return_path_of(arrival: Arrival, secret: bytes) -> ReturnPath | None:
    """What a return path of ours among the recipients says (DESIGN section 8)."""
    today = arrival.received_at.toordinal()
    found = (return_path.read(secret, one, mailbox=arrival.mailbox, today=today) for one in arrival.envelope.rcpt_tos)
    return next(filter(None, found), None)


def bounce_path(arrival: Arrival, automatic: Withheld | None, secret: bytes) -> ReturnPath | None:
    """The return path that a bounce came back on; None for any other mail, whatever its recipients."""
    return return_path_of(arrival, secret) if automatic in BOUNCES else None


def _joined(case: CaseView, message: Message, identity: Identity, verdict: Verdict) -> CaseView:
    """The floor never sinks, the category never weakens, and a new message of the counterpart opens the case again."""
    category = min(case.category, verdict.classification.category, key=STRONGEST.index)
    acknowledged = verdict.classification.kind is Kind.ACKNOWLEDGEMENT
    keys = keys_of(message.header, ())
    return replace(
        case,
        category=category,
        urgent=case.urgent or verdict.classification.urgent,
        state=case.state if acknowledged else CaseState.OPEN,
        floor=case.floor.join(identity.protection),
        assurance=max(case.assurance, verdict.assurance, key=tuple(Assurance).index),
        thread=_with(case.thread, keys.message_id),
        thread_indexes=_with(case.thread_indexes, keys.thread_index),
    )


def _proved(case: CaseView, message: Message, checks: Checks, identity: Identity, tools: Tools) -> CaseView:
    """A new case of a proved counterpart: its channel is where an answer may go."""
    if identity.contact is None or message.sender is None:
        return case
    keys = keys_of(message.header, ())
    asked, proved = _reply_to(message, checks, identity, tools)
    return replace(
        case,
        contact=identity.contact.id,
        origin=message.sender.spec,
        floor=case.floor.join(identity.protection).join(identity.contact.minimum),
        thread=_with(case.thread, keys.message_id),
        thread_indexes=_with((), keys.thread_index),
        request_id=keys.message_id,
        references=keys.references,
        reply_to=asked,
        reply_to_proved=proved,
    )


def _reply_to(message: Message, checks: Checks, identity: Identity, tools: Tools) -> tuple[str | None, bool]:
    """Where the request asks for answers, if elsewhere; proved = a verified address of the same contact, under a signature."""
    field = message.header.first("reply-to")
    if field is None or message.sender is None:
        return None, False
    asked = parse_address_list(field.value)
    if asked is None or len(asked) != 1:
        return field.value.decode("utf-8", "replace")[:200], False
    if asked[0].key == message.sender.key:
        return None, False
    contact, address = tools.book.get(asked[0].key, (None, None))
    same = contact is not None and identity.contact is not None and contact.id == identity.contact.id
    domain = message.sender.domain
    # A signature of somebody else's covers what somebody else may have added to a replayed request.
    signatures = (one for one in checks.of(Method.DKIM) if one.result is Result.PASS and one.speaks_for(domain))
    covered = any("reply-to" in one.covers for one in signatures)
    return asked[0].spec, bool(same and covered and address is not None and address.verified)


def _with(known: tuple[str, ...], key: str | None) -> tuple[str, ...]:
    return known if key is None or key in known else (*known, key)
