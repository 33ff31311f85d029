"""Builds PGP/MIME mail around given octets the way a client does, byte for byte."""

CRLF = b"\r\n"
PART = b"Content-Type: text/plain; charset=utf-8\r\n\r\nPlease preserve the data of 192.0.2.7.\r\n"
OUTER = (
    b"From: Borduria <247cp@police.gov.b.example>\r\nTo: 247cp@institution.gov.example\r\n"
    b"Subject: Request 7\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\nMessage-ID: <1@police.gov.b.example>\r\n"
    b"MIME-Version: 1.0\r\n"
)


def crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def multipart(kind: bytes, *parts: bytes, preamble: bytes = b"") -> bytes:
    """An entity: its Content-Type field, an empty line, and the parts."""
    head = b"Content-Type: multipart/" + kind + b'; boundary="=-b-="\r\n\r\n' + preamble
    return head + b"".join(b"--=-b-=\r\n" + one + CRLF for one in parts) + b"--=-b-=--\r\n"


def signature_part(armored: bytes) -> bytes:
    return b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n' + crlf(armored)


def signed_entity(signature: bytes, payload: bytes = PART) -> bytes:
    kind = b'signed; micalg=pgp-sha256; protocol="application/pgp-signature"'
    return multipart(kind, payload, signature_part(signature))


def encrypted_entity(armored: bytes) -> bytes:
    kind = b'encrypted; protocol="application/pgp-encrypted"'
    control = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    return multipart(kind, control, b"Content-Type: application/octet-stream\r\n\r\n" + crlf(armored))


def mail(entity: bytes, outer: bytes = OUTER) -> bytes:
    return outer + entity
