"""Attached forms: their words, their ticks; what cannot be read is named, and nothing takes the judge with it."""

import io
import time
import zipfile

import docx
import pypdf
import pytest
from documents import docx_bytes, odt_bytes, pdf_bytes, run, saved
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.verdict import Reason
from gateway.triage import extract as room
from gateway.triage.confined import confined
from gateway.triage.extract import extractor

UNREAD = (Reason.ATTACHMENT_UNREAD,)
LOCKED = (Reason.ATTACHMENT_UNREAD, Reason.ATTACHMENT_LOCKED)


def read(data: bytes):
    return extractor()(data)


def test_a_word_file_is_read_with_its_header_tables_and_lines():
    found = read(
        docx_bytes("Data Preservation Request", ("2 reference / case number", "BX-1/26"), header="Police of Borduria")
    )
    assert found.text.split("\n") == [
        "Police of Borduria",
        "Data Preservation Request",
        "2 reference / case number\tBX-1/26",
    ]
    assert found.findings == ()


CONTROL = (
    '<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{checked}"/></w14:checkbox></w:sdtPr>'
    "<w:sdtContent><w:r><w:t>{drawn}</w:t></w:r></w:sdtContent></w:sdt>"
)
BOXES = [
    ('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', "\u2612"),
    ('<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>', "\u2610"),
    ('<w:r><w:rPr><w:rFonts w:ascii="Wingdings"/></w:rPr><w:t>x</w:t></w:r>', "\u2612"),
    ('<w:r><w:rPr><w:rFonts w:ascii="Wingdings"/></w:rPr><w:t>o</w:t></w:r>', "\u2610"),
    (
        CONTROL.format(checked=1, drawn="\u2610"),
        "\u2612",
    ),
    (
        CONTROL.format(checked=0, drawn="\u2612"),
        "\u2610",
    ),
    ("<w:r><w:fldChar><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>", "\u2612"),
    (
        '<w:r><w:fldChar><w:ffData><w:checkBox><w:default w:val="0"/></w:checkBox></w:ffData></w:fldChar></w:r>',
        "\u2610",
    ),
]


@pytest.mark.parametrize(("xml", "shown"), BOXES, ids=[xml[:60] for xml, _ in BOXES])
def test_a_box_of_a_word_file_shows_whether_it_is_ticked(xml, shown):
    document = docx.Document()
    run(document, xml)
    assert read(saved(document)).text == shown


def test_text_boxes_are_read_once_and_hidden_words_are_only_reported():
    document = docx.Document()
    run(
        document, "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
    )
    document.add_paragraph("seen ").add_run("hidden").font.hidden = True
    found = read(saved(document))
    assert found.text == "in a box\nseen"
    assert found.findings == (Reason.HIDDEN_TEXT,)


def test_deleted_words_are_not_read():
    document = docx.Document()
    run(document, "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>")
    document.add_paragraph("kept")
    assert read(saved(document)).text == "kept"


def test_an_open_document_is_read_with_its_boxes():
    body = (
        '<text:p>Request<text:s/>status</text:p><form:checkbox form:label="new request" form:current-state="checked"/>'
    )
    row = "<table:table-row><table:table-cell><text:p>Reference</text:p></table:table-cell><table:table-cell><text:p>BX-1</text:p></table:table-cell></table:table-row>"
    assert read(odt_bytes(body + row)).text.split("\n") == ["Request status", "\u2612 new request", "Reference\tBX-1"]


@pytest.mark.parametrize("words", ["Data Preservation Request", "Запрос о сохранении данных", "データ保全要請"])
def test_a_pdf_is_read_in_any_script(words):
    assert read(pdf_bytes(words, "second page")).text.split("\n") == [words, "second page"]


def test_a_pdf_in_arabic_is_read_though_its_letters_are_drawn_from_the_left():
    assert read(pdf_bytes("طلب حفظ البيانات"[::-1])).text == "طلب حفظ البيانات"


def test_the_fields_of_a_pdf_are_read_with_their_ticks():
    found = read(pdf_bytes("Form", fields={"case_number": "BX-1/26", "new_request": False, "extension": True}))
    assert found.text.split("\n") == ["Form", "case number: BX-1/26", "\u2610 new request", "\u2612 extension"]


def test_a_pdf_without_words_is_a_scan_and_unread():
    assert read(pdf_bytes("")).findings == UNREAD


def encrypted(password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_bytes("secret words")))
    writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_with_a_password_is_named_and_one_without_is_read():
    assert read(encrypted("")).text == "secret words"
    assert read(encrypted("open")).findings == LOCKED


def archive(entries: dict[str, bytes], *, flags: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    data = out.getvalue()
    if not flags:
        return data
    place = data.index(b"PK\x01\x02") + 8
    return data[:place] + bytes([flags]) + data[place + 1 :]


def test_an_archive_is_not_unpacked_and_one_with_a_password_is_named():
    assert read(archive({"a.txt": b"words"})).findings == UNREAD
    assert read(archive({"a.txt": b"words"}, flags=1)).findings == LOCKED
    assert read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")).findings == LOCKED


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 30) for n in range(8))
    + b']><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">&i;</office:document-content>'
)


def with_document(xml: bytes) -> bytes:
    """A Word file whose document is these bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx_bytes("x"))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, xml if one.filename == "word/document.xml" else old.read(one))
    return out.getvalue()


HOSTILE = {
    "entities in a word file": lambda: with_document(LAUGHS),
    "entities in an open document": lambda: archive(
        {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": LAUGHS}
    ),
    "a foreign file by entity": lambda: with_document(
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document xmlns:w="http://schemas.openxmlformats.org/'
        b'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>'
    ),
    "a bomb of one part": lambda: with_document(b" " * (room.MAX_XML_BYTES + 1)),
    "a bomb of many parts": lambda: archive(
        {f"word/{n}.bin": bytes(8 << 20) for n in range(9)} | {"word/document.xml": b""}
    ),
    "a truncated file": lambda: docx_bytes("words")[:900],
    "a pdf of nothing": lambda: b"%PDF-1.7\n",
    "a pdf that points at itself": lambda: (
        b"%PDF-1.7\n1 0 obj<</Type/Pages/Kids[1 0 R]/Count 9>>endobj trailer<</Root<</Pages 1 0 R>>>>"
    ),
    "a file too large": lambda: b"%PDF-1.7\n" + bytes(room.MAX_DOCUMENT_BYTES),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_unread_in_time(make):
    data = make()
    started = time.monotonic()
    found = read(data)
    assert "root:" not in found.text
    assert not found.text or found.findings == ()
    assert found.text or Reason.ATTACHMENT_UNREAD in found.findings or found.findings == ()
    assert time.monotonic() - started < 4 * room.DOCUMENT_SECONDS


def test_documents_of_one_message_share_time_and_number():
    extract = extractor()
    data = pdf_bytes("words")
    found = [extract(data).text for _ in range(room.MAX_DOCUMENTS + 1)]
    assert found == ["words"] * room.MAX_DOCUMENTS + [""]


def test_a_reader_that_hangs_crashes_or_talks_too_much_is_cut_off():
    assert confined(lambda: b"answer", seconds=5, max_bytes=100) == b"answer"
    assert confined(lambda: b"a" * 101, seconds=5, max_bytes=100) is None
    assert confined(lambda: bytes(1 << 34), seconds=5, max_bytes=100) is None
    started = time.monotonic()
    assert confined(lambda: time.sleep(60) or b"", seconds=0.2, max_bytes=100) is None
    assert time.monotonic() - started < 20


@settings(max_examples=25, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([b"%PDF-1.7\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b""])
)
def test_any_bytes_are_answered(rest, start):
    found = read(start + rest)
    assert found.text or found.findings
