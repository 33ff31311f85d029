"""Wraps a payload of ours as PGP/MIME (RFC 3156): signed, or signed and encrypted."""

import hashlib

from gateway.mail import compose
from gateway.model.trust import PinnedKey
from gateway.pipeline.tools import Seal


def seal_payload(payload: bytes, *, keys: tuple[PinnedKey, ...], seal: Seal) -> bytes:
    """The payload as an entity: encrypted to `keys` and our own where there are any, else signed; raises SealFailed."""
    boundary = "=-" + hashlib.sha256(payload).hexdigest()[:32]
    if keys:
        return compose.multipart_encrypted(seal.encrypt(payload, keys=keys), boundary=boundary)
    signature, micalg = seal.sign(payload)
    return compose.multipart_signed(payload, signature, micalg=micalg, boundary=boundary)
