"""ARC chains: the public validation suite, and what our own limits add."""

import json
from pathlib import Path

import pytest
from arc_sealer import seal
from dkim_signer import COVERS, MAIL, record, rsa_key
from dns_answers import answers, nothing_else
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan
from gateway.model.trust import AuthResult, Method, Result
from gateway.trust.arc import check_arc
from gateway.trust.resolver import Recorded

DATA = Path(__file__).parents[1] / "data"
GROUPS = json.loads((DATA / "arc/validation.json").read_text())
CASES = [(group["zone"], case) for group in GROUPS for case in group["cases"]]
FORWARDED = next(one for one in json.loads((DATA / "dkim/cases.json").read_text()) if "arc" in one["expected"])
ALLOWED = {
    # The suite leaves a chain that itself says cv=fail open; RFC 8617 section 5.2 step 2 calls it failed.
    "unspecified": "fail",
}
STRICTER = {"ams_fields_h_empty": "fail"}
"""A message signature over no field at all; the suite lets it pass."""


def arc(content: bytes, published: dict, **more) -> AuthResult:
    return check_arc(scan(content), questions=nothing_else(published), **more)


@pytest.mark.parametrize(("published", "case"), CASES, ids=[case["id"] for _, case in CASES])
def test_validation_suite_gives_the_expected_results(published: dict, case: dict) -> None:
    expected = [ALLOWED.get(one, one) for one in case["expected"]]
    found = arc(case["message"].encode("latin-1"), published)
    assert found.method is Method.ARC
    assert str(found.result) in ([STRICTER[case["id"]]] if case["id"] in STRICTER else expected)


def passing() -> tuple[bytes, dict]:
    return (DATA / "dkim" / FORWARDED["file"]).read_bytes(), FORWARDED["zone"]


def test_message_without_sets_is_none() -> None:
    assert arc(MAIL, {}) == AuthResult(Method.ARC, Result.NONE, None, "no-sets")


def test_chain_of_unlisted_sealers_passes_and_says_so() -> None:
    found = arc(*passing())
    assert (found.result, found.reason) == (Result.PASS, "sealer-not-listed")
    assert found.identity == "manchego.org"


def test_every_sealer_must_be_listed() -> None:
    sealers = ("manchego.org", "scamorza.org")
    assert arc(*passing(), trusted_sealers=sealers).reason == ""
    for one in sealers:
        assert arc(*passing(), trusted_sealers=(one,)).reason == "sealer-not-listed"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"ARC-Seal: ", b"X-Seal: ", "structure"),
        (b"cv=pass", b"cv=fail", "chain-failed"),
        (b"cv=none", b"cv=pass", "structure"),
        (b"cv=pass", b"cv=none", "structure"),
    ],
)
def test_changed_chain_fails(old: bytes, new: bytes, reason: str) -> None:
    content, published = passing()
    assert old in content
    found = arc(content.replace(old, new, 1), published)
    assert (found.result, found.reason) == (Result.FAIL, reason)


def test_changed_body_fails() -> None:
    content, published = passing()
    assert arc(content + b"appended\r\n", published).reason == "body-changed"


def test_dns_trouble_is_temperror_never_fail() -> None:
    content, published = passing()
    found = arc(content, {name: ["SERVFAIL"] for name in published})
    assert (found.result, found.reason, found.identity) == (Result.TEMPERROR, "dns", "manchego.org")


def test_missing_key_fails() -> None:
    assert arc(passing()[0], {}).reason == "no-key"


def test_more_than_ten_sets_are_not_evaluated() -> None:
    fields = b"".join(
        b"ARC-Seal: i=%d; a=x\r\nARC-Message-Signature: i=%d\r\nARC-Authentication-Results: i=%d; x\r\n" % (at, at, at)
        for at in range(1, 12)
    )
    found = arc(fields + MAIL, {})
    assert (found.result, found.reason) == (Result.POLICY, "too-many-sets")


def test_recorded_answers_give_the_same_result_again() -> None:
    content, published = passing()
    message = scan(content)
    first = check_arc(message, questions=nothing_else(published))
    assert check_arc(message, questions=Recorded(answers(published)).for_message()) == first


RELAY = {"arc._domainkey.relay.example": [{"TXT": record(rsa_key())}]}
LIST = {"arc._domainkey.list.example": [{"TXT": record(rsa_key())}]}
AUTHOR_PASSED = "dmarc=pass header.from=police.example"


def relayed(content: bytes, sealers: tuple[str, ...] = ("relay.example",)) -> AuthResult:
    return arc(content, {**RELAY, **LIST}, trusted_sealers=sealers)


def test_listed_sealer_vouches_for_the_author_it_saw_pass() -> None:
    found = relayed(seal(MAIL, results=f"spf=fail; {AUTHOR_PASSED}"))
    assert (found.result, found.vouches, found.reason) == (Result.PASS, True, "dmarc-passed-before-forwarding")


@pytest.mark.parametrize(
    "results",
    [
        "dmarc=fail header.from=police.example",
        "dmarc=pass header.from=other.example",
        "dmarc=pass header.from=mail.police.example",
        "dkim=pass header.d=police.example; spf=pass smtp.mailfrom=police.example",
        f"{AUTHOR_PASSED}; {AUTHOR_PASSED}",
        "arc=pass",
    ],
)
def test_listed_sealer_that_says_anything_else_vouches_for_nobody(results: str) -> None:
    found = relayed(seal(MAIL, results=results))
    assert (found.result, found.vouches, found.reason) == (Result.PASS, False, "")


def test_sealer_that_nobody_listed_vouches_for_nobody() -> None:
    found = relayed(seal(MAIL, results=AUTHOR_PASSED), sealers=())
    assert (found.result, found.vouches, found.reason) == (Result.PASS, False, "sealer-not-listed")


@pytest.mark.parametrize(
    ("sealers", "vouches"), [(("relay.example", "list.example"), True), (("list.example",), False)]
)
def test_every_hand_on_the_way_must_be_listed(sealers: tuple[str, ...], vouches: bool) -> None:
    first = seal(MAIL, results=AUTHOR_PASSED)
    second = seal(first, d="list.example", instance=2, results="arc=pass; dmarc=fail header.from=police.example")
    assert relayed(second, sealers).result is Result.PASS
    assert relayed(second, sealers).vouches is vouches


@pytest.mark.parametrize("name", ["from", "subject", "date", "message-id"])
def test_chain_that_leaves_a_field_open_vouches_for_nobody(name: str) -> None:
    covers = ":".join(one for one in COVERS.split(":") if one != name)
    found = relayed(seal(MAIL, results=AUTHOR_PASSED, h=covers))
    assert (found.result, found.vouches) == (Result.PASS, False)


def test_chain_need_not_cover_what_is_not_there() -> None:
    content = b"".join(line for line in MAIL.splitlines(keepends=True) if not line.startswith(b"Message-ID"))
    found = relayed(seal(content, results=AUTHOR_PASSED, h="from:subject:date"))
    assert found.vouches


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"header.from=police.example", b"header.from=police.exampl3"),
        (b"From: Officer <officer@police.example>", b"From: Officer <officer@other.example>"),
        (b"the data", b"no data"),
    ],
)
def test_changed_sealed_mail_is_vouched_for_by_nobody(old: bytes, new: bytes) -> None:
    content = seal(MAIL, results=AUTHOR_PASSED)
    assert old in content
    found = relayed(content.replace(old, new))
    assert (found.result, found.vouches) == (Result.FAIL, False)


def test_silence_about_a_listed_sealers_key_may_still_vouch() -> None:
    silent = {name: ["SERVFAIL"] for name in RELAY}
    content = seal(MAIL, results=AUTHOR_PASSED)
    listed = arc(content, silent, trusted_sealers=("relay.example",))
    assert (listed.result, listed.vouches) == (Result.TEMPERROR, True)
    assert not arc(content, silent).vouches


def test_mail_without_one_from_is_vouched_for_by_nobody() -> None:
    content = MAIL.replace(b"From: Officer <officer@police.example>", b"From: a@police.example, b@police.example")
    assert not relayed(seal(content, results=AUTHOR_PASSED)).vouches


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"Seal", b"Message-Signature", b"Authentication-Results"]), st.binary(max_size=120)),
        max_size=9,
    )
)
def test_any_fields_give_a_result_and_never_pass(fields: list[tuple[bytes, bytes]]) -> None:
    header = b"".join(
        b"ARC-" + name + b": i=1;" + value.replace(b"\r", b"").replace(b"\n", b"\r\n ") + b"\r\n"
        for name, value in fields
    )
    found = arc(header + MAIL, {"s._domainkey.police.example": [{"TXT": record(rsa_key())}]})
    assert found.result in {Result.NONE, Result.FAIL}
