"""Addresses of SMTP: exact grammar, kept as written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.address_grammar import address_key, read_path

FEW = settings(max_examples=200, deadline=None)
ATOM = st.text(st.sampled_from("abzABZ019!#$%&'*+/=?^_`{|}~-"), min_size=1, max_size=10)
LABEL = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
QUOTED = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\')).map(
    lambda text: f'"{text[:40]}"'
)
LOCAL = st.one_of(st.lists(ATOM, min_size=1, max_size=4).map(".".join), QUOTED)
DOMAIN = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


@FEW
@given(LOCAL, DOMAIN, st.sampled_from(["", " SIZE=1", " x"]))
def test_every_address_of_the_grammar_is_read_as_written(local: str, domain: str, rest: str) -> None:
    path = read_path(f"<{local}@{domain}>{rest}")
    assert path is not None
    assert (path.address, path.local, path.domain, path.rest) == (f"{local}@{domain}", local, domain, rest)


@FEW
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_what_is_read_is_harmless(text: str) -> None:
    path = read_path(f"<{text}>")
    if path is not None:
        assert all(ord(one) >= 32 and not 127 <= ord(one) <= 160 for one in path.address)
        assert text.startswith(path.address)


@pytest.mark.parametrize(
    "text",
    [
        "<a@b.example", "a@b.example>", "a@b.example", "<@b.example>", "<a@>", "<a b@c.example>", "<a.@b.example>",
        "<.a@b.example>", "<a..b@c.example>", "<a@-b.example>", "<a@b-.example>", "<a@b.example.>", "<a@b_c.example>",
        "<a@b@c.example>", "<@x.example:a@b.example>", "<a@[1.2.3]>", "<a@[1.2.3.4>", "<a@[IPv6:zz]>", "<a@[tag:x]>",
        '<"a@b.example>', '<"a"b@c.example>', '<"a\n"@b.example>', "<a(comment)@b.example>", "<\u202ea@b.example>",
        "<a\u200b@b.example>", "<a\u00a0b@c.example>", "<a\u0085@b.example>", "<a@b\u2028.example>", "<a\ud800@b.example>",
        f"<{'a' * 250}@b.example>", f"<a@{'b' * 64}.example>", "< a@b.example>", "<<a@b.example>>", "",
    ],
)  # fmt: skip
def test_other_forms_are_no_address(text: str) -> None:
    assert read_path(text) is None


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example", "a@localhost", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", '"a b"@c.example', r'"a\"b\\"@c.example',
        '""@b.example', "jürgen@pölice.example", "用户@例子.example", "prvs=1234=a+b/c@d.example", f"{'v' * 150}@lists.example",
        "=?utf-8?q?a=40b?=@c.example",
    ],
)  # fmt: skip
def test_these_are_addresses(address: str) -> None:
    path = read_path(f"<{address}>")
    assert path is not None
    assert path.address == address
    assert path.ascii == address.isascii()


def test_null_path_is_an_empty_address() -> None:
    path = read_path("<>")
    assert path is not None
    assert (path.address, path.domain) == ("", "")


def test_key_ignores_case_and_writes_domains_as_a_labels() -> None:
    assert address_key("247CP@PÖLICE.Example") == address_key("247cp@xn--plice-jua.example")
    assert address_key("a@b.example") != address_key("a.@b.example")
    assert address_key(f"a@{'é' * 70}.example") == f"a@{'é' * 70}.example"
