"""DMARC as RFC 9989 has it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DnsUnavailable
from gateway.model.message import Address, Header, Message, Part
from gateway.model.trust import AuthResult, DnsAnswer, Method, Result
from gateway.trust.dmarc import POLICIES, aligned, check_dmarc, discover, organizational_domain, parse_record
from gateway.trust.resolver import Questions

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SPF_NONE = AuthResult(Method.SPF, Result.NONE, None, "no-peer")


class Zone:
    """TXT records by name, as a resolver would answer; names in `silent` do not answer, names in `gone` do not exist."""

    def __init__(
        self, records: dict[str, str | list[str]], *, silent: tuple[str, ...] = (), gone: tuple[str, ...] = ()
    ) -> None:
        self.records, self.silent, self.gone = records, silent, gone
        self.asked: list[str] = []

    def __call__(self, name: str, rdtype: str, _seconds: float) -> DnsAnswer:
        self.asked.append(name)
        if name in self.silent:
            return DnsAnswer(name, rdtype, "temperror")
        if name in self.gone:
            return DnsAnswer(name, rdtype, "nxdomain")
        found = self.records.get(name, [])
        values = (found,) if isinstance(found, str) else tuple(found)
        return DnsAnswer(name, rdtype, "answer" if values else "nodata", values)

    @property
    def questions(self) -> Questions:
        return Questions(self)


def mail(author: str | None) -> Message:
    root = Part("", Header(), "text/plain", (), 0, 0, 0)
    return Message(b"", Header(), root, Address("officer", author) if author else None)


def dkim(domain: str, result: Result = Result.PASS) -> AuthResult:
    return AuthResult(Method.DKIM, result, domain)


def spf(domain: str, result: Result = Result.PASS) -> AuthResult:
    return AuthResult(Method.SPF, result, domain)


def dmarc(author: str | None, zone: Zone, *results: AuthResult) -> AuthResult:
    signatures = tuple(one for one in results if one.method is Method.DKIM)
    policy = next((one for one in results if one.method is Method.SPF), SPF_NONE)
    return check_dmarc(mail(author), spf=policy, dkim=signatures, questions=zone.questions)


REJECT = Zone({"_dmarc.police.example": "v=DMARC1; p=reject"})


def test_without_exactly_one_author_dmarc_says_none() -> None:
    zone = Zone({})
    found = dmarc(None, zone, dkim("police.example"))
    assert (found.result, found.identity, found.reason) == (Result.NONE, None, "from-not-one")
    assert zone.asked == []


def test_without_any_record_dmarc_says_none_whatever_is_signed() -> None:
    found = dmarc("police.example", Zone({}), dkim("police.example"))
    assert (found.result, found.identity, found.reason) == (Result.NONE, "police.example", "no-record")


@pytest.mark.parametrize(
    "results",
    [
        (dkim("police.example"),),
        (spf("police.example"),),
        (dkim("mail.police.example"),),
        (dkim("esp.example"), dkim("other.example"), dkim("police.example")),
        (dkim("police.example", Result.FAIL), spf("bounces.police.example")),
        (dkim("POLICE.example"),),
    ],
)
def test_any_aligned_pass_is_enough(results: tuple[AuthResult, ...]) -> None:
    found = dmarc("police.example", REJECT, *results)
    assert (found.result, found.reason) == (Result.PASS, "")


@pytest.mark.parametrize(
    "results",
    [
        (),
        (dkim("police.example", Result.FAIL),),
        (dkim("police.example", Result.PERMERROR), spf("police.example", Result.SOFTFAIL)),
        (dkim("police.example", Result.POLICY),),
        (dkim("police.example", Result.NEUTRAL),),
        (spf("police.example", Result.NEUTRAL),),
        (dkim("esp.example"),),
        (dkim("example"),),
        (dkim("notpolice.example"),),
        (dkim("police.example.evil.example"),),
    ],
)
def test_nothing_else_aligns(results: tuple[AuthResult, ...]) -> None:
    found = dmarc("police.example", REJECT, *results)
    assert (found.result, found.reason) == (Result.FAIL, "policy-reject")


def test_strict_alignment_refuses_a_subdomain_and_only_for_its_method() -> None:
    zone = Zone({"_dmarc.police.example": "v=DMARC1; p=reject; adkim=s"})
    assert dmarc("police.example", zone, dkim("mail.police.example")).result is Result.FAIL
    assert dmarc("police.example", zone, spf("mail.police.example")).result is Result.PASS
    assert dmarc("police.example", zone, dkim("police.example")).result is Result.PASS


def test_author_below_and_signer_above_align_by_their_organization() -> None:
    assert dmarc("unit.police.example", REJECT, dkim("police.example")).result is Result.PASS
    assert dmarc("unit.police.example", REJECT, dkim("mail.police.example")).result is Result.PASS


def test_psd_n_cuts_a_department_off() -> None:
    zone = Zone({"_dmarc.unit.gov.example": "v=DMARC1; p=none; psd=n", "_dmarc.gov.example": "v=DMARC1; p=reject"})
    assert dmarc("unit.gov.example", zone, dkim("gov.example")).result is Result.FAIL
    assert dmarc("gov.example", zone, dkim("unit.gov.example")).result is Result.FAIL
    assert dmarc("unit.gov.example", zone, dkim("mail.unit.gov.example")).result is Result.PASS


def test_psd_y_separates_the_names_below_it() -> None:
    zone = Zone({"_dmarc.gov.example": "v=DMARC1; p=reject; psd=y"})
    assert dmarc("a.gov.example", zone, dkim("b.gov.example")).result is Result.FAIL
    assert dmarc("x.a.gov.example", zone, dkim("a.gov.example")).result is Result.PASS
    assert organizational_domain("x.a.gov.example", zone.questions) == "a.gov.example"
    assert organizational_domain("gov.example", zone.questions) == "gov.example"


def test_a_top_level_record_without_psd_never_aligns_two_domains() -> None:
    zone = Zone({"_dmarc.test": "v=DMARC1; p=none"})
    assert dmarc("bank.test", zone, dkim("esp.test")).result is Result.FAIL
    assert organizational_domain("a.bank.test", zone.questions) == "bank.test"


@pytest.mark.parametrize(
    ("start", "records", "organization"),
    [
        # The three examples of RFC 9989 section 4.10.2.
        (
            "a.mail.example.com",
            {"_dmarc.mail.example.com": "v=DMARC1", "_dmarc.example.com": "v=DMARC1"},
            "example.com",
        ),
        ("a.mail.example.com", {"_dmarc.mail.example.com": "v=DMARC1; psd=n"}, "mail.example.com"),
        ("a.mail.example.com", {"_dmarc.com": "v=DMARC1; psd=y"}, "example.com"),
        ("a.mail.example.com", {}, "a.mail.example.com"),
        ("A.Mail.Example.Com", {"_dmarc.example.com": "v=DMARC1"}, "example.com"),
    ],
)
def test_organizational_domain(start: str, records: dict, organization: str) -> None:
    assert organizational_domain(start, Zone(records).questions) == organization


def test_tree_walk_of_a_long_name_asks_the_eight_questions_of_the_rfc() -> None:
    zone = Zone({})
    organizational_domain("a.b.c.d.e.f.g.h.i.j.mail.example.com", zone.questions)
    assert zone.asked == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), min_size=1, max_size=40))
def test_tree_walk_never_asks_more_than_eight(labels: list[str]) -> None:
    zone = Zone({})
    organizational_domain(".".join(labels), zone.questions)
    assert len(zone.asked) <= 8


def test_equal_domains_cost_one_question() -> None:
    zone = Zone({"_dmarc.police.example": "v=DMARC1; p=reject"})
    assert dmarc("police.example", zone, dkim("police.example")).result is Result.PASS
    assert zone.asked == ["_dmarc.police.example"]


def test_a_strangers_domain_is_not_asked() -> None:
    zone = Zone({"_dmarc.police.example": "v=DMARC1; p=reject"}, silent=("_dmarc.evil.test", "_dmarc.test"))
    assert dmarc("police.example", zone, dkim("evil.test")).result is Result.FAIL


@pytest.mark.parametrize(
    ("records", "author", "policy"),
    [
        ({"_dmarc.police.example": "v=DMARC1; p=quarantine; sp=none; np=reject"}, "police.example", "quarantine"),
        ({"_dmarc.police.example": "v=DMARC1; p=quarantine; sp=reject"}, "unit.police.example", "reject"),
        ({"_dmarc.police.example": "v=DMARC1; p=reject"}, "unit.police.example", "reject"),
        ({"_dmarc.police.example": "v=DMARC1; p=none; sp=none; np=reject"}, "ghost.police.example", "reject"),
        ({"_dmarc.police.example": "v=DMARC1; p=none; sp=quarantine"}, "ghost.police.example", "quarantine"),
        ({"_dmarc.police.example": "v=DMARC1; p=none; np=reject"}, "unit.police.example", "none"),
        ({"_dmarc.police.example": "v=DMARC1; p=reject; t=y"}, "police.example", "quarantine"),
        ({"_dmarc.police.example": "v=DMARC1; p=quarantine; t=y"}, "police.example", "none"),
        ({"_dmarc.police.example": "v=DMARC1; p=none; t=y"}, "police.example", "none"),
        ({"_dmarc.police.example": "v=DMARC1; p=reject; pct=0"}, "police.example", "reject"),
        ({"_dmarc.police.example": "v=DMARC1"}, "police.example", "none"),
        ({"_dmarc.police.example": "v=DMARC1; p=maybe; rua=mailto:r@police.example"}, "police.example", "none"),
        ({"_dmarc.example": "v=DMARC1; p=none; sp=reject; psd=y"}, "police.example", "reject"),
        (
            {"_dmarc.police.example": "v=DMARC1; p=none", "_dmarc.unit.police.example": "v=DMARC1; p=reject"},
            "unit.police.example",
            "reject",
        ),
        (
            {"_dmarc.police.example": "v=DMARC1; p=reject", "_dmarc.b.police.example": "v=DMARC1; p=none"},
            "a.b.police.example",
            "reject",
        ),
    ],
)
def test_reason_of_a_fail_is_the_policy_that_would_apply(records: dict, author: str, policy: str) -> None:
    found = dmarc(author, Zone(records, gone=("ghost.police.example",)))
    assert (found.result, found.reason) == (Result.FAIL, f"policy-{policy}")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "no-record"),
        ("v=DMARC2; p=reject", "no-record"),
        ("v=dmarc1; p=reject", "no-record"),
        ("p=reject; v=DMARC1", "no-record"),
        (" v=DMARC1; p=reject", "no-record"),
        ("v=spf1 -all", "no-record"),
        ("v=DMARC1; p=maybe", "record-invalid"),
        ("v=DMARC1; p=reject; sp=maybe", "record-invalid"),
        ("v=DMARC1; p=reject; np=", "record-invalid"),
        ("v=DMARC1; p=maybe; rua=ftp:x", "record-invalid"),
    ],
)
def test_records_that_do_not_apply(record: str | list[str], reason: str) -> None:
    found = dmarc("police.example", Zone({"_dmarc.police.example": record}), dkim("police.example"))
    assert (found.result, found.reason) == (Result.NONE, reason)


def test_one_record_of_ours_among_other_txt_is_found() -> None:
    zone = Zone({"_dmarc.police.example": ["hello", "v=DMARC1 ; P = Reject ; adkim = s"]})
    record = discover("police.example", questions=zone.questions)
    assert record is not None
    assert (record.policy, record.strict_dkim) == ("reject", True)


@pytest.mark.parametrize("silent", ["_dmarc.unit.police.example", "_dmarc.police.example", "_dmarc.example"])
def test_silence_on_the_way_to_the_record_is_temperror(silent: str) -> None:
    found = dmarc("unit.police.example", Zone({}, silent=(silent,)), dkim("unit.police.example"))
    assert (found.result, found.reason) == (Result.TEMPERROR, "dns")


def test_aligned_check_without_answer_is_temperror_not_fail() -> None:
    for unanswered in (dkim("police.example", Result.TEMPERROR), spf("mail.police.example", Result.TEMPERROR)):
        found = dmarc("police.example", REJECT, unanswered, dkim("esp.test"))
        assert (found.result, found.reason) == (Result.TEMPERROR, "dns")


def test_unanswered_check_of_a_stranger_stays_a_fail() -> None:
    assert dmarc("police.example", REJECT, dkim("esp.test", Result.TEMPERROR)).result is Result.FAIL


def test_pass_beside_an_unanswered_check_is_a_pass() -> None:
    results = (dkim("police.example", Result.TEMPERROR), spf("police.example"))
    assert dmarc("police.example", REJECT, *results).result is Result.PASS


def test_silence_during_alignment_is_temperror() -> None:
    zone = Zone({"_dmarc.police.example": "v=DMARC1; p=reject"}, silent=("_dmarc.mail.police.example",))
    assert dmarc("police.example", zone, dkim("mail.police.example")).result is Result.TEMPERROR


def test_silence_about_existence_keeps_the_policy_of_existing_subdomains() -> None:
    zone = Zone(
        {"_dmarc.police.example": "v=DMARC1; p=none; sp=quarantine; np=reject"}, silent=("unit.police.example",)
    )
    assert dmarc("unit.police.example", zone).reason == "policy-quarantine"


def test_organizational_domain_raises_when_dns_is_silent() -> None:
    with pytest.raises(DnsUnavailable):
        organizational_domain("police.example", Zone({}, silent=("_dmarc.police.example",)).questions)


def test_aligned_without_dns_is_equality() -> None:
    assert aligned("Police.example", "police.example")
    assert not aligned("mail.police.example", "police.example")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_parse_record_never_raises_and_gives_known_words(text: str) -> None:
    for record in (parse_record("police.example", text), parse_record("police.example", f"v=DMARC1;{text}")):
        assert record is None or record.policy in POLICIES
