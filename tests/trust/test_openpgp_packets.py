"""Armor and packet framing: what is read, and that everything else is refused and nothing crashes."""

import base64

import pytest
from gnupg_keys import armored
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.trust.openpgp_packets import (
    Armor,
    Packet,
    Tag,
    crc24,
    dearmor,
    fingerprint_of,
    packets,
    recipient_ids,
    serialized,
)
from gateway.trust.openpgp_packets import armored as gateway_armored

BLOCK = b"-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n"


def test_armor_gives_its_octets_back() -> None:
    assert dearmor(BLOCK, Armor.SIGNATURE) == b"hello"


@given(octets=st.binary(min_size=1, max_size=500))
@settings(max_examples=100, deadline=None)
def test_armor_of_ours_gives_its_octets_back(octets: bytes) -> None:
    block = gateway_armored(octets, Armor.SIGNATURE)
    assert dearmor(block, Armor.SIGNATURE) == octets
    assert max(map(len, block.split(b"\n"))) <= 64


@pytest.mark.parametrize(
    "text",
    [
        BLOCK.replace(b"\n", b"\r\n"),
        b"\r\n \n" + BLOCK + b"\n\n",
        BLOCK.replace(b"-----\n\n", b"-----\nVersion: x\nComment: y\n\n", 1),
        BLOCK.replace(b"aGVsbG8=\n", b"aGVsbG8=\n=" + base64.b64encode(crc24(b"hello")) + b"\n"),
        BLOCK.replace(b"SIGNATURE-----\n\n", b"SIGNATURE-----   \n \t\n", 1),
    ],
)
def test_armor_as_clients_write_it_is_read(text: bytes) -> None:
    assert dearmor(text, Armor.SIGNATURE) == b"hello"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        BLOCK + BLOCK,
        b"text\n" + BLOCK,
        BLOCK + b"text\n",
        BLOCK.replace(b"SIGNATURE", b"MESSAGE"),
        BLOCK.replace(b"aGVsbG8=", b"a*VsbG8="),
        BLOCK.replace(b"aGVsbG8=", b""),
        BLOCK.replace(b"aGVsbG8=\n", b"aGVsbG8=\n=AAAA\n"),
        BLOCK.replace(b"-----\n\n", b"-----\nno header line\n\n", 1),
        BLOCK.replace(b"aGVsbG8=", b"-----BEGIN PGP MESSAGE-----\naGVsbG8="),
    ],
)
def test_anything_else_is_no_armor(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        dearmor(text, Armor.SIGNATURE)


def test_armor_headers_without_an_end_take_no_time() -> None:
    headers = b"Comment: x\n" * 10_000
    with pytest.raises(ValueError, match="bad armor header"):
        dearmor(BLOCK.replace(b"-----\n\n", b"-----\n" + headers + b"no header line\n", 1), Armor.SIGNATURE)


@pytest.mark.parametrize("length", [0, 1, 191, 192, 8383, 8384, 70_000])
def test_every_form_of_length_is_read(length: int) -> None:
    body = b"x" * length
    forms = [serialized(Packet(2, body)), b"\x8a" + length.to_bytes(4, "big") + body]
    if length < 192:
        forms += [bytes((0xC2, length)) + body, bytes((0x88, length)) + body]
    elif length < 8384:
        forms += [
            bytes((0xC2, ((length - 192) >> 8) + 192, (length - 192) & 255)) + body,
            b"\x89" + length.to_bytes(2, "big") + body,
        ]
    for form in forms:
        assert tuple(packets(form * 2)) == (Packet(2, body),) * 2


def test_stream_of_unknown_length_is_marked() -> None:
    partial = b"\xd2\xe1ab\x01c"
    assert tuple(packets(partial)) == (Packet(18, b"abc", definite=False),)
    assert tuple(packets(b"\x8bxyz")) == (Packet(2, b"xyz", definite=False),)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00",
        b"\xc2",
        b"\xc2\x05ab",
        b"\xc2\xc0",
        b"\xc2\xff\x00\x00",
        b"\x88",
        b"\x89\x00",
        b"\x88\x09ab",
        b"\xd2\xe1ab",
    ],
)
def test_broken_framing_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        tuple(packets(octets))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_readers(octets: bytes) -> None:
    for reader in (
        lambda: tuple(packets(octets)),
        lambda: recipient_ids(octets),
        lambda: dearmor(octets, Armor.MESSAGE),
    ):
        try:
            reader()
        except ValueError:
            continue


@given(st.lists(st.tuples(st.integers(1, 63), st.binary(max_size=300)), max_size=5))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read(found: list[tuple[int, bytes]]) -> None:
    wanted = tuple(Packet(tag, body) for tag, body in found)
    assert tuple(packets(b"".join(serialized(one) for one in wanted))) == wanted


@given(st.binary(min_size=1, max_size=500))
@settings(max_examples=100, deadline=None)
def test_armor_of_any_octets_is_read_back(octets: bytes) -> None:
    assert dearmor(armored(octets, Armor.MESSAGE), Armor.MESSAGE) == octets


def test_checksum_is_that_of_the_standard() -> None:
    assert crc24(b"123456789").hex() == "21cf02"


def test_fingerprint_of_another_version_is_refused() -> None:
    for body in (b"", b"\x03abc", b"\x06abc"):
        with pytest.raises(ValueError, match="version"):
            fingerprint_of(Packet(Tag.PUBLIC_KEY, body))


def _session_key(key_id: bytes, version: int = 3) -> bytes:
    return serialized(Packet(Tag.SESSION_KEY, bytes((version,)) + key_id + b"\x12rest"))


DATA = serialized(Packet(Tag.ENCRYPTED, b"\x01cipher"))


def test_recipients_are_named_by_key_id() -> None:
    octets = _session_key(b"ABCDEFGH") + _session_key(bytes(8)) + DATA
    assert recipient_ids(octets) == ("4142434445464748", "0" * 16)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        _session_key(b"ABCDEFGH"),
        _session_key(b"ABCDEFGH", version=6) + DATA,
        _session_key(b"ABCDEFGH") + serialized(Packet(Tag.PASSWORD_KEY, b"\x04\x09\x00\x08")) + DATA,
        _session_key(b"ABCDEFGH") + serialized(Packet(11, b"literal")),
        _session_key(b"ABCDEFGH") + DATA + DATA,
        _session_key(b"ABCDEFGH") + DATA + serialized(Packet(Tag.SIGNATURE, b"x")),
        _session_key(b"ABCDEFGH") + serialized(Packet(9, b"no integrity protection")),
    ],
)
def test_anything_but_one_message_to_keys_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        recipient_ids(octets)
