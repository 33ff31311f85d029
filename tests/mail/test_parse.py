"""Second opinions: where readers see different messages nobody is believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.parse import MAX_CONTENT_TYPE_BYTES, parse
from gateway.mail.scan import scan
from gateway.model.verdict import Reason


@pytest.mark.parametrize(
    "header",
    [
        b'From: "Doe, J." <a@b.example>\r\n',
        b'From: "ceo@bank.example" <x@evil.example>\r\n',
        b"From: =?utf-8?q?Gar=C3=A7on?= <A.B@B.example>\r\n",
        b"From: J\xe9r\xf4me <a@b.example>\r\n",
        "From: Jörg <jörg@bücher.example>\r\n".encode(),
        b'From: "Contact\r\n Point" <a@b.example>\r\n',
        b'From: "a \\"b\\" c" <a@b.example>\r\n',
        b'From: a@b.example\r\nContent-Type: multipart/mixed;\r\n\tboundary="a b;c"\r\n',
        b"From: a@b.example\r\nContent-Type: TEXT/HTML (comment)\r\n",
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n",
        b"From: a@b.example\r\nSubject: x\r\n \r\n y\r\n",
        b"From: a@b.example\r\nSubject: r\xc3\xa9sum\xc3\xa9 \x0c \x1e \xe2\x80\xa8 x\r\n",
    ],
)
def test_readers_agree_on_honest_mail(header):
    assert Reason.READERS_DISAGREE not in parse(header + b"\r\nbody").defects


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/mixed; boundary=a (b)",
        b'multipart/mixed; boundary="a"b',
        b"multipart/mixed; (boundary=a;) boundary=b",
        b"text/plain/html",
        b"text/pl@in",
        b"text/plain" + b"; x=y" * (MAX_CONTENT_TYPE_BYTES // 5),
    ],
)
def test_readers_disagree_on_tricks(content_type):
    message = parse(b"From: a@b.example\r\nContent-Type: " + content_type + b"\r\n\r\n")
    assert Reason.READERS_DISAGREE in message.defects or Reason.MIME_MALFORMED in message.defects


def test_nothing_else_changes():
    content = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=a (b)\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n"
    message = parse(content)
    assert message.root == scan(content).root
    assert message.defects == (*scan(content).defects, Reason.READERS_DISAGREE)


def test_an_ambiguous_message_needs_no_second_opinion():
    content = b"From: a@b.example\r\nFrom: c@d.example\r\n\r\n"
    assert parse(content) == scan(content)


ODD_HEADER = st.lists(
    st.one_of(
        st.binary(max_size=10),
        st.sampled_from(
            [
                b"From: a@b.example\r\n",
                b"Content-Type: ",
                b"multipart/mixed; boundary=",
                b'"',
                b"(",
                b")",
                b"=?utf-8?q?=00?=",
                b"\r\n",
                b"\r\n\r\n",
                b";",
                b"*0*=",
                b"Reply-To: ",
                b"Received: from x by y; z\r\n",
            ]
        ),
    ),
    max_size=30,
).map(b"".join)


@given(ODD_HEADER)
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_parsed(content):
    message = parse(content)
    assert len(message.defects) == len(set(message.defects))


@pytest.mark.parametrize(
    "content",
    [
        b'From: "' + b"a" * 250_000 + b'" <a@b.example>\r\n\r\n',
        b"From: " + b"a " * 120_000 + b"<a@b.example>\r\n\r\n",
        b"From: a@b.example\r\nReply-To: " + b"<" * 250_000 + b"\r\n\r\n",
        b"From: a@b.example\r\nReply-To: " + b"a@b.example," * 20_000 + b"\r\n\r\n",
        b"From: a@b.example\r\nSender: " + b"(" * 250_000 + b"\r\n\r\n",
        b'From: a@b.example\r\nContent-Type: x/y; a="' + b";" * 250_000 + b"\r\n\r\n",
        b"From: a@b.example\r\nSubject: x" + b"\r\n y" * 60_000 + b"\r\n\r\n",
        b"From: =?utf-8?q?" + b"=?" * 100_000 + b" <a@b.example>\r\n\r\n",
        b"From: a@b.example\r\n\r\n" + b"x" * 20_000_000,
    ],
    ids=range(9),
)
def test_second_opinions_take_bounded_time(content, cpu_seconds):
    with cpu_seconds(at_most=3.0):
        parse(content)
