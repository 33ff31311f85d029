"""What unseal says about real mail made by real gpg: each attack beside its innocent twin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gnupg_keys import NOW, Correspondent, armored, confident, make_correspondent, pinned
from sealed_mail import OUTER, PART, crlf, encrypted_entity, mail, multipart, signature_part, signed_entity

from gateway.mail.scan import scan
from gateway.model.trust import Contact, Result, Unsealed
from gateway.model.verdict import Reason
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp import unseal
from gateway.trust.openpgp_packets import Armor, Packet, Tag, dearmor, packets, serialized


@pytest.fixture
def ask(home: GnupgHome, borduria: Contact, syldavia: Contact, own_fingerprint: str):
    signers = {f: one for one in (borduria, syldavia) for key in one.keys for f in (key.fingerprint, *key.subkeys)}

    def asked(entity: bytes, contact: Contact | None = borduria, at=None, outer=None) -> Unsealed:
        at = at or datetime.now(UTC) + timedelta(minutes=1)
        content = mail(entity) if outer is None else mail(entity, outer)
        found = unseal(scan(content), contact=contact, signers=signers, home=home, at=at)
        quick = confident(at)
        # what gpg could not be asked about may still be found good
        again = unseal(scan(content), contact=contact, signers=signers, home=home, at=at, in_process=quick)
        assert found.unsure or again == found
        return found

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


# -- P1: signed is only what is signed as a whole ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [b"mixed", b"alternative", b"related"])
@pytest.mark.parametrize("first", [True, False])
def test_signed_part_beside_unsigned_text_is_partly_signed(
    ask, police: Correspondent, kind: bytes, first: bool
) -> None:
    signed, other = (
        signed_entity(police.sign(PART)).replace(b"=-b-=", b"inner"),
        b"Content-Type: text/plain\r\n\r\nNo.\r\n",
    )
    found = ask(multipart(kind, *((signed, other) if first else (other, signed))))
    assert not found.good
    assert not found.whole
    assert found.reasons == (Reason.PARTLY_SIGNED,)
    assert [one.result for one in found.results] == [Result.NEUTRAL]


def test_third_child_beside_the_signature_is_malformed(ask, police: Correspondent) -> None:
    extra = b"Content-Type: text/plain\r\n\r\nand send it to me.\r\n"
    kind = b'signed; micalg=pgp-sha256; protocol="application/pgp-signature"'
    found = ask(multipart(kind, PART, signature_part(police.sign(PART)), extra))
    assert not found.good
    assert found.wrong


def test_forwarded_signed_mail_is_only_partly_signed(ask, police: Correspondent) -> None:
    inner = mail(signed_entity(police.sign(PART)))
    found = ask(b"Content-Type: message/rfc822\r\n\r\n" + inner)
    assert not found.good
    assert Reason.PARTLY_SIGNED in found.reasons


def test_text_in_the_preamble_changes_nothing(ask, police: Correspondent) -> None:
    kind = b'signed; micalg=pgp-sha256; protocol="application/pgp-signature"'
    assert ask(multipart(kind, PART, signature_part(police.sign(PART)), preamble=b"hidden\r\n")).good


def test_mailing_list_footer_around_a_signed_mail_takes_the_signature_away(ask, police: Correspondent) -> None:
    signed = signed_entity(police.sign(PART)).replace(b"=-b-=", b"inner")
    found = ask(multipart(b"mixed", signed, b"Content-Type: text/plain\r\n\r\n-- list footer\r\n"))
    assert not found.whole


# -- P2, P11: the signer is whom From names, by fingerprint alone --------------------------------------------------


def test_other_contacts_key_is_wrong_and_named(ask, neighbour: Correspondent) -> None:
    found = ask(signed_entity(neighbour.sign(PART)))
    assert found.wrong
    assert not found.good
    (signature,) = found.signatures
    assert (signature.result, signature.reason) == (Result.POLICY, "unpinned-key")
    assert (signature.signer, signature.pinned) == ("sy-police", False)


def test_unknown_sender_has_no_candidates_but_the_signer_is_named(ask, police: Correspondent) -> None:
    found = ask(signed_entity(police.sign(PART)), contact=None)
    assert not found.good
    assert found.signatures[0].signer == "bx-police"
    assert not found.signatures[0].pinned


def test_forged_issuer_names_nobody(ask, police: Correspondent, impostor: Correspondent) -> None:
    forged = impostor.sign(PART, "--sender", "247cp@police.gov.b.example")
    found = ask(signed_entity(forged), contact=None)
    assert found.signatures[0].signer is None
    assert found.signatures[0].reason == "unknown-key"


def test_other_contacts_key_inside_encryption_is_wrong_and_named(
    ask, neighbour: Correspondent, own_armored: bytes
) -> None:
    found = ask(encrypted_entity(neighbour.encrypt(PART, own_armored)))
    assert found.decrypted
    assert found.wrong
    assert found.signatures[0].signer == "sy-police"
    assert not found.good


def test_our_own_key_signs_for_nobody(ask, home: GnupgHome, own_fingerprint: str, police: Correspondent) -> None:
    run = home.run(("--armor", "--detach-sign", "-u", own_fingerprint), stdin=PART, own=True)
    found = ask(signed_entity(run.stdout))
    assert found.wrong
    assert not found.good


# -- P4, P6, P7, P19: what is offered as a detached signature ------------------------------------------------------


@pytest.mark.parametrize("how", ["--sign", "--clearsign"])
def test_signed_message_is_no_detached_signature(ask, police: Correspondent, how: str) -> None:
    found = ask(signed_entity(police.gpg("--armor", how, data=PART)))
    assert not found.good
    assert found.wrong


def test_standalone_certification_is_no_document_signature(ask, police: Correspondent) -> None:
    octets = dearmor(police.armored, Armor.PUBLIC_KEY)
    certification = next(one for one in packets(octets) if one.tag == Tag.SIGNATURE)
    found = ask(signed_entity(armored(serialized(certification), Armor.SIGNATURE)))
    assert not found.good
    assert found.wrong


def test_two_armored_blocks_are_refused(ask, police: Correspondent) -> None:
    found = ask(signed_entity(police.sign(PART) + police.sign(PART)))
    assert not found.good
    assert found.signatures[0].reason == "malformed"


def test_inline_signed_text_is_never_more_than_recognised(ask, police: Correspondent) -> None:
    text = police.gpg("--clearsign", data=b"Please preserve 192.0.2.7\n").replace(b"\n", b"\r\n")
    found = ask(b"Content-Type: text/plain\r\n\r\n" + text)
    assert found.reasons == (Reason.INLINE_SIGNED,)
    assert not found.good
    assert not found.wrong
    assert found.signatures == ()


# -- P5: several signatures ----------------------------------------------------------------------------------------


def _several(*blocks: bytes) -> bytes:
    return armored(b"".join(dearmor(one, Armor.SIGNATURE) for one in blocks), Armor.SIGNATURE)


def test_two_good_signatures_of_the_same_contact_are_good(ask, police: Correspondent) -> None:
    found = ask(signed_entity(_several(police.sign(PART), police.sign(PART))))
    assert found.good
    assert len(found.signatures) == 2


@pytest.mark.parametrize("first", [True, False])
def test_unknown_signature_beside_a_good_one_is_not_good(ask, police, impostor, first: bool) -> None:
    both = (police.sign(PART), impostor.sign(PART))
    found = ask(signed_entity(_several(*(both if first else both[::-1]))))
    assert not found.good
    assert found.wrong
    assert len(found.signatures) == 2


@pytest.mark.parametrize("first", [True, False])
def test_bad_signature_beside_a_good_one_is_not_good(ask, police, first: bool) -> None:
    both = (police.sign(PART), police.sign(b"another text"))
    found = ask(signed_entity(_several(*(both if first else both[::-1]))))
    assert not found.good
    assert found.wrong
    assert len(found.signatures) == 2


def test_five_hundred_signatures_are_not_counted(ask, police: Correspondent) -> None:
    found = ask(signed_entity(_several(*[police.sign(PART)] * 500)))
    assert [one.reason for one in found.signatures] == ["too-many-signatures"]


def test_signature_of_an_unknown_version_beside_a_good_one_leaves_the_mail_unproved(ask, police: Correspondent) -> None:
    (good,) = packets(dearmor(police.sign(PART), Armor.SIGNATURE))
    future = Packet(Tag.SIGNATURE, b"\x06" + good.body[1:])
    found = ask(signed_entity(armored(serialized(good) + serialized(future), Armor.SIGNATURE)))
    assert not found.good
    assert not found.wrong
    assert [one.reason for one in found.signatures] == ["", "unsupported"]


# -- P8: time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (timedelta(minutes=9), ""),
        (timedelta(minutes=20), "signature-from-the-future"),
        (timedelta(days=-3), "signature-older-than-key"),
    ],
)
def test_time_of_signature_is_held_against_our_clock(ask, police: Correspondent, made: timedelta, reason: str) -> None:
    found = ask(signed_entity(police.sign(PART, "--ignore-time-conflict", at=NOW + made)), at=NOW)
    assert found.signatures[0].reason == reason
    assert found.good is (reason == "")


def test_old_signature_is_a_replay(ask, police: Correspondent) -> None:
    found = ask(signed_entity(police.sign(PART)), at=NOW + timedelta(days=15))
    assert found.signatures[0].reason == "signature-too-old"
    assert found.wrong


def test_expired_signature_is_not_good(ask, police: Correspondent) -> None:
    found = ask(signed_entity(police.sign(PART, "--default-sig-expire", "1d")), at=NOW + timedelta(days=3))
    assert found.signatures[0].reason == "signature-expired"


def test_expired_key_is_a_state_and_not_a_wrong_key(ask, home: GnupgHome, folder: Path, borduria: Contact) -> None:
    person = make_correspondent(folder, "Short <s@police.gov.b.example>", expires="3d")
    contact = replace(borduria, keys=(pinned(home, person.armored),))
    signed = signed_entity(person.sign(PART))
    assert ask(signed, contact=contact).good
    found = ask(signed, contact=contact, at=NOW + timedelta(days=5))
    person.end()
    assert not found.good
    assert not found.wrong
    assert found.reasons == (Reason.KEY_EXPIRED,)


def test_revoked_key_is_a_state_and_not_good(ask, home: GnupgHome, folder: Path, borduria: Contact) -> None:
    person = make_correspondent(folder, "Gone <g@police.gov.b.example>")
    signed = signed_entity(person.sign(PART))
    before, after = (pinned(home, one) for one in (person.armored, person.revoked()))
    person.end()
    assert ask(signed, contact=replace(borduria, keys=(before,))).good
    found = ask(signed, contact=replace(borduria, keys=(after,)))
    assert not found.good
    assert found.reasons == (Reason.KEY_REVOKED,)
    assert ask(signed, contact=replace(borduria, keys=(replace(before, revoked=True),))).reasons == (
        Reason.KEY_REVOKED,
    )


def test_contact_past_its_date_loses_signed_alone(ask, police: Correspondent, borduria: Contact) -> None:
    found = ask(signed_entity(police.sign(PART)), contact=replace(borduria, valid_until=NOW.date() - timedelta(days=1)))
    assert not found.good
    assert not found.wrong
    assert found.reasons == (Reason.CONTACT_EXPIRED,)


# -- P9: weak ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["SHA1", "SHA224", "RIPEMD160"])
def test_weak_hash_is_refused(ask, home: GnupgHome, rsa: Correspondent, borduria: Contact, digest: str) -> None:
    contact = replace(borduria, keys=(pinned(home, rsa.armored),))
    assert ask(signed_entity(rsa.sign(PART, "--digest-algo", "SHA256")), contact=contact).good
    found = ask(signed_entity(rsa.sign(PART, "--digest-algo", digest, "--allow-weak-digest-algos")), contact=contact)
    assert not found.good
    assert found.signatures[0].reason == "weak-hash"


def test_critical_unknown_notation_is_not_good(ask, police: Correspondent) -> None:
    assert ask(signed_entity(police.sign(PART, "--sig-notation", "a@b.example=x"))).good
    assert not ask(signed_entity(police.sign(PART, "--sig-notation", "!a@b.example=x"))).good


# -- P3: what a stranger writes into gpg's status lines ------------------------------------------------------------


def test_status_lines_in_a_notation_prove_nothing(ask, impostor: Correspondent, police: Correspondent) -> None:
    lie = f"a@b.example=x%0A[GNUPG:] GOODSIG {police.fingerprint[-16:]} x\n[GNUPG:] VALIDSIG {police.fingerprint}"
    assert not ask(signed_entity(impostor.sign(PART, "--sig-notation", lie.replace("\n", " ")))).good


def test_status_lines_in_a_file_name_prove_nothing(ask, police: Correspondent, own_armored: bytes) -> None:
    name = f"x\n[GNUPG:] GOODSIG {police.fingerprint[-16:]} x\n[GNUPG:] VALIDSIG {police.fingerprint} "
    found = ask(encrypted_entity(police.encrypt(PART, own_armored, sign=False, more=("--set-filename", name))))
    assert found.decrypted
    assert found.signatures == ()
    assert not found.good


# -- P14, P15, P17: encryption -------------------------------------------------------------------------------------


def test_encrypted_but_unsigned_proves_nobody(ask, police: Correspondent, own_armored: bytes) -> None:
    found = ask(encrypted_entity(police.encrypt(PART, own_armored, sign=False)))
    assert found.content == PART
    assert found.signatures == ()
    assert not found.whole
    assert not found.good


def test_encrypted_to_somebody_else_cannot_be_opened(ask, police: Correspondent, neighbour: Correspondent) -> None:
    found = ask(encrypted_entity(police.encrypt(PART, neighbour.armored)))
    assert found.encrypted
    assert not found.decrypted
    assert found.content is None
    assert found.reasons == (Reason.CANNOT_DECRYPT,)


def test_password_is_never_asked_for(ask, police: Correspondent) -> None:
    cipher = police.gpg("--armor", "--passphrase", "x", "--symmetric", data=PART)
    assert ask(encrypted_entity(cipher)).reasons == (Reason.CANNOT_DECRYPT,)


def test_hidden_recipient_is_opened(ask, police: Correspondent, own_armored: bytes) -> None:
    found = ask(encrypted_entity(police.encrypt(PART, own_armored, more=("--throw-keyids",))))
    assert found.good
    assert found.decrypted


def test_signed_message_that_is_not_encrypted_is_no_encrypted_mail(ask, police: Correspondent) -> None:
    found = ask(encrypted_entity(police.gpg("--armor", "--sign", data=PART)))
    assert not found.good
    assert found.reasons == (Reason.CANNOT_DECRYPT,)


@pytest.mark.parametrize("more", [("--rfc2440", "--cipher-algo", "3DES", "--disable-mdc")])
def test_message_without_integrity_protection_is_thrown_away(
    ask, police, own_armored: bytes, more: tuple[str, ...]
) -> None:
    found = ask(encrypted_entity(police.encrypt(PART, own_armored, sign=False, more=more)))
    assert found.content is None
    assert Reason.CANNOT_DECRYPT in found.reasons


@pytest.mark.parametrize("at", [-1, -30, -60])
def test_damaged_message_is_thrown_away(ask, police: Correspondent, own_armored: bytes, at: int) -> None:
    octets = bytearray(dearmor(police.encrypt(PART, own_armored, more=("--compress-algo", "none")), Armor.MESSAGE))
    octets[at] ^= 1
    found = ask(encrypted_entity(armored(bytes(octets), Armor.MESSAGE)))
    assert found.content is None
    assert not found.good


def test_two_messages_in_one_block_are_refused(ask, police: Correspondent, own_armored: bytes) -> None:
    octets = dearmor(police.encrypt(PART, own_armored), Armor.MESSAGE)
    assert ask(encrypted_entity(armored(octets * 2, Armor.MESSAGE))).content is None


def test_compression_bomb_is_cut_off(
    police: Correspondent, own_armored: bytes, home: GnupgHome, borduria: Contact
) -> None:
    cipher = police.encrypt(b"\0" * 80_000_000, own_armored, more=("--compress-algo", "zlib", "--compress-level", "9"))
    found = unseal(scan(mail(encrypted_entity(cipher))), contact=borduria, signers={}, home=home, at=datetime.now(UTC))
    assert len(cipher) < 400_000
    assert found.content is None
    assert found.reasons == (Reason.CANNOT_DECRYPT,)


def test_bad_signature_inside_encryption_is_wrong_but_readable(ask, police: Correspondent, own_armored: bytes) -> None:
    signed = signed_entity(police.sign(b"another text"))
    found = ask(encrypted_entity(police.encrypt(signed, own_armored, sign=False)))
    assert found.wrong
    assert found.content == signed


def test_signed_mail_inside_an_encrypted_one_is_good(ask, police: Correspondent, own_armored: bytes) -> None:
    found = ask(encrypted_entity(police.encrypt(signed_entity(police.sign(PART)), own_armored, sign=False)))
    assert found.good
    assert found.whole


def test_partly_signed_mail_inside_an_encrypted_one_is_not_good(ask, police: Correspondent, own_armored: bytes) -> None:
    part = signed_entity(police.sign(PART)).replace(b"=-b-=", b"inner")
    mixed = multipart(b"mixed", part, b"Content-Type: text/plain\r\n\r\nNo.\r\n")
    found = ask(encrypted_entity(police.encrypt(mixed, own_armored, sign=False)))
    assert not found.good
    assert Reason.PARTLY_SIGNED in found.reasons


def test_text_mode_comes_back_with_crlf(ask, police: Correspondent, own_armored: bytes) -> None:
    found = ask(encrypted_entity(police.encrypt(PART, own_armored, more=("--textmode",))))
    assert found.content == PART
    assert found.good


def test_encrypted_attachment_is_not_opened(ask, police: Correspondent, own_armored: bytes) -> None:
    inner = encrypted_entity(police.encrypt(PART, own_armored)).replace(b"=-b-=", b"inner")
    found = ask(multipart(b"mixed", b"Content-Type: text/plain\r\n\r\nSee below.\r\n", inner))
    assert found.encrypted
    assert not found.decrypted
    assert found.reasons == (Reason.CANNOT_DECRYPT,)


def test_signature_around_an_encrypted_part_does_not_open_it(ask, police: Correspondent, own_armored: bytes) -> None:
    inner = encrypted_entity(police.encrypt(PART, own_armored)).replace(b"=-b-=", b"inner")
    found = ask(signed_entity(police.sign(inner), inner))
    assert found.encrypted
    assert not found.decrypted
    assert Reason.CANNOT_DECRYPT in found.reasons


def test_more_recipients_than_anybody_has_are_refused(ask, police: Correspondent, own_armored: bytes) -> None:
    key, *rest = packets(dearmor(police.encrypt(PART, own_armored), Armor.MESSAGE))
    few, many = (
        armored(b"".join(serialized(one) for one in (*[key] * times, *rest)), Armor.MESSAGE) for times in (2, 101)
    )
    assert ask(encrypted_entity(few)).good
    assert ask(encrypted_entity(many)).reasons == (Reason.CANNOT_DECRYPT,)


def _literal(content: bytes) -> bytes:
    return serialized(Packet(11, b"b\x00" + bytes(4) + content))


EVIL = PART.replace(b"192.0.2.7", b"192.0.2.66")


@pytest.mark.parametrize(
    "arranged",
    [
        lambda once, sig, text: _literal(EVIL) + once + text + sig,
        lambda once, sig, text: once + _literal(EVIL) + text + sig,
        lambda once, sig, text: once + text + sig + _literal(EVIL),
        lambda once, sig, text: once + text + _literal(EVIL) + sig,
        lambda once, sig, text: _literal(EVIL) + sig,
        lambda once, sig, text: sig + _literal(EVIL),
        lambda once, sig, text: once + _literal(EVIL) + sig,
        lambda once, sig, text: serialized(Packet(8, b"\x00" + _literal(EVIL))) + once + text + sig,
        lambda once, sig, text: once + serialized(Packet(8, b"\x00" + _literal(EVIL))) + sig,
        lambda once, sig, text: once + text + sig + once + _literal(EVIL) + sig,
    ],
)
def test_rearranged_packets_inside_encryption_are_never_good(ask, police, own_armored: bytes, arranged) -> None:
    octets = dearmor(police.gpg("--armor", "--compress-algo", "none", "--sign", data=PART), Armor.MESSAGE)
    once, text, sig = (serialized(one) for one in packets(octets))
    honest = ask(encrypted_entity(police.encrypt(once + text + sig, own_armored, sign=False, more=("--no-literal",))))
    assert honest.good
    assert honest.content == PART
    found = ask(
        encrypted_entity(police.encrypt(arranged(once, sig, text), own_armored, sign=False, more=("--no-literal",)))
    )
    assert not found.good


def test_ambiguous_header_inside_encryption_takes_the_signature_away(
    ask, police: Correspondent, own_armored: bytes
) -> None:
    signed = b"Content-Type: text/html\r\n" + signed_entity(police.sign(PART))
    found = ask(encrypted_entity(police.encrypt(signed, own_armored, sign=False)))
    assert not found.good
    assert Reason.DUPLICATED_SINGLETON in found.reasons


# -- P10: keys that come by mail -----------------------------------------------------------------------------------


def test_key_within_the_signature_is_not_taken(ask, impostor: Correspondent) -> None:
    signature = impostor.sign(PART, "--include-key-block")
    assert len(signature) > 600
    for _ in range(2):
        assert ask(signed_entity(signature)).signatures[0].reason == "unknown-key"


def test_attached_key_is_not_taken(ask, impostor: Correspondent) -> None:
    attached = b"Content-Type: application/pgp-keys\r\n\r\n" + impostor.armored.replace(b"\n", b"\r\n")
    payload = multipart(b"mixed", PART, attached).replace(b"=-b-=", b"inner")
    found = ask(signed_entity(impostor.sign(payload), payload))
    assert found.signatures[0].reason == "unknown-key"


# -- P22: forms that gateways make of PGP/MIME ---------------------------------------------------------------------


CONTROL = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
EMPTY = b"Content-Type: text/plain\r\n\r\n\r\n"
NOTE = b"Content-Type: text/plain\r\n\r\nScanned and found clean.\r\n"
BINARY = b"Content-Type: application/octet-stream\r\n\r\n"


@pytest.fixture
def cipher(police: Correspondent, own_armored: bytes) -> bytes:
    return BINARY + crlf(police.encrypt(PART, own_armored))


@pytest.mark.parametrize("before", [(EMPTY,), ()])
def test_encrypted_mail_that_exchange_rearranged_is_opened_and_good(ask, cipher: bytes, before) -> None:
    found = ask(multipart(b"mixed", *before, CONTROL, cipher))
    assert found.content == PART
    assert found.good
    assert found.reasons == (Reason.PGP_MIME_REPAIRED,)


@pytest.mark.parametrize(
    "arranged",
    [
        lambda cipher: multipart(b"mixed", EMPTY, CONTROL, cipher, preamble=b"Read this first.\r\n\r\n"),
        lambda cipher: multipart(b"mixed", EMPTY, CONTROL, cipher) + b"Read this last.\r\n",
        lambda cipher: multipart(b"mixed", EMPTY, CONTROL.replace(b"Version: 1", b"Version: 1\r\nRead this"), cipher),
        lambda cipher: multipart(b"mixed", EMPTY, CONTROL, cipher.replace(b"octet-stream", b"pgp")),
    ],
)
def test_rearranged_mail_with_anything_more_is_opened_and_proves_nobody(ask, cipher: bytes, arranged) -> None:
    found = ask(arranged(cipher))
    assert found.content == PART
    assert not found.whole
    assert not found.good
    assert found.reasons == (Reason.PGP_MIME_REPAIRED,)


@pytest.mark.parametrize(
    "arranged",
    [
        lambda cipher: multipart(b"mixed", NOTE, CONTROL, cipher),
        lambda cipher: multipart(b"mixed", EMPTY, CONTROL, cipher, NOTE),
        lambda cipher: multipart(b"mixed", EMPTY.replace(b"plain", b"html"), CONTROL, cipher),
        lambda cipher: multipart(b"mixed", EMPTY.replace(b"plain", b'plain; name="read-this.txt"'), CONTROL, cipher),
        lambda cipher: multipart(b"alternative", EMPTY, CONTROL, cipher),
    ],
)
def test_encrypted_part_beside_something_to_see_is_not_opened_and_said(ask, cipher: bytes, arranged) -> None:
    found = ask(arranged(cipher))
    assert found.content is None
    assert found.encrypted
    assert Reason.CANNOT_DECRYPT in found.reasons
    assert Reason.PGP_MIME_REPAIRED not in found.reasons


def test_signed_mail_that_became_mixed_is_good_if_its_bytes_are_the_same(ask, police: Correspondent) -> None:
    found = ask(multipart(b"mixed", PART, signature_part(police.sign(PART))))
    assert found.good
    assert found.reasons == (Reason.PGP_MIME_REPAIRED,)


def test_signed_mail_that_became_mixed_and_changed_accuses_nobody(ask, police: Correspondent) -> None:
    found = ask(multipart(b"mixed", PART.replace(b"Please", b"Do not"), signature_part(police.sign(PART))))
    assert not found.good
    assert not found.wrong
    assert (found.results[0].result, found.results[0].reason) == (Result.NEUTRAL, "changed-on-the-way")
    assert found.reasons == ()


def test_signed_mail_that_became_mixed_is_still_held_against_the_pinned_keys(
    ask, impostor: Correspondent, neighbour: Correspondent
) -> None:
    for stranger in (impostor, neighbour):
        found = ask(multipart(b"mixed", PART, signature_part(stranger.sign(PART))))
        assert not found.good
        assert found.wrong
        # A key that nobody knows cannot tell whether the bytes are those that were signed.
        assert (Reason.PGP_MIME_REPAIRED in found.reasons) is (stranger is neighbour)


@pytest.mark.parametrize(
    "around",
    [
        lambda signature: multipart(b"mixed", PART, signature, NOTE),
        lambda signature: multipart(b"mixed", NOTE, PART, signature),
        lambda signature: multipart(b"mixed", PART, signature, preamble=b"Read this first.\r\n"),
        lambda signature: multipart(b"mixed", PART, signature) + b"Read this last.\r\n",
        lambda signature: multipart(b"related", PART, signature),
        lambda signature: multipart(b"alternative", PART, signature),
    ],
)
def test_mixed_mail_with_anything_more_than_its_signature_is_unsigned(ask, police: Correspondent, around) -> None:
    found = ask(around(signature_part(police.sign(PART))))
    assert not found.whole
    assert found.signatures == ()


def test_mixed_mail_inside_encryption_is_not_repaired(ask, police: Correspondent, own_armored: bytes) -> None:
    inner = multipart(b"mixed", PART, signature_part(police.sign(PART))).replace(b"=-b-=", b"inner")
    found = ask(encrypted_entity(police.encrypt(inner, own_armored, sign=False)))
    assert found.signatures == ()
    assert not found.whole


def test_lost_protocol_parameter_is_said_and_changes_nothing(ask, police: Correspondent) -> None:
    lost = signed_entity(police.sign(PART)).replace(b'; protocol="application/pgp-signature"', b"")
    assert ask(lost).good
    assert ask(lost).reasons == (Reason.PGP_MIME_REPAIRED,)
    changed = ask(lost.replace(b"Please", b"Do not"))
    assert changed.wrong
    assert changed.reasons == ()


def test_inline_encrypted_text_is_opened_but_proves_nobody(ask, police: Correspondent, own_armored: bytes) -> None:
    cipher = police.encrypt(b"Please preserve.\n", own_armored).replace(b"\n", b"\r\n")
    found = ask(b"Content-Type: text/plain\r\n\r\n" + cipher)
    assert found.content is not None
    assert found.content.endswith(b"Please preserve.\r\n")
    assert not found.good


# -- P13: header protection ----------------------------------------------------------------------------------------


def _protected(subject: bytes, how: bytes) -> bytes:
    return b"Content-Type: text/plain; " + how + b"\r\nSubject: " + subject + b"\r\n\r\nPlease.\r\n"


@pytest.mark.parametrize("how", [b'hp="clear"', b'protected-headers="v1"'])
@pytest.mark.parametrize(
    ("subject", "differs"), [(b"Request 7", False), (b"=?utf-8?q?Request_7?=", False), (b"Other", True)]
)
def test_protected_subject_is_held_against_the_outer_one(
    ask, police, how: bytes, subject: bytes, differs: bool
) -> None:
    payload = _protected(subject, how)
    found = ask(signed_entity(police.sign(payload), payload))
    assert found.good
    assert (Reason.SUBJECT_DIFFERS in found.reasons) is differs


@pytest.mark.parametrize(
    ("outer", "copy", "differs"),
    [
        (b"...", b"", False),
        (b"[...]", b"HP-Outer: Subject: [...]\r\n", False),
        (b"Bill", b"HP-Outer: Subject: Bill\r\n", False),
        (b"Bill", b"", True),
    ],
)
def test_subject_hidden_by_encryption_is_no_difference(ask, police, own_armored, outer, copy, differs: bool) -> None:
    payload = copy + _protected(b"Secret", b'hp="cipher"')
    found = ask(encrypted_entity(police.encrypt(payload, own_armored)), outer=OUTER.replace(b"Request 7", outer))
    assert found.good
    assert (Reason.SUBJECT_DIFFERS in found.reasons) is differs


FULL = (
    b'Content-Type: text/plain; hp="clear"\r\nFrom: Borduria <247cp@police.gov.b.example>\r\nSubject: Request 7\r\n'
    b"Date: Mon, 01 Jun 2026 12:00:00 +0000\r\n\r\nPlease.\r\n"
)


def test_good_signature_covers_the_protected_fields_that_agree(ask, police: Correspondent) -> None:
    assert ask(signed_entity(police.sign(FULL), FULL)).results[0].covers == ("from", "subject", "date")
    other = FULL.replace(b"Request 7", b"Request 8")
    assert ask(signed_entity(police.sign(other), other)).results[0].covers == ("from", "date")
    assert ask(signed_entity(police.sign(PART))).results[0].covers == ()


def test_signature_that_is_not_good_covers_nothing(ask, police: Correspondent, impostor: Correspondent) -> None:
    assert ask(signed_entity(impostor.sign(FULL), FULL)).results[0].covers == ()
    assert ask(signed_entity(police.sign(FULL), FULL.replace(b"Please", b"No"))).results[0].covers == ()


@pytest.mark.parametrize("inside", [b"247cp@police.gov.s.example", b"247cp@police.gov.b.example, x@a.example", b""])
def test_other_author_inside_takes_the_signature_away(ask, police, own_armored, inside: bytes) -> None:
    payload = FULL.replace(b"Borduria <247cp@police.gov.b.example>", inside)
    for entity in (
        signed_entity(police.sign(payload), payload),
        encrypted_entity(police.encrypt(payload, own_armored)),
    ):
        found = ask(entity)
        assert Reason.PROTECTED_FROM_DIFFERS in found.reasons
        assert not found.good
        assert found.results[0].covers == ()


def test_fields_of_a_signed_payload_inside_encryption_are_compared(ask, police, own_armored: bytes) -> None:
    payload = FULL.replace(b'hp="clear"', b'hp="cipher"').replace(b"Request 7", b"Request 8")
    inner = signed_entity(police.sign(payload), payload).replace(b"=-b-=", b"inner")
    found = ask(encrypted_entity(police.encrypt(inner, own_armored, sign=False)))
    assert found.good
    assert Reason.SUBJECT_DIFFERS in found.reasons


# -- P23, and mail without any seal --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "encrypted"),
    [
        (b'application/pkcs7-mime; smime-type="signed-data"', False),
        (b'application/pkcs7-mime; smime-type="enveloped-data"', True),
    ],
)
def test_smime_is_named_and_proves_nobody(ask, head: bytes, encrypted: bool) -> None:
    found = ask(b"Content-Type: " + head + b"\r\n\r\nMIIB\r\n")
    assert Reason.SMIME_UNSUPPORTED in found.reasons
    assert found.encrypted is encrypted
    assert not found.good
    assert not found.wrong


def test_smime_detached_signature_is_named(ask) -> None:
    kind = b'signed; protocol="application/pkcs7-signature"'
    found = ask(multipart(kind, PART, b"Content-Type: application/pkcs7-signature\r\n\r\nMIIB\r\n"))
    assert found.reasons == (Reason.SMIME_UNSUPPORTED,)


def test_plain_mail_has_no_results(ask) -> None:
    assert ask(PART) == Unsealed()


# -- bytes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"), [(b"preserve", b"Preserve"), (b"192.0.2.7.", b"192.0.2.7. "), (b"text/plain;", b"text/plain; ")]
)
def test_one_changed_byte_makes_a_signature_bad(ask, police: Correspondent, old: bytes, new: bytes) -> None:
    found = ask(signed_entity(police.sign(PART), PART.replace(old, new)))
    assert not found.good
    assert found.signatures[0].reason == "bad-signature"


def test_file_saved_with_lf_is_still_good(ask, police: Correspondent, home: GnupgHome, borduria: Contact) -> None:
    content = mail(signed_entity(police.sign(PART))).replace(b"\r\n", b"\n")
    assert unseal(scan(content), contact=borduria, signers={}, home=home, at=datetime.now(UTC)).good


# -- not knowing ---------------------------------------------------------------------------------------------------


def test_gpg_that_cannot_be_run_is_temperror(
    ask, police: Correspondent, own_armored, folder: Path, monkeypatch
) -> None:
    signed, cipher = signed_entity(police.sign(PART)), encrypted_entity(police.encrypt(PART, own_armored))
    monkeypatch.setenv("PATH", str(folder))
    for entity in (signed, cipher):
        found = ask(entity)
        assert found.unsure
        assert not found.good
        assert not found.wrong
        assert [one.result for one in found.results] == [Result.TEMPERROR]
