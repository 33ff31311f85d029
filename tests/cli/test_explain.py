"""`cp247 explain` as it is typed: what it prints, what it exits with, and that nothing a file holds can make it stumble."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from golden import CASES, DATA, OWN_KEY, SECRET, TESTS, Case, case_folders, differing, own_home, read_case
from rule_pack import FOLDER

from gateway.cli.demo.stub_dns import StubDns
from gateway.model.verdict import IDENTIFIER_KINDS, Disposition, Reason

AT = "2026-06-15T10:00:00Z"
CONFIG = """\
hostname: gw.institution.gov.example
contact_point: {{name: 24/7 Contact Point, country: XX, mailbox: 247cp@institution.gov.example}}
dkim: {{domain: institution.gov.example, key: {data}/secrets/gateway.dkim.pem}}
secret: secret
rules: {rules}
keys: {data}/directory
openpgp: {{home: {home}, signing_key: {key}}}
dns: {{nameservers: ["{nameserver}"], timeout: 0.3}}
"""
TYPES: dict[str, type | tuple[type, ...]] = {
    "file": str, "sha256": str, "category": str, "secondary": list, "kind": str, "urgent": bool,
    "language": (str, type(None)), "assurance": str, "disposition": str, "reasons": list, "receipt": dict, "results": list,
    "hits": list, "score": float, "missing": list, "identifiers": dict, "identifiers_detail": list,
    "reference": (str, type(None)), "mla_intended": (bool, type(None)), "preservation_days": (int, type(None)),
    "contact": (str, type(None)), "ruleset": str,
}  # fmt: skip
"""Every key of DESIGN section 5, `explain --json`."""

ON_DEMAND = frozenset({"identifiers", "reference"})
"""Of encrypted mail only `explain` tells them."""

Run = subprocess.CompletedProcess[str]
Explain = Callable[..., Run]


@pytest.fixture(scope="module")
def explain_by(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Explain]]:
    """The verb, in a process of its own, by the rules of that folder, with the world of the golden cases."""
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "secret").write_bytes(SECRET)
    zone = json.loads((CASES / "zone.json").read_text(encoding="utf-8"))
    with own_home() as home, StubDns(zone) as stub:

        def by(rules: Path) -> Explain:
            config = folder / f"{rules.name}.yaml"
            values = {"data": DATA, "rules": rules, "home": home, "key": OWN_KEY, "nameserver": stub.nameserver}
            config.write_text(CONFIG.format(**values), encoding="utf-8")

            def run(*arguments: str | Path | bytes, **environment: str) -> Run:
                return subprocess.run(
                    [sys.executable, "-m", "gateway.cli.main", "--config", config, "explain", *arguments],
                    capture_output=True, text=True, encoding="utf-8", errors="surrogateescape", check=False, timeout=300,
                    env={**os.environ, **environment},
                )  # fmt: skip

            return run

        yield by


@pytest.fixture(scope="module")
def explain(explain_by: Callable[[Path], Explain]) -> Explain:
    """By the shipped rules."""
    return explain_by(TESTS.parent / "rules")


@pytest.fixture(scope="module")
def explain_sender(explain_by: Callable[[Path], Explain]) -> Explain:
    """By rules that are read in no time: enough for who asks, whatever is asked."""
    return explain_by(FOLDER)


def eml(name: str) -> Path:
    return CASES / name / "message.eml"


def objects(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def told(explain: Explain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Name -> object of one run over a hundred files."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "unix.eml").write_bytes(eml("accept-signed").read_bytes().replace(b"\r\n", b"\n"))
    (folder / "delivered.eml").write_bytes(
        b"Return-Path: <247cp@police.gov.b.example>\r\n" + eml("accept-listed").read_bytes()
    )
    files = [
        folder / "unix.eml",
        folder / "delivered.eml",
        eml("spf-only"),
        eml("accept-encrypted"),
        eml("forged-contact"),
    ]
    files += [eml(case.name) for case in alone()]
    run = explain("--json", "--received-at", AT, *files)
    assert run.returncode == 1, run.stderr
    found = objects(run)
    assert [one["file"] for one in found] == [str(file) for file in files]
    return {
        file.parent.name if file.name == "message.eml" else file.name: one
        for file, one in zip(files, found, strict=True)
    }


def alone() -> list[Case]:
    """Every third golden case that comes out the same without an envelope: DKIM proves it, DNS is the usual."""
    folders = [
        one for one in case_folders() if not {"envelope.json", "zone.json"} & {path.name for path in one.iterdir()}
    ]
    cases = [read_case(one) for one in folders]
    return [case for case in cases if case.expected["assurance"] != "none" and case.content.startswith(b"DKIM-")][::3]


def test_json_has_every_key_with_its_type(told: dict[str, dict[str, Any]]) -> None:
    for one in told.values():
        assert {key: one.get(key) for key, kind in TYPES.items() if not isinstance(one[key], kind)} == {}
        assert one["sha256"] == hashlib.sha256(Path(one["file"]).read_bytes()).hexdigest()
        assert tuple(one["identifiers"]) == IDENTIFIER_KINDS
        assert set(one["receipt"]) == {"send", "level", "reason"}
        assert all(set(result) == {"method", "result", "identity", "reason"} for result in one["results"])
        assert all(set(hit) == {"rule", "place", "score", "text"} for hit in one["hits"])
        assert set(one["reasons"]) <= set(Reason)
        assert one["disposition"] in set(Disposition)
        assert re.fullmatch("[0-9a-f]{64}", one["ruleset"])


@pytest.mark.parametrize("name", ["delivered.eml", "accept-encrypted"])
def test_a_request_shows_what_it_names(name: str, told: dict[str, dict[str, Any]]) -> None:
    """Of an encrypted one too: whoever may run this with our key may read it; the journal never keeps it."""
    one = told[name]
    assert one["identifiers"]["ip"] == ["198.51.100.23"]
    assert one["identifiers"]["email"] == ["r.finch@mailbridge.example"]
    assert {detail["value"] for detail in one["identifiers_detail"]} >= {"198.51.100.23", "r.finch@mailbridge.example"}
    assert one["reference"] == "BX-4471/26"
    assert one["contact"] == "bx-police"


def test_it_says_what_the_golden_cases_say(told: dict[str, dict[str, Any]]) -> None:
    cases = alone()
    assert len(cases) > 30
    for case in cases:
        one = told[case.name]
        compared = {key: value for key, value in case.expected.items() if key in one and key not in ON_DEMAND}
        assert not differing(compared, one), case.name


def test_an_accepted_message_exits_0(explain_sender: Explain) -> None:
    """A held one exits 1: `told` and the reading for people below."""
    assert explain_sender("--received-at", AT, eml("accept-listed")).returncode == 0


def test_people_read_every_result_with_identity_and_reason(explain: Explain) -> None:
    run = explain("--received-at", AT, eml("wrong-key-impostor"), eml("dkim-reply-to-added"), COLUMNS="160")
    assert run.returncode == 1
    for words in (
        "preservation", "listed", "bx-police", "hold", "wrong-key", "unknown-key", "police.gov.b.example", "no-peer",
        "B74626B1E29E8F4D55D142F7935D339F8539B882", "198.51.100.23", "BX-4471/26", "reply-to-differs",
    ):  # fmt: skip
        assert words in run.stdout
    assert re.search(r"no signature covers\s+reply-to$", run.stdout, re.MULTILINE)


def test_without_a_peer_spf_is_none(told: dict[str, dict[str, Any]]) -> None:
    spf = {"method": "spf", "result": "none", "identity": None, "reason": "no-peer"}
    assert {one["results"][0]["reason"] for one in told.values()} == {"no-peer"}
    assert told["spf-only"]["results"][0] == spf
    assert told["spf-only"]["assurance"] == "none"


@pytest.mark.parametrize(
    ("options", "result", "identity", "assurance"),
    [
        (("--peer", "192.0.2.25", "--mail-from", "247cp@police.gov.b.example"), "pass", "police.gov.b.example", "listed"),
        (("--peer", "203.0.113.66", "--mail-from", "247cp@police.gov.b.example"), "fail", "police.gov.b.example", "none"),
        (("--peer", "192.0.2.25", "--mail-from", "", "--helo", "mail.police.gov.b.example"), "pass", "mail.police.gov.b.example", "listed"),
    ],
)  # fmt: skip
def test_with_a_peer_spf_is_asked(
    explain_sender: Explain, options: tuple[str, ...], result: str, identity: str, assurance: str
) -> None:
    (one,) = objects(explain_sender("--json", "--received-at", AT, *options, eml("spf-only")))
    assert (one["results"][0]["result"], one["results"][0]["identity"], one["assurance"]) == (
        result,
        identity,
        assurance,
    )


def test_the_envelope_sender_is_the_topmost_return_path(explain_sender: Explain, tmp_path: Path) -> None:
    delivered = tmp_path / "delivered.eml"
    delivered.write_bytes(b"Return-Path: <247cp@police.gov.b.example>\r\n" + eml("spf-only").read_bytes())
    run = explain_sender(
        "--json",
        "--received-at",
        "2026-07-01",
        "--peer",
        "192.0.2.25",
        delivered,
        eml("spf-only"),
        eml("time-key-expired"),
    )
    told, untold, expired = objects(run)
    assert (told["results"][0]["result"], told["results"][0]["identity"]) == ("pass", "police.gov.b.example")
    assert (untold["results"][0]["result"], untold["results"][0]["reason"]) == ("none", "no-mail-from")
    # `--received-at` is the clock of keys and signatures.
    assert expired["assurance"] == "listed"
    assert "key-expired" in expired["reasons"]


def test_received_at_is_the_clock_of_signatures_and_keys(explain_sender: Explain) -> None:
    (one,) = objects(explain_sender("--json", "--received-at", "2026-06-30T10:00:00+00:00", eml("time-key-expired")))
    assert one["assurance"] == "signed"


def test_a_file_with_line_feeds_says_so(told: dict[str, dict[str, Any]]) -> None:
    assert "line-ends-repaired" in told["unix.eml"]["reasons"]
    assert told["unix.eml"]["assurance"] == "signed"
    assert "line-ends-repaired" not in told["delivered.eml"]["reasons"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-file.eml"], "no-such-file.eml: cannot be read: No such file or directory; name a file with one message"),
        ([str(CASES)], "cannot be read: Is a directory"),
        ([], "Missing argument"),
        (["--received-at", "yesterday", str(eml("accept-listed"))], "is not ISO 8601; write 2026-11-21T03:14:07Z"),
        (["--received-at", "9999-12-31T23:59:59Z", str(eml("accept-listed"))], "years 1971 to 2105"),
        (["--received-at", "0001-01-01", str(eml("accept-listed"))], "years 1971 to 2105"),
        (["--peer", "mail.police.gov.b.example", str(eml("accept-listed"))], "is no IP address; write 192.0.2.25"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_one_clear_line_and_exit_2(
    explain_sender: Explain, arguments: list[str], words: str
) -> None:
    run = explain_sender(*arguments)
    assert run.returncode == 2
    assert words in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_without_configuration_it_says_where_it_looked(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "gateway.cli.main",
        "explain",
        "--config",
        tmp_path / "none.yaml",
        eml("accept-listed"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "none.yaml: not found; name one with --config, or run `cp247 init DIR`" in run.stderr


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_and_words_that_a_terminal_cannot_show_are_escaped(
    explain: Explain, tmp_path: Path, encoding: str
) -> None:
    odd = os.path.join(os.fsencode(tmp_path), b"\xff\x1b[31m.eml")
    Path(os.fsdecode(odd)).write_bytes(eml("words-subject-latin-1").read_bytes())
    shown = explain("--received-at", AT, odd, eml("letters-cyrillic-look-alikes"), PYTHONIOENCODING=encoding)
    as_json = explain(
        "--json", "--received-at", AT, odd, eml("letters-cyrillic-look-alikes"), PYTHONIOENCODING=encoding
    )
    for run in (shown, as_json):
        assert run.returncode == 0, run.stderr
        assert "\x1b" not in run.stdout
    assert os.fsencode(objects(as_json)[0]["file"]) == odd


def test_no_bytes_make_it_stumble(explain: Explain, tmp_path: Path) -> None:
    """Two hundred broken files in one run: a verdict for each, and no word about our own inside."""
    chance = random.Random(247)
    seeds = [folder / "message.eml" for folder in case_folders() if (folder / "message.eml").stat().st_size < 20_000]
    files = []
    for number in range(200):
        file = tmp_path / f"{number:03d}.eml"
        file.write_bytes(_broken(chance, chance.choice(seeds).read_bytes(), chance.choice(seeds).read_bytes()))
        files.append(file)
    run = explain("--json", "--received-at", AT, "--peer", "203.0.113.66", *files)
    assert run.returncode in {0, 1}, run.stderr[-2000:]
    assert "Traceback" not in run.stderr + run.stdout
    found = objects(run)
    assert [one["file"] for one in found] == [str(file) for file in files]
    assert [one["file"] for one in found if "judge-error" in one["reasons"]] == [], run.stderr[-2000:]


def _broken(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """The content cut, spliced, repeated or with octets changed."""
    octets = bytearray(content or b"\r\n")
    for _ in range(chance.randint(1, 12)):
        at, to = sorted(chance.randrange(len(octets) + 1) for _ in range(2))
        match chance.randrange(7):
            case 0:
                octets[at:to] = b""
            case 1:
                octets[at:at] = other[: chance.randrange(2000)]
            case 2:
                octets[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 3:
                octets[at:at] = octets[at : min(to, at + 400)] * chance.randint(1, 5)
            case 4:
                octets[at : at + 1] = chance.choice(
                    [b"\0", b"\r", b"\n", b":", b"<", b'"', b"=?", b"\xff", b"--", b";"]
                )
            case 5:
                octets = octets.replace(
                    b"\r\n", chance.choice([b"\n", b"\r", b"\r\n\r\n", b"\n\r"]), chance.randint(1, 5)
                )
            case _:
                octets = octets.replace(b"utf-8", chance.choice([b"utf-7", b"idna", b"hex", b"x" * 300]))
        octets = octets or bytearray(b"\r\n")
    return bytes(octets)
