"""Whether an officer of `officers` has signed a statement: an approval that holds against whoever is root on the machine."""

from datetime import datetime

from gateway.model.trust import Result
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.status import read_status, signatures_of


def approved_by(
    statement: bytes, signature: bytes, *, officers: tuple[str, ...], home: GnupgHome, at: datetime
) -> str | None:
    """Primary fingerprint of the officer whose one detached signature covers exactly this statement; None if nobody's does.

    The officers' public keys lie in our GnuPG home beside our own. Raises GpgUnavailable.
    """
    run = home.run(("--verify", "--", "{beside}", "-"), stdin=statement, beside=signature, own=True)
    found = signatures_of(read_status(run.status), rc=run.rc, packets=1, pinned=frozenset(officers), at=at)
    return next((one.fingerprint for one in found if one.result is Result.PASS and one.pinned), None)
