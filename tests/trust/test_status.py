"""The rule for signatures, tried with status bytes that no honest gpg writes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GpgUnavailable
from gateway.model.trust import OpenpgpSignature, Result
from gateway.trust.status import MAX_STATUS_BYTES, deciphered, read_status, signatures_of

FPR = "0123456789ABCDEF0123456789ABCDEF01234567"
OTHER = "F" * 40
AT = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
STAMP = int(AT.timestamp()) - 60

NEWSIG = "NEWSIG"
GOODSIG = f"GOODSIG {FPR[-16:]} Borduria <247cp@police.gov.b.example>"


def validsig(
    *, stamp: object = STAMP, version: str = "4", digest: str = "8", kind: str = "00", primary: str = FPR
) -> str:
    return f"VALIDSIG {FPR} 2026-06-01 {stamp} 0 {version} 0 22 {digest} {kind} {primary}"


def written(*lines: str) -> bytes:
    return b"".join(b"[GNUPG:] " + line.encode("latin-1") + b"\n" for line in lines)


def judged(
    *lines: str, rc: int = 0, packets: int | None = 1, pinned: frozenset[str] = frozenset({FPR})
) -> tuple[OpenpgpSignature, ...]:
    return signatures_of(read_status(written(*lines)), rc=rc, packets=packets, pinned=pinned, at=AT)


def is_good(*lines: str, rc: int = 0, packets: int | None = 1) -> bool:
    found = judged(*lines, rc=rc, packets=packets)
    return bool(found) and all(one.result is Result.PASS and one.pinned for one in found)


def test_clean_run_is_good() -> None:
    assert is_good(NEWSIG, f"KEY_CONSIDERED {FPR} 0", f"SIG_ID x 2026-06-01 {STAMP}", GOODSIG, validsig())


@pytest.mark.parametrize(
    "lines",
    [
        (GOODSIG, validsig()),
        (NEWSIG, validsig()),
        (NEWSIG, GOODSIG),
        (NEWSIG, validsig(), GOODSIG),
        (NEWSIG, GOODSIG, GOODSIG, validsig()),
        (NEWSIG, GOODSIG, validsig(), validsig()),
        (GOODSIG, NEWSIG, GOODSIG, validsig()),
        (validsig(), NEWSIG, GOODSIG, validsig()),
        (NEWSIG, NEWSIG, GOODSIG, validsig()),
        (NEWSIG, GOODSIG, validsig(), NEWSIG, GOODSIG, validsig()),
        (NEWSIG, GOODSIG, f"VALIDSIG {FPR}"),
    ],
)
def test_missing_doubled_or_swapped_line_is_not_good(lines: tuple[str, ...]) -> None:
    assert not is_good(*lines)


@pytest.mark.parametrize(
    "word",
    [
        "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NODATA", "UNEXPECTED", "BADARMOR", "TRUNCATED", "ERROR",
        "FAILURE", "PLAINTEXT", "NEVER_SEEN_BEFORE", "DECRYPTION_FAILED", "BADMDC", "IMPORT_OK", "INV_SGNR",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_any_other_line_anywhere_takes_the_good_away(word: str, place: int) -> None:
    lines = [NEWSIG, GOODSIG, validsig()]
    lines.insert(place, f"{word} 1 2 3")
    assert not is_good(*lines)


def test_exit_status_other_than_0_takes_the_good_away() -> None:
    assert judged(NEWSIG, GOODSIG, validsig(), rc=2)[0].reason == "contradictory-status"


def test_fewer_signatures_than_packets_is_not_good() -> None:
    found = judged(NEWSIG, GOODSIG, validsig(), packets=2)
    assert [one.result for one in found] == [Result.FAIL, Result.NEUTRAL]


def test_two_good_groups_for_two_packets_are_good() -> None:
    assert is_good(NEWSIG, GOODSIG, validsig(), NEWSIG, GOODSIG, validsig(), packets=2)


@pytest.mark.parametrize(
    ("line", "result", "reason"),
    [
        (validsig(primary=OTHER), Result.POLICY, "unpinned-key"),
        (validsig(digest="2"), Result.POLICY, "weak-hash"),
        (validsig(digest="11"), Result.POLICY, "weak-hash"),
        (validsig(digest="1"), Result.POLICY, "weak-hash"),
        (validsig(version="3"), Result.NEUTRAL, "unsupported"),
        (validsig(kind="02"), Result.FAIL, "not-a-document-signature"),
        (validsig(kind="10"), Result.FAIL, "not-a-document-signature"),
        (validsig(stamp="x"), Result.FAIL, "contradictory-status"),
        (validsig(stamp="9" * 30), Result.FAIL, "contradictory-status"),
        (validsig(stamp=STAMP + 1200), Result.POLICY, "signature-from-the-future"),
        (validsig(stamp=STAMP - 15 * 86400), Result.POLICY, "signature-too-old"),
        (validsig(kind="01", digest="10", stamp="20260601T115900"), Result.PASS, ""),
        (validsig(stamp=STAMP + 600), Result.PASS, ""),
    ],
)
def test_each_condition_on_the_signature_itself(line: str, result: Result, reason: str) -> None:
    (found,) = judged(NEWSIG, GOODSIG, line)
    assert (found.result, found.reason) == (result, reason)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("EXPKEYSIG", "key-expired"), ("REVKEYSIG", "key-revoked"), ("EXPSIG", "signature-expired")],
)
def test_expiry_and_revocation_have_their_own_words(outcome: str, reason: str) -> None:
    (found,) = judged(NEWSIG, f"{outcome} {FPR[-16:]} x", validsig())
    assert found.reason == reason
    assert found.result is not Result.PASS


def test_key_of_nobody_is_unpinned_before_anything_else() -> None:
    (found,) = judged(NEWSIG, f"REVKEYSIG {FPR[-16:]} x", validsig(), pinned=frozenset())
    assert (found.result, found.reason, found.pinned) == (Result.POLICY, "unpinned-key", False)


@pytest.mark.parametrize(
    ("rc", "result", "reason"),
    [
        ("9", Result.POLICY, "unknown-key"),
        ("5", Result.POLICY, "weak-hash"),
        ("4", Result.NEUTRAL, "unsupported"),
        ("6", Result.FAIL, "unusable-key-or-signature"),
    ],
)
def test_signature_that_could_not_be_checked_says_why(rc: str, result: Result, reason: str) -> None:
    (found,) = judged(NEWSIG, f"ERRSIG {OTHER[-16:]} 22 8 00 {STAMP} {rc} {OTHER}", f"NO_PUBKEY {OTHER[-16:]}", rc=2)
    assert (found.result, found.reason, found.fingerprint) == (result, reason, OTHER)
    assert found.created == datetime.fromtimestamp(STAMP, UTC)


def test_short_errsig_is_no_crash() -> None:
    assert judged(NEWSIG, "ERRSIG", rc=2)[0].fingerprint is None


# -- reading ---------------------------------------------------------------------------------------------------------


def test_line_separators_within_a_user_id_end_no_line() -> None:
    raw = f"[GNUPG:] GOODSIG {FPR[-16:]} x\x85[GNUPG:] VALIDSIG\u2028\r\x0b\x0c\x1c y\n".encode()
    (line,) = read_status(raw)
    assert line.keyword == "GOODSIG"


@pytest.mark.parametrize(
    "data",
    [b"gpg: hello\n", b"[GNUPG:] GOODSIG", b"\n", b"[GNUPG:]  X\n", b"[GNUPG:] \n", b"[GNUPG:] goodsig x\n", b" [GNUPG:] NEWSIG\n",
     b"[GNUPG:] NEWSIG\n\n", b"[GNUPG:] " + b"A" * MAX_STATUS_BYTES + b"\n"],
)  # fmt: skip
def test_anything_but_status_lines_is_not_read(data: bytes) -> None:
    with pytest.raises(GpgUnavailable):
        read_status(data)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_good_by_chance(data: bytes) -> None:
    try:
        lines = read_status(b"[GNUPG:] " + data + b"\n")
    except GpgUnavailable:
        return
    assert not any(
        one.result is Result.PASS for one in signatures_of(lines, rc=0, packets=1, pinned=frozenset({FPR}), at=AT)
    )


@given(
    st.lists(
        st.sampled_from(
            [
                NEWSIG,
                GOODSIG,
                validsig(),
                validsig(primary=OTHER),
                f"BADSIG {FPR[-16:]} x",
                "PLAINTEXT 62 0 x",
                "ERROR a 1",
                f"ERRSIG {OTHER[-16:]} 22 8 00 1 9 {OTHER}",
            ]
        ),
        max_size=8,
    )
)
@settings(max_examples=200, deadline=None)
def test_only_whole_groups_are_good(lines: list[str]) -> None:
    groups = len(lines) // 3
    if is_good(*lines, packets=max(groups, 1)):
        assert lines == [NEWSIG, GOODSIG, validsig()] * groups


# -- decryption ------------------------------------------------------------------------------------------------------

OPENED = (
    "ENC_TO 0123456789ABCDEF 18 0",
    "BEGIN_DECRYPTION",
    "DECRYPTION_INFO 2 9 0",
    "PLAINTEXT 62 0 x",
    "PLAINTEXT_LENGTH 9",
)
CLOSED = ("DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION")


def test_signature_inside_encryption_is_good_after_the_plain_text() -> None:
    assert is_good(*OPENED, NEWSIG, GOODSIG, validsig(), *CLOSED, packets=None)


def test_signature_before_the_plain_text_is_about_something_else() -> None:
    assert not is_good(NEWSIG, GOODSIG, validsig(), *OPENED, *CLOSED, packets=None)
    assert not is_good(
        OPENED[0], NEWSIG, GOODSIG, validsig(), *OPENED[1:], NEWSIG, GOODSIG, validsig(), *CLOSED, packets=None
    )


def test_intact_decryption_is_okay() -> None:
    assert deciphered(read_status(written(*OPENED, *CLOSED))).okay
    assert deciphered(read_status(written(*OPENED, NEWSIG, "BADSIG 0 x", *CLOSED, "FAILURE gpg-exit 1"))).okay


def test_text_mode_is_told() -> None:
    lines = tuple(one.replace("PLAINTEXT 62", "PLAINTEXT 74") for one in OPENED)
    assert deciphered(read_status(written(*lines, *CLOSED))).text_mode
    assert not deciphered(read_status(written(*OPENED, *CLOSED))).text_mode


@pytest.mark.parametrize("left_out", ["BEGIN_DECRYPTION", "PLAINTEXT", "DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION"])
def test_decryption_without_one_of_its_lines_is_thrown_away(left_out: str) -> None:
    lines = [one for one in (*OPENED, *CLOSED) if one.split(" ")[0] != left_out]
    assert not deciphered(read_status(written(*lines))).okay


@pytest.mark.parametrize(
    "more", ["BADMDC", "DECRYPTION_FAILED", "PLAINTEXT 62 0 y", "ERROR x 1", "NODATA 3", "GOODMDC", "NEVER_SEEN"]
)
@pytest.mark.parametrize("place", [0, 4, 8])
def test_decryption_with_another_line_is_thrown_away(more: str, place: int) -> None:
    lines = [*OPENED, *CLOSED]
    lines.insert(place, more)
    assert not deciphered(read_status(written(*lines))).okay


def test_signature_after_the_end_of_the_encryption_throws_it_all_away() -> None:
    assert not deciphered(read_status(written(*OPENED, *CLOSED, NEWSIG, GOODSIG, validsig()))).okay


def test_age_limits_are_those_promised() -> None:
    assert (
        judged(NEWSIG, GOODSIG, validsig(stamp=STAMP + 60 - int(timedelta(days=14).total_seconds())))[0].result
        is Result.PASS
    )
