"""Reads the words of attached forms: Word, OpenDocument, PDF, plain text that is sent as a file.

Each document is read in a confined child, with a share of the time of its message. Never raises, never unpacks an archive, never
loads anything; what cannot be read it names (ATTACKS: bombs, scans, passwords).
"""

import io
import json
import logging
import time
import zipfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from gateway.model.message import Extracted
from gateway.model.verdict import Reason
from gateway.triage.confined import confined

MAX_DOCUMENT_BYTES = 16 << 20
MAX_UNPACKED_BYTES = 64 << 20
MAX_XML_BYTES = 12 << 20
"""Of one XML part inside a document: a thousand pages of form."""
MAX_ENTRIES = 2000
MAX_DOCUMENTS = 12
"""Of one message that are tried; it is a letter with forms, not an archive."""
MESSAGE_SECONDS = 6.0
"""For all documents of a message together: a third of what a judge has."""
DOCUMENT_SECONDS = 3.0
MAX_ANSWER_BYTES = 8 << 20

_UNREAD = Extracted(findings=(Reason.ATTACHMENT_UNREAD,))
_LOCKED = Extracted(findings=(Reason.ATTACHMENT_UNREAD, Reason.ATTACHMENT_LOCKED))
_ENCRYPTED_ENTRY = 0x1
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""Stream of an Office file with a password (MS-OFFCRYPTO section 1.4.3)."""
_ODT = b"application/vnd.oasis.opendocument.text"

Work = Callable[[bytes], Extracted]


def extractor() -> Callable[[bytes], Extracted]:
    """A reader for the documents of one message, which share its time."""
    started = time.monotonic()
    tried = 0

    def extract(data: bytes) -> Extracted:
        nonlocal tried
        work = recognised(data)
        if isinstance(work, Extracted):
            return work
        tried += 1
        left = min(DOCUMENT_SECONDS, started + MESSAGE_SECONDS - time.monotonic())
        return _read(work, data, seconds=left) if tried <= MAX_DOCUMENTS else _UNREAD

    return extract


def recognised(data: bytes) -> Work | Extracted:
    """What reads these bytes, told by what they are and not by their name; or what is said of them unread."""
    if len(data) > MAX_DOCUMENT_BYTES:
        return _UNREAD
    if b"%PDF-" in data[:1024]:
        return _reader("pypdf", "pdf_text")
    if data.startswith(b"PK\x03\x04"):
        return _of_archive(data)
    if data.startswith(_OLE2):
        return _LOCKED if _ENCRYPTED_PACKAGE in data else _UNREAD
    return _UNREAD


def _of_archive(data: bytes) -> Work | Extracted:
    """A document of the office suites, if it is one and its parts are of sensible size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if any(one.flag_bits & _ENCRYPTED_ENTRY for one in entries):
                return _LOCKED
            names = {one.filename for one in entries}
            if not _sensible(entries):
                return _UNREAD
            if "word/document.xml" in names:
                return _reader("docx", "docx_text")
            if "content.xml" in names and archive.read("mimetype") == _ODT:
                return _reader("lxml", "odt_text")
            return _UNREAD
    except Exception:  # noqa: BLE001 a damaged archive fails in many ways, and each of them only means unread
        return _UNREAD


def _reader(library: str, name: str) -> Work | Extracted:
    """The reader of one kind of document; loaded here, so that no child loads it again. Without its library: unread."""
    if find_spec(library) is None:
        return _UNREAD
    work: Work = getattr(import_module(f"gateway.triage.{name}"), name)
    return work


def _sensible(entries: list[zipfile.ZipInfo]) -> bool:
    """Whether nothing in the archive claims to be a bomb; what lies about its size is cut off by memory and time."""
    return (
        len(entries) <= MAX_ENTRIES
        and sum(one.file_size for one in entries) <= MAX_UNPACKED_BYTES
        and all(one.file_size <= MAX_XML_BYTES for one in entries if one.filename.endswith((".xml", ".rels")))
    )


def _read(work: Work, data: bytes, *, seconds: float) -> Extracted:
    def answer() -> bytes:
        logging.disable(logging.CRITICAL)
        found = work(data)
        return json.dumps([found.text, [one.value for one in found.findings]]).encode()

    answered = confined(answer, seconds=seconds, max_bytes=MAX_ANSWER_BYTES)
    if answered is None:
        return _UNREAD
    text, findings = json.loads(answered)
    return Extracted(text=text, findings=tuple(map(Reason, findings)))
