"""What the gateway says about a message: closed sets of words and the verdict made of them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """What is asked, strongest first; emergency needs a danger to life or safety (Second Protocol, Article 3)."""

    EMERGENCY = "emergency"
    PRESERVATION = "preservation"
    SUBSCRIBER_INFO = "subscriber-info"
    OTHER = "other"


class Kind(StrEnum):
    """How the message stands to a request."""

    NEW = "new"
    EXTENSION = "extension"
    FOLLOW_UP = "follow-up"
    WITHDRAWAL = "withdrawal"
    STATUS_QUERY = "status-query"
    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"
    NETWORK_TEST = "network-test"
    CIRCULAR = "circular"
    AUTO_REPLY = "auto-reply"
    BOUNCE = "bounce"
    UNKNOWN = "unknown"


class Place(StrEnum):
    """Where in a message a rule may look."""

    TEMPLATE = "template"
    SUBJECT = "subject"
    HEADING = "heading"
    BODY = "body"
    ATTACHMENT = "attachment"
    FILENAME = "filename"


class Disposition(StrEnum):
    """What becomes of an inward message; each of them is delivered."""

    ACCEPT = "accept"
    HOLD = "hold"
    DEFER = "defer"


class Reason(StrEnum):
    """Why: every ground of a verdict, one closed set."""

    # grounds of a disposition, DESIGN section 3
    JUDGE_ERROR = "judge-error"
    AUTOMATIC = "automatic"
    AMBIGUOUS = "ambiguous"
    FORGED_CONTACT = "forged-contact"
    UNPROVED_CONTACT = "unproved-contact"
    WRONG_KEY = "wrong-key"
    SIGNED_BUT_UNAUTHENTICATED = "signed-but-unauthenticated"
    DNS = "dns"
    BELOW_MINIMUM = "below-minimum"
    UNKNOWN_CONTACT = "unknown-contact"
    EMERGENCY = "emergency"
    # what is odd about the bytes
    LINE_ENDS_REPAIRED = "line-ends-repaired"
    DUPLICATED_SINGLETON = "duplicated-singleton"
    FROM_NOT_ONE = "from-not-one"
    FROM_MALFORMED = "from-malformed"
    BAD_FIELD = "bad-field"
    MIME_TOO_DEEP = "mime-too-deep"
    MIME_TOO_MANY_PARTS = "mime-too-many-parts"
    MIME_MALFORMED = "mime-malformed"
    READERS_DISAGREE = "readers-disagree"
    # what is odd about the words
    ALTERNATIVES_DISAGREE = "alternatives-disagree"
    HIDDEN_TEXT = "hidden-text"
    UNKNOWN_CHARSET = "unknown-charset"
    TEXT_TRUNCATED = "text-truncated"
    ATTACHMENT_UNREAD = "attachment-unread"
    ATTACHMENT_LOCKED = "attachment-locked"
    ATTACHMENT_ONLY = "attachment-only"
    NO_TEXT = "no-text"
    DOUBTFUL_CATEGORY = "doubtful-category"
    FORM_UNCLEAR = "form-unclear"
    CONFIDENTIALITY_ASKED = "confidentiality-asked"
    OTHER_CHANNEL_ASKED = "other-channel-asked"
    # about signatures and encryption
    PARTLY_SIGNED = "partly-signed"
    INLINE_SIGNED = "inline-signed"
    CANNOT_DECRYPT = "cannot-decrypt"
    SMIME_UNSUPPORTED = "smime-unsupported"
    KEY_EXPIRED = "key-expired"
    KEY_REVOKED = "key-revoked"
    CONTACT_EXPIRED = "contact-expired"
    PGP_MIME_REPAIRED = "pgp-mime-repaired"
    VERIFIERS_DIFFER = "verifiers-differ"
    # about fields inside a sealed message that differ from those outside
    PROTECTED_FROM_DIFFERS = "protected-from-differs"
    SUBJECT_DIFFERS = "subject-differs"
    PROTECTED_TO_DIFFERS = "protected-to-differs"
    PROTECTED_CC_DIFFERS = "protected-cc-differs"
    PROTECTED_DATE_DIFFERS = "protected-date-differs"
    PROTECTED_MESSAGE_ID_DIFFERS = "protected-message-id-differs"
    PROTECTED_REPLY_TO_DIFFERS = "protected-reply-to-differs"
    PROTECTED_IN_REPLY_TO_DIFFERS = "protected-in-reply-to-differs"
    PROTECTED_REFERENCES_DIFFERS = "protected-references-differs"
    # about who asks
    DKIM_PARTIAL = "dkim-partial"
    REPLY_TO_DIFFERS = "reply-to-differs"
    MAIL_FROM_DIFFERS = "mail-from-differs"
    LOOKALIKE_DOMAIN = "lookalike-domain"
    # about header fields of our own namespace
    FOREIGN_FIELD_RENAMED = "foreign-field-renamed"
    FOREIGN_FIELD_SIGNED = "foreign-field-signed"
    # about the thread
    REPEATED = "repeated"
    ID_REUSE = "id-reuse"
    NOT_ADDRESSED = "not-addressed"
    BAD_CASE_TAG = "bad-case-tag"
    OFF_CHANNEL = "off-channel"
    # against what authenticated mail of this address was like so far
    KEY_CHANGE = "key-change"
    SIGNATURE_DROPPED = "signature-dropped"
    ENCRYPTION_DROPPED = "encryption-dropped"
    SIGNATURE_REPEATED = "signature-repeated"
    FIRST_CONTACT = "first-contact"
    DKIM_DOMAIN_CHANGED = "dkim-domain-changed"
    DKIM_SELECTOR_CHANGED = "dkim-selector-changed"
    MAIL_PATH_CHANGED = "mail-path-changed"
    DATE_ZONE_CHANGED = "date-zone-changed"
    LANGUAGE_CHANGED = "language-changed"
    # what a mailbox taken over is used for
    KEY_ANNOUNCED = "key-announced"
    MANY_TARGETS = "many-targets"
    PHONE_NOT_LISTED = "phone-not-listed"
    FREE_MAIL = "free-mail"
    ANSWER_ELSEWHERE = "answer-elsewhere"
    DOCUMENT_BY_LINK = "document-by-link"
    FOREIGN_STATUTE = "foreign-statute"
    CONTENT_ASKED = "content-asked"


TOLD_BY_RULES = (Reason.ANSWER_ELSEWHERE, Reason.DOCUMENT_BY_LINK, Reason.FOREIGN_STATUTE, Reason.CONTENT_ASKED)
"""Signals whose wording administrators write."""

AMBIGUOUS = frozenset(
    {
        Reason.DUPLICATED_SINGLETON,
        Reason.FROM_NOT_ONE,
        Reason.FROM_MALFORMED,
        Reason.BAD_FIELD,
        Reason.MIME_TOO_DEEP,
        Reason.MIME_TOO_MANY_PARTS,
        Reason.READERS_DISAGREE,
        Reason.PROTECTED_FROM_DIFFERS,
    }
)
"""Defects that make a message ambiguous: no trust, no receipt, delivered all the same."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A finding that asks for a second look and never gives trust, with the figures it rests on."""

    reason: Reason
    detail: str
    """One sentence in English; names of keys, domains and zones, no text of the mail."""


class Level(StrEnum):
    """How much a receipt says."""

    FULL = "full"
    MINIMAL = "minimal"
    NONE = "none"


class Withheld(StrEnum):
    """Why no receipt leaves, in the order of the tests (CHANNEL C)."""

    DISABLED = "receipts-disabled"
    JUDGE_ERROR = "judge-error"
    NULL_SENDER = "null-sender"
    AUTO_SUBMITTED = "auto-submitted"
    LIST = "mailing-list"
    PRECEDENCE = "precedence"
    LOOP = "loop"
    SUPPRESSED = "response-suppressed"
    REPORT = "report"
    ROBOT = "robot-sender"
    OWN_ADDRESS = "own-address"
    RETURN_PATH = "return-path"
    AMBIGUOUS = "ambiguous"
    NOT_ADDRESSED = "not-addressed"
    FORGED = "forged"
    UNAUTHENTICATED = "unauthenticated"
    MAIL_FROM_DIFFERS = "mail-from-differs"
    UNKNOWN_CONTACT = "unknown-contact"
    WAITS_FOR_DNS = "waits-for-dns"
    WAITS_FOR_HUMAN = "waits-for-human"
    REPEATED = "repeated"
    RATE_CONTACT = "rate-contact"
    RATE_ALL = "rate-all"
    SEAL_FAILED = "seal-failed"
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class ReceiptDecision:
    """Whether a receipt leaves, how much it says, and why not."""

    send: bool
    level: Level = Level.NONE
    reason: Withheld | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule matching once, at its best place."""

    rule: str
    place: Place
    score: float
    text: str = ""
    """What matched, at most 120 characters; '' where the text was encrypted (DESIGN section 3)."""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of a request, normalised, with where and how it was written."""

    kind: str
    """ip email url domain phone account crypto imei asn hash timestamp"""
    value: str
    written: str = ""
    place: Place = Place.BODY
    offset: int = 0
    context: str = ""
    port: int | None = None
    """Source port that stands beside an address (RFC 6302)."""
    at: str | None = None
    """RFC 3339: when an address was used, as the request says beside it."""


IDENTIFIER_KINDS = ("ip", "email", "url", "domain", "phone", "account", "crypto", "imei", "asn", "hash", "timestamp")


class Stop(StrEnum):
    """What kept a rule from hitting although its wording stands in the mail, in the order of the tests."""

    LANGUAGE = "language"
    """It belongs to a language that the mail is not in, and whose words are much like those it is in."""
    UNLESS = "unless"
    PLACE = "places"
    NEAR = "near"
    NOT_NEAR = "not_near"


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that nearly hit, at the earliest place where its wording stands."""

    rule: str
    place: Place
    stopped_by: Stop
    text: str


@dataclass(frozen=True, slots=True)
class Weighing:
    """What a category came to."""

    category: Category
    score: float
    threshold: float
    lacking: tuple[str, ...]
    """Lines of `needs` that nothing met, each as the words that would."""
    reached: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """What experience weighed: a word or its beginning, two words, a rule that hit, or a kind of identifier."""

    sign: str
    adds: tuple[float, float, float]
    """To emergency, preservation and subscriber-info, each against `other`; below 0 it speaks for `other`."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How a classification came about, beyond its hits; made for an administrator's eyes and never kept."""

    weighings: tuple[Weighing, ...]
    misses: tuple[Miss, ...]
    signs: tuple[Sign, ...] = ()
    """What weighed most by experience, the heaviest first."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What is asked, with the hits that say so."""

    category: Category = Category.OTHER
    secondary: tuple[Category, ...] = ()
    kind: Kind = Kind.UNKNOWN
    urgent: bool = False
    language: str | None = None
    hits: tuple[Hit, ...] = ()
    score: float = 0.0
    """Score of the primary category."""
    missing: tuple[str, ...] = ()
    """Ids of the checklist items not found: P1..P6, S1.., E1.. (DOMAIN 1)."""
    identifiers: tuple[Identifier, ...] = ()
    reference: str | None = None
    mla_intended: bool | None = None
    preservation_days: int | None = None
    period: tuple[str, str] | None = None
    """First and last day, ISO 8601, for which data are asked."""
    findings: tuple[Reason, ...] = ()
    trace: Trace | None = None
    """Only where it was asked for."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """One row of the disposition table, as it applied."""

    disposition: Disposition
    reason: Reason | None
    assurance: str
    level: Level
    """Receipt this row allows; the receipt tests may still withhold it."""
    page: bool = False
    further: tuple[Reason, ...] = ()
    """Grounds of later rows that apply as well and that an officer must read."""


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """A rule tree as bytes: what the administrator wrote, path relative to rules/ -> content."""

    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
