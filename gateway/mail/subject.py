"""The words before a subject that a program put there: reply, forward and automatic-reply prefixes.

It knows words only; whether a message is automatic or a forward is decided elsewhere.
"""

import re

_REPLY = "re|aw|sv|vs|antw|antwort|ref|rif|res|odp|ynt|r|bls|atb|ha|رد|ответ|відп"
_FORWARD = "fwd?|wg|tr|rv|enc|i|vl|vb|doorst|pd|ilt|pt|إعادة توجيه|пересл"
AUTO_REPLY_WORDS = (
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "out of office",
    "out-of-office",
    "réponse automatique",
    "automatische antwort",
    "abwesenheitsnotiz",
    "abwesend",
    "respuesta automática",
    "resposta automática",
    "risposta automatica",
    "răspuns automat",
    "automatisch antwoord",
    "odpowiedź automatyczna",
    "automatisk svar",
    "автоматический ответ",
    "автоматична відповідь",
    "رد تلقائي",
    "otomatik yanıt",
)
"""What programs write before the subject of an absence notice, by language."""

_COUNT = r"[ \t]*+(?:[\[(]\d{1,3}[\])])?[ \t]*+[:\uff1a]\s*+"
_AUTO_REPLY = re.compile(rf"\s*+(?:{'|'.join(AUTO_REPLY_WORDS)})\s*+[:\uff1a]", re.IGNORECASE)
_PREFIXES = re.compile(rf"(?:\s*+(?:{_REPLY}|{_FORWARD}|{'|'.join(AUTO_REPLY_WORDS)}){_COUNT})*", re.IGNORECASE)
_FORWARDED = re.compile(rf"\s*+(?:{_FORWARD}){_COUNT}", re.IGNORECASE)


def stripped_subject(subject: str) -> str:
    """The subject without the prefixes programs put before it."""
    prefixes = _PREFIXES.match(subject)
    return subject[prefixes.end() :].strip() if prefixes else subject.strip()


def is_automatic_reply(subject: str) -> bool:
    """Whether the subject starts with the words of an absence notice; `Auto:` alone says nothing (RFC 3834 section 3.1.5)."""
    return _AUTO_REPLY.match(subject) is not None


def is_forward(subject: str) -> bool:
    """Whether the outermost prefix says that the message below is passed on, not answered."""
    return _FORWARDED.match(subject) is not None
