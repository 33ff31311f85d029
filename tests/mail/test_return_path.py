"""Return paths: made by us, readable for fourteen days, not to be guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.return_path import make, read
from gateway.model.case import make_reference

SECRET = b"a secret of thirty-two octets..."
MAILBOX = "247cp@institution.gov.example"
CASE = make_reference(SECRET, 2026, 42)
DAY = 739_741


def made(**changes):
    return make(**{"secret": SECRET, "mailbox": MAILBOX, "case": CASE, "day": DAY, **changes})


def seen(address, *, secret=SECRET, mailbox=MAILBOX, today=DAY):
    found = read(secret, address, mailbox=mailbox, today=today)
    return found and found.case


def test_it_names_case_and_day():
    local, _, domain = made().rpartition("@")
    assert domain == "institution.gov.example"
    assert local.startswith(f"247cp+r.{CASE.lower()}.{DAY}.")
    assert len(local) <= 64


def test_it_is_read_back():
    assert seen(made()) == CASE


def test_an_answer_has_one_of_its_own():
    found = read(SECRET, made(answer=True).upper(), mailbox=MAILBOX, today=DAY)
    assert (found.case, found.answer) == (CASE, True)
    assert not read(SECRET, made(), mailbox=MAILBOX, today=DAY).answer
    assert seen(made().replace("+r.", "+a.")) is None
    assert seen(made(answer=True).replace("+a.", "+r.")) is None


def test_relays_may_change_its_case():
    assert seen(made().upper()) == CASE
    assert seen(made(), mailbox=MAILBOX.upper()) == CASE


@pytest.mark.parametrize(("later", "valid"), [(0, True), (14, True), (15, False), (-1, False), (10_000, False)])
def test_it_is_valid_for_fourteen_days(later, valid):
    assert (seen(made(), today=DAY + later) == CASE) is valid


@pytest.mark.parametrize(
    "address",
    [
        made(case=make_reference(SECRET, 2026, 43)).replace("000043", "000042"),
        made(day=DAY - 20).replace(str(DAY - 20), str(DAY)),
        made(secret=b"another secret"),
        made(mailbox="other@institution.gov.example").replace("other", "247cp"),
        made()[:20] + made()[21:],
        made().replace("+r.", "+c."),
        made().replace("+r.", "+r.x"),
        made().replace("institution", "attacker"),
        made().replace(f".{DAY}.", ".."),
        made().replace(f".{DAY}.", ".\N{ARABIC-INDIC DIGIT SEVEN}."),
        made().replace(f".{DAY}.", f".{'9' * 5000}."),
        MAILBOX,
        "247cp+r.@institution.gov.example",
        "",
        "\udcff@x",
    ],
)
def test_what_we_did_not_make_names_no_case(address):
    assert seen(address) is None


def test_it_belongs_to_one_mailbox():
    assert seen(made(), mailbox="duty@institution.gov.example") is None


def test_mailbox_with_a_long_name_is_refused():
    with pytest.raises(ValueError, match=r"local part of national-247-contact-point@x\.example is too long"):
        made(mailbox="national-247-contact-point@x.example")


@given(number=st.integers(0, 10**9), day=st.integers(0, 10**6), later=st.integers(0, 14))
@settings(max_examples=100, deadline=None)
def test_each_is_read_back(number, day, later):
    case = make_reference(SECRET, 2026, number)
    assert seen(made(case=case, day=day), today=day + later) == case


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_as_nothing(text):
    assert seen(text) is None
    assert seen(f"247cp+r.{text}@institution.gov.example") is None
