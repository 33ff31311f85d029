"""The words of a Word document as a reader sees them: paragraphs, tables, text boxes, content controls, headers, boxes with their ticks.

Runs in a confined child only. Never follows a link, never reads an embedded file; words marked as hidden or as deleted are left out.
"""

import io
from collections.abc import Iterator
from typing import Any

import docx
from docx.oxml import parse_xml

from gateway.model.message import Extracted
from gateway.model.verdict import Reason
from gateway.triage.ticks import EMPTY, TICKED, symbol

MAX_CHARACTERS = 1_048_576

_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_LEFT_OUT = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "tblPr", "tcPr", "trPr", "rPr"})
"""Deleted words, copies for older programs, codes of fields, formats."""
_TRUE = frozenset({None, "1", "true", "on"})


def docx_text(data: bytes) -> Extracted:
    """Text and findings; whatever the libraries raise on a damaged file passes."""
    reader = _Reader()
    document = docx.Document(io.BytesIO(data))
    parts = sorted(document.part.package.iter_parts(), key=lambda one: str(one.partname))
    for part in parts:
        if part.content_type.endswith(".header+xml"):
            reader.block(part.element)
    reader.block(document.element.body)
    for part in parts:
        if part.content_type.endswith((".footer+xml", ".footnotes+xml", ".endnotes+xml")):
            reader.block(getattr(part, "element", None) or parse_xml(part.blob))
    return Extracted(text=reader.text(), findings=tuple(reader.findings))


class _Reader:
    """Walks the elements of a document; it keeps the lines so far and what is odd."""

    def __init__(self) -> None:
        self.findings: dict[Reason, None] = {}
        self._pieces: list[str] = []
        self._left = MAX_CHARACTERS

    def block(self, element: Any) -> None:
        """Read everything below an element, as paragraphs of its own."""
        self._add(self._words(element) + "\n")

    def text(self) -> str:
        """The lines, without blank ends and without rows of empty ones."""
        lines = (line.strip() for line in "".join(self._pieces).split("\n"))
        return "\n".join(line for line in lines if line)

    def _add(self, piece: str) -> None:
        kept = piece[: self._left]
        self._left -= len(kept)
        self._pieces.append(kept)
        if len(kept) < len(piece):
            self.findings[Reason.TEXT_TRUNCATED] = None

    def _words(self, element: Any) -> str:
        return "".join(piece for child in element if isinstance(child.tag, str) for piece in self._child(child))

    def _child(self, child: Any) -> Iterator[str]:
        name = _name(child)
        if name in _BREAKS:
            yield _BREAKS[name]
        elif name == "t":
            yield child.text or ""
        elif name == "p":
            yield f"{self._words(child)}\n"
        elif name == "tr":
            yield f"{self._row(child)}\n"
        elif name == "r":
            yield self._run(child)
        elif name == "sdt":
            yield self._control(child)
        elif name == "sym":
            yield _symbol(child)
        elif name == "fldChar":
            yield _form_field(child)
        elif name == "altChunk":
            self.findings[Reason.ATTACHMENT_UNREAD] = None
        elif name == "txbxContent":
            yield f"\n{self._words(child)}"
        elif name not in _LEFT_OUT:
            yield self._words(child)

    def _row(self, row: Any) -> str:
        """Cells apart by tabs; paragraphs of one cell stay lines, so that each box keeps its label."""
        cells = (child for child in row.iter() if _name(child) == "tc" and _row_of(child) is row)
        return "\t".join(self._words(cell).strip("\n") for cell in cells)

    def _run(self, run: Any) -> str:
        style = next((child for child in run if _name(child) == "rPr"), None)
        if style is not None and _on(style, "vanish"):
            if any(map(str.isalnum, self._words(run))):
                self.findings[Reason.HIDDEN_TEXT] = None
            return ""
        words = self._words(run)
        font = _value(_first(style, "rFonts"), "ascii") if style is not None else None
        return "".join(symbol(one, font) or one for one in words) if font else words

    def _control(self, control: Any) -> str:
        """A content control; of a tick box the state counts, not the letter that is drawn."""
        box = _first(control, "checkbox")
        content = self._words(control)
        if box is None:
            return content
        mark = TICKED if _on(box, "checked") else EMPTY
        return mark + (" " + content.strip()[1:] if len(content.strip()) > 1 else " ")


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _row_of(cell: Any) -> Any:
    return next(one for one in cell.iterancestors() if _name(one) == "tr")


def _first(element: Any, name: str) -> Any:
    return next((one for one in element.iter() if _name(one) == name), None)


def _value(element: Any, name: str) -> str | None:
    if element is None:
        return None
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)


def _on(element: Any, name: str) -> bool:
    """Whether a switch below the element is there and not set to false."""
    switch = _first(element, name)
    return switch is not None and _value(switch, "val") in _TRUE


def _symbol(element: Any) -> str:
    code, font = _value(element, "char") or "", _value(element, "font") or ""
    try:
        character = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    return symbol(character, font) or ""


def _form_field(element: Any) -> str:
    """A tick box of the older kind (legacy form field), at the mark where its field begins."""
    box = _first(element, "checkBox")
    if box is None:
        return ""
    state = "checked" if _first(box, "checked") is not None else "default"
    return f"{TICKED if _on(box, state) else EMPTY} "
