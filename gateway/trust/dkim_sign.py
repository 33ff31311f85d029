"""Signs our own mail with DKIM (RFC 6376), RSA by OpenSSL; never signs foreign mail, never verifies."""

import base64
from datetime import datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateway.errors import SealFailed
from gateway.mail.scan import scan_header
from gateway.model.message import Field
from gateway.trust.canonical import body_hash

SIGNED = (
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
)  # fmt: skip
MIN_KEY_BITS = 1024
"""RFC 8301 section 3.2."""


def load_key(path: str) -> rsa.RSAPrivateKey:
    """The RSA key of a PEM file; SealFailed if it cannot be read or is something else."""
    try:
        with open(path, "rb") as file:
            key = serialization.load_pem_private_key(file.read(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SealFailed(f"{path}: the DKIM key cannot be read: {error}") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise SealFailed(f"{path}: the DKIM key is no RSA key of at least {MIN_KEY_BITS} bits")
    return key


def sign_dkim(content: bytes, *, key: rsa.RSAPrivateKey, domain: str, selector: str, at: datetime) -> bytes:
    """The DKIM-Signature field for a complete message with CRLF line ends, relaxed/relaxed, rsa-sha256.

    Every field is listed once more than it stands there, so that none can be added (RFC 6376 section 8.15).
    """
    header, body_start, _ = scan_header(content)
    present = {name: header.all(name)[::-1] for name in SIGNED}
    names = [name for name, found in present.items() for _ in range(len(found) + 1)]
    digest, _ = body_hash(content[body_start:], b"relaxed")
    tags = (
        "v=1; a=rsa-sha256; c=relaxed/relaxed",
        f"d={domain}; s={selector}; t={int(at.timestamp())}",
        "h=" + ":\r\n\t ".join(":".join(names[start : start + 6]) for start in range(0, len(names), 6)),
        f"bh={base64.b64encode(digest).decode()}",
        "b=",
    )
    unsigned = b"DKIM-Signature: " + ";\r\n\t".join(tags).encode("ascii")
    covered = b"".join(_relaxed(one) + b"\r\n" for found in present.values() for one in found)
    covered += _relaxed(Field("DKIM-Signature", unsigned))
    signature = base64.b64encode(key.sign(covered, padding.PKCS1v15(), hashes.SHA256())).decode()
    lines = (signature[at : at + 70] for at in range(0, len(signature), 70))
    return unsigned + "\r\n\t ".join(lines).encode("ascii") + b"\r\n"


def _relaxed(field: Field) -> bytes:
    """RFC 6376 section 3.4.2, without the final CRLF."""
    value = field.raw.partition(b":")[2].replace(b"\r\n", b"").replace(b"\t", b" ")
    return field.name.lower().encode("ascii") + b":" + b" ".join(one for one in value.split(b" ") if one)
