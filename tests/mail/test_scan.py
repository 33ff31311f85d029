"""The scanner: fields, parts and defects on raw bytes."""

import base64
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import MAX_DEPTH, MAX_FIELDS, MAX_PART_FIELDS, MAX_PARTS, body_of, scan, scan_header
from gateway.model.message import Message, Part
from gateway.model.verdict import AMBIGUOUS, Reason

PLAIN = b"From: a@b.example\r\nSubject: hello\r\n\r\nbody\r\n"

PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"From: a@b.example\r\n",
        b"From : a@b.example\r\n",
        b"Subject: x\r\n y\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b'Content-Type: multipart/alternative; boundary="c d"\r\n',
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/plain; charset*0*=utf-8''a; charset*1=b\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''%e2%82\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"--c d\r\n",
        b"--c d--",
        b"=?utf-8?q?=41?=",
        b"text",
    ]
)
ODD_MAIL = st.one_of(
    st.binary(max_size=400), st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=40).map(b"".join)
)


def parts_of(part: Part) -> list[Part]:
    return [part, *(below for child in part.children for below in parts_of(child))]


def header_bytes(message: Message, part: Part) -> bytes:
    return b"".join(one.raw for one in part.header.fields)


def multipart(*bodies: bytes, boundary: bytes = b"b", end: bytes = b"--b--\r\n") -> bytes:
    head = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=" + boundary + b"\r\n\r\n"
    return head + b"".join(b"--" + boundary + b"\r\n" + body + b"\r\n" for body in bodies) + end


@given(ODD_MAIL)
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_message_whose_header_and_body_are_the_content(content):
    message = scan(content)
    for part in parts_of(message.root):
        raw, fields, body = message.raw(part), header_bytes(message, part), message.body(part)
        assert raw in (fields + body, fields + b"\r\n" + body)


@given(ODD_MAIL)
@settings(max_examples=200, deadline=None)
def test_slices_nest_inside_their_parents_in_order(content):
    message = scan(content)
    for part in parts_of(message.root):
        assert 0 <= part.start <= part.body_start <= part.end <= len(message.content)
        assert all(part.body_start <= child.start <= child.end <= part.end for child in part.children)
        assert all(before.end <= after.start for before, after in pairwise(part.children))


@given(ODD_MAIL)
@settings(max_examples=200, deadline=None)
def test_every_body_decodes_and_never_grows(content):
    message = scan(content)
    for part in parts_of(message.root):
        assert len(body_of(message, part)) <= len(message.body(part))


@given(ODD_MAIL)
@settings(max_examples=100, deadline=None)
def test_fields_stand_at_their_offsets(content):
    header, body_start, _ = scan_header(content)
    assert all(content[one.start :].startswith(one.raw) for one in header.fields)
    fields = b"".join(one.raw for one in header.fields)
    blank_line = content[len(fields) : body_start]
    assert blank_line in (b"", b"\r\n")
    assert fields + blank_line + content[body_start:] == content


def test_clean_mail_has_no_defects():
    message = scan(PLAIN)
    assert message.defects == ()
    assert message.sender is not None
    assert message.sender.spec == "a@b.example"
    assert message.body(message.root) == b"body\r\n"


def test_content_with_crlf_is_the_very_same_object():
    assert scan(PLAIN).content is PLAIN


@pytest.mark.parametrize("line_end", [b"\n", b"\r"])
def test_other_line_ends_are_repaired_and_said(line_end):
    message = scan(PLAIN.replace(b"\r\n", line_end))
    assert message.content == PLAIN
    assert message.defects == (Reason.LINE_ENDS_REPAIRED,)


@pytest.mark.parametrize(
    "header",
    [
        b"From: a@b.example\r\nno colon here\r\n",
        b"From: a@b.example\r\nTo : x@b.example\r\n",
        b"From: a@b.example\r\nSubject: one\rBcc: x@b.example\r\n",
        b"From: a@b.example\r\nSubject: on\0e\r\n",
        b" From: a@b.example\r\nFrom: a@b.example\r\n",
        b"From: a@b.example\r\n: nameless\r\n",
        b"From: a@b.example\r\nS\xc3\xbcbject: x\r\n",
        b"From: a@b.example\r\n" + b"X: y\r\n" * 1000,
        b"From: a@b.example\r\nX: " + b"y" * 262_144 + b"\r\n",
    ],
)
def test_lines_that_readers_take_differently_are_bad_fields(header):
    assert Reason.BAD_FIELD in scan(header + b"\r\nbody").defects


def test_bare_lf_is_a_bad_field_where_nothing_was_repaired():
    assert scan_header(b"From: a@b.example\nSubject: x\r\n\r\n")[2] == (Reason.BAD_FIELD,)


def test_a_field_keeps_name_folds_and_line_end():
    header, body_start, _ = scan_header(b"Subject: one\r\n two\r\nTo: x\r\n\r\nbody")
    assert [one.raw for one in header.fields] == [b"Subject: one\r\n two\r\n", b"To: x\r\n"]
    assert [one.start for one in header.fields] == [0, 20]
    assert header.fields[0].value == b"one two"
    assert body_start == 29


@pytest.mark.parametrize("name", ["Subject", "Date", "Content-Type", "Reply-To", "message-id", "Sender", "References"])
def test_a_singleton_twice_is_ambiguous(name):
    field = f"{name}: text/plain\r\n".encode()
    message = scan(b"From: a@b.example\r\n" + field + field.upper() + b"\r\n")
    assert Reason.DUPLICATED_SINGLETON in message.defects
    assert Reason.DUPLICATED_SINGLETON in AMBIGUOUS


def test_a_blank_before_the_colon_does_not_hide_a_second_from():
    message = scan(b"From: a@b.example\r\nFrom : x@evil.example\r\n\r\n")
    assert message.sender is None
    assert {Reason.BAD_FIELD, Reason.FROM_NOT_ONE, Reason.DUPLICATED_SINGLETON} <= set(message.defects)


def test_received_may_repeat():
    assert scan(b"Received: x\r\nReceived: y\r\n" + PLAIN).defects == ()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", Reason.FROM_NOT_ONE),
        (b"From: a@b.example, c@d.example\r\n", Reason.FROM_NOT_ONE),
        (b"From: a@b.example <c@d.example>\r\n", Reason.FROM_MALFORMED),
        (b"From:\r\n", Reason.FROM_MALFORMED),
        (b"From: friends: a@b.example;\r\n", Reason.FROM_MALFORMED),
    ],
)
def test_from_is_one_address_or_none(header, reason):
    message = scan(header + b"Subject: x\r\n\r\n")
    assert message.sender is None
    assert reason in message.defects


def test_a_folded_from_is_read():
    message = scan(b'From: "Contact Point"\r\n <247cp@police.example>\r\n\r\n')
    assert message.sender is not None
    assert message.sender.display_name == "Contact Point"


def test_a_child_is_the_bytes_between_delimiter_lines():
    message = scan(multipart(b"Content-Type: text/plain\r\n\r\n one \r\n", b"\r\ntwo"))
    assert [message.raw(child) for child in message.root.children] == [
        b"Content-Type: text/plain\r\n\r\n one \r\n",
        b"\r\ntwo",
    ]
    assert [child.path for child in message.root.children] == ["1", "2"]
    assert [message.body(child) for child in message.root.children] == [b" one \r\n", b"two"]
    assert message.defects == ()


@pytest.mark.parametrize("line", [b"--bb\r\n", b"--b x\r\n", b" --b\r\n", b"x--b\r\n", b"--B\r\n", b"--b-\r\n"])
def test_only_the_exact_delimiter_line_cuts(line):
    assert len(scan(multipart(b"\r\none\r\n" + line + b"two")).root.children) == 1


def test_padding_behind_a_delimiter_is_part_of_it():
    message = scan(multipart(b"\r\none").replace(b"--b\r\n", b"--b \t\r\n"))
    assert [message.body(child) for child in message.root.children] == [b"one"]


@pytest.mark.parametrize("boundary", [b'"b"', b"b; x=y", b'"b" (really)', b'"\\b"'])
def test_boundary_is_read_however_it_is_written(boundary):
    content = multipart(b"\r\none").replace(b"boundary=b", b"boundary=" + boundary)
    assert len(scan(content).root.children) == 1


@pytest.mark.parametrize(
    "content",
    [
        multipart(b"\r\none", end=b""),
        multipart(b"\r\none", end=b"--b--\r\n--b\r\n\r\nhidden\r\n--b--\r\n"),
        multipart(),
        multipart(b"\r\none").replace(b"boundary=b", b"border=b"),
        multipart(b"no colon\r\n\r\none"),
        multipart(b"Content-Transfer-Encoding: x-unheard\r\n\r\none"),
        multipart(b"\r\none").replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1),
        b"From: a@b.example\r\nContent-Type: text\r\n\r\n",
    ],
)
def test_malformed_mime_is_said(content):
    assert Reason.MIME_MALFORMED in scan(content).defects


def test_an_unclosed_multipart_keeps_its_last_part():
    message = scan(multipart(b"\r\none", b"\r\ntwo", end=b""))
    assert [message.body(child) for child in message.root.children] == [b"one", b"two\r\n"]


def test_a_part_without_blank_line_has_its_body_behind_its_last_field():
    message = scan(multipart(b"Content-Type: text/html\r\nDanger to life\r\nNote: x\r\n\r\ny"))
    (child,) = message.root.children
    assert child.content_type == "text/html"
    assert message.body(child) == b"Danger to life\r\nNote: x\r\n\r\ny"


def test_an_outer_boundary_wins_over_an_inner_one():
    inner = b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nfirst"
    message = scan(multipart(inner, b"\r\nsecond\r\n--i--"))
    assert [len(child.children) for child in message.root.children] == [1, 0]
    assert Reason.MIME_MALFORMED in message.defects


@pytest.mark.parametrize(
    "content",
    [
        multipart(b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx"),
        multipart(b"\r\nx").replace(b"boundary=b", b"boundary=b; boundary=c"),
        multipart(b"Content-Type: text/plain; charset=utf-8; charset=utf-16\r\n\r\nx"),
    ],
)
def test_parts_that_readers_take_differently_are_ambiguous(content):
    assert Reason.READERS_DISAGREE in scan(content).defects


def test_a_nested_message_is_sliced():
    message = scan(multipart(b"Content-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\n\r\ninner"))
    (attached,) = message.root.children
    (inner,) = attached.children
    assert (attached.path, inner.path) == ("1", "1.1")
    assert message.body(inner) == b"inner"
    assert inner.header.first("from") is not None


def test_a_digest_holds_messages_by_default():
    content = multipart(b"\r\nSubject: x\r\n\r\ninner").replace(b"multipart/mixed", b"multipart/digest")
    (child,) = scan(content).root.children
    assert child.content_type == "message/rfc822"
    assert len(child.children) == 1


def test_an_encoded_message_is_not_sliced():
    message = scan(multipart(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nRnJvbTo="))
    assert message.root.children[0].children == ()
    assert Reason.MIME_MALFORMED in message.defects


def nested(depth: int) -> bytes:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    closing = b"".join(b"\r\n--b%d--" % n for n in reversed(range(depth)))
    return b"From: a@b.example\r\n" + opening + b"\r\nx" + closing


@pytest.mark.parametrize(("depth", "too_deep"), [(MAX_DEPTH, False), (MAX_DEPTH + 1, True), (500, True)])
def test_depth_is_bounded(depth, too_deep):
    message = scan(nested(depth))
    assert (Reason.MIME_TOO_DEEP in message.defects) is too_deep
    assert len(parts_of(message.root)) == min(depth, MAX_DEPTH) + 1


@pytest.mark.parametrize(("children", "too_many"), [(MAX_PARTS - 1, False), (MAX_PARTS, True), (20_000, True)])
def test_parts_are_bounded(children, too_many):
    message = scan(multipart(*[b"\r\nx"] * children))
    assert (Reason.MIME_TOO_MANY_PARTS in message.defects) is too_many
    assert len(parts_of(message.root)) == MAX_PARTS


@pytest.mark.parametrize(("count", "too_many"), [(MAX_FIELDS - 1, False), (MAX_FIELDS, True), (500_000, True)])
def test_fields_of_a_part_are_bounded(count, too_many):
    message = scan(multipart(b"a:\r\n" * count + b"\r\nx"))
    part = message.root.children[0]
    assert (Reason.MIME_MALFORMED in message.defects) is too_many
    assert len(part.header.fields) == min(count, MAX_FIELDS)
    assert message.body(part).endswith(b"x")


def test_fields_behind_the_limit_are_body(cpu_seconds):
    with cpu_seconds(at_most=2.0):
        message = scan(b"From: a@b.example\r\n" + b"a:\r\n" * 5_000_000 + b"\r\nx")
    assert Reason.BAD_FIELD in message.defects
    assert len(message.header.fields) == MAX_FIELDS + 1
    assert message.body(message.root).endswith(b"a:\r\n\r\nx")


def test_fields_of_all_parts_together_are_bounded(cpu_seconds):
    with cpu_seconds(at_most=2.0):
        message = scan(multipart(*[b"a:\r\n" * 999 + b"\r\nx"] * 900))
    assert Reason.MIME_MALFORMED in message.defects
    assert sum(len(part.header.fields) for part in parts_of(message.root)) <= MAX_PART_FIELDS + 2
    assert len(message.root.children) == 900


@pytest.mark.parametrize(
    ("encoding", "written", "read"),
    [
        (b"base64", b"aGVsbG8=\r\n", b"hello"),
        (b"BASE64", b"aGV!s\r\nbG8", b"hello"),
        (b"base64", b"aGVsbG8=" + base64.b64encode(b" world"), b"hello world"),
        (b"base64", b"a", b""),
        (b"quoted-printable", b"h=C3=A9=\r\nllo =zz", b"h\xc3\xa9llo =zz"),
        (b"8bit", b"\xff\r\n", b"\xff\r\n"),
        (b"x-uuencode", b"begin", b"begin"),
    ],
)
def test_transfer_encodings_are_undone(encoding, written, read):
    message = scan(b"From: a@b.example\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + written)
    assert body_of(message, message.root) == read


@pytest.mark.parametrize(
    ("fields", "filename"),
    [
        (b'Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf"),
        (b"Content-Disposition: attachment; filename*=utf-8''d%C3%A9cision.pdf", "décision.pdf"),
        (b"Content-Disposition: attachment; filename*0*=utf-8''d%C3; filename*1*=%A9.pdf", "dé.pdf"),
        (b'Content-Disposition: attachment; filename="=?utf-8?q?d=C3=A9.pdf?="', "dé.pdf"),
        (b'Content-Type: application/pdf; name="x.pdf"', "x.pdf"),
        ("Content-Disposition: attachment; filename=a\u202efdp.exe".encode(), "afdp.exe"),
        (b'Content-Disposition: attachment; filename="../../etc/x"', "../../etc/x"),
    ],
)
def test_filenames_are_shown_without_direction_overrides(fields, filename):
    assert scan(b"From: a@b.example\r\n" + fields + b"\r\n\r\n").root.filename == filename


MEGABYTE = 1_000_000
HEAVY = {
    "folded header": b"Subject: x" + b"\r\n y" * (MEGABYTE // 4) + b"\r\n\r\n",
    "100,000 addresses": b"From: " + b"a@b.example," * 100_000 + b"\r\n\r\n",
    "quotes": b"From: " + b'"a' * (MEGABYTE // 2) + b"\r\n\r\n",
    "angles": b"From: " + b"<a@b" * (MEGABYTE // 4) + b"\r\n\r\n",
    "parameters": b"Content-Type: multipart/mixed" + b'; a="' * (MEGABYTE // 5) + b"\r\n\r\n",
    "comments": b"Content-Type: multipart/mixed " + b"(" * MEGABYTE + b"\r\n\r\n",
    "blanks": b"Content-Type: multipart/mixed;" + b" " * MEGABYTE + b"\r\n\r\n",
    "encoded words": b"Content-Disposition: x; filename=" + b"=?a?q?" * (MEGABYTE // 6) + b"\r\n\r\n",
    "fields": b"a:\r\n" * (MEGABYTE // 4),
    "near delimiters": multipart(b"\r\n--b" * (MEGABYTE // 5)),
    "depth and delimiters": nested(49) + b"\r\n--b" * (MEGABYTE // 5),
    "paddings": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AA=" * (MEGABYTE // 3),
}


@pytest.mark.parametrize("name", HEAVY)
def test_a_megabyte_of_anything_takes_bounded_time(name, cpu_seconds):
    with cpu_seconds(at_most=4.0):
        message = scan(HEAVY[name])
        body_of(message, message.root)
