"""Finds the good among plain OpenPGP signatures without starting gpg: Sequoia computes, our own conditions decide.

Says `good` or nothing, never `bad`: whatever is not plainly good is gpg's to judge, and gpg is asked about some of the
good ones too. Why a second verifier may decide at all: deploy/decisions/0008-in-process-verification.md.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count

from pysequoia import Cert, Sig, verify

from gateway.model.trust import ComponentKey, OpenpgpSignature, PinnedKey, Result
from gateway.trust.openpgp_packets import Packet, serialized
from gateway.trust.signature_packet import PlainSignature, plain_signature
from gateway.trust.status import CLOCK_SKEW, MAX_AGE

MAX_BYTES = 4_194_304
"""Of a signed part; for more the start of gpg is a small part of the cost, and gpg reads it outside our memory."""
ONE_IN = 100
"""gpg is asked too about the first good signature each process sees, and every hundredth after it."""
MAX_DELAY = timedelta(hours=1)
"""Between arrival and judgement: gpg can be told what time it is, Sequoia cannot."""


def _now() -> datetime:
    return datetime.now(UTC)


class InProcess:
    """Sequoia in the process of one judge, and the count of what it found good."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now
        self._good = count()

    def good(
        self, payload: bytes, blocks: tuple[Packet, ...], keys: tuple[PinnedKey, ...], at: datetime
    ) -> OpenpgpSignature | None:
        """The one detached signature over the payload if it is plainly good, by a key pinned for the sender; else None.

        Exactly what gpg's status lines would be read as (status.py). keys: those of the contact. at: the moment of judgement.
        """
        if len(blocks) != 1 or len(payload) > MAX_BYTES or abs(self._now() - at) > MAX_DELAY:
            return None
        claimed = plain_signature(blocks[0])
        key = next((one for one in keys if claimed and _may_sign(one, claimed, at)), None)
        if claimed is None or key is None or not _valid(payload, serialized(blocks[0]), key, claimed.issuer):
            return None
        return OpenpgpSignature(Result.PASS, key.fingerprint, "", claimed.created, pinned=True, id=claimed.id)

    def doubted(self) -> bool:
        """Whether gpg shall be asked about the signature just found good."""
        return next(self._good) % ONE_IN == 0


def _may_sign(key: PinnedKey, claimed: PlainSignature, at: datetime) -> bool:
    """Whether by what gpg listed of the key this signature could be good; Sequoia accepts one made before its key expired."""
    maker = next((one for one in key.signing if one.fingerprint == claimed.issuer), None)
    recent = at - MAX_AGE <= claimed.created <= at + CLOCK_SKEW
    return (
        maker is not None
        and recent
        and key.usable(at)
        and _alive(maker, claimed, at)
        and key.created <= claimed.created
    )


def _alive(maker: ComponentKey, claimed: PlainSignature, at: datetime) -> bool:
    return maker.created <= claimed.created and maker.usable(at) and maker.usable(claimed.created)


def _valid(payload: bytes, signature: bytes, key: PinnedKey, issuer: str) -> bool:
    """Whether Sequoia finds exactly one valid signature, by exactly this key; whatever it complains of is no answer."""
    try:
        certificate = _certificate(key.packets)
        found = verify(bytes=payload, store=lambda _: [certificate], signature=Sig.from_bytes(signature)).valid_sigs
    except Exception:  # noqa: BLE001 one type for all its complaints; gpg is asked, and has the last word
        return False
    return [(one.certificate.upper(), one.signing_key.upper()) for one in found] == [(key.fingerprint, issuer)]


@lru_cache(maxsize=4096)
def _certificate(packets: bytes) -> Cert:
    return Cert.from_bytes(packets)
