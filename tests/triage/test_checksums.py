"""Checksums against published vectors, and every single slip."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.checksums import base58check, bech32, eip55, iban, luhn, monero, ripple
from gateway.triage.keccak import keccak256

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


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"a" * 136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"),
    ],
)
def test_keccak_of_2011(data, digest):
    assert keccak256(data).hex() == digest


# Examples printed in EIP-55.
EIP55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
]


@pytest.mark.parametrize("text", EIP55)
def test_eip55_examples(text):
    assert eip55(text)


def test_eip55_sees_a_letter_of_the_wrong_case():
    assert not eip55("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed")


# The donation address of the Monero project, and the genesis account of the XRP ledger.
MONERO = "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"
XRP = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
IBAN = "GB82WEST12345698765432"


@pytest.mark.parametrize(("right", "text"), [(monero, MONERO), (ripple, XRP), (iban, IBAN)])
def test_an_address_is_right_and_with_two_letters_exchanged_it_is_not(right, text):
    assert right(text)
    assert not right(text[:10] + text[11] + text[10] + text[12:])


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0OIl1ABCDab49-ü", max_size=100))
def test_any_text_is_answered(text):
    assert not (monero(text))
    assert not (ripple(text))
    assert not (iban(text))
