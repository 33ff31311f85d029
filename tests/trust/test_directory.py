"""The folder keys/ as bytes: what makes a contact, what excludes one, and that no folder spoils another."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Complaint
from gateway.model.trust import Directory, PinnedKey, Protection, SigLevel, TlsLevel
from gateway.trust.directory import book_of, parse_directory, signers_of
from gateway.trust.key_inspection import KeyRefused

A, B, C = "A" * 40, "B" * 40, "C" * 40
AT = datetime(2026, 6, 1, tzinfo=UTC)

FULL = b"""\
name: 24/7 Contact Point, Police of Borduria
country: BX
addresses:
  - {address: 247cp@Police.Gov.B.example, verified: true, joint: false}
  - {address: cyber@police.gov.b.example, joint: true}
domains: [police.gov.b.example]
networks: [budapest, g7]
phone: "+000 1 234 567"            # the number for call-backs
languages: [fr, en]
minimum: {sig: openpgp, enc: true, tls: verified}
valid_until: 2027-12-31
enrolled_by: [j.doe, a.roe]
verified_how: call-back to the directory's number, 2026-05-04
"""
SMALL = b"name: Syldavia\ncountry: SY\naddresses: [{address: 247cp@police.gov.s.example, verified: true}]\n"


def key(fingerprint: str, *subkeys: str) -> PinnedKey:
    return PinnedKey(fingerprint=fingerprint, packets=b"", created=AT, subkeys=subkeys)


def inspect(files: Sequence[bytes]) -> tuple[PinnedKey | KeyRefused, ...]:
    """A key file of these tests is its fingerprint, then those of its subkeys."""
    return tuple(
        KeyRefused("holds a SECRET key", "remove it at once") if one == b"secret" else key(*one.decode().split())
        for one in files
    )


def parse(*files: tuple[str, bytes]) -> tuple[Directory, tuple[Complaint, ...]]:
    return parse_directory(files, inspect=inspect)


def complaint(*files: tuple[str, bytes]) -> str:
    """The one complaint about a folder beside which a good one stays good."""
    good = (("sy-police/contact.yaml", SMALL), (f"sy-police/{C}.asc", C.encode()))
    directory, complaints = parse(*files, *good)
    assert [one.id for one in directory.contacts] == ["sy-police"]
    (only,) = complaints
    assert only.remedy
    return str(only)


def test_full_contact_is_read() -> None:
    directory, complaints = parse(("bx-police/contact.yaml", FULL), (f"bx-police/{A}.asc", A.encode()))
    assert complaints == ()
    (contact,) = directory.contacts
    assert (contact.id, contact.country, contact.phone) == ("bx-police", "BX", "+000 1 234 567")
    assert [(one.address.spec, one.verified, one.joint) for one in contact.addresses] == [
        ("247cp@police.gov.b.example", True, False),
        ("cyber@police.gov.b.example", False, True),
    ]
    assert contact.minimum == Protection(sig=SigLevel.OPENPGP, enc=True, tls=TlsLevel.VERIFIED)
    assert contact.valid_until == date(2027, 12, 31)
    assert [one.fingerprint for one in contact.keys] == [A]


def test_contact_without_key_is_a_contact() -> None:
    directory, complaints = parse(("sy-police/contact.yaml", SMALL))
    assert complaints == ()
    assert directory.contacts[0].keys == ()


def test_shipped_files_beside_the_folders_are_no_contacts() -> None:
    assert parse(("README.md", b"x"), ("contact.yaml.template", b"x")) == (
        Directory((), Directory().digest or parse()[0].digest),
        (),
    )


def test_shipped_template_is_a_contact() -> None:
    template = (Path(__file__).parents[2] / "keys" / "contact.yaml.template").read_bytes()
    directory, complaints = parse(("bx-police/contact.yaml", template))
    assert complaints == ()
    assert not directory.contacts[0].addresses[0].verified


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"country: BX", b"country: bx", "bx-police/contact.yaml:2:1: country: 'bx' is no country code"),
        (b"country: BX", b"country: NO!", "country"),
        (b"networks:", b"nets:", "nets: unknown key"),
        (b"phone:", b"fone:", "contact.yaml:8:"),
        (b'"+000 1 234 567"', b'"call me"', "phone"),
        (b"[fr, en]", b"[french]", "languages.0"),
        (b"247cp@Police.Gov.B.example", b"247cp@", "addresses.0.address"),
        (b"247cp@Police.Gov.B.example", b"'X <a@b.example>'", "addresses.0.address"),
        (b"247cp@Police.Gov.B.example", b"CYBER@police.gov.b.example", "stands here twice"),
        (b"[police.gov.b.example]", b"['police gov']", "domains.0"),
        (b"sig: openpgp", b"sig: best", "minimum.sig"),
        (b"valid_until: 2027-12-31", b"valid_until: soon", "valid_until"),
        (b"verified: true", b"verified: maybe", "verified"),
        (b"[j.doe, a.roe]", b'["j\\u202edoe"]', "enrolled_by.0"),
        (b"name: 24/7 Contact", b'name: "24/7\\u001b[2J" # Contact', "name"),
        (b"country: BX", b"country: BX\ncountry: SY", "country"),
    ],
)
def test_wrong_contact_file_is_refused_with_its_place(old: bytes, new: bytes, words: str) -> None:
    assert old in FULL
    found = complaint(("bx-police/contact.yaml", FULL.replace(old, new)))
    assert found.startswith("bx-police/contact.yaml:")
    assert words in found


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"a: [", b"addresses: *x", b"name: x\0"])
def test_file_that_is_no_contact_is_refused(content: bytes) -> None:
    directory, complaints = parse(("bx-police/contact.yaml", content))
    assert directory.contacts == ()
    assert complaints


def test_contact_without_address_is_refused() -> None:
    assert "at least one address" in complaint(("bx-police/contact.yaml", b"name: B\ncountry: BX\naddresses: []\n"))


def test_key_named_by_another_fingerprint_is_refused() -> None:
    found = complaint(("bx-police/contact.yaml", FULL), (f"bx-police/{B}.asc", A.encode()))
    assert f"bx-police/{B}.asc: holds the key {A}" in found


def test_key_without_contact_is_refused() -> None:
    assert "has no contact.yaml" in complaint((f"bx-police/{A}.asc", A.encode()))


def test_refused_key_excludes_its_contact() -> None:
    assert "SECRET" in complaint(("bx-police/contact.yaml", FULL), (f"bx-police/{A}.asc", b"secret"))


@pytest.mark.parametrize(
    "name", ["key.asc", f"{A.lower()}.asc", "contact.yaml.bak", f"old/{A}.asc", "notes.txt", f"{A}.asc/x"]
)
def test_unexpected_file_excludes_the_contact(name: str) -> None:
    assert "does not belong here" in complaint(("bx-police/contact.yaml", FULL), (f"bx-police/{name}", A.encode()))


def test_unexpected_file_beside_the_folders_excludes_nobody() -> None:
    assert "does not belong here" in complaint((f"{A}.asc", A.encode()))


@pytest.mark.parametrize("folder", ["BX", "b x", "-b", "b_x", "ü"])
def test_folder_name_is_kept_plain(folder: str) -> None:
    assert "no name of a contact" in complaint((f"{folder}/contact.yaml", FULL))


def test_address_of_two_contacts_excludes_both() -> None:
    same = SMALL.replace(b"247cp@police.gov.s.example", b"247CP@police.gov.b.example")
    directory, complaints = parse(("bx-police/contact.yaml", FULL), ("sy-police/contact.yaml", same))
    assert directory.contacts == ()
    assert sorted(one.file for one in complaints) == ["bx-police", "sy-police"]


@pytest.mark.parametrize("other", [A, f"{B} {A}", f"{B} {C}"])
def test_key_or_subkey_of_two_contacts_excludes_both(other: str) -> None:
    first, second = f"{A} {C}", other
    directory, complaints = parse(
        ("bx-police/contact.yaml", FULL), (f"bx-police/{A}.asc", first.encode()),
        ("sy-police/contact.yaml", SMALL), (f"sy-police/{second.split()[0]}.asc", second.encode()),
    )  # fmt: skip
    assert directory.contacts == ()
    assert {one.file for one in complaints} == {"bx-police", "sy-police"}


def test_gpg_is_asked_once_for_all_keys() -> None:
    asked = []

    def count(files: Sequence[bytes]) -> tuple[PinnedKey | KeyRefused, ...]:
        asked.append(len(files))
        return inspect(files)

    files = (("bx-police/contact.yaml", FULL), (f"bx-police/{A}.asc", A.encode()), (f"bx-police/{B}.asc", B.encode()))
    parse_directory((*files, ("sy-police/contact.yaml", SMALL), (f"sy-police/{C}.asc", C.encode())), inspect=count)
    assert asked == [3]


def test_digest_tells_every_change_and_no_order() -> None:
    files = (("bx-police/contact.yaml", FULL), (f"bx-police/{A}.asc", A.encode()), ("sy-police/contact.yaml", SMALL))
    digest = parse(*files)[0].digest
    assert parse(*reversed(files))[0].digest == digest
    assert parse(*files[:2])[0].digest != digest
    assert parse(files[0], files[2])[0].digest != digest
    assert parse(*files[:2], (files[2][0], SMALL + b"# note\n"))[0].digest != digest
    assert len(digest) == 64


def test_book_and_signers_lead_to_the_contact() -> None:
    directory, _ = parse(("bx-police/contact.yaml", FULL), (f"bx-police/{A}.asc", f"{A} {B}".encode()))
    contact, address = book_of(directory)["cyber@police.gov.b.example"]
    assert (contact.id, address.joint) == ("bx-police", True)
    assert {name: one.id for name, one in signers_of(directory).items()} == {A: "bx-police", B: "bx-police"}


@given(st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=80)), max_size=6))
@settings(max_examples=100, deadline=None)
def test_no_folder_breaks_the_reader(files: list[tuple[str, bytes]]) -> None:
    def refuse(asked: Sequence[bytes]) -> tuple[PinnedKey | KeyRefused, ...]:
        return tuple(KeyRefused("is none", "make one") for _ in asked)

    parse_directory((*files, *((f"x/{name}", octets) for name, octets in files)), inspect=refuse)
