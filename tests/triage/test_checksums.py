"""Checksums against published vectors, and every single slip."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.checksums import base58check, bech32, luhn

BITCOIN = frozenset({0x00, 0x05})

# Examples printed in ISO/IEC 7812-1 commentaries and 3GPP TS 23.003 annex B.
LUHN = ["490154203237518", "79927398713", "4111111111111111", "0"]
# Valid and invalid strings of BIP 173 and BIP 350 (BSD 2-clause).
BECH32 = [
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "A1LQFN3A",
    "a1lqfn3a",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
NOT_BECH32 = [
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "a12UEL5L",
    "",
    "1",
]


@pytest.mark.parametrize("digits", LUHN)
def test_luhn_vectors(digits):
    assert luhn(digits)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(LUHN[:3]), st.integers(min_value=0), st.integers(min_value=1, max_value=9))
def test_luhn_sees_every_single_slip(digits, place, change):
    place %= len(digits)
    slipped = str((int(digits[place]) + change) % 10)
    assert not luhn(digits[:place] + slipped + digits[place + 1 :])


@pytest.mark.parametrize("text", BECH32)
def test_bech32_vectors(text):
    assert bech32(text)


@pytest.mark.parametrize("text", NOT_BECH32)
def test_bech32_refuses(text):
    assert not bech32(text)


@pytest.mark.parametrize(
    "text",
    ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "1111111111111111111114oLvT2"],
)
def test_base58check_vectors(text):
    assert base58check(text, versions=BITCOIN)
    assert not base58check(text, versions=frozenset({0x30}))


@pytest.mark.parametrize(
    "text", ["", "1", "0OIl", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN", "11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]
)
def test_base58check_refuses(text):
    assert not base58check(text, versions=BITCOIN)


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0, max_value=33), st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZ"))
def test_base58check_sees_every_single_slip(place, character):
    text = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    slipped = text[:place] + character + text[place + 1 :]
    assert base58check(slipped, versions=BITCOIN) is (slipped == text)
