"""The resolver over real sockets: caching, single flight, budgets, and silence that is never taken for an answer."""

import threading
import time
from collections.abc import Iterator

import dns.flags
import dns.resolver
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.demo.stub_dns import StubDns
from gateway.errors import DnsUnavailable
from gateway.model.trust import DnsAnswer
from gateway.trust.resolver import Questions, Recorded, Resolver, authentic

ZONE = {
    "police.example": [
        {"A": "192.0.2.1"},
        {"AAAA": "2001:db8::1"},
        {"MX": [10, "mx.police.example"]},
        {"TXT": ["v=spf1 ", "-all"]},
    ],
    "two.example": [{"TXT": "one"}, {"TXT": "two"}],
    "1.2.0.192.in-addr.arpa": [{"PTR": "mail.police.example"}],
    "alias.example": [{"CNAME": "police.example"}],
    "loop.example": [{"CNAME": "loop.example"}],
    "octets.example": [{"TXT": "caf\u00e9"}],
    "long.example": [{"TXT": "x" * 3000}],
    "larger.example": [{"TXT": "x" * 5000}],
    "excessive.example": [{"TXT": "x" * 30_000}, {"TXT": "y" * 3000}],
    "empty.example": [{"A": "192.0.2.9"}],
    "silent.example": ["TIMEOUT"],
    "broken.example": ["SERVFAIL"],
    "refused.example": ["REFUSED"],
    "garbage.example": ["GARBAGE"],
    "wrong-id.example": [{"TXT": "WRONGID"}],
    "wrong-name.example": [{"TXT": "WRONGNAME"}],
    "truncated.example": [{"TXT": "TRUNCATE"}],
    "gone.example": [{"TXT": "NXDOMAIN"}],
    "nodata.example": [{"TXT": "NODATA"}],
    "half.example": [{"TXT": "SERVFAIL"}, {"A": "192.0.2.3"}],
}


@pytest.fixture(scope="module")
def running() -> Iterator[StubDns]:
    with StubDns(ZONE, ttl=300) as one:
        yield one


@pytest.fixture
def stub(running: StubDns) -> StubDns:
    running.questions.clear()
    return running


@pytest.fixture
def resolver(stub: StubDns) -> Resolver:
    return Resolver(nameservers=(stub.nameserver,), timeout=0.25)


class Validating(StubDns):
    """A name server that says of each answer that DNSSEC validated it, where it was asked to say so (RFC 6840 section 5.7)."""

    def reply(self, wire: bytes, transport: str) -> bytes | None:
        answer = super().reply(wire, transport)
        asked = wire[3] & 0x20
        return answer and answer[:3] + bytes([answer[3] | asked]) + answer[4:]


def test_word_of_a_validating_server_on_this_machine_is_kept() -> None:
    with Validating(ZONE) as stub:
        questions = Resolver(nameservers=(stub.nameserver,), timeout=0.25).for_message()
        assert questions.txt("police.example").secure
        assert questions.txt("empty.example").secure
        assert not questions.txt("missing.example").secure
    assert Recorded(questions.answers).for_message().txt("police.example").secure


def test_server_that_does_not_validate_is_not_taken_for_one(resolver: Resolver) -> None:
    assert not resolver.for_message().txt("police.example").secure


@pytest.mark.parametrize(
    ("nameserver", "secure"),
    [
        ("127.0.0.1", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("192.0.2.53", False),
        ("2001:db8::53", False),
        ("::ffff:192.0.2.1", False),
        ("https://resolver.example/dns-query", False),
        (None, False),
    ],
)
def test_authentic_data_is_believed_from_this_machine_alone(nameserver: str | None, secure: bool) -> None:
    assert authentic(dns.flags.QR | dns.flags.AD, nameserver) is secure
    assert not authentic(dns.flags.QR | dns.flags.RA, nameserver)


def test_each_record_type_has_its_own_form(resolver: Resolver) -> None:
    questions = resolver.for_message()
    assert questions.a("police.example").values == ("192.0.2.1",)
    assert questions.aaaa("police.example").values == ("2001:db8::1",)
    assert questions.mx("police.example").values == ("10 mx.police.example",)
    assert questions.ptr("1.2.0.192.in-addr.arpa").values == ("mail.police.example",)
    assert questions.txt("police.example").values == ("v=spf1 -all",)


def test_answer_carries_name_type_status_and_ttl(resolver: Resolver) -> None:
    answer = resolver.for_message().txt("Police.Example.")
    assert answer == DnsAnswer("police.example", "TXT", "answer", ("v=spf1 -all",), 300)


def test_several_records_stay_several(resolver: Resolver) -> None:
    assert sorted(resolver.for_message().txt("two.example").values) == ["one", "two"]


def test_alias_is_followed_and_answers_under_the_asked_name(resolver: Resolver) -> None:
    answer = resolver.for_message().txt("alias.example")
    assert (answer.name, answer.values) == ("alias.example", ("v=spf1 -all",))


def test_octets_survive_as_latin_1(resolver: Resolver) -> None:
    (value,) = resolver.for_message().txt("octets.example").values
    assert value.encode("latin-1") == "caf\u00e9".encode()


def test_long_answer_comes_by_tcp(resolver: Resolver, stub: StubDns) -> None:
    assert resolver.for_message().txt("long.example").values == ("x" * 3000,)
    assert [transport for transport, name, _ in stub.questions if name == "long.example"] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("empty.example", "nodata"),
        ("nodata.example", "nodata"),
        ("nowhere.example", "nxdomain"),
        ("gone.example", "nxdomain"),
        ("example", "nodata"),
        ("a..example", "nxdomain"),
        ("x" * 64 + ".example", "nxdomain"),
        (".".join(["x" * 60] * 5), "nxdomain"),
        ("", "nxdomain"),
    ],
)
def test_what_does_not_exist_is_an_answer(resolver: Resolver, name: str, status: str) -> None:
    answer = resolver.for_message().txt(name)
    assert (answer.status, answer.values) == (status, ())


@pytest.mark.parametrize(
    "name",
    [
        "silent.example",
        "broken.example",
        "refused.example",
        "garbage.example",
        "wrong-id.example",
        "wrong-name.example",
        "truncated.example",
        "loop.example",
    ],
)
def test_trouble_is_never_no_record(resolver: Resolver, name: str) -> None:
    questions = resolver.for_message()
    with pytest.raises(DnsUnavailable):
        questions.txt(name)
    assert [(one.name, one.status) for one in questions.answers] == [(name, "temperror")]


def test_no_server_at_all_is_trouble() -> None:
    with StubDns({}) as stub:
        nobody = stub.nameserver
    with pytest.raises(DnsUnavailable):
        Resolver(nameservers=(nobody,), timeout=0.25).for_message().txt("police.example")


def test_a_second_server_is_asked_when_the_first_fails() -> None:
    with StubDns({"police.example": ["SERVFAIL"]}) as first, StubDns(ZONE) as second:
        resolver = Resolver(nameservers=(first.nameserver, second.nameserver), timeout=1)
        assert resolver.for_message().a("police.example").values == ("192.0.2.1",)


def test_trouble_with_one_type_leaves_the_others(resolver: Resolver) -> None:
    assert resolver.for_message().a("half.example").values == ("192.0.2.3",)


def test_answers_are_cached_for_all_messages(resolver: Resolver, stub: StubDns) -> None:
    for _ in range(3):
        resolver.for_message().txt("police.example")
        resolver.for_message().txt("nowhere.example")
    assert len(stub.questions) == 2


def test_trouble_is_asked_again_by_the_next_message_only(resolver: Resolver, stub: StubDns) -> None:
    questions = resolver.for_message()
    for _ in range(2):
        with pytest.raises(DnsUnavailable):
            questions.txt("refused.example")
    asked = len(stub.questions)
    with pytest.raises(DnsUnavailable):
        resolver.for_message().txt("refused.example")
    assert len(stub.questions) > asked


def test_record_without_lifetime_is_not_cached() -> None:
    with StubDns({"police.example": [{"A": "192.0.2.1"}]}, ttl=0) as stub:
        resolver = Resolver(nameservers=(stub.nameserver,))
        resolver.for_message().a("police.example")
        stub.publish({"police.example": [{"A": "192.0.2.2"}]})
        assert resolver.for_message().a("police.example").values == ("192.0.2.2",)


def test_large_answer_is_used_and_not_cached(resolver: Resolver, stub: StubDns) -> None:
    for _ in range(2):
        assert resolver.for_message().txt("larger.example").values == ("x" * 5000,)
    assert len([one for one in stub.questions if one[0] == "tcp"]) == 2


def test_excessive_answer_is_trouble(resolver: Resolver) -> None:
    with pytest.raises(DnsUnavailable):
        resolver.for_message().txt("excessive.example")


def test_machine_without_dns_starts_and_every_question_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", nothing)
    with pytest.raises(DnsUnavailable):
        Resolver(timeout=0.2).for_message().txt("police.example")


def test_equal_questions_at_the_same_time_are_asked_once(resolver: Resolver, stub: StubDns) -> None:
    barrier = threading.Barrier(20)
    found = []

    def ask() -> None:
        barrier.wait()
        found.append(resolver.for_message().txt("two.example").status)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == ["answer"] * 20
    assert len(stub.questions) == 1


def test_waiting_for_another_message_ends_with_the_own_time(resolver: Resolver) -> None:
    first = threading.Thread(target=lambda: resolver.ask("silent.example", "A", 0.25))
    first.start()
    time.sleep(0.05)
    started = time.monotonic()
    assert resolver.ask("silent.example", "A", 0.02).status == "temperror"
    assert time.monotonic() - started < 0.15
    first.join()


def test_budget_used_up_is_trouble_and_is_recorded(resolver: Resolver, stub: StubDns) -> None:
    questions = resolver.for_message(budget=2)
    questions.a("police.example")
    questions.aaaa("police.example")
    questions.a("police.example")
    with pytest.raises(DnsUnavailable):
        questions.txt("police.example")
    assert len(stub.questions) == 2
    assert [one.status for one in questions.answers] == ["answer", "answer", "temperror"]


def test_a_silent_zone_costs_a_message_its_seconds_and_no_more(resolver: Resolver) -> None:
    questions = Questions(resolver.ask, budget=60, seconds=0.4)
    started = time.monotonic()
    for _ in range(20):
        with pytest.raises(DnsUnavailable):
            questions.txt("silent.example")
        with pytest.raises(DnsUnavailable):
            questions.mx("silent.example")
    assert time.monotonic() - started < 1


def test_recorded_answers_replay_and_never_ask(resolver: Resolver, stub: StubDns) -> None:
    live = resolver.for_message()
    live.txt("police.example")
    live.mx("nowhere.example")
    with pytest.raises(DnsUnavailable):
        live.txt("refused.example")
    asked = len(stub.questions)
    replayed = Recorded(live.answers).for_message()
    assert replayed.txt("POLICE.example.") == live.txt("police.example")
    assert replayed.mx("nowhere.example").status == "nxdomain"
    for name in ("refused.example", "never-asked.example"):
        with pytest.raises(DnsUnavailable):
            replayed.txt(name)
    assert len(stub.questions) == asked


def test_any_text_may_be_asked_for(resolver: Resolver) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=300))
    def ask(name: str) -> None:
        assert resolver.for_message().txt(name).status in {"nxdomain", "nodata", "answer"}

    ask()
