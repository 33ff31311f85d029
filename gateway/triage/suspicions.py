"""What in a mail does not fit its sender: telephone numbers, addresses, links and laws, as intruders use a mailbox they have taken.

Each is told to the human who looks; none gives trust, takes trust or keeps a receipt back. Says nothing that stands in the mail
but names of domains, so that what is said of an encrypted mail may be kept.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from gateway.mail.addresses import parse_address_list
from gateway.mail.organization import organization
from gateway.model.message import Message, Text
from gateway.model.settings import ContactPoint
from gateway.model.trust import Contact
from gateway.model.verdict import Category, Classification, Reason, Signal
from gateway.triage.hits import folded
from gateway.triage.identifiers import phones_of_sender
from gateway.triage.phrase import Span
from gateway.triage.ruleset import Rule, Ruleset

ADDRESS_BEHIND, LINK_BEHIND = 40, 120
"""Characters behind the wording in which the address, or the link, that it speaks of stands."""
BEFORE = 80
"""Characters in front of it, where the address adjoins it, as languages have it whose verb comes last."""
MAX_TARGET = 320
"""Characters of an address (RFC 5321 section 4.5.3.1), or of a link as far as its host."""
SAME_DIGITS = 8
"""Last digits by which a number written for abroad and one written for home are the same."""

_HOST = r"[\w-]{1,63}(?:\.[\w-]{1,63})+"
_TARGET = re.compile(rf"(?:[\w.+-]{{1,64}}@|https?://|\bwww\.)({_HOST})")
_ADJOINING = re.compile(rf"(?:[\w.+-]{{1,64}}@|https?://|\bwww\.)({_HOST})(?:/\S{{0,60}})?\s?$")
_COUNTRY_OF_LABEL = {"UK": "GB"}
"""Top-level domains of countries that are not their ISO 3166 codes."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rows look at."""

    text: Text
    message: Message
    contact: Contact | None
    classification: Classification
    ours: ContactPoint
    ruleset: Ruleset

    @property
    def domain(self) -> str:
        return self.message.sender.domain if self.message.sender else ""

    def told(self, reason: Reason) -> tuple[Rule, ...]:
        """The rules with that signal that hit."""
        known = self.ruleset.telling
        return tuple(
            known[one.rule]
            for one in self.classification.hits
            if one.rule in known and known[one.rule].signal is reason
        )


def suspicions(
    text: Text,
    *,
    message: Message,
    contact: Contact | None,
    classification: Classification,
    ours: ContactPoint,
    ruleset: Ruleset,
) -> tuple[Signal, ...]:
    """Every row of SUSPICIONS that applies; `contact` is whom From names, proved or not."""
    seen = _Seen(text, message, contact, classification, ours, ruleset)
    return tuple(Signal(reason, detail) for reason, tell in SUSPICIONS if (detail := tell(seen)) is not None)


def _phone_not_listed(seen: _Seen) -> str | None:
    """A call-back goes to the directory's number: only where one is due is another number worth a word."""
    if seen.contact is None and seen.classification.category is not Category.EMERGENCY:
        return None
    listed = re.sub(r"\D", "", seen.contact.phone) if seen.contact else ""
    strange = [one for one in phones_of_sender(seen.text) if not listed or one[-SAME_DIGITS:] not in listed]
    if not strange:
        return None
    call = f"call {seen.contact.phone}" if seen.contact and listed else "find its number elsewhere than in this mail"
    return f"says to be reached by telephone where the directory does not say so ({len(strange)}): {call}"


def _free_mail(seen: _Seen) -> str | None:
    """The sender's own domain where the directory does not have him, and where he wants answers."""
    own = () if seen.contact else (seen.domain,)
    asked = (
        address.domain
        for field in seen.message.header.all("reply-to")
        for address in parse_address_list(field.value) or ()
        if address.domain != seen.domain
    )
    free = sorted({one for one in (*own, *asked) if {one, organization(one)} & seen.ruleset.free_mail})
    if not free or not _asks(seen):
        return None
    return f"asks from, or wants answers at, {', '.join(free)}, where anybody gets a mailbox"


def _answer_elsewhere(seen: _Seen) -> str | None:
    strange = _strangers(seen, Reason.ANSWER_ELSEWHERE, behind=ADDRESS_BEHIND)
    return f"its text wants the answer at {', '.join(strange)}: answer the From address only" if strange else None


def _document_by_link(seen: _Seen) -> str | None:
    strange = _strangers(seen, Reason.DOCUMENT_BY_LINK, behind=LINK_BEHIND)
    return f"what it is about lies behind a link to {', '.join(strange)}: do not open it" if strange else None


def _foreign_statute(seen: _Seen) -> str | None:
    """Our own law is rightly quoted to us; without a country of the sender every law may be his."""
    country = seen.contact.country if seen.contact else _country_of(seen.domain)
    home = {country, seen.ours.country}
    foreign = sorted(
        {one for rule in seen.told(Reason.FOREIGN_STATUTE) if not home & rule.countries for one in rule.countries}
    )
    return f"rests on a law of {', '.join(foreign)}, and its sender is of {country}" if country and foreign else None


def _content_asked(seen: _Seen) -> str | None:
    told = seen.classification.category is Category.EMERGENCY and seen.told(Reason.CONTENT_ASKED)
    return "an emergency that asks for the content of communications, not only for who and where" if told else None


SUSPICIONS: tuple[tuple[Reason, Callable[[_Seen], str | None]], ...] = (
    (Reason.PHONE_NOT_LISTED, _phone_not_listed),
    (Reason.FREE_MAIL, _free_mail),
    (Reason.ANSWER_ELSEWHERE, _answer_elsewhere),
    (Reason.DOCUMENT_BY_LINK, _document_by_link),
    (Reason.FOREIGN_STATUTE, _foreign_statute),
    (Reason.CONTENT_ASKED, _content_asked),
)
"""Every row that applies is told."""


def _asks(seen: _Seen) -> bool:
    found = seen.classification
    return found.category is not Category.OTHER or Reason.DOUBTFUL_CATEGORY in found.findings


def _country_of(domain: str) -> str:
    """ISO 3166 code by the top-level domain; '' where that is no country's."""
    label = domain.rpartition(".")[2].upper()
    return _COUNTRY_OF_LABEL.get(label, label if re.fullmatch("[A-Z]{2}", label) else "")


def _strangers(seen: _Seen, reason: Reason, *, behind: int) -> list[str]:
    """Domains, neither the sender's nor ours, of the addresses and links that the wording of the rules speaks of."""
    rules = seen.told(reason)
    if not rules:
        return []
    own = (seen.domain, *(seen.contact.domains if seen.contact else ()), *seen.ours.internal_domains)
    known = {organization(one) for one in (*own, seen.ours.mailbox.rpartition("@")[2])}
    texts = folded(seen.text)
    hosts = chain.from_iterable(
        _hosts(texts[place], span, behind)
        for rule in rules
        for place in rule.places
        for span in rule.terms.spans(texts[place])
    )
    return sorted({one for one in hosts if organization(one) not in known})


def _hosts(words: str, span: Span, behind: int) -> Iterator[str]:
    """The first address or link behind the wording, else the one that adjoins it in front."""
    start, end = span
    found = _TARGET.search(words, end, end + behind + MAX_TARGET)
    if found is not None and found.start() - end <= behind:
        yield found[1]
    elif adjoining := _ADJOINING.search(words[max(start - BEFORE, 0) : start]):
        yield adjoining[1]
