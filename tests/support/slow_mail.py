"""Messages made to freeze, bloat or exhaust whoever reads them, each small enough for the door or meant to be refused there."""

import base64
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha1, sha256

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from sealed_mail import encrypted_entity, mail, signed_entity

STRANGER = "stranger@freeze.example"
MEGABYTE = 1_000_000
SIGNATURE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=freeze.example; s=%s; h=from:subject; bh=%s; b=%s\r\n"
)

Encrypt = Callable[[bytes], bytes]
"""OpenPGP packets -> armored message to the gateway's key, whose content they are."""


@dataclass(frozen=True)
class Slow:
    """One message, the DNS it needs, and whether the door refuses it."""

    content: bytes = field(repr=False)
    zone: dict[str, list] = field(default_factory=dict)
    refused: bool = False


def letter(*fields: bytes, body: bytes = b"", name: bytes = b"slow") -> bytes:
    """A stranger's mail with these header fields."""
    head = b"From: %s\r\nTo: 247cp@institution.gov.example\r\nSubject: %s\r\nMessage-ID: <%s@freeze.example>\r\n"
    return b"".join(fields) + head % (STRANGER.encode(), name, name) + b"\r\n" + body


def typed(content_type: bytes, body: bytes) -> bytes:
    """A stranger's mail of that type."""
    return letter(b"MIME-Version: 1.0\r\nContent-Type: " + content_type + b"\r\n", body=body)


def sealed(entity: bytes) -> bytes:
    """A stranger's mail with that PGP/MIME entity."""
    return mail(entity, outer=letter(b"MIME-Version: 1.0\r\n").removesuffix(b"\r\n"))


def dkim_freezers() -> Iterator[tuple[str, Slow]]:
    """What freezes or slows dkimpy as it is shipped (its patterns are quadratic, its RSA is Python's)."""
    body = b"x\r\n" * 1000
    key = base64.b64encode(_rsa_key(modulus=(1 << 16384) - 1, exponent=(1 << 16383) + 1)).decode()
    zone = {"huge._domainkey.freeze.example": [{"TXT": f"v=DKIM1; p={key}"}]}
    signature = SIGNATURE % (b"huge", _digest(body), b"A" * 2732)
    yield "key of 16384 bits", Slow(letter(signature, body=body), zone)
    blanks = (b" " * 65_000 + b"\r\n") * 64
    small = {
        "small._domainkey.freeze.example": [
            {"TXT": "v=DKIM1; p=" + base64.b64encode(_rsa_key((1 << 2048) - 1, 65537)).decode()}
        ]
    }
    yield "lines of blanks", Slow(letter(SIGNATURE % (b"small", b"AAAA", b"AAAA"), body=blanks + b"x\r\n"), small)
    yield "line of 100 KB", Slow(letter(body=b" " * 100_000 + b"x\r\n"), refused=True)
    yield "8000 folds", Slow(letter(SIGNATURE % (b"small", b"AAAA", b"\r\n " * 8000 + b"A"), body=body), small)
    yield (
        "folds in every signature",
        Slow(letter(*[SIGNATURE % (b"small", b"AAAA", b"A\r\n " * 2000)] * 30, body=body), small),
    )
    yield "folded header of 4 MB", Slow(letter(b"X: " + b"y\r\n " * MEGABYTE + b"z\r\n", body=body), refused=True)
    yield (
        "60 sets of ARC",
        Slow(letter(*map(_arc_set, range(1, 61)), body=b"x" * 70 + b"\r\n" + b"  y \r\n" * 900_000), small),
    )
    many = [SIGNATURE % (b"s%d" % number, b"AAAA", b"AAAA") for number in range(100)]
    yield "100 signatures", Slow(letter(*many, body=body * 100))


def structures() -> Iterator[tuple[str, Slow]]:
    """MIME that nests, repeats or never ends."""
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500))
    yield (
        "depth 500",
        Slow(
            letter(b"MIME-Version: 1.0\r\n" + deep.partition(b"\r\n")[0] + b"\r\n", body=deep.partition(b"\r\n\r\n")[2])
        ),
    )
    yield "20,000 parts", Slow(typed(b"multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n" * 20_000 + b"--b--\r\n"))
    yield (
        "fields in parts",
        Slow(typed(b"multipart/mixed; boundary=b", (b"--b\r\n" + b"a:\r\n" * 8000) * 1000 + b"--b--\r\n")),
    )
    yield (
        "one boundary at every depth",
        Slow(
            typed(b"multipart/mixed; boundary=b", b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 20_000)
        ),
    )
    yield "unfinished comments", Slow(typed(b"text/html", (b"<!--" * 1000 + b"\r\n") * 250))
    yield "paragraphs", Slow(typed(b"text/html", b"<p>\r\n" * (4 * MEGABYTE // 5)))
    yield "long references", Slow(typed(b"text/html", b"&#" + b"9" * 60_000 + b";"))


def texts() -> Iterator[tuple[str, Slow]]:
    """Words for which a careless rule needs quadratic time."""
    repeated = {
        "danger": "emergency, danger to life and limb of a kidnapped child. ",
        "requests": "expedited preservation of stored computer data under Article 29 for 90 days. ",
        "addresses": "203.0.113.7 2001:db8::1 a@b.example hxxp://c[.]example/ +000 1 234 567 ",
        "ligatures": "\ufdfa\u200b\u0301",
        "marks": ">" * 70,
        "wrote": "On 1.1.2026 10:00 a@b.example " + "schrieb " * 40 + "wrote:",
    }
    for name, words in repeated.items():
        lines = (words.encode() + b"\r\n") * (MEGABYTE // len(words.encode()))
        yield f"text of {name}", Slow(typed(b"text/plain; charset=utf-8", lines))


def openpgp_bombs(encrypt: Encrypt, session_key: bytes) -> Iterator[tuple[str, Slow]]:
    """What makes gpg, or whoever asks it, work for ever; `session_key` is a packet that opens to the gateway's key."""
    zeros = literal(b"")
    bomb = _packet(8, b"\x01" + zeros_deflated(head=zeros, gibibytes=4))
    yield "4 GiB inside", Slow(sealed(encrypted_entity(encrypt(bomb))))
    nested = literal(b"x")
    for _ in range(128):
        nested = _packet(8, b"\x01" + zlib.compress(nested, wbits=-15))
    yield "128 times compressed", Slow(sealed(encrypted_entity(encrypt(nested))))
    fields = _packet(8, b"\x01" + zlib.compress(literal(b"a:\r\n" * (15 << 20)), wbits=-15))
    yield "60 MiB of header inside", Slow(sealed(encrypted_entity(encrypt(fields))))
    hidden = session_key[:3] + bytes(8) + session_key[11:]
    tail = b"\xd2" + b"\xff" + (1000).to_bytes(4, "big") + b"\x01" + bytes(999)
    yield "5000 recipients", Slow(sealed(encrypted_entity(armored(session_key * 5000 + tail))))
    yield "100 hidden recipients", Slow(sealed(encrypted_entity(armored(hidden * 100 + tail))))
    yield (
        "packet of 4 GiB announced",
        Slow(sealed(encrypted_entity(armored(session_key + b"\xd2\xff\xff\xff\xff\xff\x01" + bytes(999))))),
    )
    comments = armored(session_key + tail).replace(b"\n\n", b"\n" + b"Comment: x\n" * 20_000 + b"\n", 1)
    yield "armor headers", Slow(sealed(encrypted_entity(comments.replace(b"\n\n", b"\nno header line\n", 1))))
    broken = (
        b"-----BEGIN PGP SIGNATURE-----\n"
        + b"Comment: x\n" * 20_000
        + b"no header line\n\nAAAA\n-----END PGP SIGNATURE-----\n"
    )
    yield "armor headers of a signature", Slow(sealed(signed_entity(broken)))
    packet = _packet(2, b"\x04\x00\x16\x08\x00\x00\x00\x00\x12\x34" + bytes(64))
    yield "500 signatures", Slow(sealed(signed_entity(armored(packet * 500, kind=b"SIGNATURE"))))


def literal(content: bytes) -> bytes:
    """A literal data packet of no length given: it ends where the stream ends (RFC 9580 section 4.2.1.4)."""
    return b"\xafb\x00\x00\x00\x00\x00" + content


def zeros_deflated(*, head: bytes, gibibytes: int) -> bytes:
    """A raw deflate stream of `head` and so many GiB of zeros: one flushed block, many times."""
    packer = zlib.compressobj(9, wbits=-15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (gibibytes << 10) + packer.flush()


def encrypted_data(content: bytes, *, key: bytes) -> bytes:
    """A symmetrically encrypted and integrity protected packet under an AES session key (RFC 9580 section 5.13.1)."""
    start = bytes(14) + b"\x01\x02" * 2
    inside = start + content + b"\xd3\x14"
    inside += sha1(inside, usedforsecurity=False).digest()
    encryptor = Cipher(algorithms.AES(key), CFB(bytes(16))).encryptor()
    return _packet(18, b"\x01" + encryptor.update(inside) + encryptor.finalize())


def armored(octets: bytes, *, kind: bytes = b"MESSAGE") -> bytes:
    """The octets as one armored block without a checksum (RFC 9580 section 6.1 allows that)."""
    return b"-----BEGIN PGP %s-----\n\n%s-----END PGP %s-----\n" % (kind, base64.encodebytes(octets), kind)


def _packet(tag: int, body: bytes) -> bytes:
    return bytes((0xC0 | tag, 255)) + len(body).to_bytes(4, "big") + body


def _digest(body: bytes) -> bytes:
    return base64.b64encode(sha256(body).digest())


def _arc_set(number: int) -> bytes:
    claim = b"none" if number == 1 else b"pass"
    tags = b"i=%d; a=rsa-sha256; d=freeze.example; s=small; t=1; b=AAAA" % number
    return (
        b"ARC-Seal: %s; cv=%s\r\n" % (tags, claim)
        + b"ARC-Message-Signature: %s; c=relaxed/relaxed; h=from; bh=AAAA\r\n" % tags
        + b"ARC-Authentication-Results: i=%d; a.example; none\r\n" % number
    )


def _rsa_key(modulus: int, exponent: int) -> bytes:
    """SubjectPublicKeyInfo of these two numbers, whatever they are worth (RFC 3279 section 2.3.1)."""
    numbers = _der(0x30, _integer(modulus) + _integer(exponent))
    algorithm = _der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return _der(0x30, algorithm + _der(0x03, b"\0" + numbers))


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, body: bytes) -> bytes:
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    length = size if len(body) < 128 else bytes((0x80 | len(size),)) + size
    return bytes((tag,)) + length + body
