"""The stub server itself, asked by dnspython without our resolver between."""

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from gateway.cli.demo.stub_dns import StubDns

ZONE = {
    "a.police.example": [{"A": "192.0.2.1"}, {"A": "192.0.2.2"}],
    "alias.example": [{"CNAME": "a.police.example"}],
    "upper.Example": [{"TXT": "here"}],
    "big.example": [{"TXT": "y" * 2000}],
    "deaf.example": [{"TXT": "TIMEOUT"}, {"A": "192.0.2.3"}],
}


def ask(stub: StubDns, name: str, rdtype: str = "A", **how: float) -> dns.message.Message:
    host, port = stub.nameserver.split(":")
    return dns.query.udp(dns.message.make_query(name, rdtype), host, port=int(port), timeout=how.get("timeout", 2))


def test_it_listens_on_loopback_only() -> None:
    with StubDns({}) as stub:
        assert stub.nameserver.startswith("127.0.0.1:")


def test_all_records_of_a_type_are_given_without_regard_to_case() -> None:
    with StubDns(ZONE) as stub:
        assert len(ask(stub, "A.POLICE.example").answer[0]) == 2
        assert ask(stub, "upper.example", "TXT").answer[0][0].to_text() == '"here"'


def test_alias_and_its_target_stand_in_one_answer() -> None:
    with StubDns(ZONE) as stub:
        kinds = [one.rdtype for one in ask(stub, "alias.example").answer]
    assert kinds == [dns.rdatatype.CNAME, dns.rdatatype.A]


@pytest.mark.parametrize(
    ("name", "rcode"),
    [
        ("police.example", dns.rcode.NOERROR),
        ("other.example", dns.rcode.NXDOMAIN),
        ("x.deaf.example", dns.rcode.NXDOMAIN),
    ],
)
def test_name_above_a_name_exists_and_others_do_not(name: str, rcode: int) -> None:
    with StubDns(ZONE) as stub:
        reply = ask(stub, name)
    assert (reply.rcode(), reply.answer) == (rcode, [])


def test_large_answers_are_cut_on_udp_and_whole_on_tcp() -> None:
    with StubDns(ZONE) as stub:
        host, port = stub.nameserver.split(":")
        query = dns.message.make_query("big.example", "TXT")
        reply, by_tcp = dns.query.udp_with_fallback(query, host, port=int(port), timeout=2)
    assert by_tcp
    assert len(b"".join(reply.answer[0][0].strings)) == 2000


def test_misbehaviour_of_one_type_leaves_the_other() -> None:
    with StubDns(ZONE) as stub:
        assert ask(stub, "deaf.example").answer
        with pytest.raises(dns.exception.Timeout):
            ask(stub, "deaf.example", "TXT", timeout=0.1)


def test_published_zone_replaces_the_first_and_questions_are_noted() -> None:
    with StubDns(ZONE) as stub:
        stub.publish({"new.example": [{"A": "192.0.2.8"}]})
        assert ask(stub, "new.example").answer
        assert ask(stub, "a.police.example").rcode() == dns.rcode.NXDOMAIN
        assert stub.questions == [("udp", "new.example", "A"), ("udp", "a.police.example", "A")]


def test_garbage_is_not_answered() -> None:
    with StubDns(ZONE) as stub:
        assert stub.reply(b"\x00\x01garbage", "udp") is None
        assert stub.reply(b"", "udp") is None
