"""Compares a directory kept elsewhere with keys/ and writes what differs; never touches a key, never removes a contact.

Everything is checked before anything is written. A column that the file does not have leaves in keys/ what stands there; so do
comments of the administrator.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from gateway.cli.contact_folder import (
    contact_yaml,
    document_of,
    folder_name,
    found_folder,
    is_folder_name,
    replace_file,
)
from gateway.cli.directory_file import COLUMNS, Entry, cells
from gateway.errors import Complaint, ConfigError
from gateway.mail.addresses import parse_address
from gateway.model.trust import Contact
from gateway.trust.contact_file import read_contact
from gateway.trust.directory import CONTACT_FILE, Files, Inspect, parse_directory


class State(StrEnum):
    """How a contact of the file stands to keys/."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Change:
    """One contact, and what the import would do to it."""

    contact: str
    state: State
    differences: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Column -> text in keys/, text in the file."""
    unpinned: tuple[str, ...] = ()
    """Fingerprints the file names and keys/ does not hold; pinning one is `cp247 keys add`."""
    content: bytes | None = None
    """contact.yaml to write; None if there is nothing to write."""


def plan_import(entries: tuple[Entry, ...], *, file: str, tree: Files, inspect: Inspect) -> tuple[Change, ...]:
    """What the entries would change below keys/ (`tree`), in the order of the file, then the contacts it does not have.

    ConfigError with every complaint about a row, and about what would be wrong in keys/ afterwards and is not now.
    """
    present = _present(tree)
    changes: dict[str, Change] = {}
    rows: dict[str, Entry] = {}
    wrong: list[Complaint] = []
    files = dict(tree)
    for entry in entries:
        try:
            folder, contact = _contact(entry, present, file)
        except ConfigError as error:
            wrong += error.complaints
            continue
        if folder in rows:
            what = f"is {folder}, and so is row {rows[folder].row}"
            wrong.append(entry.complain(file, "contact", what, "a contact has one row"))
            continue
        rows[folder] = entry
        changes[folder] = _change(entry, contact, present, files)
    if wrong:
        raise ConfigError(*wrong)
    _refuse_damage(changes, rows, file=file, tree=tree, inspect=inspect)
    missing = (Change(folder, State.MISSING) for folder in present if folder not in changes)
    return (*changes.values(), *missing)


def write_changes(changes: Iterable[Change], *, keys: str) -> None:
    """Write each contact.yaml that is new or other, each of them whole; ConfigError if one cannot be written."""
    for one in changes:
        if one.content is None:
            continue
        folder = os.path.join(keys, one.contact)
        if os.path.isdir(folder):
            replace_file(os.path.join(folder, CONTACT_FILE), one.content)
        else:
            found_folder(keys, one.contact, {CONTACT_FILE: one.content})


def _present(tree: Files) -> dict[str, Contact | None]:
    """Folder -> its contact as it stands there, None if its contact.yaml cannot be read."""
    found: dict[str, Contact | None] = {}
    for path, content in tree:
        folder, _, name = path.partition("/")
        if name == CONTACT_FILE:
            try:
                found[folder] = read_contact(folder, content, file=path)
            except ConfigError:
                found[folder] = None
    return found


def _contact(entry: Entry, present: Mapping[str, Contact | None], file: str) -> tuple[str, Contact]:
    """Folder and contact of an entry; ConfigError names its row and its columns."""
    folder = entry.contact or _folder(entry, present, file)
    if not is_folder_name(folder):
        remedy = "use small letters, digits and hyphens"
        raise ConfigError(entry.complain(file, "contact", f"{folder!r} is no name of a contact", remedy))
    strange = next((one for one in entry.fingerprints if not re.fullmatch("[0-9A-F]{40}", one)), None)
    if strange is not None:
        what = f"{strange[:80]!r} is no fingerprint"
        raise ConfigError(entry.complain(file, "fingerprints", what, "write all 40 hexadecimal digits"))
    before = present.get(folder)
    document = document_of(before) if before else {}
    document |= entry.given
    try:
        content = contact_yaml({key: value for key, value in document.items() if value is not None})
        return folder, read_contact(folder, content, file=file)
    except ConfigError as error:
        raise ConfigError(*(entry.complain(file, one.key, one.what, one.remedy) for one in error.complaints)) from None
    except RecursionError:
        raise ConfigError(entry.complain(file, "", "is nested too deeply", "write it as `export` does")) from None


def _folder(entry: Entry, present: Mapping[str, Contact | None], file: str) -> str:
    """The folder that has an address of the entry already, else one named by country and domain."""
    addresses = [one for one in map(_address, entry.given.get("addresses") or ()) if one]
    known = {address.address.key: folder for folder, one in present.items() if one for address in one.addresses}
    folders = {known[key] for key, _ in addresses if key in known}
    if len(folders) > 1:
        what = f"belong to {' and '.join(sorted(folders))}"
        raise ConfigError(entry.complain(file, "addresses", what, "name the folder in the column `contact`"))
    if folders:
        return folders.pop()
    if not addresses or not entry.given.get("country"):
        key = "country" if addresses else "addresses"
        raise ConfigError(entry.complain(file, key, "is missing or cannot be read", "a new contact needs both"))
    return folder_name(str(entry.given["country"]), addresses[0][1])


def _address(said: object) -> tuple[str, str] | None:
    text = str(said.get("address", "")) if isinstance(said, dict) else ""
    found = parse_address(text.encode("utf-8", "replace"))
    return (found.key, found.domain) if found else None


def _change(entry: Entry, contact: Contact, present: Mapping[str, Contact | None], tree: Mapping[str, bytes]) -> Change:
    path = f"{contact.id}/{CONTACT_FILE}"
    unpinned = tuple(one for one in entry.fingerprints if f"{contact.id}/{one}.asc" not in tree)
    if path not in tree:
        return Change(contact.id, State.NEW, unpinned=unpinned, content=contact_yaml(document_of(contact)))
    before = present[contact.id]
    if before is None:
        content = contact_yaml(document_of(contact))
        return Change(contact.id, State.CHANGED, {"contact": ("broken", contact.id)}, unpinned, content)
    if before == contact:
        return Change(contact.id, State.UNCHANGED, unpinned=unpinned)
    return Change(
        contact.id, State.CHANGED, dict(_differences(before, contact)), unpinned, _edited(tree[path], contact)
    )


def _differences(before: Contact, after: Contact) -> Iterator[tuple[str, tuple[str, str]]]:
    old, new = cells(before, guarded=False), cells(after, guarded=False)
    return ((one, (old[one], new[one])) for one in COLUMNS if old[one] != new[one])


def _edited(content: bytes, contact: Contact) -> bytes:
    """The file with the keys that differ written anew; comments and the rest stay as the administrator wrote them."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    document: CommentedMap = yaml.load(content.decode("utf-8"))
    before = document_of(read_contact(contact.id, content, file=CONTACT_FILE))
    after = document_of(contact)
    for key in {*before, *after}:
        if before.get(key) == after.get(key):
            continue
        if key in after:
            document[key] = after[key]
        else:
            del document[key]
    written = StringIO()
    yaml.dump(document, written)
    return written.getvalue().encode("utf-8")


def _refuse_damage(
    changes: Mapping[str, Change], rows: Mapping[str, Entry], *, file: str, tree: Files, inspect: Inspect
) -> None:
    """Refuse what would break a folder: an address in two contacts above all."""
    written = {f"{one.contact}/{CONTACT_FILE}": one.content for one in changes.values() if one.content is not None}
    if not written:
        return
    _, now = parse_directory(tree, inspect=inspect)
    _, then = parse_directory(tuple((dict(tree) | written).items()), inspect=inspect)
    wrong = []
    for one in then:
        entry = rows.get(one.file.partition("/")[0])
        if one not in now and entry is not None:
            wrong.append(entry.complain(file, one.key or "addresses", one.what, one.remedy))
    if wrong:
        raise ConfigError(*wrong)
