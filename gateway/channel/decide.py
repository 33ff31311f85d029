"""Decides whether an officer's mail may leave: only by the channel of its request (CHANNEL A3).

One table, read from top to bottom; the first row that applies is reported, and what no row allows is refused.
An exception frees one mail from one row; then the rows below it are read as well. Never sends, signs or encrypts: the
decision says what must be done.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.channel import grounds
from gateway.channel.draft import Book, Draft
from gateway.channel.grounds import Found
from gateway.channel.refusals import decision_number, line
from gateway.model.channel import Act, ChannelRules, Decision, Resolution, Waiver
from gateway.model.message import Envelope, Message
from gateway.model.settings import Settings
from gateway.model.trust import Protection, SigLevel, TlsLevel
from gateway.model.verdict import Withheld

MAX_REFERENCES = 20
STRICT_RULES = ChannelRules()
VOUCHING = frozenset({"R0", "R11", "R14", "R17", "R18", "H1"})
"""Rules that ask who an address belongs to; an exception from another says nothing about that."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    name: str
    number: int
    """Row of CHANNEL A3; 0 for what the table says in words around it."""
    applies: Callable[[Draft], Found]
    act: Act
    waiver: Waiver = Waiver.NOBODY
    reason: str = ""
    """Why an administrator is needed, for the rows that say so."""

    @property
    def key(self) -> str:
        """What an exception names: a rule of several rows is as many things to permit."""
        return f"{self.name}.{self.number}.{self.reason}"


def decide(
    message: Message,
    envelope: Envelope,
    *,
    resolution: Resolution | None,
    settings: Settings,
    book: Book,
    own_fingerprints: frozenset[str],
    encrypted_to: frozenset[str] | None,
    login: str | None,
    automatic: Withheld | None,
    at: datetime,
    rules: ChannelRules = STRICT_RULES,
    waived: frozenset[str] = frozenset(),
) -> Decision:
    """What becomes of an officer's mail: the first row that applies and from which no exception frees it.

    `resolution` None means that the journal or the keys could not be asked. `encrypted_to` are the key ids (hex) the officer's
    client encrypted to, None for a mail in clear. `own_fingerprints` holds our primary key and its subkeys. `waived` are the
    numbers of decisions that living exceptions name; a row that nobody may waive applies all the same.
    """
    draft = Draft(
        message=message,
        envelope=envelope,
        resolution=resolution,
        settings=settings,
        book=book,
        own_fingerprints=own_fingerprints,
        encrypted_to=encrypted_to,
        login=login,
        automatic=automatic,
        at=at,
        rules=rules,
    )
    used: tuple[str, ...] = ()
    for row in (*ROWS, NO_ROW):
        found = row.applies(draft)
        if not found:
            continue
        number = _number(draft, row)
        if row.waiver is Waiver.NOBODY or number not in waived:
            return replace(_decision(draft, row, found if isinstance(found, tuple) else ()), waived=used)
        used = (*used, number)
        named = found if isinstance(found, tuple) else ()
        vouched = draft.vouched.union(named if row.name in VOUCHING else ())
        draft = replace(draft, exempt=draft.exempt | {row.name}, freed=draft.freed.union(named), vouched=vouched)
    raise AssertionError("the last row applies to everything")


def too_large(decision: Decision, *, size: int, sender: str, recipients: tuple[str, ...]) -> Decision:
    """Row 27 for a mail that has grown more than foreseen: `size` are the octets that would leave."""
    row = next(one for one in ROWS if one.name == "R23")
    number = decision_number(row.key, decision.case, sender, recipients)
    said = line(row.name, number, found=(grounds.megabytes(size),))
    return Decision(act=row.act, rule=row.name, row=row.number, reply=said, number=number, case=decision.case)


def _number(draft: Draft, row: Row) -> str:
    """Recipients are those of the header too: who is shown and not in this envelope is one whom another piece may reach."""
    everyone = (*draft.recipients, *draft.external, *draft.partners)
    return decision_number(row.key, draft.case.reference if draft.case else None, draft.sender, everyone)


def _decision(draft: Draft, row: Row, found: tuple[str, ...]) -> Decision:
    if row.act in (Act.ALLOW, Act.UPGRADE):
        return _leave(draft, row)
    case = draft.case.reference if draft.case else None
    number = _number(draft, row)
    if row.act is Act.DISCARD:
        return Decision(act=row.act, rule=row.name, row=row.number, number=number, case=case)
    reply = line(
        row.name,
        number,
        found=found,
        reason=row.reason,
        mailbox=draft.mailbox,
        origin=draft.origin,
        case=case or "",
        cases=_cases(draft),
    )
    return Decision(
        act=row.act, rule=row.name, row=row.number, reply=reply, number=number, case=case, waiver=row.waiver
    )


def _leave(draft: Draft, row: Row) -> Decision:
    """The mail may leave: to whom, how it is sealed, and the thread it lost."""
    case = draft.case
    if not draft.external and not draft.partners:
        return Decision(
            act=row.act,
            rule=row.name,
            row=row.number,
            case=case.reference if case else None,
            recipients=draft.envelope.rcpt_tos,
            internal=True,
        )
    repairs = case is not None and grounds.lost_thread(draft)
    return Decision(
        act=row.act,
        rule=row.name,
        row=row.number,
        case=case.reference if case else None,
        opens=case is None and bool(draft.external),
        sign=True,
        encrypt_to=tuple(one.id for one in draft.contacts) if draft.encrypts else (),
        recipients=draft.envelope.rcpt_tos,
        internal=not draft.external,
        in_reply_to=case.request_id if case and repairs else None,
        references=_references(draft) if repairs else (),
        protection=Protection(sig=SigLevel.OPENPGP, enc=draft.encrypts, tls=_hop(draft)),
    )


def _hop(draft: Draft) -> TlsLevel:
    """What the hop must offer: the floor, and for what goes to a partner in clear an authenticated server (row 19)."""
    if draft.partners and not draft.encrypts:
        return TlsLevel.VERIFIED
    return TlsLevel.NONE if draft.encrypts and draft.rules.encrypted_without_tls else draft.hop


def _cases(draft: Draft) -> tuple[str, ...]:
    resolution = draft.resolution or Resolution()
    return resolution.conflict or resolution.several or resolution.unbound


def _references(draft: Draft) -> tuple[str, ...]:
    """References of the request and the request itself; of a long thread the first and the nearest (RFC 5322 section 3.6.4)."""
    if not draft.case or not draft.case.request_id:
        return ()
    ids = (*draft.case.references, draft.case.request_id)
    return ids if len(ids) <= MAX_REFERENCES else (ids[0], *ids[1 - MAX_REFERENCES :])


ROWS: tuple[Row, ...] = (
    Row("D0", 38, grounds.cannot_decide, Act.DEFER),
    Row("M1", 33, grounds.read_receipt, Act.DISCARD),
    Row("R1", 35, grounds.not_one_from, Act.REJECT),
    Row("R0", 0, grounds.malformed, Act.REJECT, reason="malformed header"),
    Row("R2", 32, grounds.automatic_answer, Act.REJECT),
    Row("R3", 34, grounds.redirected, Act.REJECT),
    Row("R4", 12, grounds.from_elsewhere, Act.REJECT),
    Row("R5", 13, grounds.personal_to_contact, Act.REJECT),
    Row("R6", 26, grounds.not_delegate, Act.REJECT),
    Row("R7", 35, grounds.other_envelope_sender, Act.REJECT),
    Row("R8", 12, grounds.from_other_own, Act.REJECT),
    Row("R9", 30, grounds.two_cases, Act.REJECT),
    Row("R10", 29, grounds.several_cases, Act.REJECT),
    Row("R0", 0, grounds.unproved_request, Act.REJECT, Waiver.TWO, "nothing proved who asked"),
    Row("R11", 10, grounds.unproved_reply_to, Act.REJECT, Waiver.TWO),
    Row("R12", 14, grounds.stand_in, Act.REJECT, Waiver.ONE),
    Row("R13", 23, grounds.reply_all, Act.REJECT, Waiver.ONE),
    Row("R14", 7, grounds.new_recipient, Act.REJECT, Waiver.TWO),
    Row("R14", 15, grounds.added_address, Act.REJECT, Waiver.ONE),
    Row("R15", 30, grounds.another_counterpart, Act.REJECT),
    Row("R16", 8, grounds.blind_contact, Act.REJECT, Waiver.ONE),
    Row("R17", 37, grounds.stranger, Act.REJECT, Waiver.ONE),
    Row("R18", 16, grounds.unverified, Act.REJECT, Waiver.TWO),
    Row("R19", 5, grounds.unpinned_key, Act.REJECT),
    # Nobody may waive it: what the gateway cannot read it cannot sign, and unsigned nothing leaves.
    Row("R20", 6, grounds.without_own_key, Act.REJECT),
    Row("R21", 39, grounds.unreadable_form, Act.REJECT),
    Row("R22", 20, grounds.colleague_of_encrypted, Act.REJECT, Waiver.ONE),
    Row("R23", 27, grounds.too_large, Act.REJECT),
    Row("R0", 21, grounds.colleague_in_copy, Act.REJECT, Waiver.ONE, "a colleague in copy of an answer"),
    Row("R0", 36, grounds.several_contacts, Act.REJECT, reason="one request to several addresses"),
    Row("R0", 19, grounds.open_to_partner, Act.REJECT, Waiver.ONE, "no verified hop to the partner"),
    Row("H1", 17, grounds.left_directory, Act.HOLD, Waiver.TWO, "the address left the directory"),
    Row("H2", 3, grounds.no_key, Act.HOLD, Waiver.TWO, "no usable key to encrypt to"),
    Row("H3", 31, grounds.verified_tls, Act.HOLD, Waiver.TWO, "no hop with verified TLS"),
    Row("A10", 0, grounds.by_exception, Act.UPGRADE),
    Row("A1", 18, grounds.inside, Act.ALLOW),
    Row("A2", 19, grounds.to_partner, Act.UPGRADE),
    Row("A4", 36, grounds.own_request, Act.UPGRADE),
    Row("A5", 4, grounds.encrypted_by_client, Act.UPGRADE),
    Row("A6", 28, grounds.repaired_answer, Act.UPGRADE),
    Row("A7", 2, grounds.answer_of_encrypted, Act.UPGRADE),
    Row("A8", 25, grounds.answer_of_delegate, Act.UPGRADE),
    Row("A9", 9, grounds.answer_with_own_copy, Act.UPGRADE),
    Row("A3", 1, grounds.answer, Act.UPGRADE),
)
"""The policy. Order: cannot decide, refusals R1..R23, holds, what may leave; DESIGN section 3."""

NO_ROW = Row("R0", 0, lambda _: True, Act.REJECT, reason="no row allows it")
