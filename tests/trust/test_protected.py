"""Header protection: what inside and outside say, and what encryption may hide (RFC 9788)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.scan import scan
from gateway.model.verdict import Reason
from gateway.trust.protected import FIELDS, Compared, compared

OUTER = (
    b"From: Borduria <247cp@police.gov.b.example>\r\nTo: 247cp@institution.gov.example, desk@police.gov.s.example\r\n"
    b"Cc: prosecutor@justice.gov.b.example\r\nSubject: Request 7\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@police.gov.b.example>\r\nReply-To: 247cp@police.gov.b.example\r\n"
    b"In-Reply-To: <a@institution.gov.example>\r\nReferences: <a@institution.gov.example> <b@police.gov.b.example>\r\n"
)
NAMES = tuple(name for name, _, _ in FIELDS)


def compare(
    inside: bytes, *, outer: bytes = OUTER, marked: bytes = b'; hp="clear"', encrypted: bool = False
) -> Compared:
    content = b"Content-Type: text/plain" + marked + b"\r\n" + inside + b"\r\nPlease.\r\n"
    return compared(scan(outer + b"\r\n").header, scan(content).root, encrypted=encrypted)


def without(header: bytes, name: bytes) -> bytes:
    return b"".join(one + b"\r\n" for one in header.split(b"\r\n")[:-1] if not one.startswith(name + b":"))


@pytest.mark.parametrize(
    "marked", [b'; hp="clear"', b'; protected-headers="v1"', b'; protected-headers=v1; hp="cipher"']
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_the_same_fields_inside_are_covered(marked: bytes, encrypted: bool) -> None:
    assert compare(OUTER, marked=marked, encrypted=encrypted) == Compared(NAMES, ())


def test_fields_of_an_ordinary_part_are_no_protected_fields() -> None:
    assert compare(OUTER.replace(b"Request 7", b"Request 8"), marked=b"") == Compared()


def test_what_is_not_inside_is_neither_covered_nor_different() -> None:
    assert compare(b"Subject: Request 7\r\n") == Compared(("subject",), ())


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (b"<247cp@police.gov.b.example>", b"<247cp@police.gov.s.example>", "from"),
        (b"Request 7", b"Request 8", "subject"),
        (b", desk@police.gov.s.example", b"", "to"),
        (b"prosecutor@", b"other@", "cc"),
        (b"12:00:00", b"12:00:01", "date"),
        (b"<1@", b"<2@", "message-id"),
        (b"Reply-To: 247cp@police", b"Reply-To: 247cp@attacker", "reply-to"),
        (b"In-Reply-To: <a@", b"In-Reply-To: <c@", "in-reply-to"),
        (b" <b@police.gov.b.example>", b"", "references"),
    ],
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_each_difference_has_a_name(old: bytes, new: bytes, name: str, encrypted: bool) -> None:
    reason = next(one for known, one, _ in FIELDS if known == name)
    assert old in OUTER
    found = compare(OUTER.replace(old, new), encrypted=encrypted)
    assert found == Compared(tuple(one for one in NAMES if one != name), (reason,))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Borduria <247cp@police.gov.b.example>", b"<247cp@police.gov.b.example>"),
        (b"Request 7", b"=?utf-8?q?Request_7?="),
        (b"Mon, 01 Jun 2026 12:00:00 +0000", b"1 Jun 2026 14:00:00 +0200"),
        (b"To: 247cp@institution.gov.example, desk@police.gov.s.example",
         b"To: Desk <desk@police.gov.s.example>,\r\n 247cp@institution.gov.example"),
        (b"Message-ID: <1@", b"Message-ID:\r\n <1@"),
    ],
)  # fmt: skip
def test_the_same_thing_written_otherwise_is_no_difference(old: bytes, new: bytes) -> None:
    assert old in OUTER
    assert compare(OUTER.replace(old, new)) == Compared(NAMES, ())


@pytest.mark.parametrize("name", [b"To", b"Reply-To", b"Subject"])
def test_field_that_was_taken_away_outside_differs_unless_encryption_hides_it(name: bytes) -> None:
    outer = without(OUTER, name)
    assert len(compare(OUTER, outer=outer).reasons) == 1
    assert compare(OUTER, outer=outer, encrypted=True).reasons == ()


def test_from_is_never_hidden() -> None:
    hidden = b"HP-Outer: From: 247cp@police.gov.b.example\r\n" + OUTER.replace(
        b"police.gov.b.example>", b"attacker.test>", 1
    )
    found = compare(hidden, marked=b'; hp="cipher"', encrypted=True)
    assert Reason.PROTECTED_FROM_DIFFERS in found.reasons
    assert Reason.PROTECTED_FROM_DIFFERS in compare(OUTER, outer=without(OUTER, b"From"), encrypted=True).reasons


@pytest.mark.parametrize(
    ("outside", "copy", "differs"),
    [
        (b"...", b"", False),
        (b"[...]", b"HP-Outer: Subject: [...]\r\n", False),
        (b"Encrypted Message", b"", False),
        (b"Invoice", b"HP-Outer: Subject: Invoice\r\n", False),
        (b"Invoice", b"HP-Outer: Subject: Bill\r\n", True),
        (b"Invoice", b"HP-Outer: To: Invoice\r\n", True),
        (b"Invoice", b"HP-Outer: Subject: Invoice\r\nHP-Outer: Subject: Bill\r\n", True),
        (b"Invoice", b"", True),
    ],
)
def test_subject_hidden_by_encryption_stands_in_hp_outer(outside: bytes, copy: bytes, differs: bool) -> None:
    outer = OUTER.replace(b"Request 7", outside)
    assert (Reason.SUBJECT_DIFFERS in compare(copy + OUTER, outer=outer, encrypted=True).reasons) is differs
    assert Reason.SUBJECT_DIFFERS in compare(copy + OUTER, outer=outer).reasons


def test_other_field_rewritten_for_confidentiality_stands_in_hp_outer() -> None:
    outer = OUTER.replace(b"Mon, 01 Jun 2026 12:00:00 +0000", b"Mon, 01 Jun 2026 00:00:00 +0000")
    copy = b"HP-Outer: Date: Mon, 01 Jun 2026 00:00:00 +0000\r\n"
    assert compare(copy + OUTER, outer=outer, encrypted=True) == Compared(NAMES, ())
    assert compare(OUTER, outer=outer, encrypted=True).reasons == (Reason.PROTECTED_DATE_DIFFERS,)


def test_field_that_cannot_be_read_is_compared_as_it_is_written() -> None:
    odd = OUTER.replace(b"Mon, 01 Jun 2026", b"One of these days,").replace(b"Reply-To: ", b"Reply-To: @@,")
    assert compare(odd, outer=odd) == Compared(NAMES, ())
    assert set(compare(odd).reasons) >= {Reason.PROTECTED_DATE_DIFFERS, Reason.PROTECTED_REPLY_TO_DIFFERS}


@settings(max_examples=150, deadline=None)
@given(
    inside=st.lists(st.tuples(st.sampled_from([*NAMES, "hp-outer"]), st.binary(max_size=60)), max_size=6),
    encrypted=st.booleans(),
)
def test_a_field_is_covered_or_different_and_never_both(inside: list[tuple[str, bytes]], encrypted: bool) -> None:
    fields = b"".join(
        name.encode() + b": " + value.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n" for name, value in inside
    )
    found = compare(fields, encrypted=encrypted)
    reasons = {name: reason for name, reason, _ in FIELDS}
    for name in {name for name, _ in inside} - {"hp-outer"}:
        assert (name in found.covers) is not (reasons[name] in found.reasons)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_two_authors_are_never_taken_for_one(one: str, other: str) -> None:
    def field(text: str) -> bytes:
        return (
            b"From: " + text.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"") + b"@police.example\r\n"
        )

    found = compare(field(one), outer=field(other), encrypted=True)
    authors = [scan(field(text) + b"\r\n").sender for text in (one, other)]
    if None not in authors and authors[0].key != authors[1].key:
        assert Reason.PROTECTED_FROM_DIFFERS in found.reasons
