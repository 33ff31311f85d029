"""Reads the words of a message by place: what a reader would see, and what of it is new.

It never classifies, never loads anything remote and never opens an archive; what it cannot read it names, because
silence about a request is the worst answer. Documents are read by a function it is given.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from gateway.mail.decode import charset_text, decoded_words, printable
from gateway.mail.html import visible
from gateway.mail.legacy_display import is_protected, payload_of, repeats_fields, without_repeated_fields
from gateway.mail.quotation import Parted, part_words
from gateway.mail.scan import ENCAPSULATED, body_of
from gateway.mail.subject import is_forward, stripped_subject
from gateway.model.message import Extracted, Message, Part, Text
from gateway.model.verdict import Reason

MAX_TEXT_CHARACTERS = 1_048_576
"""Characters read of one message, all places together."""
MAX_ENCODED_BYTES = 4 * MAX_TEXT_CHARACTERS
MAX_DOCUMENT_ENCODED_BYTES = 24 << 20
"""Of an attached document in its transfer encoding; a larger one is no form."""
MAX_HEADING_CHARACTERS = 80
MAX_TITLE_CHARACTERS = 160
MIN_DIFFERING_WORDS = 5
"""So many words that only one alternative has are a disagreement; fewer are the work of mail programs."""

UNREADABLE_BY_DESIGN = frozenset(
    {"application/pgp-signature", "application/pgp-encrypted", "application/pkcs7-signature", "application/pgp-keys"}
)
"""Parts without words that OpenPGP and S/MIME bring along; they are no unread attachments."""

NEVER_DOCUMENTS = ("image/", "audio/", "video/", "font/", "model/")
"""Main types that hold no words for a reader of documents."""

TEXT_FILES = (".txt", ".text", ".csv", ".tsv", ".log", ".md")
"""Names that programs send as application/octet-stream, though they are plain text."""

Extract = Callable[[bytes], Extracted]
"""EDGE documents: the words of an attached document; never raises."""

REPORT_TEXTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/global-disposition-notification",
        "message/feedback-report",
    }
)
"""Fields for machines (RFC 3464, RFC 8098, RFC 5965) that a human can read too."""

_UUENCODED = re.compile(r"^begin [0-7]{3,4} \S", re.MULTILINE)
_WORD = re.compile(r"[^\W_]{3,}")
_LINK = re.compile(r"<?(?:https?://|mailto:|cid:)[^\s<>]*+>?", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"T-?CY\s?\(2018\)\s?1[01]\b|^\W*(?:\d\W+)?Data Preservation Request\b.{0,80}\bArticles? 29|"
    r"^\W*(?:\d\W+)?Mutual Legal Assistance Request for subscriber information",
    re.IGNORECASE,
)
"""Reference or title of the Cybercrime Convention Committee's forms: T-CY(2018)10 Article 31, T-CY(2018)11 Articles 29 and 30."""
_TITLE_OPENS = re.compile(r"\W*(?:\d\W+)?(?:Data Preservation|Mutual Legal Assistance)\b", re.IGNORECASE)
TITLE_LINES = 3
"""Lines over which a title may be broken."""


def unread(_data: bytes) -> Extracted:
    """What is said of every document where nothing reads documents."""
    return Extracted(findings=(Reason.ATTACHMENT_UNREAD,))


def read(message: Message, *, part: Part | None = None, extract: Extract = unread) -> Text:
    """The words of the message, or of one part of it such as a decrypted root, by place and with findings; never raises."""
    reader = _Reader(message, extract)
    reader.take(part or message.root)
    return reader.text()


class _Reader:
    """Walks the parts of one message; it keeps the words by place, the findings and how much may still be read."""

    def __init__(self, message: Message, extract: Extract) -> None:
        self._message = message
        self._extract = extract
        self._left = MAX_TEXT_CHARACTERS
        self._markup_left = MAX_ENCODED_BYTES
        self._payload = payload_of(message.root)
        subjects = _subjects(message, self._payload)
        self._forward = any(map(is_forward, subjects))
        self._subject = self._bounded(" ".join(map(stripped_subject, subjects)))
        self._new: list[str] = []
        self._quoted: list[str] = []
        self._attachments: list[str] = []
        self._filenames: list[str] = []
        self._findings: dict[Reason, None] = {}
        self._attached = False

    def text(self) -> Text:
        """Everything read so far."""
        body = "\n\n".join(filter(None, self._new))
        if not any(map(str.isalnum, body)):
            self._findings[Reason.ATTACHMENT_ONLY if self._attached else Reason.NO_TEXT] = None
        return Text(
            subject=self._subject,
            headings=_headings(body),
            body=body,
            quoted="\n\n".join(filter(None, self._quoted)),
            attachments=tuple(filter(None, self._attachments)),
            filenames=tuple(self._filenames),
            template=_template(self._subject, body, *self._attachments),
            findings=tuple(self._findings),
        )

    def take(self, part: Part) -> None:
        """Read a part that stands in the body, with everything below it."""
        if _is_body_text(part):
            self._keep(part_words(self._words(part), forward=self._forward))
        elif part.content_type == "multipart/alternative":
            self._take_alternatives(part)
        elif part.content_type == "multipart/related":
            self._take_related(part)
        elif part.content_type.startswith("multipart/"):
            for child in part.children:
                self.take(child)
        else:
            self._attach(part)

    def _take_alternatives(self, part: Part) -> None:
        """Read the plain alternative, and of the HTML one what the plain one does not say."""
        branches = [_text_branch(child) for child in part.children]
        plain = next((one for one in branches if one and one.content_type == "text/plain"), None)
        html = next((one for one in branches if one and one.content_type == "text/html"), None)
        for child, branch in zip(part.children, branches, strict=True):
            if branch is None or branch not in (plain, html):
                self.take(child)
            elif child is not branch:
                self._attach_others(child, branch)
        parted = [part_words(self._words(one), forward=self._forward) for one in (plain, html) if one]
        if len(parted) == 2 and _disagree(parted[0].new, parted[1].new):
            self._findings[Reason.ALTERNATIVES_DISAGREE] = None
        if parted:
            self._keep(parted[0])
        if len(parted) == 2:
            self._keep(_only_in(parted[1], parted[0]))

    def _take_related(self, part: Part) -> None:
        """Read the first part; pictures it shows are no attachments (RFC 2387)."""
        for number, child in enumerate(part.children):
            if number == 0:
                self.take(child)
            elif not child.content_type.startswith("image/"):
                self._attach(child)

    def _attach_others(self, container: Part, branch: Part) -> None:
        for child in container.children:
            if child is not branch and not child.content_type.startswith("image/"):
                self._attach(child)

    def _attach(self, part: Part) -> None:
        """Read a part that is attached: text if it is text, a nested message with all its parts, else only its name."""
        if part.content_type in UNREADABLE_BY_DESIGN:
            return
        self._attached = True
        if part.filename:
            self._filenames.append(self._bounded(part.filename))
        if part.content_type.startswith("text/") or part.content_type in REPORT_TEXTS:
            self._attachments.append(self._words(part))
        elif part.children:
            for child in part.children:
                self._attach_subject(part, child)
                self._attach(child)
        else:
            self._attachments.append(self._document(part))

    def _document(self, part: Part) -> str:
        """The words of a file: of plain text as they stand, of a document what the reader of documents finds."""
        if part.filename.lower().endswith(TEXT_FILES):
            return self._words(part)
        if part.content_type.startswith(NEVER_DOCUMENTS) or part.end - part.body_start > MAX_DOCUMENT_ENCODED_BYTES:
            found = unread(b"")
        else:
            found = self._extract(body_of(self._message, part))
        self._findings.update(dict.fromkeys(found.findings))
        return self._bounded(printable(found.text))

    def _attach_subject(self, part: Part, child: Part) -> None:
        subject = child.header.first("subject") if part.content_type in ENCAPSULATED else None
        if subject is not None:
            self._attachments.append(self._bounded(decoded_words(subject.value)))

    def _keep(self, parted: Parted) -> None:
        self._new.append(parted.new)
        self._quoted.append(parted.quoted)

    def _words(self, part: Part) -> str:
        """The words of a text part; what is hidden in HTML is found out and left out."""
        bounded = replace(part, end=min(part.end, part.body_start + MAX_ENCODED_BYTES))
        if bounded.end != part.end:
            self._findings[Reason.TEXT_TRUNCATED] = None
        data = body_of(self._message, bounded)
        text, known = charset_text(data, part.parameter("charset") or "us-ascii")
        if not known:
            self._findings[Reason.UNKNOWN_CHARSET] = None
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if part.content_type == "text/html":
            text = self._seen(text)
        elif _UUENCODED.search(text):
            self._findings[Reason.ATTACHMENT_UNREAD] = None
        if repeats_fields(part, self._payload):
            text = without_repeated_fields(text, self._payload.header)
        return self._bounded(printable(text))

    def _seen(self, html: str) -> str:
        """The visible words; markup has a limit of its own, so that a picture inside it leaves room for them."""
        markup = html[: self._markup_left]
        self._markup_left -= len(markup)
        seen = visible(markup)
        if len(markup) < len(html):
            self._findings[Reason.TEXT_TRUNCATED] = None
        if seen.hidden:
            self._findings[Reason.HIDDEN_TEXT] = None
        return seen.text

    def _bounded(self, text: str) -> str:
        kept = text[: self._left]
        self._left -= len(kept)
        if len(kept) < len(text):
            self._findings[Reason.TEXT_TRUNCATED] = None
        return kept


def _subjects(message: Message, payload: Part) -> list[str]:
    """The subjects outside, and the one that is protected where it says something else: both are read."""
    outside = [decoded_words(field.value) for field in message.header.all("subject")]
    inside = payload.header.all("subject") if is_protected(payload) and payload is not message.root else ()
    protected = [decoded_words(field.value) for field in inside]
    return outside + [one for one in protected if one not in outside]


def _is_body_text(part: Part) -> bool:
    """Whether a reader's program shows the part as the letter itself; a multipart that cannot be sliced is one."""
    if part.content_type.startswith("multipart/"):
        return not part.children
    return part.content_type in {"text/plain", "text/html"} and part.disposition != "attachment" and not part.filename


def _text_branch(part: Part) -> Part | None:
    """The plain or HTML text that an alternative stands for, also inside multipart/related."""
    if part.content_type in {"multipart/related", "multipart/mixed"} and part.children:
        return _text_branch(part.children[0])
    return part if part.content_type in {"text/plain", "text/html"} else None


def _word_set(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(_LINK.sub(" ", text))}


def _disagree(plain: str, html: str) -> bool:
    one, other = _word_set(plain), _word_set(html)
    differing = len(one ^ other)
    return differing >= MIN_DIFFERING_WORDS and differing * 10 > len(one | other)


def _only_in(other: Parted, first: Parted) -> Parted:
    """The lines of the other alternative that have a word the first has not."""
    return Parted(new=_lines_with_more(other.new, first.new), quoted=_lines_with_more(other.quoted, first.quoted))


def _lines_with_more(text: str, than: str) -> str:
    known = _word_set(than)
    return "\n".join(line for line in text.split("\n") if not _word_set(line) <= known)


def _headings(body: str) -> tuple[str, ...]:
    """Short lines that are written in capitals or end in a colon, as forms and letters head their parts."""
    lines = (line.strip() for line in body.split("\n"))
    return tuple(line for line in lines if 3 <= len(line) <= MAX_HEADING_CHARACTERS and _is_heading(line))


def _is_heading(line: str) -> bool:
    in_capitals = line == line.upper() and line != line.lower()
    return (in_capitals or line.endswith((":", "\uff1a"))) and _WORD.search(line) is not None


def _template(*texts: str) -> str:
    """The lines that name one of the Committee's forms, each once; a long line is a sentence about a form."""
    lines = [[line.strip() for line in text.split("\n")] for text in texts]
    found = (
        title for one in lines for number in range(len(one)) if (title := _title(one[number : number + TITLE_LINES]))
    )
    return "\n".join(dict.fromkeys(found))


def _title(lines: list[str]) -> str:
    """The title that begins with the first line and may go on over the next ones; '' for none."""
    first = lines[0]
    if not first or len(first) > MAX_TITLE_CHARACTERS:
        return ""
    if _TEMPLATE.search(first):
        return first
    whole = " ".join(lines)
    opens = _TITLE_OPENS.match(first) and len(whole) <= 2 * MAX_TITLE_CHARACTERS
    match = _TEMPLATE.search(whole) if opens else None
    return match[0] if match else ""
