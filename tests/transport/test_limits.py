"""What clients may take of us."""

from pathlib import Path

import pytest

from gateway.transport.limits import Gate, Limits, plain_address, read_networks, storage_low, within


def test_one_address_cannot_take_all() -> None:
    gate = Gate(Limits(per_address=2))
    assert [gate.enter("192.0.2.1", trusted=False) for _ in range(3)] == [True, True, False]
    assert gate.enter("192.0.2.2", trusted=False)
    gate.leave("192.0.2.1")
    assert gate.enter("192.0.2.1", trusted=False)


@pytest.mark.parametrize(("near", "far"), [("192.0.2.{}", "198.51.100.1"), ("2001:db8::{}", "2001:db8:0:1::1")])
def test_one_network_cannot_take_all(near: str, far: str) -> None:
    gate = Gate(Limits(per_network=3))
    assert [gate.enter(near.format(at), trusted=False) for at in range(1, 6)] == [True, True, True, False, False]
    assert gate.enter(far, trusted=False)


def test_trusted_peer_is_held_back_by_the_total_only() -> None:
    gate = Gate(Limits(per_address=1, connections=3))
    assert [gate.enter("192.0.2.1", trusted=True) for _ in range(4)] == [True, True, True, False]


def test_peer_without_address_is_counted_too() -> None:
    gate = Gate(Limits(per_address=1))
    assert [gate.enter("", trusted=False) for _ in range(2)] == [True, False]


def test_gate_forgets_who_left() -> None:
    gate = Gate(Limits(connections=1))
    for at in range(1, 200):
        assert gate.enter(f"192.0.2.{at}", trusted=False)
        gate.leave(f"192.0.2.{at}")
    assert gate._by_source == {}


def test_mapped_addresses_are_written_as_ipv4() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert plain_address("2001:DB8::1") == "2001:db8::1"
    assert plain_address("/run/socket") == "/run/socket"


def test_address_lies_within_networks_of_its_own_family() -> None:
    networks = read_networks(("127.0.0.0/8", "2001:db8::/32", "192.0.2.7"))
    assert within("127.0.0.9", networks)
    assert within("2001:db8::9", networks)
    assert within("192.0.2.7", networks)
    assert not within("192.0.2.8", networks)
    assert not within("somewhere", networks)


def test_room_is_low_where_it_cannot_be_asked_for(tmp_path: Path) -> None:
    assert storage_low(str(tmp_path / "gone"))
    assert not storage_low(str(tmp_path))
