"""Writes the verdict card: a second mail in the thread of a request, to the officers alone, that says what to do now.

Says what is proved and what is not, and whom to telephone at which number; never quotes the request, which may have been
encrypted, and names no telephone number but the directory's. English, like every notice: officers read one text.
"""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.mail.decode import printable
from gateway.mail.thread import keys_of
from gateway.model.call import PROVED
from gateway.model.message import Arrival, Header
from gateway.model.outbox import OutMail
from gateway.model.outcome import SHARED_CARDS_PER_HOUR, Verdict
from gateway.model.settings import Settings
from gateway.model.trust import Assurance, AuthResult, Contact, Method, Result
from gateway.model.verdict import Category, Disposition, Reason
from gateway.pipeline.to_mailbox import to_mailbox
from gateway.triage.reason_words import WORDS

COLUMNS = 70
"""What a terminal mail program shows without breaking lines."""
BELIEVED = {
    Assurance.NONE: "NOTHING proves who wrote it.",
    Assurance.DOMAIN: "Its domain is proved, its sender is NOT in the directory.",
    Assurance.LISTED: "Its mailbox is proved. Who sits at it is not: it has no good signature.",
    Assurance.SIGNED: "Signed by a key that is pinned for this address.",
    Assurance.CONFIRMED: "Confirmed by telephone.",
}


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card may tell beside the verdict."""

    header: Header
    """Of the request as it arrived, for the thread alone."""
    contact: Contact | None = None
    """Whom From names, as the directory knows it."""
    uncovered: tuple[str, ...] = ()
    """Fields an officer acts on that no signature covers."""
    missing: tuple[str, ...] = ()
    """Names of checklist items not found."""


@dataclass(frozen=True, slots=True)
class _Told:
    verdict: Verdict
    facts: CardFacts
    reference: str

    @property
    def proved(self) -> bool:
        return self.verdict.assurance in PROVED

    def has(self, *reasons: Reason) -> bool:
        return not set(reasons).isdisjoint(self.verdict.reasons)


def is_due(verdict: Verdict) -> bool:
    """Whether officers get a card: whatever is paged or held, a signature that is bad, an answer off its channel; nothing a machine wrote."""
    bad = any(one.method is Method.OPENPGP and one.result is Result.FAIL for one in verdict.results)
    asked = verdict.page or verdict.disposition is Disposition.HOLD or bad or Reason.OFF_CHANNEL in verdict.reasons
    return asked and Reason.AUTOMATIC not in verdict.reasons


def verdict_card(
    arrival: Arrival, verdict: Verdict, facts: CardFacts, *, reference: str, key: str, settings: Settings
) -> OutMail:
    """The card about that verdict; the same request has one card while nothing proves it, and one when something does."""
    told = _Told(verdict, facts, reference)
    keys = keys_of(facts.header, ())
    return to_mailbox(
        f"card.{reference}.{key[:16]}.{'proved' if told.proved else 'unproved'}",
        f"[{reference}] {_headline(told)}",
        "\n".join(_lines(told, arrival)),
        at=arrival.received_at,
        settings=settings,
        in_reply_to=keys.message_id,
        references=keys.references,
    )


def _headline(told: _Told) -> str:
    verdict = told.verdict
    if told.has(Reason.JUDGE_ERROR):
        return "READ THIS MAIL NOW: the gateway could not"
    held = verdict.disposition is Disposition.HOLD
    what = "HELD" if held else verdict.classification.category.value.upper() if _emergency(told) else "LOOK"
    return f"{what}: {_who(told)}"


def _who(told: _Told) -> str:
    name = told.facts.contact.id if told.facts.contact else "a sender not in the directory"
    if told.verdict.assurance is Assurance.SIGNED:
        return f"{name}, signed"
    return f"{name}, mailbox proved, not signed" if told.proved else f"{name}, NOT PROVED"


def _emergency(told: _Told) -> bool:
    return told.verdict.classification.category is Category.EMERGENCY


def _lines(told: _Told, arrival: Arrival) -> Iterator[str]:
    """The whole text, section by section; those with nothing to say are left out."""
    found = told.verdict.classification
    yield from _wrapped(f"This card is about the mail it answers to. {BELIEVED[told.verdict.assurance]}")
    yield ""
    yield f"Case:      {told.reference}"
    yield f"Arrived:   {arrival.received_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"Asks for:  {found.category.value} ({found.kind.value}{', urgent' if found.urgent else ''})"
    for title, lines in (
        ("DO NOW", _steps(told)),
        ("WHY THIS CARD", tuple(WORDS[one] for one in told.verdict.reasons)),
        ("PROVED", tuple(map(_result, _passed(told.verdict.results)))),
        ("NOT PROVED", tuple(map(_result, _not_passed(told.verdict.results)))),
        ("COVERED BY NO SIGNATURE: believe none of these fields", told.facts.uncovered),
        ("NOT FOUND IN THE REQUEST", told.facts.missing),
        ("SIGNS TO WEIGH", tuple(printable(one.detail) for one in told.verdict.signals)),
    ):
        yield from _section(title, lines)
    if not told.proved:
        yield ""
        yield from _wrapped(
            f"At most {SHARED_CARDS_PER_HOUR} cards an hour tell of mail that nothing proves; all of it: cp247 cases list"
        )


def _section(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield title
    for line in lines:
        yield from _wrapped(printable(line), first="- ", then="  ")


def _wrapped(text: str, *, first: str = "", then: str = "") -> list[str]:
    # Not at hyphens: a case number is typed from here.
    return textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)


def _passed(results: tuple[AuthResult, ...]) -> Iterator[AuthResult]:
    return (one for one in results if one.result is Result.PASS)


def _not_passed(results: tuple[AuthResult, ...]) -> Iterator[AuthResult]:
    """What failed or gave no answer; that a sealer or signature is simply absent says little, so it is left out."""
    silent = (Result.PASS, Result.NONE)
    return (
        one for one in results if one.result not in silent or (one.method is Method.DMARC and one.result is Result.NONE)
    )


def _result(one: AuthResult) -> str:
    reason = f" ({one.reason})" if one.reason else ""
    return f"{one.method.value} {one.result.value} {one.identity or ''}".rstrip() + reason


def _directory_number(told: _Told) -> str:
    contact = told.facts.contact
    if contact is None:
        return (
            "The sender is not in the directory. Find the contact point of its country in the network's own list "
            "and telephone there. Never use a number from the mail."
        )
    number = contact.phone or "NO NUMBER IN keys/: take it from the network's own list"
    return f"Telephone {contact.name}: {number} (our directory). Never use a number from the mail."


def _always(_: _Told) -> bool:
    return True


# fmt: off
STEPS: tuple[tuple[Callable[[_Told], bool], Callable[[_Told], str]], ...] = (
    (lambda t: t.has(Reason.JUDGE_ERROR), lambda _: "Open the mail with care and read it: no program could."),
    (lambda t: t.has(Reason.CANNOT_DECRYPT), lambda _: "Try to open it with your own key. If you cannot, ask for it again, encrypted to our key of today: cp247 keys wkd."),
    (lambda t: t.has(Reason.ATTACHMENT_UNREAD), lambda _: "Open the attachment; the gateway could not read it."),
    (_always, _directory_number),
    (lambda t: t.has(Reason.FORGED_CONTACT, Reason.UNPROVED_CONTACT, Reason.SIGNED_BUT_UNAUTHENTICATED) or (_emergency(t) and not t.proved), lambda _: "Ask whether they wrote this mail. Until they say so, disclose nothing and do not answer it."),
    (lambda t: t.has(Reason.WRONG_KEY), lambda _: "Ask for the fingerprint of their key. If it is theirs: cp247 keys add, which judges this mail again."),
    (lambda t: t.has(Reason.KEY_CHANGE, Reason.SIGNATURE_DROPPED, Reason.LOOKALIKE_DOMAIN), lambda _: "Ask whether their mailbox is in their hands alone."),
    (lambda t: t.has(Reason.OFF_CHANNEL), lambda _: "Do not use what it says yet. Ask again on the channel of your own request, which is named below."),
    (lambda t: t.has(Reason.BELOW_MINIMUM), lambda _: "Ask for the request again, protected as agreed with them."),
    (lambda t: _emergency(t) and t.proved, lambda _: "Have the request confirmed before anything is disclosed: a proved mailbox may be in other hands."),
    (_always, lambda t: f"Write the call down: cp247 cases call {t.reference}"),
    (_always, lambda t: f"All that is known: cp247 cases show {t.reference}"),
)
# fmt: on
"""What to do, in this order: when it is said, and the words."""


def _steps(told: _Told) -> tuple[str, ...]:
    return tuple(words(told) for applies, words in STEPS if applies(told))
