"""Whether a sender's name is made to be taken for one we know: a contact's domain or address, or our own.

What it finds is told to the human who looks, and gives or takes no trust. Never asks DNS: names are compared as they are written.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.mail.addresses import domain_of, parse_address
from gateway.mail.organization import organization
from gateway.model.message import Address
from gateway.model.trust import Contact
from gateway.trust.confusables import skeleton

TELLING_LETTERS = 5
"""A word shorter than this has neighbours by chance: bka.de and bva.de are both offices."""
TELLING_NAME = 8
"""In a name of so many letters before its suffix a word of three may be the one that was changed: goov in police.goov.test."""

_NO_DIGITS = str.maketrans("", "", "0123456789")


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names we know, found by what their look-alikes have in common with them; made once for a directory."""

    addresses: frozenset[str]
    domains: frozenset[str]
    names: frozenset[str]
    """The domains, and the organisations they belong to."""
    mailboxes: dict[tuple[str, str], str] = field(repr=False)
    """(skeleton of the local part, domain) -> address."""
    shapes: dict[str, str] = field(repr=False)
    """Skeleton of a name -> the name; so in all that follow."""
    stems: dict[str, str] = field(repr=False)
    """Skeleton without public suffix -> name."""
    words: dict[tuple[str, ...], str] = field(repr=False)
    """Words of the stem -> name."""
    neighbours: dict[str, tuple["_Name", ...]] = field(repr=False)
    """Skeleton with a letter of one word left out -> names."""
    most_labels: int
    most_words: int


@dataclass(frozen=True, slots=True)
class _Name:
    """A domain as the eye takes it."""

    domain: str
    labels: tuple[str, ...]
    """Skeletons of its labels."""
    suffix: int
    """How many of them, at the end, are the public suffix: .example, .gouv.fr."""

    @property
    def shape(self) -> str:
        return ".".join(self.labels)

    @property
    def stem(self) -> tuple[str, ...]:
        return self.labels[: len(self.labels) - self.suffix]

    @property
    def telling(self) -> bool:
        """Whether the stem says who it is, and not only `gov`."""
        return any(_letters(one) >= TELLING_LETTERS for one in self.stem)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for label in self.stem for word in label.split("-") if word)


def known_names(contacts: Iterable[Contact], *, own: Iterable[str]) -> KnownNames:
    """What senders are compared with; `own` are our mailboxes and domains."""
    mine = tuple(own)
    spoken = [one.address for contact in contacts for one in contact.addresses]
    spoken += [address for one in mine if "@" in one and (address := parse_address(one.encode()))]
    domains = {domain for contact in contacts for domain in contact.domains} | {one.domain for one in spoken}
    domains |= {domain for one in mine if "@" not in one and (domain := domain_of(one.encode()))}
    names = [_name(one) for one in sorted({*domains, *(organization(one) for one in domains)})]
    return KnownNames(
        addresses=frozenset(one.key for one in spoken),
        domains=frozenset(domains),
        names=frozenset(one.domain for one in names),
        mailboxes={(skeleton(one.local), one.domain): one.key for one in spoken},
        shapes={one.shape: one.domain for one in names},
        stems={".".join(one.stem): one.domain for one in names if one.telling},
        words={one.words: one.domain for one in names if one.telling},
        neighbours=_neighbours(names),
        most_labels=max((len(one.labels) for one in names), default=0),
        most_words=max((len(one.words) for one in names), default=0),
    )


def resembled(sender: Address, known: KnownNames) -> str | None:
    """The known name that the sender's is made to be taken for, or None.

    A known address, and any other at a known domain or below one, resembles nothing but another local part there.
    """
    if sender.key in known.addresses:
        return None
    twin = known.mailboxes.get((skeleton(sender.local), sender.domain))
    if twin is not None:
        return twin
    if any(parent in known.domains for parent in _parents(sender.domain)):
        return None
    name = _name(sender.domain)
    ways = (_same_shape, _other_suffix, _one_letter, _added_words, _in_front)
    return next((found for way in ways if (found := way(name, known)) is not None), None)


def _same_shape(name: _Name, known: KnownNames) -> str | None:
    """The same to the eye: pоlice with a Cyrillic о, po1ice, rnail."""
    found = (known.shapes.get(one.shape) for one in _ancestors(name, known))
    return next((other for other in found if other is not None), None)


def _other_suffix(name: _Name, known: KnownNames) -> str | None:
    """The same name in another zone: police.gov.b.test."""
    for one in _ancestors(name, known):
        other = known.stems.get(".".join(one.stem))
        if other is not None:
            return other
    return None


def _one_letter(name: _Name, known: KnownNames) -> str | None:
    """One letter added, left out, exchanged or swapped with the next: polcie."""
    for one in _ancestors(name, known):
        for other in (found for key in _thinned(one) for found in known.neighbours.get(key, ())):
            if _differs_in_one_letter(one, other):
                return other.domain
    return None


def _added_words(name: _Name, known: KnownNames) -> str | None:
    """Words joined on with hyphens, or dots made hyphens: police-gov-b.test, politie-duty.test."""
    for label in name.stem:
        words = tuple(word for word in label.split("-") if word)
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + known.most_words) + 1):
                if len(words) > 1 and words[start:end] in known.words:
                    return known.words[words[start:end]]
    return None


def _in_front(name: _Name, known: KnownNames) -> str | None:
    """A whole name before somebody else's: police.gov.b.example.attacker.test."""
    for start in range(len(name.labels)):
        for end in range(start + 2, min(len(name.labels) - 1, start + known.most_labels) + 1):
            if (other := known.shapes.get(".".join(name.labels[start:end]))) is not None and _name(other).telling:
                return other
    return None


def _ancestors(name: _Name, known: KnownNames) -> Iterator[_Name]:
    """The name and those it stands below, down to its organisation, as far as they are strange and no longer than a known one."""
    domains = name.domain.split(".")
    for start in range(max(0, len(domains) - known.most_labels), len(domains) - name.suffix):
        domain = ".".join(domains[start:])
        if domain not in known.names:
            yield _Name(domain, name.labels[start:], name.suffix)


def _neighbours(names: Iterable[_Name]) -> dict[str, tuple[_Name, ...]]:
    found: dict[str, list[_Name]] = {}
    for name in names:
        for key in _thinned(name):
            found.setdefault(key, []).append(name)
    return {key: tuple(many) for key, many in found.items()}


def _thinned(name: _Name) -> Iterator[str]:
    """The shape, and it with one letter left out: what names at most one edit apart have in common."""
    yield name.shape
    for number, label in enumerate(name.stem):
        for at in range(len(label)):
            yield ".".join((*name.labels[:number], label[:at] + label[at + 1 :], *name.labels[number + 1 :]))


def _differs_in_one_letter(name: _Name, known: _Name) -> bool:
    """Whether just one word differs, one that tells something, and by one edit."""
    if len(name.labels) != len(known.labels) or _digitless(name.domain) == _digitless(known.domain):
        return False  # a number in place of another is another host of theirs
    differing = [(one, other) for one, other in zip(name.labels, known.labels, strict=True) if one != other]
    if len(differing) != 1 or not _tells(differing[0][1], known.stem):
        return False
    one, other = _unshared(*differing[0])
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])


def _tells(label: str, stem: tuple[str, ...]) -> bool:
    return _letters(label) >= TELLING_LETTERS or (_letters(label) >= 3 and sum(map(_letters, stem)) >= TELLING_NAME)


def _letters(label: str) -> int:
    """How many letters the label has before its skeleton writes m as rn."""
    return len(label.replace("rn", "m"))


def _digitless(domain: str) -> str:
    return domain.translate(_NO_DIGITS)


def _unshared(one: str, other: str) -> tuple[str, str]:
    """What is left of both without the beginning and the end they share."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return one, other


def _name(domain: str) -> _Name:
    labels = tuple(skeleton(_shown(label)) for label in domain.split("."))
    return _Name(domain, labels, organization(domain).count("."))


def _shown(label: str) -> str:
    """The label as a mail client shows it (RFC 3492); one that cannot be decoded as it is."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _parents(domain: str) -> Iterator[str]:
    labels = domain.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))
