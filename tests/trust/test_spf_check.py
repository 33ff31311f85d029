"""SPF as RFC 7208 and its own test suite have it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.demo.stub_dns import StubDns
from gateway.model.message import Envelope
from gateway.model.trust import AuthResult, DnsAnswer, Result
from gateway.trust.resolver import Questions, Recorded, Resolver
from gateway.trust.spf_check import check_spf

SUITE = json.loads((Path(__file__).parents[1] / "data/spf/rfc7208.json").read_text())
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONE = {
    "police.example": [{"TXT": "v=spf1 ip4:192.0.2.1 -all"}],
    "quoted.example": [{"TXT": "v=spf1 exists:%{l}.users.example -all"}],
    "helo.police.example": [{"TXT": "v=spf1 a -all"}, {"A": "192.0.2.1"}],
    "silent.example": [{"TXT": "TIMEOUT"}],
    "broken.example": [{"TXT": "SERVFAIL"}],
    "long.example": [{"TXT": "v=spf1 " + "a:%{d}.a.example " * 400 + "-all"}],
    "grow.example": [{"TXT": "v=spf1 exists:" + "%{d}." * 30 + "end.grow.example -all"}],
    "exp.example": [{"TXT": "v=spf1 -all exp=why.example"}],
    "xn--bcher-kva.example": [{"TXT": "v=spf1 +all"}],
    "mx.example": [{"TXT": "v=spf1 mx ptr -all"}, {"MX": [10, "host.mx.example"]}],
    "host.mx.example": [{"AAAA": "2001:db8::1"}],
    "a@b.users.example": [{"A": "127.0.0.2"}],
    '"a@b".users.example': [{"A": "127.0.0.2"}],
    "include.example": [{"TXT": "v=spf1 include:nowhere.example -all"}],
}


@pytest.fixture(scope="module")
def stub() -> Iterator[StubDns]:
    with StubDns(ZONE) as one:
        yield one


@pytest.fixture(scope="module")
def resolver(stub: StubDns) -> Resolver:
    return Resolver(nameservers=(stub.nameserver,), timeout=0.3)


def spf(
    resolver: Resolver, mail_from: str | None, *, peer: str | None = "192.0.2.1", helo: str | None = None, **more
) -> AuthResult:
    envelope = Envelope(mail_from, ("247cp@here.example",), peer=peer, helo=helo, **more)
    return check_spf(envelope, questions=resolver.for_message(), at=AT)


@pytest.mark.parametrize("group", SUITE, ids=[one["cases"][0]["id"] for one in SUITE])
def test_rfc7208_suite_gives_the_expected_results(group) -> None:
    wrong = []
    with StubDns(group["zone"]) as stub:
        # Only where a name is silent on purpose is it worth not to wait: the machine may be busy.
        resolver = Resolver(nameservers=(stub.nameserver,), timeout=0.5 if "TIMEOUT" in str(group["zone"]) else 5.0)
        for case in group["cases"]:
            result = spf(resolver, case["mail_from"], peer=case["ip"], helo=case["helo"])
            if result.result not in case["expected"]:
                wrong.append((case["id"], case["expected"], result.result, result.reason))
    assert wrong == []


def test_client_listed_by_the_domain_passes_and_names_the_domain(resolver: Resolver) -> None:
    found = spf(resolver, "Officer@Police.Example")
    assert (found.result, found.identity, found.reason) == (Result.PASS, "police.example", "")


def test_another_client_fails(resolver: Resolver) -> None:
    assert spf(resolver, "officer@police.example", peer="192.0.2.99").result is Result.FAIL


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (Envelope("a@police.example", (), peer="192.0.2.1", peer_hidden=True), "peer-hidden"),
        (Envelope("a@police.example", ()), "no-peer"),
        (Envelope("a@police.example", (), peer="unix socket"), "no-peer"),
        (Envelope(None, (), peer="192.0.2.1"), "no-mail-from"),
        (Envelope("", (), peer="192.0.2.1"), "no-domain"),
        (Envelope("a@localhost", (), peer="192.0.2.1"), "no-domain"),
        (Envelope("a@[192.0.2.1]", (), peer="192.0.2.1"), "no-domain"),
        (Envelope("a@" + "\u00df" * 70 + ".example", (), peer="192.0.2.1"), "no-domain"),
    ],
)
def test_what_cannot_be_asked_is_none_and_says_why(stub: StubDns, envelope: Envelope, reason: str) -> None:
    before = len(stub.questions)
    found = check_spf(envelope, questions=Resolver(nameservers=(stub.nameserver,)).for_message(), at=AT)
    assert (found.result, found.reason) == (Result.NONE, reason)
    assert len(stub.questions) == before


def test_null_sender_is_asked_by_helo_and_says_so(resolver: Resolver) -> None:
    found = spf(resolver, "", helo="helo.police.example")
    assert (found.result, found.identity, found.reason) == (Result.PASS, "helo.police.example", "helo")


def test_helo_does_not_help_a_mail_from_without_record(resolver: Resolver) -> None:
    found = spf(resolver, "a@no-such.police.example", helo="helo.police.example")
    assert (found.result, found.identity, found.reason) == (Result.NONE, "no-such.police.example", "no-record")


@pytest.mark.parametrize("domain", ["silent.example", "broken.example"])
def test_dns_trouble_is_temperror_never_fail_or_none(resolver: Resolver, domain: str) -> None:
    found = spf(resolver, f"a@{domain}")
    assert (found.result, found.reason) == (Result.TEMPERROR, "dns")


def test_overlong_record_is_permerror_at_once(resolver: Resolver) -> None:
    found = spf(resolver, "a@long.example")
    assert (found.result, found.reason) == (Result.PERMERROR, "record-invalid")


def everywhere(record: str) -> Questions:
    """Every name has that SPF record and nothing else: the worst a stranger's zone can do."""

    def answer(name: str, rdtype: str, _seconds: float) -> DnsAnswer:
        values = (record,) if rdtype == "TXT" else ()
        return DnsAnswer(name, rdtype, "answer" if values else "nodata", values)

    return Questions(answer)


@pytest.mark.parametrize(
    "terms",
    [
        "a:x." + "a" * 4000 + "!",
        "a:x." + "a-" * 2000 + "!",
        " ".join("a:x." + "a" * 400 + "!" for _ in range(9)),
        "exists:" + "%{l}." * 600 + "x.example",
        "exists:%{s99r" + "-." * 1900 + "}.x",
        "exists:%{s99r" + "-." * 240 + "}.x.example",
        "include:" + "%{d}." * 20 + "x.example",
        "include:" + "%{d}." * 90 + "x.example",
        "include:%{h}.%{h}.%{s}.%{s}.%{l}.%{l}.example redirect=%{h}.%{d}.%{d}",
        "a:" * 1900,
        "a" + "/1" * 2000,
        "a=b " * 1000,
    ],
    ids=range(12),
)
def test_hostile_record_costs_little_time_and_memory(terms: str) -> None:
    envelope = Envelope("." * 5000 + "@police.example", (), peer="192.0.2.1", helo="h." * 5000 + "example")
    started = time.perf_counter()
    found = check_spf(envelope, questions=everywhere(f"v=spf1 {terms} -all"), at=AT)
    assert time.perf_counter() - started < 1
    assert found.result in {Result.PERMERROR, Result.FAIL}


def test_expanded_name_is_cut_to_253_octets_at_a_label(stub: StubDns, resolver: Resolver) -> None:
    spf(resolver, "a@grow.example")
    asked = [name for _, name, _ in stub.questions if name.endswith("end.grow.example") and name != "end.grow.example"]
    assert asked
    assert all(len(name) <= 253 for name in asked)
    assert all(set(name.removesuffix(".end.grow.example").split(".")) == {"grow", "example"} for name in asked)


def test_quoted_local_part_with_an_at_sign_is_asked_by_its_domain(resolver: Resolver) -> None:
    assert spf(resolver, '"a@b"@quoted.example').result is Result.PASS


def test_international_domain_is_asked_by_its_a_labels(resolver: Resolver) -> None:
    found = spf(resolver, "a@b\u00fccher.example")
    assert (found.result, found.identity) == (Result.PASS, "xn--bcher-kva.example")


def test_ipv6_client_matches_an_mx(resolver: Resolver) -> None:
    assert spf(resolver, "a@mx.example", peer="2001:db8::1").result is Result.PASS


def test_scope_of_a_link_local_peer_is_ignored(resolver: Resolver) -> None:
    assert spf(resolver, "a@police.example", peer="fe80::1%eth0").result is Result.FAIL


def test_explanations_are_never_fetched(stub: StubDns, resolver: Resolver) -> None:
    assert spf(resolver, "a@exp.example").result is Result.FAIL
    assert not any(name == "why.example" for _, name, _ in stub.questions)


def test_include_without_record_is_permerror(resolver: Resolver) -> None:
    assert spf(resolver, "a@include.example").result is Result.PERMERROR


def test_recorded_answers_give_the_same_result_again(resolver: Resolver) -> None:
    envelope = Envelope("a@mx.example", (), peer="2001:db8::1")
    live: Questions = resolver.for_message()
    first = check_spf(envelope, questions=live, at=AT)
    again = check_spf(envelope, questions=Recorded(live.answers).for_message(), at=AT)
    assert again == first
