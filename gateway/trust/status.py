"""Reads gpg's status lines and says what they prove about each signature.

The reader is strict and the rule is a list of conditions that all must hold: what is missing, doubled, out of order or
unknown is never a good signature. User IDs in these lines are the stranger's words and are never looked at.
Lines: doc/DETAILS of GnuPG. Rule: RFC 9580 sections 5.2.3 and 9.5; CVE-2018-12020 and CVE-2022-34903 are why it is so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gateway.errors import GpgUnavailable
from gateway.model.trust import OpenpgpSignature, Result

PREFIX = b"[GNUPG:] "
MAX_STATUS_BYTES = 4_194_304

CLOCK_SKEW = timedelta(minutes=10)
"""How far ahead of us a signer's clock may be."""
MAX_AGE = timedelta(days=14)
"""An older signature is a replay or a mail nobody should believe without asking."""


@dataclass(frozen=True, slots=True)
class Line:
    """One status line: its keyword and its words, Latin-1 so that no byte is lost or refused."""

    keyword: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deciphered:
    """What the status lines of one decryption prove."""

    okay: bool
    """Decrypted, integrity protected and intact, exactly one plain text."""
    text_mode: bool = False
    """The content was marked as text: gpg wrote the line ends of this machine."""


_OUTCOMES = frozenset({"GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG"})
_WITH_VALIDSIG = frozenset({"GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"})
_WORDS_OF_A_SIGNATURE = _OUTCOMES | {
    "NEWSIG", "VALIDSIG", "SIG_ID", "KEY_CONSIDERED", "NO_PUBKEY", "KEYEXPIRED", "KEYREVOKED", "SIGEXPIRED",
    "NOTATION_NAME", "NOTATION_FLAGS", "NOTATION_DATA", "POLICY_URL", "VERIFICATION_COMPLIANCE_MODE", "PROGRESS",
    "TRUST_UNDEFINED", "TRUST_NEVER", "TRUST_MARGINAL", "TRUST_FULLY", "TRUST_ULTIMATE",
}  # fmt: skip
_WORDS_OF_OPENING = frozenset({
    "ENC_TO", "DECRYPTION_KEY", "DECRYPTION_INFO", "DECRYPTION_COMPLIANCE_MODE", "BEGIN_DECRYPTION", "END_DECRYPTION",
    "DECRYPTION_OKAY", "GOODMDC", "PLAINTEXT", "PLAINTEXT_LENGTH", "NO_SECKEY", "CARDCTRL", "KEY_CONSIDERED", "PROGRESS",
    "WARNING",
})  # fmt: skip
_EXPECTED = {"verify": _WORDS_OF_A_SIGNATURE, "decrypt": _WORDS_OF_A_SIGNATURE | _WORDS_OF_OPENING}

_HASHES = frozenset({"8", "9", "10", "12", "14"})
"""SHA2-256, -384, -512, SHA3-256, -512 (RFC 9580 section 9.5)."""
_CLASSES = frozenset({"00", "01"})
"""Signature of a binary or a canonical text document (RFC 9580 section 5.2.1)."""
_ERRSIG_REASONS: Mapping[str, tuple[Result, str]] = {
    "4": (Result.NEUTRAL, "unsupported"),
    "5": (Result.POLICY, "weak-hash"),
    "9": (Result.POLICY, "unknown-key"),
}
"""ERRSIG's return code: 4 unsupported algorithm, 5 digest rejected (--weak-digest), 9 no public key."""


def read_status(data: bytes) -> tuple[Line, ...]:
    """The status lines of one run, in order; GpgUnavailable if a single byte is not as gpg writes it.

    Split on LF only: gpg escapes LF in what it copies from a stranger, and nothing else ends a line.
    """
    if len(data) > MAX_STATUS_BYTES:
        raise GpgUnavailable("gpg wrote too many status lines")
    if not data:
        return ()
    if not data.endswith(b"\n"):
        raise GpgUnavailable("gpg's last status line is cut off")
    return tuple(_line(one) for one in data[:-1].split(b"\n"))


def _line(raw: bytes) -> Line:
    if not raw.startswith(PREFIX):
        raise GpgUnavailable("gpg wrote a line that is no status line")
    keyword, *words = raw[len(PREFIX) :].decode("latin-1").split(" ")
    if not keyword.replace("_", "").isalnum() or not keyword.isascii() or keyword != keyword.upper():
        raise GpgUnavailable("gpg wrote a status line without a keyword")
    return Line(keyword, tuple(words))


def signatures_of(
    lines: tuple[Line, ...],
    *,
    rc: int,
    packets: int | None,
    pinned: frozenset[str],
    at: datetime,
) -> tuple[OpenpgpSignature, ...]:
    """One entry per signature, in order; PASS only if the whole run is clean and the signer's primary key is pinned.

    rc: exit status of gpg. packets: signature packets given to it, None when they were inside an encrypted message.
    pinned: primary fingerprints of the contact whom From names. at: the moment of judgement.
    """
    opened = packets is None
    groups = _groups(lines, after="PLAINTEXT" if opened else None)
    found = tuple(_signature(one, pinned=pinned, at=at) for one in groups)
    if packets is not None and len(found) < packets:
        found += (OpenpgpSignature(Result.NEUTRAL, None, "not-checked"),) * (packets - len(found))
    if _clean(lines, groups, "decrypt" if opened else "verify", rc=rc) and (packets is None or len(groups) == packets):
        return found
    return tuple(_not_good(one) for one in found)


def _groups(lines: tuple[Line, ...], *, after: str | None) -> tuple[tuple[Line, ...], ...]:
    """Lines from each NEWSIG to the next; a signature before the plain text is about something else."""
    groups: list[list[Line]] = []
    counts = after is None
    for line in lines:
        counts = counts or line.keyword == after
        if line.keyword == "NEWSIG" and counts:
            groups.append([])
        if groups:
            groups[-1].append(line)
    return tuple(tuple(one) for one in groups)


def _clean(lines: tuple[Line, ...], groups: tuple[tuple[Line, ...], ...], task: str, *, rc: int) -> bool:
    """Exit status 0, nothing but known words, and no line about a signature that belongs to none of the groups."""
    words = [line.keyword for line in lines]
    if rc != 0 or not _EXPECTED[task].issuperset(words):
        return False
    before = words[: len(words) - sum(len(one) for one in groups)]
    return not (_OUTCOMES | {"NEWSIG", "VALIDSIG"}).intersection(before)


def _not_good(signature: OpenpgpSignature) -> OpenpgpSignature:
    if signature.result is not Result.PASS:
        return signature
    return OpenpgpSignature(Result.FAIL, signature.fingerprint, "contradictory-status", signature.created)


def _signature(group: tuple[Line, ...], *, pinned: frozenset[str], at: datetime) -> OpenpgpSignature:
    outcomes = [line for line in group if line.keyword in _OUTCOMES]
    valid = [line for line in group if line.keyword == "VALIDSIG"]
    if len(outcomes) != 1:
        return OpenpgpSignature(Result.FAIL, None, "contradictory-status")
    outcome = outcomes[0]
    if outcome.keyword == "ERRSIG":
        return _unchecked(outcome.words)
    if outcome.keyword == "BADSIG":
        return OpenpgpSignature(Result.FAIL, _word(outcome.words, 0) or None, "bad-signature")
    if len(valid) != 1 or group.index(valid[0]) < group.index(outcome) or len(valid[0].words) < 10:
        return OpenpgpSignature(Result.FAIL, None, "contradictory-status")
    ids = [line.words[0] for line in group if line.keyword == "SIG_ID" and line.words]
    found = _checked(outcome.keyword, valid[0].words, pinned=pinned, at=at)
    return replace(found, id=ids[0] if len(ids) == 1 else None)


def _unchecked(words: tuple[str, ...]) -> OpenpgpSignature:
    """ERRSIG: key id, key algorithm, hash, class, time, return code, and the issuer's fingerprint or '-'."""
    result, reason = _ERRSIG_REASONS.get(_word(words, 5), (Result.FAIL, "unusable-key-or-signature"))
    issuer = _word(words, 6)
    named = issuer if len(issuer) == 40 else _word(words, 0)
    return OpenpgpSignature(result, named or None, reason, _moment(_word(words, 4)))


def _checked(outcome: str, words: tuple[str, ...], *, pinned: frozenset[str], at: datetime) -> OpenpgpSignature:
    """VALIDSIG: fingerprint, date, time, expiry, version, -, key algorithm, hash, class, primary fingerprint."""
    created, primary = _moment(words[2]), words[9]
    rows = (
        (primary not in pinned, Result.POLICY, "unpinned-key"),
        (outcome == "REVKEYSIG", Result.NEUTRAL, "key-revoked"),
        (outcome == "EXPKEYSIG", Result.NEUTRAL, "key-expired"),
        (outcome == "EXPSIG", Result.POLICY, "signature-expired"),
        (words[4] != "4", Result.NEUTRAL, "unsupported"),
        (words[7] not in _HASHES, Result.POLICY, "weak-hash"),
        (words[8] not in _CLASSES, Result.FAIL, "not-a-document-signature"),
        (created is None, Result.FAIL, "contradictory-status"),
        (created is not None and created > at + CLOCK_SKEW, Result.POLICY, "signature-from-the-future"),
        (created is not None and created < at - MAX_AGE, Result.POLICY, "signature-too-old"),
    )
    result, reason = next(((bad, why) for applies, bad, why in rows if applies), (Result.PASS, ""))
    return OpenpgpSignature(result, primary, reason, created, pinned=primary in pinned)


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if number < len(words) else ""


def _moment(text: str) -> datetime | None:
    """Seconds since 1970 or `20260502T101112`, both UTC."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def deciphered(lines: tuple[Line, ...]) -> Deciphered:
    """Whether one decryption gave one intact plain text, whatever its signatures are worth.

    Anything else means that the bytes gpg wrote must be thrown away (CVE-2017-17688, RFC 9580 section 13.7).
    """
    words = [line.keyword for line in lines]
    once = ("BEGIN_DECRYPTION", "PLAINTEXT", "DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION")
    if any(words.count(one) != 1 for one in once) or sorted(once, key=words.index) != list(once):
        return Deciphered(okay=False)
    after = words[words.index("END_DECRYPTION") + 1 :]
    # FAILURE stands at the end of a run whose signature is bad; what that is worth is said there.
    before = set(words) - {"FAILURE"}
    if not _EXPECTED["decrypt"].issuperset(before) or not {"PROGRESS", "FAILURE"}.issuperset(after):
        return Deciphered(okay=False)
    mode = _word(lines[words.index("PLAINTEXT")].words, 0)
    return Deciphered(okay=True, text_mode=mode in {"74", "75"})
