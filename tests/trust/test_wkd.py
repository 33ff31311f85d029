"""Our key as a Web Key Directory: names as GnuPG's own tool makes them, both layouts, and only for the key's own address."""

import subprocess
from pathlib import Path

import pytest
from gnupg_keys import make_correspondent
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.message import Address
from gateway.trust.openpgp_packets import Armor, dearmor
from gateway.trust.wkd import wkd_name, wkd_tree

TOOL = next((one for one in ("/usr/bin/gpg-wks-client", "/usr/lib/gnupg/gpg-wks-client") if Path(one).exists()), None)
OURS = Address("247cp", "institution.gov.example")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory):
    person = make_correspondent(tmp_path_factory.mktemp("k"), "24/7 Contact Point <247CP@institution.gov.example>")
    yield dearmor(person.armored, Armor.PUBLIC_KEY)
    person.end()


@pytest.mark.parametrize(
    ("local", "name"),
    [
        ("247cp", "9gkcm6xj1841ufmyfnmm898qxx1qdbxr"),
        ("247CP", "9gkcm6xj1841ufmyfnmm898qxx1qdbxr"),
        ("Joe.Doe", "iy9q119eutrkn8s1mk4r39qejnbu3n5q"),  # the draft's own example
    ],
)
def test_names_are_those_that_are_known(local: str, name: str) -> None:
    assert wkd_name(local) == name


@pytest.mark.skipif(TOOL is None, reason="needs gpg-wks-client")
@pytest.mark.parametrize("local", ["247cp", "24-7.Contact_Point", "a", "officer+duty"])
def test_names_are_those_of_gpg_wks_client(local: str) -> None:
    said = subprocess.run(
        [str(TOOL), "--print-wkd-hash", f"{local}@institution.gov.example"], capture_output=True, check=True, text=True
    )
    assert said.stdout.split()[0] == wkd_name(local)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_a_name_is_32_letters_of_zbase32(local: str) -> None:
    assert len(wkd_name(local)) == 32
    assert set(wkd_name(local)) <= set("ybndrfg8ejkmcpqxot1uwisza345h769")


def test_the_tree_has_both_layouts_and_their_policies(key: bytes) -> None:
    name = "9gkcm6xj1841ufmyfnmm898qxx1qdbxr"
    assert wkd_tree(OURS, key) == {
        f".well-known/openpgpkey/institution.gov.example/hu/{name}": key,
        ".well-known/openpgpkey/institution.gov.example/policy": b"",
        f".well-known/openpgpkey/hu/{name}": key,
        ".well-known/openpgpkey/policy": b"",
    }


@pytest.mark.skipif(TOOL is None, reason="needs gpg-wks-client")
def test_the_advanced_layout_is_that_of_gpg_wks_client(key: bytes, tmp_path: Path) -> None:
    (tmp_path / "institution.gov.example").mkdir()
    (tmp_path / "k").write_bytes(key)
    (tmp_path / "home").mkdir(mode=0o700)
    subprocess.run(
        [str(TOOL), "-C", str(tmp_path), "--install-key", str(tmp_path / "k"), "247cp@institution.gov.example"],
        check=True, capture_output=True, env={"GNUPGHOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    theirs = {
        str(one.relative_to(tmp_path)) for one in (tmp_path / "institution.gov.example").rglob("*") if one.is_file()
    }
    ours = {path.removeprefix(".well-known/openpgpkey/") for path in wkd_tree(OURS, key)}
    assert {one for one in theirs if "/hu/" in one} == {
        one for one in ours if one.startswith("institution") and "/hu/" in one
    }


def test_a_key_of_another_address_is_not_published(key: bytes) -> None:
    with pytest.raises(ValueError, match="no user ID with other@"):
        wkd_tree(Address("other", "institution.gov.example"), key)
