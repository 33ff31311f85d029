"""Our own key as a Web Key Directory: which octets stand under which name (draft-koch-openpgp-webkey-service).

For others to find our key; never asked for anybody's: what a web server says of a key is no proof.
"""

import hashlib
from collections.abc import Mapping

from gateway.mail.addresses import parse_address
from gateway.model.message import Address
from gateway.trust.openpgp_packets import Tag, packets

ROOT = ".well-known/openpgpkey"
_ZBASE32 = "ybndrfg8ejkmcpqxot1uwisza345h769"


def wkd_name(local: str) -> str:
    """Name of a key by the local part of its address: 32 letters (section 3.1)."""
    digest = hashlib.sha1(_lower(local).encode("utf-8"), usedforsecurity=False).digest()
    bits = int.from_bytes(digest, "big")
    return "".join(_ZBASE32[(bits >> shift) & 31] for shift in range(155, -1, -5))


def wkd_tree(address: Address, key: bytes) -> Mapping[str, bytes]:
    """Path below the web root -> octets, for the advanced and the direct method; ValueError if the key is not the address's.

    key: binary packets. A client takes a key only if a user ID of it is the address (section 3.1).
    """
    if address.key not in {one.key for one in _user_ids(key)}:
        raise ValueError(f"the key has no user ID with {address.spec}")
    name = wkd_name(address.local)
    return {
        f"{folder}/{leaf}": octets
        for folder in (f"{ROOT}/{address.domain}", ROOT)
        for leaf, octets in ((f"hu/{name}", key), ("policy", b""))
    }


def _user_ids(key: bytes) -> list[Address]:
    bodies = (one.body for one in packets(key) if one.tag == Tag.USER_ID)
    return [found for found in map(parse_address, bodies) if found is not None]


def _lower(local: str) -> str:
    """ASCII letters alone are mapped: all else has as many lower cases as there are libraries."""
    return "".join(one.lower() if one.isascii() else one for one in local)
