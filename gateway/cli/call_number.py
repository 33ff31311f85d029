"""The number to call a contact point back at: the directory's, never one that stands in a mail. Calls nobody."""

import re

from gateway.config import read_tree
from gateway.model.settings import Settings
from gateway.model.trust import Contact
from gateway.store.journal import Journal
from gateway.trust.directory import parse_directory
from gateway.trust.gnupg_home import GnupgHome


def contact_of(journal: Journal, settings: Settings, reference: str) -> Contact | None:
    """Whom the case is to be confirmed with: its contact, else the one whom From names without proof."""
    file, judged = journal.case(reference), journal.verdict_of(reference)
    named = file.view.contact if file else None
    if named is None and judged is not None:
        named = judged[1].verdict.contact
    return next((one for one in _contacts(settings) if one.id == named), None)


def same_number(one: str, other: str) -> bool:
    """Whether two ways of writing a telephone number are the same number; an empty one is none."""
    return bool(_dialled(one)) and _dialled(one) == _dialled(other)


def _contacts(settings: Settings) -> tuple[Contact, ...]:
    """Contacts without their keys, which nobody needs to call them."""
    files = tuple(one for one in read_tree(settings.keys) if not one[0].endswith(".asc"))
    directory, _ = parse_directory(files, inspect=GnupgHome(settings.openpgp.home).inspect_keys)
    return directory.contacts


def _dialled(number: str) -> str:
    """Digits after the international prefix, `+` or `00`."""
    digits = re.sub(r"\D", "", number)
    return digits if number.strip().startswith("+") else digits.removeprefix("00")
