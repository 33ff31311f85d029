"""Our own mail, sealed by us and opened by others' gpg and dkimpy."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from gnupg_keys import NOW, Correspondent, make_correspondent, pinned
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_mail import PART, encrypted_entity, mail, signed_entity

from gateway.errors import SealFailed
from gateway.mail.scan import scan
from gateway.model.settings import Dkim
from gateway.model.trust import Contact
from gateway.trust.dkim_sign import SIGNED, load_key, sign_dkim
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp import unseal
from gateway.trust.openpgp_packets import Armor, dearmor, recipient_ids
from gateway.trust.seal import Sealer

DKIM_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: object) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def sealer(home: GnupgHome, own_fingerprint: str, folder: Path) -> Sealer:
    (folder / "dkim.pem").write_bytes(_pem(DKIM_KEY))
    return Sealer(
        home=home,
        signing_key=own_fingerprint,
        dkim=Dkim(domain="institution.gov.example", key=str(folder / "dkim.pem")),
    )


def _us(sealer: Sealer) -> Contact:
    return Contact(id="us", name="Us", country="XX", addresses=(), keys=(sealer.own_key,))


# -- signing -----------------------------------------------------------------------------------------------------------


def test_counterpart_verifies_what_we_sign(
    sealer: Sealer, police: Correspondent, own_armored: bytes, tmp_path: Path
) -> None:
    signature, micalg = sealer.sign(PART)
    (tmp_path / "s.asc").write_bytes(signature)
    (tmp_path / "p").write_bytes(PART)
    police.gpg("--import", data=own_armored)
    police.gpg("--verify", str(tmp_path / "s.asc"), str(tmp_path / "p"))
    assert micalg == "pgp-sha256"


def test_we_verify_what_we_sign(sealer: Sealer, home: GnupgHome) -> None:
    signature, _ = sealer.sign(PART)
    assert unseal(
        scan(mail(signed_entity(signature))), contact=_us(sealer), signers={}, home=home, at=datetime.now(UTC)
    ).good


def test_signing_key_that_is_not_there_fails(home: GnupgHome) -> None:
    with pytest.raises(SealFailed):
        Sealer(home=home, signing_key="A" * 40, dkim=Dkim(domain="x.example")).sign(PART)


def test_missing_gpg_fails(sealer: Sealer, tmp_path: Path, monkeypatch) -> None:
    keys = (sealer.own_key,)
    monkeypatch.setenv("PATH", str(tmp_path))
    fresh = Sealer(home=sealer.home, signing_key=sealer.signing_key, dkim=sealer.dkim)
    for seal in (lambda: fresh.sign(PART), lambda: fresh.encrypt(PART, keys=keys)):
        with pytest.raises(SealFailed):
            seal()


def test_own_keys_are_named_in_full_and_short(sealer: Sealer, own_fingerprint: str) -> None:
    assert own_fingerprint in sealer.own_keys
    assert own_fingerprint[-16:] in sealer.own_keys
    assert len(sealer.own_keys) == 6


def test_prepared_sealer_needs_its_key_file_no_more(sealer: Sealer, tmp_path: Path) -> None:
    key = tmp_path / "dkim.pem"
    key.write_bytes(_pem(DKIM_KEY))
    ready = Sealer(home=sealer.home, signing_key=sealer.signing_key, dkim=Dkim(domain="x.example", key=str(key)))
    ready.prepare()
    key.unlink()
    assert ready.dkim_field(b"From: a@x.example\r\n\r\n", at=NOW)


def test_keys_that_are_not_there_are_missed_only_when_they_are_needed(home: GnupgHome, tmp_path: Path) -> None:
    lost = Sealer(home=home, signing_key="A" * 40, dkim=Dkim(domain="x.example", key=str(tmp_path / "none.pem")))
    lost.prepare()
    with pytest.raises(SealFailed):
        lost.sign(PART)
    with pytest.raises(SealFailed):
        lost.dkim_field(b"\r\n", at=NOW)


# -- encrypting --------------------------------------------------------------------------------------------------------


def test_counterpart_opens_and_verifies_what_we_encrypt(
    sealer, police: Correspondent, borduria: Contact, own_armored
) -> None:
    cipher = sealer.encrypt(PART, keys=borduria.keys)
    police.gpg("--import", data=own_armored)
    command = [
        "gpg",
        "--homedir",
        str(police.home),
        "--batch",
        "--trust-model",
        "always",
        "--status-fd",
        "2",
        "--decrypt",
    ]
    done = subprocess.run(command, input=cipher, capture_output=True, check=True)
    assert done.stdout == PART
    assert b"GOODSIG" in done.stderr


def test_we_can_read_what_we_encrypt(sealer: Sealer, borduria: Contact, home: GnupgHome) -> None:
    cipher = sealer.encrypt(PART, keys=borduria.keys)
    found = unseal(
        scan(mail(encrypted_entity(cipher))), contact=_us(sealer), signers={}, home=home, at=datetime.now(UTC)
    )
    assert found.good
    assert found.content == PART


def test_recipients_are_exactly_those_wanted_and_us(sealer: Sealer, borduria: Contact, syldavia: Contact) -> None:
    keys = (*borduria.keys, *syldavia.keys)
    named = recipient_ids(dearmor(sealer.encrypt(PART, keys=keys), Armor.MESSAGE))
    assert len(named) == 3
    for key in (*keys, sealer.own_key):
        assert sum(any(f.endswith(one) for f in key.subkeys) for one in named) == 1


def test_encrypting_to_nobody_fails(sealer: Sealer) -> None:
    with pytest.raises(SealFailed, match="no key"):
        sealer.encrypt(PART, keys=())


def test_expired_revoked_and_unsuitable_keys_fail(
    sealer: Sealer, home: GnupgHome, folder: Path, rsa: Correspondent
) -> None:
    born = int((NOW - timedelta(days=9)).timestamp())
    old = make_correspondent(folder, "Old <old@police.gov.b.example>", expires="5d", at=born)
    gone = make_correspondent(folder, "Gone <gone@police.gov.b.example>")
    for key_file in (old.armored, gone.revoked(), rsa.armored):
        with pytest.raises(SealFailed):
            sealer.encrypt(PART, keys=(pinned(home, key_file),))
    old.end()
    gone.end()


def test_key_that_gpg_does_not_name_again_fails(sealer: Sealer, borduria: Contact, syldavia: Contact) -> None:
    """A pinned key whose packets are another key's: what comes out is read again, and does not leave."""
    swapped = replace(borduria.keys[0], fingerprint=syldavia.keys[0].fingerprint, packets=syldavia.keys[0].packets)
    with pytest.raises(SealFailed, match="exactly the keys"):
        sealer.encrypt(PART, keys=(swapped,))


def test_own_key_among_the_keys_is_named_once(sealer: Sealer, borduria: Contact) -> None:
    cipher = sealer.encrypt(PART, keys=(*borduria.keys, sealer.own_key))
    assert len(recipient_ids(dearmor(cipher, Armor.MESSAGE))) == 2


# -- what a client encrypted to ----------------------------------------------------------------------------------------


def test_recipients_of_a_clients_mail_are_read(sealer: Sealer, police, borduria: Contact, own_armored: bytes) -> None:
    cipher = police.encrypt(PART, own_armored, police.armored)
    named = sealer.recipients_of(scan(mail(encrypted_entity(cipher))))
    assert len(named) == 2
    assert named & sealer.own_keys
    assert any(borduria.keys[0].subkeys[0].endswith(one) for one in named)


def test_plain_or_broken_mail_has_no_recipients(sealer: Sealer) -> None:
    assert sealer.recipients_of(scan(mail(PART))) == frozenset()
    assert sealer.recipients_of(scan(mail(encrypted_entity(b"nonsense")))) == frozenset()
    assert sealer.recipients_of(scan(mail(b"Content-Type: multipart/encrypted; boundary=x\r\n\r\n"))) == frozenset()


# -- DKIM --------------------------------------------------------------------------------------------------------------


def _record(_name: bytes, timeout: float = 5) -> bytes:
    public = DKIM_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])


def _verifies(content: bytes) -> bool:
    return bool(dkim.verify(content, dnsfunc=_record))


MAIL = mail(PART)


def test_dkimpy_verifies_our_signature(sealer: Sealer) -> None:
    field = sealer.dkim_field(MAIL, at=NOW)
    assert _verifies(field + MAIL)
    assert max(len(line) for line in field.split(b"\r\n")) <= 78
    assert field.isascii()
    assert message_from_bytes(field + MAIL)["DKIM-Signature"]


@pytest.mark.parametrize("name", SIGNED)
def test_no_signed_field_can_be_added_or_doubled(sealer: Sealer, name: str) -> None:
    content = sealer.dkim_field(MAIL, at=NOW) + MAIL
    assert not _verifies(f"{name}: x@evil.example\r\n".encode() + content)


def test_body_and_fields_are_covered(sealer: Sealer) -> None:
    content = sealer.dkim_field(MAIL, at=NOW) + MAIL
    assert not _verifies(content.replace(b"preserve", b"disclose"))
    assert not _verifies(content.replace(b"Request 7", b"Request 8"))
    assert _verifies(b"Received: by x.example\r\n" + content)


@given(
    subject=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    folded=st.booleans(),
    body=st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30), max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_dkimpy_verifies_whatever_we_sign(subject: str, folded: bool, body: list[str]) -> None:
    fold = "\r\n\t" if folded else " "
    content = (
        f"From: a@x.example\r\nSubject: {fold}x {subject}\r\nDate:  now \t x\r\n\r\n".encode()
        + "\r\n".join(body).encode()
        + b"\r\n"
    )
    assert _verifies(sign_dkim(content, key=DKIM_KEY, domain="x.example", selector="s", at=NOW) + content)


def test_dkim_key_that_is_none_fails(tmp_path: Path) -> None:
    (tmp_path / "ed.pem").write_bytes(_pem(ed25519.Ed25519PrivateKey.generate()))
    (tmp_path / "bad.pem").write_text("nonsense")
    for name in ("ed.pem", "bad.pem", "none.pem"):
        with pytest.raises(SealFailed, match=name):
            load_key(str(tmp_path / name))
