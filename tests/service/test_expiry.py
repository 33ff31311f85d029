"""What Prometheus is told about the end of keys and entries: subkeys count, and the last key of an owner decides."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway import metrics
from gateway.model.message import Address
from gateway.model.trust import ComponentKey, Contact, ContactAddress, Directory, PinnedKey
from gateway.service.equipment import show_expiry
from gateway.trust.key_inspection import listed_keys

AT = datetime(2026, 6, 15, tzinfo=UTC)
SOON, LATER = AT + timedelta(days=10), AT + timedelta(days=99)


def told(*keys: PinnedKey, ours: tuple[PinnedKey, ...] = (), valid_until: date | None = None) -> dict[str, float]:
    """Labels -> moment, as Prometheus reads them."""
    address = ContactAddress(Address("247cp", "police.gov.b.example"))
    contact = Contact("bx-police", "Police", "BX", (address,), keys=keys, valid_until=valid_until)
    show_expiry(Directory((contact,)), ours)
    gauges = (metrics.KEY_EXPIRY, metrics.CONTACT_EXPIRY)
    samples = [one for gauge in gauges for family in gauge.collect() for one in family.samples]
    return {" ".join(one.labels.values()): one.value for one in samples}


def key(signing_expires: datetime | None = None, **fields: object) -> PinnedKey:
    signing = (ComponentKey("A" * 40, AT, signing_expires),)
    return PinnedKey("A" * 40, b"", AT, signing=signing, **fields)


def test_nothing_is_told_of_what_never_ends() -> None:
    assert told(key(), ours=(key(),)) == {}


def test_a_subkey_that_ends_before_its_key_counts_for_its_use() -> None:
    found = told(key(expires=LATER, encryption_expires=SOON), ours=(key(signing_expires=SOON),))
    assert found == {
        "bx-police sign": LATER.timestamp(),
        "bx-police encrypt": SOON.timestamp(),
        "ourselves sign": SOON.timestamp(),
    }


def test_the_last_key_of_an_owner_decides_and_a_revoked_one_does_not() -> None:
    assert told(key(expires=SOON), key(expires=LATER))["bx-police sign"] == LATER.timestamp()
    assert told(key(expires=SOON), key(revoked=True))["bx-police sign"] == SOON.timestamp()
    assert "bx-police sign" not in told(key(expires=SOON), key())


def test_the_end_of_an_entry_is_told_apart() -> None:
    assert told(valid_until=date(2026, 6, 30)) == {"bx-police": datetime(2026, 7, 1, tzinfo=UTC).timestamp()}


@pytest.mark.parametrize(("primary", "ends"), [("c", SOON), ("cs", None)])
def test_the_end_of_signing_is_that_of_the_last_subkey_that_signs(primary: str, ends: datetime | None) -> None:
    born, end = int(AT.timestamp()), int(SOON.timestamp())
    colons = (
        f"pub:-:256:22:58FD60DE62B1C815:{born}:::-:::{primary}SC:::::ed25519:::0:\n"
        f"fpr:::::::::{'A' * 40}:\n"
        f"sub:-:256:22:1111111111111111:{born}:{end}:::::s:::::ed25519::\n"
        f"fpr:::::::::{'B' * 40}:\n"
    )
    found = listed_keys(colons.encode(), {"A" * 40: b"x"})["A" * 40]
    assert isinstance(found, PinnedKey)
    assert (found.can_sign, found.signing_expires, found.can_encrypt) == (True, ends, False)
    assert found.signs(SOON) is (ends is None)
