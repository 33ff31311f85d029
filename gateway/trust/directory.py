"""The directory of contact points: reads the folder keys/ as bytes, and says whom a message proves to be from.

Never reads a file, runs gpg or looks at a clock: bytes, keys and times are arguments. A folder with anything wrong in it
is no contact at all, and never spoils another.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.errors import Complaint, ConfigError
from gateway.model.message import Envelope, Message
from gateway.model.trust import (
    Assurance,
    Checks,
    Contact,
    ContactAddress,
    Directory,
    Identity,
    Method,
    PinnedKey,
    Protection,
    Result,
    SigLevel,
    TlsLevel,
    Unsealed,
)
from gateway.model.verdict import AMBIGUOUS, Reason
from gateway.trust.contact_file import read_contact
from gateway.trust.key_inspection import KeyRefused

CONTACT_FILE = "contact.yaml"
BESIDE_CONTACTS = frozenset({"README.md", "contact.yaml.template"})
"""Files that may stand in keys/ itself."""

_FOLDER = re.compile("[a-z0-9][a-z0-9-]{0,63}")
_KEY_FILE = re.compile(r"([0-9A-F]{40})\.asc")

Files = tuple[tuple[str, bytes], ...]
"""Path relative to keys/ -> content."""
Inspect = Callable[[tuple[bytes, ...]], Sequence[PinnedKey | KeyRefused]]
"""EDGE gpg: what each armored key file holds, in order; raises GpgUnavailable."""
Book = Mapping[str, tuple[Contact, ContactAddress]]


@dataclass(slots=True)
class _Folder:
    """One folder while it is read: its files, and what is wrong with it."""

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def complain(self, file: str, what: str, remedy: str) -> None:
        self.complaints.append(Complaint(f"{self.name}/{file}" if file else self.name, 0, 0, "", what, remedy))


def parse_directory(files: Files, *, inspect: Inspect) -> tuple[Directory, tuple[Complaint, ...]]:
    """All contacts whose folders are wholly right, and every complaint; gpg is asked once for all keys.

    An address or a key in two folders excludes both: whose it is, is then anybody's guess.
    """
    folders, complaints = _folders(files)
    key_files = [
        (folder, name, octets) for folder in folders for name, octets in folder.files.items() if name != CONTACT_FILE
    ]
    inspected = inspect(tuple(octets for _, _, octets in key_files))
    keys: dict[str, list[PinnedKey]] = {folder.name: [] for folder in folders}
    for (folder, name, _), found in zip(key_files, inspected, strict=True):
        if isinstance(found, KeyRefused):
            folder.complain(name, found.what, found.remedy)
        elif name != f"{found.fingerprint}.asc":
            folder.complain(
                name, f"holds the key {found.fingerprint}", f"name it {found.fingerprint}.asc if that is right"
            )
        else:
            keys[folder.name].append(found)
    contacts = [one for one in (_contact(folder, tuple(keys[folder.name])) for folder in folders) if one]
    _refuse_shared(contacts, {folder.name: folder for folder in folders})
    broken = {folder.name for folder in folders if folder.complaints}
    complaints += [one for folder in folders for one in folder.complaints]
    good = tuple(one for one in contacts if one.id not in broken)
    return Directory(contacts=good, digest=_digest(folders, broken)), tuple(complaints)


def _folders(files: Files) -> tuple[list[_Folder], list[Complaint]]:
    folders: dict[str, _Folder] = {}
    complaints = []
    for path, octets in files:
        name, slash, file = path.partition("/")
        if not slash:
            if name not in BESIDE_CONTACTS:
                complaints.append(
                    Complaint(path, 0, 0, "", "does not belong here", "each contact has a folder of its own")
                )
            continue
        folder = folders.setdefault(name, _Folder(name))
        if file == CONTACT_FILE or _KEY_FILE.fullmatch(file):
            folder.files[file] = octets
        else:
            folder.complain(
                file, "does not belong here", "only contact.yaml and FINGERPRINT.asc may stand in this folder"
            )
    return list(folders.values()), complaints


def _contact(folder: _Folder, keys: tuple[PinnedKey, ...]) -> Contact | None:
    if not _FOLDER.fullmatch(folder.name):
        folder.complain("", "is no name of a contact", "use small letters, digits and hyphens")
        return None
    if CONTACT_FILE not in folder.files:
        folder.complain("", "has no contact.yaml", "say in it whose keys these are, or remove the folder")
        return None
    try:
        contact = read_contact(folder.name, folder.files[CONTACT_FILE], file=f"{folder.name}/{CONTACT_FILE}")
    except ConfigError as error:
        folder.complaints.extend(error.complaints)
        return None
    return replace(contact, keys=keys)


def _refuse_shared(contacts: Sequence[Contact], folders: Mapping[str, _Folder]) -> None:
    claims = [(one.address.key, contact) for contact in contacts for one in contact.addresses]
    claims += [(f, contact) for contact in contacts for key in contact.keys for f in (key.fingerprint, *key.subkeys)]
    owners = Counter(name for name, _ in claims)
    for name, contact in claims:
        if owners[name] > 1:
            others = ", ".join(sorted({other.id for claim, other in claims if claim == name and other is not contact}))
            folders[contact.id].complain(
                "",
                f"has {name}, and so has {others or 'another key of its own'}",
                "an address or key belongs to one contact",
            )


def _digest(folders: Sequence[_Folder], broken: set[str]) -> str:
    digest = hashlib.sha256()
    for folder in sorted(folders, key=lambda one: one.name):
        for file, octets in sorted(folder.files.items() if folder.name not in broken else ()):
            digest.update(f"{folder.name}/{file}\0{len(octets)}\0".encode() + octets)
    return digest.hexdigest()


def book_of(directory: Directory) -> dict[str, tuple[Contact, ContactAddress]]:
    """Address key -> the contact whose address it is."""
    return {one.address.key: (contact, one) for contact in directory.contacts for one in contact.addresses}


def signers_of(directory: Directory) -> dict[str, Contact]:
    """Fingerprint of every pinned key and of every subkey -> its contact."""
    return {
        name: contact
        for contact in directory.contacts
        for key in contact.keys
        for name in (key.fingerprint, *key.subkeys)
    }


def identify(
    message: Message, *, envelope: Envelope, checks: Checks, unsealed: Unsealed, book: Book, at: datetime
) -> Identity:
    """Who the message proves to be from, by what, and what is not known (DESIGN sections 3 and 5).

    An address that is not `verified` names its contact and gives it nothing: assurance stays `domain` at most.
    """
    if message.sender is None:
        return Identity(Assurance.NONE, unsure=unsealed.unsure)
    contact, address = book.get(message.sender.key, (None, None))
    dmarc = next((one.result for one in checks.of(Method.DMARC)), Result.NONE)
    vouched = dmarc is Result.FAIL and _vouched(checks, Result.PASS)
    own = dmarc is Result.NONE and _dkim(checks, message.sender.domain, Result.PASS)
    authenticated = dmarc is Result.PASS or own or vouched
    proved = unsealed.good and contact is not None and contact.valid(at.date())
    unanswered = not authenticated and _unanswered(checks, dmarc, message.sender.domain)
    return Identity(
        assurance=_assurance(
            (*message.defects, *unsealed.contradictions), address, authenticated=authenticated, proved=proved
        ),
        contact=contact,
        address=address,
        authenticated=authenticated,
        dmarc_failed=dmarc is Result.FAIL and not vouched,
        unsure=unanswered or unsealed.unsure,
        openpgp_good=proved,
        openpgp_wrong=contact is not None and unsealed.wrong,
        protection=_protection(
            checks, message.sender.domain, envelope, unsealed, authenticated=authenticated, proved=proved
        ),
    )


def _assurance(
    defects: tuple[Reason, ...], address: ContactAddress | None, *, authenticated: bool, proved: bool
) -> Assurance:
    listed = address is not None and address.verified
    rows = (
        (bool(AMBIGUOUS.intersection(defects)), Assurance.NONE),
        (proved and listed, Assurance.SIGNED),
        (authenticated and listed, Assurance.LISTED),
        (authenticated, Assurance.DOMAIN),
    )
    return next((assurance for applies, assurance in rows if applies), Assurance.NONE)


def _dkim(checks: Checks, author: str, result: Result) -> bool:
    """Whether a DKIM signature by the author domain itself came out so: all that counts where there is no DMARC record."""
    return any(one.result is result and one.identity == author for one in checks.of(Method.DKIM))


def _vouched(checks: Checks, result: Result) -> bool:
    """Whether a chain of listed sealers, come out so, says that the mail was authenticated before it was forwarded (RFC 8617)."""
    return any(one.result is result and one.vouches for one in checks.of(Method.ARC))


def _unanswered(checks: Checks, dmarc: Result, author: str) -> bool:
    """Whether DNS kept back an answer that could still authenticate the sender."""
    rows = {
        Result.TEMPERROR: True,
        Result.NONE: _dkim(checks, author, Result.TEMPERROR),
        Result.FAIL: _vouched(checks, Result.TEMPERROR),
    }
    return rows.get(dmarc, False)


def _protection(
    checks: Checks, author: str, envelope: Envelope, unsealed: Unsealed, *, authenticated: bool, proved: bool
) -> Protection:
    """CHANNEL A1; that the peer's name was checked too (`verified`) can only be known by the sending side."""
    dkim = authenticated and any(one.result is Result.PASS and one.speaks_for(author) for one in checks.of(Method.DKIM))
    return Protection(
        sig=SigLevel.OPENPGP if proved else SigLevel.DKIM if dkim else SigLevel.NONE,
        enc=unsealed.encrypted,
        tls=TlsLevel.TLS if envelope.tls else TlsLevel.NONE,
    )
