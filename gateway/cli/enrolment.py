"""Writes a contact point into keys/: a new folder with contact.yaml and its key, or a key beside those it has.

Never overwrites a file and never leaves half a folder: it is made under a hidden name and renamed when it is whole.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.cli.contact_folder import contact_yaml, folder_name, found_folder, is_folder_name, sync_folder
from gateway.errors import Complaint, ConfigError
from gateway.mail.addresses import parse_address
from gateway.model.message import Address
from gateway.model.trust import Contact, Directory, PinnedKey
from gateway.trust.contact_file import read_contact
from gateway.trust.directory import CONTACT_FILE, Inspect
from gateway.trust.key_inspection import KeyRefused


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the administrator said about a contact point and its key."""

    address: str
    armored: bytes = field(repr=False)
    file: str
    """Where the key was read from, for complaints."""
    name: str | None = None
    country: str | None = None
    folder: str | None = None
    phone: str = ""
    languages: Sequence[str] = ()
    verified_how: str = ""
    enrolled_by: Sequence[str] = ()
    replace: bool = False
    """The key may be pinned for this contact already: this is a newer export of it."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What was written."""

    path: str
    """The key file."""
    contact_file: str
    key: PinnedKey
    verified: bool
    """The address is confirmed: it gives trust."""


def enrol(enrolment: Enrolment, *, directory: Directory, folder: str, inspect: Inspect) -> Enrolled:
    """Pin one key for one address below the folder keys/; ConfigError names what is wrong, and then nothing is written."""
    address = parse_address(enrolment.address.encode())
    if address is None or "<" in enrolment.address:
        raise _refused(enrolment.address, "is no address", "write local@domain")
    key = _key(enrolment, directory, inspect)
    owner = next(
        (one for one in directory.contacts for known in one.addresses if known.address.key == address.key), None
    )
    if owner is not None:
        return _added(owner, address, os.path.join(folder, owner.id), key, enrolment)
    return _founded(enrolment, address, folder, key)


def _key(enrolment: Enrolment, directory: Directory, inspect: Inspect) -> PinnedKey:
    found = inspect((enrolment.armored,))[0]
    if isinstance(found, KeyRefused):
        raise _refused(enrolment.file, found.what, found.remedy)
    owner = next((one for one in directory.contacts for key in one.keys if key.fingerprint == found.fingerprint), None)
    if owner is not None and not (enrolment.replace and _has(owner, enrolment.address)):
        raise _refused(
            enrolment.file,
            f"holds {found.fingerprint}, pinned already for {owner.id}",
            "if this is a newer export of it, for the same contact, say --replace",
        )
    return found


def _has(owner: Contact, written: str) -> bool:
    address = parse_address(written.encode())
    return address is not None and any(one.address.key == address.key for one in owner.addresses)


def _added(owner: Contact, address: Address, folder: str, key: PinnedKey, enrolment: Enrolment) -> Enrolled:
    path = os.path.join(folder, f"{key.fingerprint}.asc")
    # written beside and renamed: whoever reloads meanwhile finds the old key or the new one, never half of it
    beside = os.path.join(os.path.dirname(folder), f".{key.fingerprint}.new")
    try:
        with open(beside if os.path.exists(path) and enrolment.replace else path, "xb") as file:
            file.write(enrolment.armored)
        if file.name == beside:
            os.replace(beside, path)
        sync_folder(folder)
    except OSError as error:
        raise _refused(path, f"cannot be written: {error.strerror}", "look what stands there") from error
    verified = any(one.verified for one in owner.addresses if one.address.key == address.key)
    return Enrolled(path, os.path.join(folder, CONTACT_FILE), key, verified)


def _founded(enrolment: Enrolment, address: Address, keys: str, key: PinnedKey) -> Enrolled:
    if not enrolment.name or not enrolment.country:
        raise _refused(enrolment.address, "belongs to no contact point yet", "say who it is with --name and --country")
    folder = enrolment.folder or folder_name(enrolment.country, address.domain)
    content = _contact_yaml(enrolment, address)
    read_contact(folder, content, file=f"{folder}/{CONTACT_FILE}")
    if os.path.exists(os.path.join(keys, folder)) or not is_folder_name(folder):
        raise _refused(
            os.path.join(keys, folder), "is there already, or is no name for a folder", "choose another with --folder"
        )
    name = f"{key.fingerprint}.asc"
    final = found_folder(keys, folder, {CONTACT_FILE: content, name: enrolment.armored})
    path = os.path.join(final, name)
    return Enrolled(path, os.path.join(final, CONTACT_FILE), key, bool(enrolment.verified_how))


def _contact_yaml(enrolment: Enrolment, address: Address) -> bytes:
    document: dict[str, object] = {
        "name": enrolment.name,
        "country": enrolment.country,
        "addresses": [{"address": address.spec, "verified": bool(enrolment.verified_how), "joint": False}],
        "domains": [address.domain],
    }
    more = {
        "phone": enrolment.phone,
        "languages": list(enrolment.languages),
        "enrolled_by": list(enrolment.enrolled_by),
        "verified_how": enrolment.verified_how,
    }
    return contact_yaml(document | {key: value for key, value in more.items() if value})


def _refused(file: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Complaint(file, 0, 0, "", what, remedy))
