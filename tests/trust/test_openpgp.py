"""What unseal says about real mail made by real gpg: each attack beside its innocent twin."""

from datetime import timedelta

import pytest
from gnupg_keys import NOW, Correspondent
from sealed_mail import PART, encrypted_entity, mail, signed_entity

from gateway.mail.scan import scan
from gateway.model.trust import Contact, Result, Unsealed
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp import unseal


@pytest.fixture
def ask(home: GnupgHome, borduria: Contact, syldavia: Contact, own_fingerprint: str):
    signers = {f: one for one in (borduria, syldavia) for key in one.keys for f in (key.fingerprint, *key.subkeys)}

    def asked(entity: bytes, contact: Contact | None = borduria, at=NOW + timedelta(minutes=1), outer=None) -> Unsealed:
        content = mail(entity) if outer is None else mail(entity, outer)
        return unseal(scan(content), contact=contact, signers=signers, home=home, at=at)

    return asked


def test_good_signature_by_the_pinned_key_is_good(ask, police: Correspondent) -> None:
    found = ask(signed_entity(police.sign(PART)))
    assert found.good
    assert found.signatures[0].fingerprint == police.fingerprint
    assert found.results[0].result is Result.PASS
    assert not found.encrypted
    assert found.reasons == ()


def test_encrypted_and_signed_is_opened_and_good(ask, police: Correspondent, own_armored: bytes) -> None:
    found = ask(encrypted_entity(police.encrypt(PART, own_armored)))
    assert found.good
    assert found.encrypted
    assert found.decrypted
    assert found.content == PART


def test_wrong_key_with_the_same_user_id_is_never_good(ask, impostor: Correspondent) -> None:
    found = ask(signed_entity(impostor.sign(PART)))
    assert not found.good
    assert found.wrong
    assert found.signatures[0].reason == "unknown-key"
