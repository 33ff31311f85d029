"""The directory as a table that is kept elsewhere: CSV for spreadsheets, JSON for programs. Reads and writes bytes, no files.

What is written reads back as the same contacts. A spreadsheet takes a cell that begins with =, +, - or @ for a formula: such
a cell, and such an item of a list, is written with an apostrophe before it, which reading takes away.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any

from gateway.cli.contact_folder import document_of
from gateway.errors import Complaint, ConfigError
from gateway.model.trust import Contact

MAX_FILE_BYTES = 16 << 20
COLUMNS = (
    "contact", "name", "country", "addresses", "domains", "networks", "phone", "languages", "minimum_sig", "minimum_enc",
    "minimum_tls", "valid_until", "verified_how", "enrolled_by", "fingerprints",
)  # fmt: skip
_LISTS = frozenset({"domains", "networks", "languages", "enrolled_by", "fingerprints"})
_MINIMUM = {"minimum_sig": "sig", "minimum_enc": "enc", "minimum_tls": "tls"}
_FORMULA = "=+-@\t\r\n＝＋－＠"
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^;"]*?))\s*(;|$)')
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """One contact of the file, as far as it is a table; whether it says something sensible is not known yet."""

    row: int
    """Of a spreadsheet, the header being row 1; of a JSON file the number of the entry."""
    contact: str
    """Folder name; '' where the file names none."""
    given: Mapping[str, Any]
    """Keys of contact.yaml that the file has a column for -> value, None where the cell is empty."""
    fingerprints: tuple[str, ...]
    columns: Mapping[str, int] | None
    """Key -> column, the first being 1; None for JSON."""

    def complain(self, file: str, key: str, what: str, remedy: str) -> Complaint:
        """A complaint about one cell: file:row:column, or the entry and its key."""
        if self.columns is None:
            return Complaint(file, 0, 0, f"entry {self.row}, {key}" if key else f"entry {self.row}", what, remedy)
        top = key.partition(".")[0]
        found = (at for name, at in self.columns.items() if name == top or (top == "minimum" and name in _MINIMUM))
        return Complaint(file, self.row, next(found, 1), key, what, remedy)


def to_csv(contacts: Iterable[Contact]) -> str:
    """The contacts as comma-separated values in UTF-8, lines ended by CRLF (RFC 4180)."""
    written = StringIO()
    writer = csv.DictWriter(written, COLUMNS)
    writer.writeheader()
    for one in contacts:
        writer.writerow(cells(one))
    return written.getvalue()


def to_json(contacts: Iterable[Contact]) -> str:
    """The contacts as one JSON array, keys as in contact.yaml."""
    return json.dumps([_object(one) for one in contacts], ensure_ascii=False, indent=2) + "\n"


def cells(contact: Contact, *, guarded: bool = True) -> dict[str, str]:
    """Column -> text of its cell; for human eyes alone it needs no guard against spreadsheets."""
    guard = _guarded if guarded else str
    least = contact.minimum
    written = {
        "contact": contact.id,
        "name": contact.name,
        "country": contact.country,
        "phone": contact.phone,
        "minimum_sig": least.sig.value,
        "minimum_enc": _word(least.enc),
        "minimum_tls": least.tls.value,
        "valid_until": contact.valid_until.isoformat() if contact.valid_until else "",
        "verified_how": contact.verified_how,
    }
    addresses = [
        " ".join((one.address.spec, *(["verified"] if one.verified else []), *(["joint"] if one.joint else [])))
        for one in contact.addresses
    ]
    lists: dict[str, Iterable[str]] = {
        "addresses": addresses,
        "domains": contact.domains,
        "networks": contact.networks,
        "languages": contact.languages,
        "enrolled_by": contact.enrolled_by,
        "fingerprints": [key.fingerprint for key in contact.keys],
    }
    return {key: guard(text) for key, text in written.items()} | {
        key: "; ".join(_item(guard(one)) for one in items) for key, items in lists.items()
    }


def read_entries(content: bytes, *, file: str) -> tuple[Entry, ...]:
    """The entries of a .csv or .json file; ConfigError with every complaint about what is no table at all."""
    if len(content) > MAX_FILE_BYTES:
        raise _refused(file, f"is {len(content)} bytes, more than {MAX_FILE_BYTES}", "split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise ConfigError(Complaint(file, row, 1, "", "is not UTF-8", "save it as UTF-8")) from None
    readers: Mapping[str, Callable[[str, str], Iterator[Entry]]] = {"csv": _csv_entries, "json": _json_entries}
    reader = readers.get(file.rpartition(".")[2].lower())
    if reader is None:
        raise _refused(file, "is neither .csv nor .json", "name it by what it is")
    return tuple(reader(text, file))


def _object(contact: Contact) -> dict[str, object]:
    empty: dict[str, object] = {
        "domains": [], "networks": [], "phone": "", "languages": [],
        "minimum": {"sig": "none", "enc": False, "tls": "none"},
        "valid_until": None, "enrolled_by": [], "verified_how": "",
    }  # fmt: skip
    document = empty | document_of(contact)
    if contact.valid_until:
        document["valid_until"] = contact.valid_until.isoformat()
    return {"contact": contact.id, **document, "fingerprints": [key.fingerprint for key in contact.keys]}


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def _guarded(text: str) -> str:
    return f"'{text}" if text.lstrip("'")[:1] in _FORMULA and text.strip("'") else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and _guarded(text[1:]) == text else text


def _item(text: str) -> str:
    plain = text == text.strip() and not set(text) & set(';"')
    return text if plain else '"' + text.replace('"', '""') + '"'


def _items(cell: str) -> list[str]:
    """Items of a cell between semicolons, in quotation marks where they hold one; ValueError if the marks do not close."""
    items = []
    at = 0
    while at < len(cell):
        match = _ITEM.match(cell, at)
        if match is None:
            raise ValueError(cell)
        text = match[2] if match[1] is None else match[1].replace('""', '"')
        if text:
            items.append(_unguarded(text))
        at = match.end()
    return items


def _csv_entries(text: str, file: str) -> Iterator[Entry]:
    # Spreadsheets of half of Europe separate by semicolons whatever the C stands for.
    header = text.partition("\n")[0]
    rows = csv.reader(StringIO(text, newline=""), delimiter="," if "," in header else ";", strict=True)
    columns: dict[str, int] = {}
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            if number == 1:
                columns = _columns(row, file)
            elif any(row):
                yield _csv_entry(row, number, columns, file)
    except csv.Error as error:
        raise ConfigError(Complaint(file, number + 1, 1, "", f"is no row: {error}", "save it as CSV anew")) from None
    if not columns:
        raise _refused(file, "is empty", f"its first row names the columns: {', '.join(COLUMNS)}")


def _columns(row: list[str], file: str) -> dict[str, int]:
    names = [one.strip().lower() for one in row]
    wrong = [
        Complaint(file, 1, at, name, what, remedy)
        for at, name in enumerate(names, 1)
        for bad, what, remedy in (
            (name not in COLUMNS, "is no column", f"columns are {', '.join(COLUMNS)}"),
            (name in names[: at - 1], "is there twice", "keep one of them"),
        )
        if bad
    ]
    if "addresses" not in names:
        wrong.append(
            Complaint(file, 1, len(names) + 1, "addresses", "is missing", "a contact point is known by its addresses")
        )
    if wrong:
        raise ConfigError(*wrong)
    return {name: at for at, name in enumerate(names, 1)}


def _csv_entry(row: list[str], number: int, columns: dict[str, int], file: str) -> Entry:
    if len(row) > len(columns):
        what = f"has {len(row)} cells for {len(columns)} columns"
        raise ConfigError(
            Complaint(file, number, len(columns) + 1, "", what, "put what holds a comma in quotation marks")
        )
    given: dict[str, Any] = {}
    for name, at in columns.items():
        cell = row[at - 1] if at <= len(row) else ""
        try:
            given[name] = _value(name, cell)
        except ValueError:
            remedy = 'separate by semicolons, with " around what holds one'
            raise ConfigError(Complaint(file, number, at, name, "has an open quotation mark", remedy)) from None
    least = {key: given.pop(name) for name, key in _MINIMUM.items() if name in given}
    if least:
        given["minimum"] = {key: value for key, value in least.items() if value is not None} or None
    return _entry(given, number, columns)


def _value(column: str, cell: str) -> Any:
    if column == "addresses":
        return [_address(one) for one in _items(cell)]
    if column in _LISTS:
        return _items(cell)
    text = _unguarded(cell)
    if column == "minimum_enc":
        return _TRUTH.get(text.strip().lower(), text or None)
    return _day(text) if column == "valid_until" else text or None


def _address(item: str) -> dict[str, object]:
    """`247cp@police.gov.b.example verified joint`: what is said of an address stands behind it."""
    *address, last = item.rsplit(None, 1)
    if address and last.lower() in {"verified", "joint"}:
        return {**_address(address[0]), last.lower(): True}
    return {"address": item}


def _day(text: str) -> object:
    """The day; what is none stays as it is and is complained of with the rest."""
    with suppress(ValueError):
        return date.fromisoformat(text.strip())
    return text or None


def _json_entries(text: str, file: str) -> Iterator[Entry]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(Complaint(file, error.lineno, error.colno, "", error.msg, "mend the JSON there")) from None
    except RecursionError:
        raise _refused(file, "is nested too deeply", "write one array of objects") from None
    if not isinstance(found, list):
        raise _refused(file, "is no array", "write [ {...}, {...} ], as `cp247 directory export --format json` does")
    for number, one in enumerate(found, 1):
        if not isinstance(one, dict):
            raise _refused(file, f"entry {number} is no object", "each contact is one object")
        given = dict(one)
        if isinstance(given.get("valid_until"), str):
            given["valid_until"] = _day(given["valid_until"])
        yield _entry(given, number, None)


def _entry(given: dict[str, Any], row: int, columns: dict[str, int] | None) -> Entry:
    contact = given.pop("contact", None) or ""
    said = given.pop("fingerprints", None) or []
    fingerprints = (re.sub(r"\s", "", str(one)).upper() for one in (said if isinstance(said, list) else [said]))
    return Entry(row, str(contact), given, tuple(fingerprints), columns)


def _refused(file: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Complaint(file, 0, 0, "", what, remedy))
