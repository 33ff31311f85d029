"""The road of an arrival: parse, unseal, check, identify, classify, decide, compose, seal (DESIGN section 3)."""

from dataclasses import dataclass, replace

from gateway.channel.clocks import clocks_of
from gateway.errors import SealFailed
from gateway.mail import stamp
from gateway.mail.automatic import automatic, kind_of, suppressed
from gateway.mail.bounce import undelivered
from gateway.mail.parse import parse
from gateway.mail.scan import scan_header
from gateway.mail.text import read
from gateway.model.case import CaseView
from gateway.model.clock import ClockStart
from gateway.model.history import Appearance
from gateway.model.message import Arrival, Message, Text
from gateway.model.outbox import OutMail, Purpose
from gateway.model.outcome import Facts, Outcome, Verdict
from gateway.model.settings import Settings
from gateway.model.trust import Assurance, Checks, Identity, Method, Unsealed
from gateway.model.verdict import Classification, Disposition, Reason, ReceiptDecision, Ruling, Signal, Withheld
from gateway.pipeline.cards import CardFacts, is_due, verdict_card
from gateway.pipeline.cases import PROVED, bounce_path, case_after, new_case, request_key
from gateway.pipeline.notices import came_back_notice
from gateway.pipeline.receipts import FIRST_LANGUAGE, compose_receipt
from gateway.pipeline.tools import Tools
from gateway.pipeline.two_way import off_channel
from gateway.triage import policy
from gateway.triage.classify import classify
from gateway.triage.extract import extractor
from gateway.triage.oddities import oddities, uncovered
from gateway.triage.suspicions import suspicions
from gateway.trust.directory import identify
from gateway.trust.lookalike import resembled
from gateway.trust.signals import appearance, signals

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
    appearance: Appearance | None
    """What the history of the sender's address may learn from it."""


@dataclass(frozen=True, slots=True)
class _Proofs:
    """Who wrote the message, before a word of it is read."""

    message: Message
    unsealed: Unsealed
    checks: Checks
    identity: Identity
    made_by: Withheld | None
    """What says that a machine wrote it."""

    @property
    def machine(self) -> Withheld | None:
        """The same for everything but a receipt: a name such as noreply@ makes an emergency no less of one."""
        return None if self.made_by is Withheld.ROBOT else self.made_by


def inward(arrival: Arrival, facts: Facts, tools: Tools) -> Outcome:
    """Everything one arrival causes: verdict, case, prepended block, receipt."""
    found = assess(arrival, facts, tools)
    case, opens = case_after(
        arrival, facts, found.message, found.checks, found.identity, found.verdict, found.automatic, tools
    )
    key = request_key(arrival.content)
    receipts, verdict = _receipts(arrival, facts, found, case.reference, key, tools)
    insertions, _ = _foreign(found.message, found.checks, tools)
    free = "importance" not in _covered(found.checks) and found.message.header.first("importance") is None
    bounced = None if opens else _bounced(arrival, found, tools)
    return Outcome(
        verdict=verdict,
        case=case,
        opens=opens,
        request_key=key,
        prepend=_block(arrival, verdict, case.reference, hostname=tools.settings.hostname, importance_free=free),
        insertions=insertions,
        receipts=receipts,
        clocks=_clocks(arrival, case, found, tools),
        bounced=bounced,
        card=_card(arrival, found, verdict, case, key, tools)
        if bounced is None
        else _came_back(arrival, bounced, case, tools),
        dns=found.checks.dns,
        appearance=found.appearance,
    )


def assess(arrival: Arrival, facts: Facts, tools: Tools, *, reveal: bool = False, trace: bool = False) -> Assessment:
    """The verdict and what it rests on; changes nothing anywhere, so `explain` calls it too.

    With `reveal` identifiers and hits of encrypted mail carry their text, with `trace` rules that nearly hit are named too: for eyes,
    never for the journal (DESIGN section 3).
    """
    proofs = _proofs(arrival, tools)
    message, unsealed, identity = proofs.message, proofs.unsealed, proofs.identity
    text, inner = _words(message, unsealed)
    defects = (*message.defects, *inner, *unsealed.contradictions)
    classification = classify(
        text,
        ruleset=tools.ruleset,
        kind=kind_of(proofs.machine) if proofs.machine else None,
        own_addresses=tools.settings.mailboxes,
        sender_domain=message.sender.domain if message.sender else None,
        encrypted=unsealed.encrypted and not reveal,
        trace=trace and reveal,
    )
    ruling = policy.decide(
        message_defects=defects,
        automatic=proofs.machine,
        category=classification.category,
        identity=identity,
        final=facts.final,
        findings=(*unsealed.reasons, *text.findings),
    )
    shown = appearance(message, checks=proofs.checks, unsealed=unsealed, classification=classification)
    told = (
        *_signals(shown, proofs, classification, facts),
        *_off_channel(arrival, facts, proofs, tools),
        *_suspicions(text, proofs, classification, tools),
    )
    odd = (*_odd(arrival, message, proofs.checks, tools), *(one.reason for one in told))
    verdict = Verdict(
        classification=classification,
        assurance=Assurance(ruling.assurance),
        disposition=ruling.disposition,
        reasons=_reasons(ruling, facts, *defects, *unsealed.reasons, *text.findings, *classification.findings, *odd),
        results=(*proofs.checks.results, *unsealed.results),
        receipt=_receipt_decision(arrival, facts, proofs, ruling, tools),
        contact=identity.contact.id if identity.contact else None,
        ruleset=tools.ruleset.digest,
        page=ruling.page,
        signals=told,
    )
    learned = shown if _may_be_learned(verdict, proofs, facts) else None
    return Assessment(message, unsealed, proofs.checks, identity, proofs.machine, verdict, learned)


def judge_error(arrival: Arrival, facts: Facts, *, settings: Settings) -> Outcome:
    """The outcome of a message that defeated every judge: delivered as it is, paged, trusted for nothing, no receipt."""
    key, card = request_key(arrival.content), CardFacts(header=scan_header(arrival.content)[0])
    return Outcome(
        verdict=DEFEATED,
        case=new_case(arrival, facts.reference, mailbox=settings.contact_point.mailbox),
        opens=True,
        request_key=key,
        prepend=_block(arrival, DEFEATED, facts.reference, hostname=settings.hostname, importance_free=False),
        card=verdict_card(arrival, DEFEATED, card, reference=facts.reference, key=key, settings=settings),
    )


def _words(message: Message, unsealed: Unsealed) -> tuple[Text, tuple[Reason, ...]]:
    """The text to judge: of the decrypted part where there is one, with the outer Subject if none is inside."""
    if unsealed.content is None:
        return read(message, extract=extractor()), ()
    inside = parse(unsealed.content)
    text = read(inside, extract=extractor())
    if not text.subject:
        text = replace(text, subject=read(message).subject)
    return text, tuple(one for one in inside.defects if one in INNER_DEFECTS)


def _proofs(arrival: Arrival, tools: Tools) -> _Proofs:
    at = arrival.received_at
    message = parse(arrival.content)
    contact, _ = (tools.book.get(message.sender.key) if message.sender else None) or (None, None)
    unsealed = tools.unseal(message, contact, at)
    checks = tools.check(message, arrival.envelope, at)
    identity = identify(message, envelope=arrival.envelope, checks=checks, unsealed=unsealed, book=tools.book, at=at)
    return _Proofs(message, unsealed, checks, identity, automatic(message, arrival.envelope))


def _receipt_decision(arrival: Arrival, facts: Facts, proofs: _Proofs, ruling: Ruling, tools: Tools) -> ReceiptDecision:
    contact, at = proofs.identity.contact, facts.receipt_at or arrival.received_at
    return policy.receipt(
        ruling=ruling,
        message=proofs.message,
        envelope=arrival.envelope,
        identity=proofs.identity,
        automatic=proofs.made_by,
        suppressed=suppressed(proofs.message),
        settings=tools.settings,
        repeat=not facts.receipt_due,
        can_encrypt=contact is not None and any(key.encrypts(at) for key in contact.keys),
        encrypted=proofs.unsealed.encrypted,
    )


def _signals(
    shown: Appearance | None, proofs: _Proofs, classification: Classification, facts: Facts
) -> tuple[Signal, ...]:
    """What compares the message with earlier mail of its sender; a machine writes otherwise than its people."""
    if proofs.machine is not None:
        return ()
    return signals(
        shown,
        message=proofs.message,
        unsealed=proofs.unsealed,
        identity=proofs.identity,
        classification=classification,
        # The same request once more bears the same signature; that it came before is said by `repeated`.
        history=facts.history if facts.repeat_of is None else None,
    )


def _off_channel(arrival: Arrival, facts: Facts, proofs: _Proofs, tools: Tools) -> tuple[Signal, ...]:
    if proofs.machine is not None:
        return ()
    return off_channel(arrival, facts, proofs.message, proofs.identity, secret=tools.secret)


def _suspicions(text: Text, proofs: _Proofs, classification: Classification, tools: Tools) -> tuple[Signal, ...]:
    """What in the mail does not fit its sender; a machine asks for nothing."""
    if proofs.machine is not None:
        return ()
    return suspicions(
        text,
        message=proofs.message,
        contact=proofs.identity.contact,
        classification=classification,
        ours=tools.settings.contact_point,
        ruleset=tools.ruleset,
    )


def _may_be_learned(verdict: Verdict, proofs: _Proofs, facts: Facts) -> bool:
    """Only a human's mail that proves its sender and is not held tells what his mail is like; a repeat tells nothing new."""
    proved = verdict.assurance in PROVED and not proofs.identity.openpgp_wrong
    return proved and verdict.disposition is Disposition.ACCEPT and proofs.machine is None and facts.repeat_of is None


def _reasons(ruling: Ruling, facts: Facts, *findings: Reason) -> tuple[Reason, ...]:
    """The ground of the disposition first, then every other finding, each once."""
    ground = () if ruling.reason is None else (ruling.reason,)
    repeated = () if facts.repeat_of is None else (Reason.REPEATED,)
    reused = (Reason.ID_REUSE,) if facts.id_reused else ()
    return tuple(dict.fromkeys((*ground, *ruling.further, *findings, *repeated, *reused)))


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


def _receipts(
    arrival: Arrival, facts: Facts, found: Assessment, reference: str, key: str, tools: Tools
) -> tuple[tuple[OutMail, ...], Verdict]:
    """The receipt where the verdict allows one; a receipt that cannot be sealed is withheld, never sent open."""
    verdict = found.verdict
    if not verdict.receipt.send:
        return (), verdict
    try:
        mail = compose_receipt(
            arrival,
            found.message,
            verdict,
            reference,
            key,
            at=facts.receipt_at or arrival.received_at,
            encrypted=found.unsealed.encrypted,
            tools=tools,
        )
    except SealFailed:
        return (), replace(verdict, receipt=ReceiptDecision(send=False, reason=Withheld.SEAL_FAILED))
    return (mail,), verdict


def _clocks(arrival: Arrival, case: CaseView, found: Assessment, tools: Tools) -> tuple[ClockStart, ...]:
    """What a human's mail sets going; a machine's sets nothing going."""
    if found.automatic is not None:
        return ()
    return clocks_of(
        case,
        found.verdict.classification,
        at=arrival.received_at,
        first_answer_minutes=tools.ruleset.first_answer_minutes,
        preservation_days=tools.settings.contact_point.preservation_days,
    )


def _card(
    arrival: Arrival, found: Assessment, verdict: Verdict, case: CaseView, key: str, tools: Tools
) -> OutMail | None:
    """What the officers are told about a message that somebody must look at."""
    if not is_due(verdict):
        return None
    facts = CardFacts(
        header=found.message.header,
        contact=found.identity.contact,
        uncovered=uncovered(found.message, Checks(results=verdict.results)),
        missing=tuple(tools.ruleset.item_name(one, FIRST_LANGUAGE) for one in verdict.classification.missing),
    )
    return verdict_card(arrival, verdict, facts, reference=case.reference, key=key, settings=tools.settings)


def _bounced(arrival: Arrival, found: Assessment, tools: Tools) -> Purpose | None:
    """What of ours this message brings back undelivered; a delay or an absence notice brings nothing."""
    path = bounce_path(arrival, found.automatic, tools.secret)
    if path is None or not undelivered(found.message):
        return None
    return Purpose.ANSWER if path.answer else Purpose.RECEIPT


def _came_back(arrival: Arrival, bounced: Purpose, case: CaseView, tools: Tools) -> OutMail | None:
    return came_back_notice(arrival, case.reference, settings=tools.settings) if bounced is Purpose.ANSWER else None


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
