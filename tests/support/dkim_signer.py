"""Signs messages with any DKIM-Signature a test wants, right or wrong, without the library under test."""

import base64
import hashlib
import re
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

MAIL = (
    b"From: Officer <officer@police.example>\r\n"
    b"To: 247cp@here.example\r\n"
    b"Subject: Request for\r\n  expedited\tpreservation\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@police.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n"
    b"\r\n"
    b"Please  preserve \t the data. \r\n"
    b"\r\n"
    b"Officer\r\n"
    b"\r\n\r\n"
)
COVERS = "from:to:subject:date:message-id:mime-version:content-type"


@cache
def rsa_key(bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """The same key each time within one run."""
    return rsa.generate_private_key(exponent, bits)  # type: ignore[arg-type]


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def record(key: Key, tags: str = "v=DKIM1; ") -> str:
    """Key record to publish at SELECTOR._domainkey.DOMAIN."""
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        octets = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"{tags}k=ed25519; p={base64.b64encode(octets).decode()}"
    octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"{tags}p={base64.b64encode(octets).decode()}"


def zone(**keys: str) -> dict[str, list[dict[str, str]]]:
    """Zone of police.example: selector -> record."""
    return {f"{selector}._domainkey.police.example": [{"TXT": text}] for selector, text in keys.items()}


def sign(
    content: bytes = MAIL,
    *,
    key: Key | None = None,
    without: tuple[str, ...] = (),
    prehashed: bytes | None = None,
    name: str = "DKIM-Signature",
    **tags: str,
) -> bytes:
    """The content behind a signature field; `tags` replace the usual ones, `without` leaves some out."""
    key = key or rsa_key()
    given = {
        "v": "1",
        "a": "ed25519-sha256" if isinstance(key, ed25519.Ed25519PrivateKey) else "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": "police.example",
        "s": "s",
        "h": COVERS,
        **tags,
    }
    header, _, body = content.partition(b"\r\n\r\n")
    header_form, _, body_form = given["c"].partition("/")
    hashed = hashlib.sha1 if given["a"] == "rsa-sha1" else hashlib.sha256
    canonical = _body(body, relaxed=body_form == "relaxed")
    length = given.get("l", "")
    signed = canonical[: int(length)] if length.isdigit() else canonical
    given["bh"] = base64.b64encode(prehashed or hashed(signed).digest()).decode()
    given = {one: value for one, value in given.items() if one not in without}
    field = f"{name}: " + "; ".join(f"{one}={value}" for one, value in given.items()) + ";\r\n b="
    lines = [_field(one, relaxed=header_form == "relaxed") for one in _chosen(header + b"\r\n", given.get("h", ""))]
    text = b"".join(line + b"\r\n" for line in lines) + _field(field.encode(), relaxed=header_form == "relaxed")
    return field.encode() + base64.b64encode(_signature(key, text, given.get("a", ""))) + b"\r\n" + content


def _signature(key: Key, text: bytes, algorithm: str) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(hashlib.sha256(text).digest())
    return key.sign(text, padding.PKCS1v15(), hashes.SHA1() if algorithm == "rsa-sha1" else hashes.SHA256())


def _chosen(header: bytes, names: str) -> list[bytes]:
    fields = re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*(?=\r\n)", header)
    chosen = []
    for wanted in names.lower().split(":"):
        for one in reversed(fields):
            if one.partition(b":")[0].strip().lower().decode() == wanted.strip():
                fields.remove(one)
                chosen.append(one)
                break
    return chosen


def _field(field: bytes, *, relaxed: bool) -> bytes:
    if not relaxed:
        return field
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


def _body(body: bytes, *, relaxed: bool) -> bytes:
    lines = body.split(b"\r\n")
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", one).rstrip() for one in lines]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(one + b"\r\n" for one in lines) or (b"" if relaxed else b"\r\n")
