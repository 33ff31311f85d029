"""The words of an OpenDocument text as a reader sees them: paragraphs, headings, tables, tick boxes.

Runs in a confined child only. Never resolves an entity, never follows a link.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from gateway.model.message import Extracted
from gateway.triage.ticks import EMPTY, TICKED

_BREAKS = {"tab": "\t", "line-break": "\n", "s": " "}
_LEFT_OUT = frozenset({"tracked-changes", "annotation", "automatic-styles", "sequence-decls"})
_LINES = frozenset({"p", "h", "table-row"})


def odt_text(data: bytes) -> Extracted:
    """Text of the document; whatever the libraries raise on a damaged file passes."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = etree.fromstring(archive.read("content.xml"), parser)
    lines = (line.strip() for line in "".join(_pieces(root)).split("\n"))
    return Extracted(text="\n".join(line for line in lines if line))


def _pieces(element: Any) -> Iterator[str]:
    name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    if not name or name in _LEFT_OUT:
        return
    if name == "checkbox":
        state = next((value for key, value in element.attrib.items() if key.endswith("}current-state")), "")
        label = next((value for key, value in element.attrib.items() if key.endswith("}label")), "")
        yield f"{TICKED if state == 'checked' else EMPTY} {label}\n"
        return
    if name in _BREAKS:
        yield _BREAKS[name]
    yield element.text or ""
    for number, child in enumerate(element):
        if name == "table-row" and number:
            yield "\t"
        words = "".join(_pieces(child))
        yield words.strip("\n").replace("\n", " ") if name == "table-row" else words
        yield child.tail or ""
    if name in _LINES:
        yield "\n"
