"""Puts ARC sets above messages, right or wrong, without the code under test (RFC 8617 section 5.1)."""

import base64
import re

from dkim_signer import COVERS, Key, _field, _signature, rsa_key, sign

ORDER = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")


def seal(
    content: bytes,
    *,
    results: str,
    d: str = "relay.example",
    s: str = "arc",
    key: Key | None = None,
    instance: int = 1,
    cv: str = "",
    h: str = COVERS,
) -> bytes:
    """The message with one more set on top; `results` is what the sealer says it saw, behind its own name."""
    key = key or rsa_key()
    field = f"ARC-Authentication-Results: i={instance}; {d}; {results}\r\n".encode()
    behind = sign(content, key=key, name="ARC-Message-Signature", without=("v",), i=str(instance), d=d, s=s, h=h)
    content = behind[: -len(content)] + field + content
    claim = cv or ("none" if instance == 1 else "pass")
    unsigned = f"ARC-Seal: i={instance}; a=rsa-sha256; cv={claim}; d={d}; s={s};\r\n b=".encode()
    sealed = b"".join(_field(one, relaxed=True) + b"\r\n" for one in _sets(content))
    value = _signature(key, sealed + _field(unsigned, relaxed=True), "rsa-sha256")
    return unsigned + base64.b64encode(value) + b"\r\n" + content


def _sets(content: bytes) -> list[bytes]:
    """Fields of all sets, oldest set first, each in the order in which seals cover them."""
    header = content.partition(b"\r\n\r\n")[0] + b"\r\n"
    fields = [one for one in re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*(?=\r\n)", header) if _name(one) in ORDER]
    return sorted(fields, key=lambda one: (_instance(one), ORDER.index(_name(one))))


def _name(field: bytes) -> bytes:
    return field.partition(b":")[0].lower()


def _instance(field: bytes) -> int:
    found = re.search(rb"\bi=(\d+)", field)
    assert found
    return int(found[1])
