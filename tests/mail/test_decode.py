"""Words and bytes become text; nothing a stranger names is run, nothing raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.decode import CHARSETS, base64_bytes, charset_text, decoded_words, one_line, quoted_printable_bytes
from gateway.mail.parameters import read_parameters


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"plain words", "plain words"),
        (b"=?utf-8?q?pr=C3=A9servation?= 29", "préservation 29"),
        (b"=?UTF-8?B?cHLDqXNlcnZhdGlvbg==?=\tref", "préservation ref"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        (b"=?iso-8859-1*fr?q?d=E9lai?=", "délai"),
        (b"=?utf-8?q?two words_here?=", "two words here"),
        (b"=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        (b"=?utf-8?q?a=00=1B[31mb?=", "a[31mb"),
        ("right\u202eleft".encode(), "rightleft"),
        (b"d\xe9lai", "délai"),
        (b"=?x-unheard?q?abc?=", "abc"),
    ],
)
def test_encoded_words_are_decoded_to_one_line(written, read):
    assert decoded_words(written) == read


@pytest.mark.parametrize(
    "charset",
    [
        "base64_codec",
        "zlib",
        "hex",
        "idna",
        "undefined",
        "unicode_escape",
        "rot13",
        "punycode",
        "cp037",
        "x" * 5000,
        "",
        "a\0b",
    ],
)
def test_a_charset_not_on_the_list_is_unknown(charset):
    assert charset_text(b"request 42", charset) == ("request 42", False)


@pytest.mark.parametrize(
    ("data", "charset", "text", "known"),
    [
        ("жизнь".encode("koi8-r"), "KOI8-R", "жизнь", True),
        (b"\x93x\x94", "iso-8859-1", "“x”", True),
        (b"+AOk-", "utf-7", "é", True),
        (b"~{VPND~}", "hz-gb-2312", "中文", True),
        (b"d\xe9lai", "utf-8", "délai", False),
        (b"d\xc3\xa9l\xffai", "us-ascii", "dél�ai", False),
        (b"\xc3", "utf-16", "�", False),
        ("é".encode(), "us-ascii", "é", True),
    ],
)
def test_charsets_of_the_list_are_decoded(data, charset, text, known):
    assert charset_text(data, charset) == (text, known)


@given(st.binary(max_size=200), st.sampled_from([*sorted(CHARSETS), "other"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_in_any_charset_give_text(data, charset):
    assert isinstance(charset_text(data, charset)[0], str)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from([b"=?", b"?=", b"utf-8", b"?q?", b"?b?", b"=C3", b" ", b"a", b"\xff"]), max_size=30
        ).map(b"".join),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_value_becomes_one_printable_line(value):
    text = decoded_words(value)
    assert text == one_line(text)
    text.encode("utf-8")


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_transfer_encodings_never_raise(data):
    assert len(base64_bytes(data)) <= len(data)
    assert len(quoted_printable_bytes(data)) <= len(data)


@pytest.mark.parametrize(
    ("value", "word", "parameters"),
    [
        (b"text/plain", "text/plain", {}),
        (b"Text/PLAIN; Charset=UTF-8", "text/plain", {"charset": "UTF-8"}),
        (b'multipart/mixed; boundary="a\\"b;c"', "multipart/mixed", {"boundary": 'a"b;c'}),
        (b"x; a = b ; c=d;", "x", {"a": "b", "c": "d"}),
        (b'x; a="unfinished; b=c', "x", {"a": "unfinished; b=c"}),
        (b"x (one (two) ; no=1) ; a=b (three)", "x", {"a": "b"}),
        (b"x; a*0=1; a*1=2; a*3=4", "x", {"a": "12"}),
        (b"x; a*1=2", "x", {"a": "2"}),
        (b"x; a=plain; a*=utf-8'en'%C3%A9", "x", {"a": "é"}),
        (b"x; a*=%C3%A9", "x", {"a": "é"}),
        (b"x; a*=x-unheard''%41", "x", {"a": "A"}),
        (b"x; ***=1", "x", {"***": "1"}),
        (b"; a=b", "", {"a": "b"}),
    ],
)
def test_parameters_are_read(value, word, parameters):
    read = read_parameters(value)
    assert (read.word, dict(read.parameters)) == (word, parameters)


@pytest.mark.parametrize(
    ("value", "repeated"),
    [
        (b"x; boundary=a; Boundary=b", {"boundary"}),
        (b"x; boundary=a; boundary*=utf-8''b", {"boundary"}),
        (b"x; boundary*0=a; boundary*1=b", set()),
        (b"x; a=1; b=2", set()),
    ],
)
def test_repeated_parameters_are_named(value, repeated):
    assert read_parameters(value).repeated == repeated


@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from([b";", b"=", b"*", b"0", b"a", b'"', b"(", b")", b"'", b"%C3", b"\\", b" "]), max_size=30
        ).map(b"".join),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_value_has_parameters(value):
    read = read_parameters(value)
    assert len({name for name, _ in read.parameters}) == len(read.parameters)
