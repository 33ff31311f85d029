"""The golden cases: a whole message through the whole inward road, against what a hand wrote (tests/cases/README.md)."""

import re
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from golden import (
    CASES,
    FILES,
    OWN_KEY,
    Case,
    World,
    case_folders,
    case_settings,
    delivered,
    differing,
    own_home,
    read_case,
    said,
)

from gateway.cli.demo.stub_dns import StubDns
from gateway.model.outcome import Outcome
from gateway.model.trust import Assurance, Method, Result
from gateway.model.verdict import Disposition, Withheld
from gateway.pipeline.inward import judge_error

STRENGTH = tuple(Assurance)
"""Weakest first."""
KNOWN = frozenset({Assurance.LISTED, Assurance.SIGNED})
RECEIPT_FIELDS = [
    "DKIM-Signature", "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
]  # fmt: skip


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    with own_home() as path:
        yield path


@pytest.fixture(scope="module")
def world(home: str) -> Iterator[World]:
    with StubDns({}) as stub:
        yield World(home, stub)


class Judged:
    """Outcome of each case, judged when it is first asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, tuple[Case, Outcome]] = {}

    def of(self, name: str) -> tuple[Case, Outcome]:
        if name not in self._known:
            case = read_case(CASES / name)
            self._known[name] = case, self._world.judge(case)
        return self._known[name]


@pytest.fixture(scope="module")
def judged(world: World) -> Judged:
    return Judged(world)


NAMES = [folder.name for folder in case_folders()]


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_what_the_hand_wrote(name: str, judged: Judged) -> None:
    case, outcome = judged.of(name)
    assert not differing(case.expected, said(case, outcome)), case.why


@pytest.mark.parametrize("name", NAMES)
def test_what_is_delivered_is_the_block_and_the_stored_bytes(name: str, judged: Judged) -> None:
    case, outcome = judged.of(name)
    whole = delivered(case, outcome)
    assert whole.startswith(outcome.prepend)
    assert whole[len(outcome.prepend) :].replace(b"X-Foreign-", b"") == case.content.replace(b"X-Foreign-", b"")
    # Whatever the stranger wrote, the first field of each name is ours.
    first = message_from_bytes(outcome.prepend + b"\r\n")
    assert [one.lower() for one in first] == [one.lower() for one in list(message_from_bytes(whole))[: len(first)]]
    assert first["X-247CP-Assurance"] == outcome.verdict.assurance.value
    assert first["X-247CP-Class"] == outcome.verdict.classification.category.value
    assert outcome.prepend.isascii()
    assert re.fullmatch(rb"([!-9;-~]+:[ -~]*\r\n(\t[ -~]+\r\n| [ -~]+\r\n)*)+", outcome.prepend)


@pytest.mark.parametrize("name", NAMES)
def test_a_receipt_leaves_only_where_the_hand_wrote_it_and_carries_nothing_of_the_stranger(
    name: str, judged: Judged
) -> None:
    case, outcome = judged.of(name)
    assert len(outcome.receipts) == int(case.expected["receipt"]["send"])
    for receipt in outcome.receipts:
        read = message_from_bytes(receipt.content)
        assert read["To"] == f"<{receipt.rcpt_tos[0]}>"
        assert receipt.rcpt_tos == (outcome.case.origin,)
        assert receipt.mail_from.startswith("247cp+r.")
        assert receipt.content.isascii()
        assert set(read) <= set(RECEIPT_FIELDS), list(read)
        assert read["Subject"] == f"Auto: receipt [{outcome.case.reference}]"
        sealed = outcome.case.floor.enc
        assert read.get_content_type() == ("multipart/encrypted" if sealed else "multipart/signed")
        assert sealed or not _quoted(case.content, receipt.content)


def _quoted(request: bytes, receipt: bytes) -> list[bytes]:
    """Lines of the request's body that the receipt repeats."""
    body = request.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    lines = {line.strip() for line in body.split(b"\n")}
    return [
        line for line in lines if len(line) > 20 and not line.startswith((b"Content-", b"-----")) and line in receipt
    ]


def test_nobody_is_trusted_more_than_he_proves(judged: Judged, capsys: pytest.CaptureFixture[str]) -> None:
    """The count that must be 0: against the hand, and against what any reader of the results would say."""
    false_trust = {name: reasons for name in NAMES if (reasons := list(_overtrust(*judged.of(name))))}
    with capsys.disabled():
        print(f"\n{len(NAMES)} golden cases, false trust: {len(false_trust)}")
    assert not false_trust


def _overtrust(case: Case, outcome: Outcome) -> Iterator[str]:
    verdict = outcome.verdict
    results = {method: [one for one in verdict.results if one.method is method] for method in Method}
    passed = {method: [one for one in found if one.result is Result.PASS] for method, found in results.items()}
    if STRENGTH.index(verdict.assurance) > STRENGTH.index(Assurance(case.expected["assurance"])):
        yield "stronger than the hand wrote"
    if outcome.receipts and verdict.assurance not in KNOWN:
        yield "a receipt to somebody unknown"
    if verdict.assurance in KNOWN and verdict.contact is None:
        yield "known without a contact"
    if verdict.assurance is Assurance.SIGNED and passed[Method.OPENPGP] != results[Method.OPENPGP]:
        yield "signed beside a signature that is not good"
    if verdict.assurance is Assurance.SIGNED and not passed[Method.OPENPGP]:
        yield "signed without signature"
    if (
        verdict.assurance in (Assurance.LISTED, Assurance.DOMAIN)
        and not passed[Method.DMARC]
        and not passed[Method.DKIM]
        and not any(one.vouches for one in passed[Method.ARC])
    ):
        yield "authenticated by nothing"
    if (
        verdict.assurance is not Assurance.NONE
        and len(re.findall(rb"^From[ \t]*:", _header(case.content), re.MULTILINE | re.IGNORECASE)) != 1
    ):
        yield "trusted without exactly one From"
    if outcome.case.origin is not None and verdict.assurance not in KNOWN and outcome.opens:
        yield "a channel for somebody unknown"


def _header(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").partition(b"\n\n")[0]


@pytest.mark.parametrize("name", ["accept-signed", "results-forged", "dns-silent-first-try", "emergency-forged"])
def test_explain_says_what_live_mail_is_told(name: str, world: World, judged: Judged) -> None:
    case, outcome = judged.of(name)
    assert world.explain(case) == outcome.verdict


@pytest.mark.parametrize("name", ["accept-listed", "forged-contact", "from-nul", "hardly-empty"])
def test_a_message_that_defeats_every_judge_is_delivered_as_it_is_and_trusted_for_nothing(name: str) -> None:
    case = read_case(CASES / name)
    outcome = judge_error(case.arrival, case.facts, settings=case_settings("unused"))
    assert delivered(case, outcome) == outcome.prepend + case.content
    assert (outcome.verdict.assurance, outcome.verdict.disposition) == (Assurance.NONE, Disposition.ACCEPT)
    assert outcome.verdict.page
    assert outcome.receipts == ()
    assert outcome.verdict.receipt.reason is Withheld.JUDGE_ERROR


def test_a_counterparts_gpg_verifies_the_receipt(judged: Judged, home: str, tmp_path: Path) -> None:
    _, outcome = judged.of("accept-signed")
    payload, signature = _halves(outcome.receipts[0].content)
    (tmp_path / "payload").write_bytes(payload)
    (tmp_path / "signature").write_bytes(signature)
    run = subprocess.run(
        ["gpg", "--homedir", home, "--status-fd", "1", "--verify", tmp_path / "signature", tmp_path / "payload"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert b"[GNUPG:] GOODSIG" in run.stdout
    assert f" {OWN_KEY}\n".encode() in run.stdout


def _halves(content: bytes) -> tuple[bytes, bytes]:
    """Exact bytes of the signed part, and the armored signature."""
    boundary = b"--" + (message_from_bytes(content).get_boundary() or "").encode()
    _, payload, signature, _ = content.split(boundary)
    return payload.removeprefix(b"\r\n").removesuffix(b"\r\n"), signature.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_has_its_files_and_a_twin(name: str) -> None:
    assert {one.name for one in (CASES / name).iterdir()} <= FILES
    case = read_case(CASES / name)
    assert {"category", "assurance", "disposition", "reasons", "receipt"} <= set(case.expected)
    twin = re.search(r"^Twin: (.+)$", case.why, re.MULTILINE)
    assert twin, "why.md ends with `Twin: NAME`"
    assert twin[1] != name
    assert (CASES / twin[1]).is_dir()


def test_the_messages_are_what_their_recipes_make() -> None:
    """All that gpg has no part in; its encryption is another one each time."""
    sys.path.insert(0, str(CASES))
    from make import MESSAGES

    assert sorted(MESSAGES) == NAMES
    made = {name: (CASES / name / "message.eml").read_bytes() for name in NAMES}
    plain = [name for name, content in made.items() if b"-----BEGIN PGP" not in content]
    assert [name for name in plain if MESSAGES[name]() != made[name]] == []


def test_a_line_that_the_receipt_quotes_would_be_seen() -> None:
    assert _quoted(b"Subject: x\r\n\r\nPlease preserve the account.\r\n", b"> Please preserve the account.\r\n")
    assert not _quoted(b"Subject: x\r\n\r\nPlease preserve the account.\r\n", b"We preserve data for 90 days.\r\n")
