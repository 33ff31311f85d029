"""The directory as CSV and JSON: what is written reads back as the same contacts, and no cell is a formula."""

import csv
import json
from datetime import date
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.contact_folder import contact_yaml, document_of
from gateway.cli.directory_file import cells, read_entries, to_csv, to_json
from gateway.cli.directory_import import State, plan_import
from gateway.errors import ConfigError
from gateway.model.message import Address
from gateway.model.trust import Contact, ContactAddress, Protection, SigLevel, TlsLevel

TEXT = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs")) | st.sampled_from("=+-@';\", ＝"),
    min_size=1, max_size=30,
).filter(str.strip)  # fmt: skip
LABEL = st.from_regex("[a-z]{1,8}", fullmatch=True)
DOMAIN = st.lists(LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
LOCAL = st.from_regex(r"[A-Za-z0-9=+'-]{1,12}", fullmatch=True)


@st.composite
def a_contact(draw: st.DrawFn) -> Contact:
    folder = draw(st.from_regex("[a-z0-9][a-z0-9-]{0,10}", fullmatch=True))
    # An address belongs to one contact: the folder's name keeps them apart.
    domains = st.builds(lambda domain: f"{folder.strip('-')}.{domain}", DOMAIN)
    addresses = draw(
        st.lists(
            st.builds(ContactAddress, st.builds(Address, LOCAL, domains), st.booleans(), st.booleans()),
            min_size=1, max_size=3, unique_by=lambda one: one.address.key,
        )
    )  # fmt: skip
    return Contact(
        id=folder,
        name=draw(TEXT),
        country=draw(st.from_regex("[A-Z]{2}", fullmatch=True)),
        addresses=tuple(addresses),
        domains=tuple(draw(st.lists(DOMAIN, max_size=2))),
        networks=tuple(draw(st.lists(TEXT, max_size=3))),
        phone=draw(st.sampled_from(("", "+000 1 234 567", "+000123456"))),
        languages=tuple(draw(st.lists(st.sampled_from(("en", "fr", "pt-BR")), max_size=2))),
        minimum=draw(st.builds(Protection, st.sampled_from(SigLevel), st.booleans(), st.sampled_from(TlsLevel))),
        valid_until=draw(st.none() | st.dates(date(1000, 1, 1))),
        enrolled_by=tuple(draw(st.lists(TEXT, max_size=3))),
        verified_how=draw(st.just("") | TEXT),
    )


CONTACTS = st.lists(a_contact(), max_size=4, unique_by=lambda one: one.id.strip("-"))


@pytest.mark.parametrize("kind", ["csv", "json"])
@settings(max_examples=25, deadline=None)
@given(contacts=CONTACTS)
def test_export_and_import_are_the_identity(kind: str, contacts: list[Contact]) -> None:
    written = {"csv": to_csv, "json": to_json}[kind](contacts).encode()
    entries = read_entries(written, file=f"x.{kind}")
    tree = tuple((f"{one.id}/contact.yaml", contact_yaml(document_of(one))) for one in contacts)
    there = plan_import(entries, file=f"x.{kind}", tree=tree, inspect=lambda _: ())
    assert [(one.contact, one.state) for one in there] == [(one.id, State.UNCHANGED) for one in contacts]
    empty = plan_import(entries, file=f"x.{kind}", tree=(), inspect=lambda _: ())
    assert {f"{one.contact}/contact.yaml": one.content for one in empty} == dict(tree)


@settings(max_examples=25, deadline=None)
@given(contacts=CONTACTS)
def test_no_cell_is_a_formula(contacts: list[Contact]) -> None:
    for row in csv.reader(StringIO(to_csv(contacts), newline="")):
        assert not [cell for cell in row if cell[:1] and cell[0] in "=+-@\t\r＝＋－＠"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "'=1", "''@", "'", "''", "O'Hara", "=", '"', "＝x"])
def test_an_apostrophe_before_a_formula_comes_and_goes(name: str) -> None:
    contact = Contact("bx", name, "BX", (ContactAddress(Address("x", "y.example")),), networks=(name, f"a;{name}"))
    (entry,) = read_entries(to_csv([contact]).encode(), file="x.csv")
    assert (entry.given["name"], entry.given["networks"]) == (name, [name, f"a;{name}"])


def test_cells_are_what_a_human_would_write() -> None:
    spoken = (
        ContactAddress(Address("a", "b.example"), verified=True, joint=True),
        ContactAddress(Address("c", "b.example")),
    )
    found = cells(
        Contact("bx", "Police", "BX", spoken, valid_until=date(2027, 12, 31), enrolled_by=("j.doe", "Roe; A."))
    )
    assert found["addresses"] == "a@b.example verified joint; c@b.example"
    assert (found["valid_until"], found["minimum_enc"], found["enrolled_by"]) == (
        "2027-12-31",
        "false",
        'j.doe; "Roe; A."',
    )


def test_json_has_every_key_of_contact_yaml() -> None:
    (found,) = json.loads(to_json([Contact("bx", "Police", "BX", (ContactAddress(Address("a", "b.example")),))]))
    assert set(found) == {
        "contact", "name", "country", "addresses", "domains", "networks", "phone", "languages", "minimum", "valid_until",
        "enrolled_by", "verified_how", "fingerprints",
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"addresses,name\n{text}".encode(errors="replace")),
       kind=st.sampled_from(["csv", "json"]))  # fmt: skip
def test_any_bytes_are_entries_or_a_complaint(content: bytes, kind: str) -> None:
    try:
        entries = read_entries(content, file=f"x.{kind}")
        plan_import(entries, file=f"x.{kind}", tree=(), inspect=lambda _: ())
    except ConfigError as error:
        assert all(one.file == f"x.{kind}" and one.what for one in error.complaints)
