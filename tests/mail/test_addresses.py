"""Addresses: one mailbox, read strictly, or none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.addresses import domain_of, parse_address, parse_address_list

ODD_ADDRESS = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [
                b'"',
                b"\\",
                b"<",
                b">",
                b"@",
                b",",
                b"(",
                b")",
                b":",
                b";",
                b"a",
                b".",
                b" ",
                b"\xc3\xbc",
                b"[",
                b"x.example",
            ]
        ),
        max_size=30,
    ).map(b"".join),
)


@pytest.mark.parametrize(
    ("written", "spec", "display_name"),
    [
        (b"247cp@police.example", "247cp@police.example", ""),
        (b"<247cp@police.example>", "247cp@police.example", ""),
        (b"Contact Point <247cp@Police.EXAMPLE>", "247cp@police.example", "Contact Point"),
        (b'"Doe, J. \\"x\\"" <j.doe@police.example>', "j.doe@police.example", 'Doe, J. "x"'),
        (b"=?utf-8?q?Gar=C3=A7on?= <a@b.example>", "a@b.example", "Garçon"),
        (b"J\xe9r\xf4me <a@b.example>", "a@b.example", "Jérôme"),
        (b"Upper.Case@b.example", "Upper.Case@b.example", ""),
        ("a@bücher.example".encode(), "a@xn--bcher-kva.example", ""),
        ("a@BÜCHER.example".encode(), "a@xn--bcher-kva.example", ""),
        ("jörg@b.example".encode(), "jörg@b.example", ""),
        (b"a+b/c=d@b.example", "a+b/c=d@b.example", ""),
        (b'"john doe"@b.example', '"john doe"@b.example', ""),
        (b'"ceo@bank.example" <x@evil.example>', "x@evil.example", "ceo@bank.example"),
        (b"<a@b.example>\t", "a@b.example", ""),
    ],
)
def test_a_mailbox_is_read(written, spec, display_name):
    address = parse_address(written)
    assert address is not None
    assert (address.spec, address.display_name) == (spec, display_name)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"a",
        b"@b.example",
        b"a@",
        b"a@b@c.example",
        b"attacker@own.example <ceo@bank.example>",
        b"<a@b.example> <c@d.example>",
        b"a@b.example, c@d.example",
        b"a@b.example,",
        b"a@b.example (comment)",
        b"(comment) a@b.example",
        b"a(c)@b.example",
        b"Name (comment) <a@b.example>",
        b"<@relay.example:a@b.example>",
        b"friends: a@b.example;",
        b"undisclosed-recipients:;",
        b"a @b.example",
        b"a@ b.example",
        b"< a@b.example>",
        b"a..b@b.example",
        b".a@b.example",
        b"a.@b.example",
        b"a@b..example",
        b"a@b.example.",
        b"a@.example",
        b"a@-b.example",
        b"a@b_c.example",
        b"a@[192.0.2.1]",
        b'"a@b"@c.example',
        b'"a\\"b"@c.example',
        b'"a@c.example',
        b"=?utf-8?q?a=40b?=@c.example",
        b"a\0@b.example",
        b"a\r\n@b.example",
        b"a@b.example\x7f",
        b"a\xff@b.example",
        b"a@b\xff.example",
        "a\u202eb@c.example".encode(),
        "a\u200bb@c.example".encode(),
        "a@po\u200blice.example".encode(),
        "a@stra\u00dfe.example".encode(),
        "a@\uff42ank.example".encode(),
        "a@bank\u3002example".encode(),
        b"a" * 65 + b"@b.example",
        b"a@" + b"b" * 64 + b".example",
        b"a@" + b"b." * 130 + b"example",
        "Name\u0000 <a@b.example>".encode(),
    ],
)
def test_what_two_readers_may_read_differently_is_refused(written):
    assert parse_address(written) is None


@pytest.mark.parametrize(
    ("written", "specs"),
    [
        (b"a@b.example", ["a@b.example"]),
        (b'"Doe, J" <a@b.example>, c@d.example', ["a@b.example", "c@d.example"]),
        (b"a@b.example, , c@d.example,", ["a@b.example", "c@d.example"]),
        (b"undisclosed-recipients:;", []),
        (b"", []),
    ],
)
def test_a_list_is_read(written, specs):
    addresses = parse_address_list(written)
    assert addresses is not None
    assert [one.spec for one in addresses] == specs


@pytest.mark.parametrize(
    "written", [b"a@b.example, c", b"friends: a@b.example, c@d.example;", b'"a@b.example', b"<a@b.example"]
)
def test_a_list_with_one_unreadable_address_is_none(written):
    assert parse_address_list(written) is None


@given(ODD_ADDRESS)
@settings(max_examples=200, deadline=None)
def test_what_is_read_is_canonical(written):
    for address in (parse_address(written), *(parse_address_list(written) or ())):
        if address is not None:
            assert address.domain == address.domain.lower()
            assert address.domain.isascii()
            again = parse_address(address.spec.encode())
            assert again is not None
            assert again.spec == address.spec


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_a_domain_is_letters_digits_hyphens_or_nothing(name):
    domain = domain_of(name.encode("utf-8", "replace"))
    assert domain is None or set(domain) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


@pytest.mark.parametrize(
    "written", [b"a@b.example," * 100_000, b'"' * 500_000, b"<" * 500_000, b'"a"' * 300_000 + b"<", b"a@" * 500_000]
)
def test_a_megabyte_is_read_in_bounded_time(written, cpu_seconds):
    with cpu_seconds(at_most=4.0):
        parse_address(written)
        parse_address_list(written)
