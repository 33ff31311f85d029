"""The road of an arrival: parse, unseal, check, identify, classify, decide, compose, seal (DESIGN section 3)."""

from dataclasses import dataclass, replace

from gateway.errors import SealFailed
from gateway.mail import stamp
from gateway.mail.automatic import automatic, kind_of, suppressed
from gateway.mail.parse import parse
from gateway.mail.text import read
from gateway.model.message import Arrival, Message, Text
from gateway.model.outbox import OutMail
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.trust import Assurance, Checks, Identity, Method, Unsealed
from gateway.model.verdict import Classification, Disposition, Reason, ReceiptDecision, Ruling, Withheld
from gateway.pipeline.cases import case_after, new_case, request_key
from gateway.pipeline.receipts import compose_receipt
from gateway.pipeline.tools import Tools
from gateway.triage import policy
from gateway.triage.classify import classify
from gateway.triage.oddities import oddities
from gateway.trust.directory import identify
from gateway.trust.lookalike import resembled

INNER_DEFECTS = frozenset({Reason.MIME_TOO_DEEP, Reason.MIME_TOO_MANY_PARTS, Reason.MIME_MALFORMED})
"""Findings inside a decrypted part that count: it need not have a From of its own."""

DEFEATED = Verdict(
    classification=Classification(),
    assurance=Assurance.NONE,
    disposition=Disposition.ACCEPT,
    reasons=(Reason.JUDGE_ERROR,),
    results=(),
    receipt=ReceiptDecision(send=False, reason=Withheld.JUDGE_ERROR),
    page=True,
)
"""The verdict on a message that defeated every judge it met."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found on the way, and what is said about it."""

    message: Message
    unsealed: Unsealed
    checks: Checks
    identity: Identity
    automatic: Withheld | None
    verdict: Verdict


def inward(arrival: Arrival, facts: Facts, tools: Tools) -> Outcome:
    """Everything one arrival causes: verdict, case, prepended block, receipt."""
    found = assess(arrival, facts, tools)
    case, opens = case_after(
        arrival, facts, found.message, found.checks, found.identity, found.verdict, found.automatic, tools
    )
    receipts, verdict = _receipts(arrival, found, case.reference, tools)
    insertions, _ = _foreign(found.message, found.checks, tools)
    free = "importance" not in _covered(found.checks) and found.message.header.first("importance") is None
    return Outcome(
        verdict=verdict,
        case=case,
        opens=opens,
        request_key=request_key(arrival.content),
        prepend=_block(arrival, verdict, case.reference, hostname=tools.settings.hostname, importance_free=free),
        insertions=insertions,
        receipts=receipts,
        dns=found.checks.dns,
    )


def assess(arrival: Arrival, facts: Facts, tools: Tools, *, reveal: bool = False) -> Assessment:
    """The verdict and what it rests on; changes nothing anywhere, so `explain` calls it too.

    With `reveal` identifiers and hits of encrypted mail carry their text: for eyes, never for the journal (DESIGN section 3).
    """
    at = arrival.received_at
    message = parse(arrival.content)
    contact, _ = (tools.book.get(message.sender.key) if message.sender else None) or (None, None)
    unsealed = tools.unseal(message, contact, at)
    checks = tools.check(message, arrival.envelope, at)
    identity = identify(message, envelope=arrival.envelope, checks=checks, unsealed=unsealed, book=tools.book, at=at)
    made_by = automatic(message, arrival.envelope)
    # A name such as noreply@ or mla-request@ withholds a receipt; it does not make an emergency less of one.
    machine = None if made_by is Withheld.ROBOT else made_by
    text, inner = _words(message, unsealed)
    defects = (*message.defects, *inner, *unsealed.contradictions)
    odd = _odd(arrival, message, checks, tools)
    classification = classify(
        text,
        ruleset=tools.ruleset,
        kind=kind_of(machine) if machine else None,
        own_addresses=tools.settings.mailboxes,
        sender_domain=message.sender.domain if message.sender else None,
        encrypted=unsealed.encrypted and not reveal,
    )
    ruling = policy.decide(
        message_defects=defects,
        automatic=machine,
        category=classification.category,
        identity=identity,
        final=facts.final,
    )
    receipt = policy.receipt(
        ruling=ruling,
        message=message,
        envelope=arrival.envelope,
        identity=identity,
        automatic=made_by,
        suppressed=suppressed(message),
        settings=tools.settings,
        repeat=not facts.receipt_due,
        can_encrypt=contact is not None and any(key.encrypts(at) for key in contact.keys),
        encrypted=unsealed.encrypted,
    )
    verdict = Verdict(
        classification=classification,
        assurance=Assurance(ruling.assurance),
        disposition=ruling.disposition,
        reasons=_reasons(ruling, facts, *defects, *unsealed.reasons, *text.findings, *classification.findings, *odd),
        results=(*checks.results, *unsealed.results),
        receipt=receipt,
        contact=contact.id if contact else None,
        ruleset=tools.ruleset.digest,
        page=ruling.page,
    )
    return Assessment(message, unsealed, checks, identity, machine, verdict)


def judge_error(arrival: Arrival, facts: Facts, *, mailbox: str, hostname: str) -> Outcome:
    """The outcome of a message that defeated every judge: delivered as it is, paged, trusted for nothing, no receipt."""
    return Outcome(
        verdict=DEFEATED,
        case=new_case(arrival, facts.reference, mailbox=mailbox),
        opens=True,
        request_key=request_key(arrival.content),
        prepend=_block(arrival, DEFEATED, facts.reference, hostname=hostname, importance_free=False),
    )


def _words(message: Message, unsealed: Unsealed) -> tuple[Text, tuple[Reason, ...]]:
    """The text to judge: of the decrypted part where there is one, with the outer Subject if none is inside."""
    if unsealed.content is None:
        return read(message), ()
    inside = parse(unsealed.content)
    text = read(inside)
    if not text.subject:
        text = replace(text, subject=read(message).subject)
    return text, tuple(one for one in inside.defects if one in INNER_DEFECTS)


def _reasons(ruling: Ruling, facts: Facts, *findings: Reason) -> tuple[Reason, ...]:
    """The ground of the disposition first, then every other finding, each once."""
    ground = () if ruling.reason is None else (ruling.reason,)
    repeated = () if facts.repeat_of is None else (Reason.REPEATED,)
    return tuple(dict.fromkeys((*ground, *ruling.further, *findings, *repeated)))


def _odd(arrival: Arrival, message: Message, checks: Checks, tools: Tools) -> tuple[Reason, ...]:
    """What is odd about whom the message names, and the fields of ours that it forges."""
    named = oddities(
        message,
        envelope=arrival.envelope,
        checks=checks,
        mailboxes=tools.settings.mailboxes,
        secret=tools.secret,
    )
    alike = message.sender is not None and resembled(message.sender, tools.known) is not None
    return (*named, *((Reason.LOOKALIKE_DOMAIN,) if alike else ()), *_foreign(message, checks, tools)[1])


def _foreign(message: Message, checks: Checks, tools: Tools) -> tuple[tuple[int, ...], tuple[Reason, ...]]:
    """Where names of forged fields of ours begin, and what is said of them."""
    return stamp.foreign(message.header, hostname=tools.settings.hostname, signed=_covered(checks))


def _covered(checks: Checks) -> frozenset[str]:
    return frozenset(name for one in checks.of(Method.DKIM) for name in one.covers)


def _receipts(arrival: Arrival, found: Assessment, reference: str, tools: Tools) -> tuple[tuple[OutMail, ...], Verdict]:
    """The receipt where the verdict allows one; a receipt that cannot be sealed is withheld, never sent open."""
    verdict = found.verdict
    if not verdict.receipt.send:
        return (), verdict
    try:
        mail = compose_receipt(
            arrival, found.message, verdict, reference, encrypted=found.unsealed.encrypted, tools=tools
        )
    except SealFailed:
        return (), replace(verdict, receipt=ReceiptDecision(send=False, reason=Withheld.SEAL_FAILED))
    return (mail,), verdict


def _block(arrival: Arrival, verdict: Verdict, reference: str, *, hostname: str, importance_free: bool) -> bytes:
    return stamp.block(
        verdict=verdict,
        reference=reference,
        hostname=hostname,
        envelope=arrival.envelope,
        received_at=arrival.received_at,
        arrival_id=arrival.id,
        source=arrival.source,
        importance_free=importance_free,
    )
