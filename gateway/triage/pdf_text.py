"""The words of a PDF as a reader sees them: the text of its pages and what is filled into its fields, boxes with their ticks.

Runs in a confined child only. Never runs a script, never follows a link, never recognises letters in a picture.
"""

import io
from collections.abc import Iterator
from typing import Any

import pypdf

from gateway.model.message import Extracted
from gateway.model.verdict import Reason
from gateway.triage.ticks import EMPTY, TICKED

MAX_PAGES = 60
MAX_FIELDS = 2000
MAX_CHARACTERS = 1_048_576

_PUSH_BUTTON = 1 << 16
"""Field flag (ISO 32000-1 table 226): a button without a state."""


def pdf_text(data: bytes) -> Extracted:
    """Text and findings; whatever the library raises on a damaged file passes."""
    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    # most encrypted forms are only protected against change: the password of their readers is empty
    if reader.is_encrypted and not reader.decrypt(""):
        return Extracted(findings=(Reason.ATTACHMENT_UNREAD, Reason.ATTACHMENT_LOCKED))
    findings: dict[Reason, None] = {}
    pages = len(reader.pages)
    if pages > MAX_PAGES:
        findings[Reason.TEXT_TRUNCATED] = None
    read = "\n".join(_page(reader.pages[number]) for number in range(min(pages, MAX_PAGES)))
    text = "\n".join(filter(None, (read, *_fields(reader))))
    if len(text) > MAX_CHARACTERS:
        findings[Reason.TEXT_TRUNCATED] = None
    if not any(map(str.isalnum, text)):
        # a scan: pictures of words
        findings[Reason.ATTACHMENT_UNREAD] = None
    return Extracted(text=text[:MAX_CHARACTERS], findings=tuple(findings))


def _page(page: Any) -> str:
    lines = (line.strip() for line in page.extract_text().split("\n"))
    return "\n".join(line for line in lines if line)


def _fields(reader: Any) -> Iterator[str]:
    """One line for each field: `label: value`, or a box and its label."""
    fields = reader.get_fields() or {}
    for number, (name, one) in enumerate(fields.items()):
        if number == MAX_FIELDS:
            return
        label = _label(name, one)
        if one.get("/FT") == "/Btn":
            yield from _boxes(label, one)
        elif value := _shown(one.get("/V")):
            yield f"{label}: {value}"


def _label(name: str, one: Any) -> str:
    """What the field is called to a reader: its tool tip, else its name with joints as blanks."""
    told = _shown(one.get("/TU"))
    return told or name.rpartition(".")[2].replace("_", " ").strip()


def _boxes(label: str, one: Any) -> Iterator[str]:
    """A tick box as it stands; of several in one field each choice with its own mark."""
    if int(one.get("/Ff") or 0) & _PUSH_BUTTON:
        return
    state = str(one.get("/V") or "/Off").removeprefix("/")
    choices = [
        choice for choice in (str(name).removeprefix("/") for name in one.get("/_States_") or ()) if choice != "Off"
    ]
    if len(choices) < 2:
        yield f"{EMPTY if state == 'Off' else TICKED} {label}"
        return
    for choice in choices:
        yield f"{TICKED if choice == state else EMPTY} {label}: {choice.replace('_', ' ')}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_shown, value)))
    return value.strip() if isinstance(value, str) else ""
