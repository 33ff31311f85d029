"""Authentication-Results: the words of RFC 8601, and nothing a stranger wrote leaves its quotes."""

import email
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.authres import field
from gateway.model.trust import AuthResult, Method, Result

HOST = "gw.institution.gov.example"

results = st.builds(
    AuthResult,
    method=st.sampled_from(Method),
    result=st.sampled_from(Result),
    identity=st.one_of(st.none(), st.text(max_size=400)),
    reason=st.text(max_size=400),
    selector=st.one_of(st.none(), st.text(max_size=80)),
)


def one(method=Method.DKIM, result=Result.PASS, **more):
    return field(HOST, (AuthResult(method, result, **more),)).decode().split(";\r\n\t", 1)[1].removesuffix("\r\n")


def test_nothing_checked_is_none():
    assert field(HOST, ()) == b"Authentication-Results: gw.institution.gov.example;\r\n\tnone\r\n"


def test_each_result_has_its_line():
    said = field(
        HOST,
        (
            AuthResult(Method.SPF, Result.PASS, identity="police.gov.b.example"),
            AuthResult(Method.DKIM, Result.PASS, identity="police.gov.b.example", selector="s1"),
            AuthResult(Method.DMARC, Result.FAIL, identity="police.gov.b.example", reason="not aligned"),
        ),
    )
    assert said.decode().split("\r\n") == [
        "Authentication-Results: gw.institution.gov.example;",
        "\tspf=pass smtp.mailfrom=police.gov.b.example;",
        "\tdkim=pass header.d=police.gov.b.example header.s=s1;",
        '\tdmarc=fail reason="not aligned" header.from=police.gov.b.example',
        "",
    ]


@pytest.mark.parametrize(
    ("given_result", "said"),
    [
        ({"method": Method.SPF, "result": Result.NONE, "reason": "no-peer"}, 'spf=none reason="no-peer"'),
        ({"method": Method.SPF, "identity": "a@x.example"}, "spf=pass smtp.mailfrom=a@x.example"),
        (
            {"method": Method.SPF, "identity": "x.example", "reason": "helo"},
            'spf=pass reason="helo" smtp.helo=x.example',
        ),
        ({"method": Method.ARC, "result": Result.NONE}, "arc=none"),
        ({"method": Method.OPENPGP, "identity": "AB" * 20}, f"openpgp=pass body.fingerprint={'AB' * 20}"),
        ({"result": Result.TEMPERROR}, "dkim=temperror"),
        ({"identity": "x y"}, 'dkim=pass header.d="x y"'),
        ({"identity": 'x"; dmarc=pass'}, r'dkim=pass header.d="x\"; dmarc=pass"'),
        ({"identity": "x\\"}, r'dkim=pass header.d="x\\"'),
        ({"identity": "x\r\nX-247CP-Class: other"}, 'dkim=pass header.d="x??X-247CP-Class: other"'),
        ({"identity": "(comment)"}, 'dkim=pass header.d="(comment)"'),
        ({"reason": "\N{SNOWMAN}\x00"}, 'dkim=pass reason="??"'),
        ({"identity": ""}, "dkim=pass"),
    ],
)
def test_result_is_written_as(given_result, said):
    assert one(**given_result) == said


@given(st.lists(results, max_size=8).map(tuple))
@settings(max_examples=200, deadline=None)
def test_any_results_are_one_field_with_one_statement_each(some):
    written = field(HOST, some)
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 998
    parsed = email.message_from_bytes(written + b"\r\n")
    assert parsed.keys() == ["Authentication-Results"]
    without_quotes = re.sub(r'"(?:[^"\\]|\\.)*"', '""', parsed["Authentication-Results"])
    assert without_quotes.count(";") == max(1, len(some))
    assert without_quotes.count("\n") == max(1, len(some))
    assert "(" not in without_quotes
