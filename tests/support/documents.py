"""Documents for the tests, made anew each time: Word files by python-docx, PDF files by the few lines below.

Every run makes the same bytes.
"""

import io
import zipfile

import docx
from docx.oxml import parse_xml

WORD = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
)

LOCK = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<00><00>]" % (b"4f" * 32, b"55" * 32)
"""Encryption by the standard handler (ISO 32000-1 section 7.6.3) whose check values fit no password."""


def docx_bytes(*rows: str | tuple[str, ...], header: str = "") -> bytes:
    """A Word file: a string is a paragraph, a tuple a row of a table of its own."""
    document = docx.Document()
    if header:
        document.sections[0].header.paragraphs[0].text = header
    for row in rows:
        if isinstance(row, str):
            document.add_paragraph(row)
            continue
        table = document.add_table(rows=1, cols=len(row))
        for cell, words in zip(table.rows[0].cells, row, strict=True):
            cell.text = words
    return saved(document)


def saved(document) -> bytes:
    """The bytes of a python-docx document, the same each time."""
    made, out = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def run(document, xml: str) -> None:
    """Add a paragraph with raw WordprocessingML inside."""
    document.add_paragraph()._p.append(parse_xml(xml.replace(">", f" {WORD}>", 1)))


def odt_bytes(body: str) -> bytes:
    """An OpenDocument text with this body."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "form")
    )
    content = f"<office:document-content {names}><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
    return out.getvalue()


def pdf_bytes(*pages: str, fields: dict[str, str | bool] | None = None, locked: bool = False) -> bytes:
    """A PDF with these lines on each page; a field is filled with a text, or is a box that is ticked or not.

    locked: behind a password, that nobody knows.
    """
    objects: list[bytes] = []

    def add(content: str | bytes) -> int:
        objects.append(content.encode("latin-1") if isinstance(content, str) else content)
        return len(objects)

    font = _font(add, sorted(set("".join(pages).replace("\n", ""))))
    kids = [add(_page(add, words, font)) for words in pages]
    widgets = [add(_field(name, value)) for name, value in (fields or {}).items()]
    tree = add(f"<</Type/Pages/Kids[{_refs(kids)}]/Count {len(kids)}>>")
    form = f"/AcroForm<</Fields[{_refs(widgets)}]>>" if widgets else ""
    root = add(f"<</Type/Catalog/Pages {tree} 0 R{form}>>")
    return _file(objects, root, LOCK if locked else b"")


def _font(add, letters: list[str]) -> int:
    """A font whose codes are UTF-16: nothing is embedded, so a viewer may show boxes, but the words are in it."""
    known = "".join(f"<{code}> <{code}>\n" for code in (one.encode("utf-16-be").hex() for one in letters))
    space = "1 begincodespacerange <0000> <FFFF> endcodespacerange"
    cmap = f"begincmap {space}\n{len(letters)} beginbfchar\n{known}endbfchar\nendcmap"
    unicode = add(_stream(cmap.encode()))
    inner = add(
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/Any/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
    )
    return add(
        f"<</Type/Font/Subtype/Type0/BaseFont/Any/Encoding/Identity-H/DescendantFonts[{inner} 0 R]/ToUnicode {unicode} 0 R>>"
    )


def _page(add, words: str, font: int) -> str:
    lines = "".join(f"<{line.encode('utf-16-be').hex()}> Tj 0 -14 Td " for line in words.split("\n"))
    content = add(_stream(f"BT /F 11 Tf 50 780 Td {lines}ET".encode()))
    return f"<</Type/Page/MediaBox[0 0 595 842]/Resources<</Font<</F {font} 0 R>>>>/Contents {content} 0 R>>"


def _field(name: str, value: str | bool) -> str:
    label = name.encode("utf-16-be").hex()
    if isinstance(value, bool):
        state = "/Yes" if value else "/Off"
        return f"<</FT/Btn/T<FEFF{label}>/V{state}/AS{state}/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/AP<</N<</Yes<<>>/Off<<>>>>>>>>"
    return (
        f"<</FT/Tx/T<FEFF{label}>/V<FEFF{value.encode('utf-16-be').hex()}>/Type/Annot/Subtype/Widget/Rect[0 0 99 9]>>"
    )


def _stream(content: bytes) -> bytes:
    return b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)


def _refs(numbers: list[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)


def _file(objects: list[bytes], root: int, more: bytes) -> bytes:
    out = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    trailer = b"trailer<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (count, root, more, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + trailer
