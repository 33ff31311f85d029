"""The linear canonical forms and OpenSSL's RSA beside dkimpy's own."""

import hashlib
import importlib.util
import time

import dkim.canonicalization
import dkim.crypto
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from dkim_signer import rsa_key
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.trust.canonical import (
    LinearRelaxed,
    LinearSimple,
    body_hasher,
    relaxed_body,
    rsa_verifies,
    simple_body,
)

LINES = st.lists(st.text("a. \t", max_size=6).map(str.encode), max_size=12)
ROUGH = st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r", b"\n", b"\r\n"]), max_size=20).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(LINES)
def test_bodies_of_whole_lines_come_out_as_from_dkimpy(lines: list[bytes]) -> None:
    body = b"".join(one + b"\r\n" for one in lines)
    assert relaxed_body(body) == dkim.canonicalization.Relaxed.canonicalize_body(body)
    assert simple_body(body) == dkim.canonicalization.Simple.canonicalize_body(body)


@settings(max_examples=200, deadline=None)
@given(ROUGH)
def test_lone_cr_and_lf_come_out_as_from_dkimpy(body: bytes) -> None:
    assert simple_body(body) == dkim.canonicalization.Simple.canonicalize_body(body)
    whole = body + b"\r\n"
    assert relaxed_body(whole) == dkim.canonicalization.Relaxed.canonicalize_body(whole)


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        (b"", b"\r\n", b""),
        (b"\r\n", b"\r\n", b""),
        (b"\r\n\r\n", b"\r\n", b""),
        (b" \r\n\r\n", b" \r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n", b" C\r\nD E\r\n"),  # RFC 6376 section 3.4.5
        (b"no line end", b"no line end\r\n", b"no line end\r\n"),
        (b"blank at the very end \t", b"blank at the very end \t\r\n", b"blank at the very end\r\n"),
        (b"a\n\r\n", b"a\n\r\n", b"a\n\r\n"),
        (b"a\r\r\n\r\n", b"a\r\r\n", b"a\r\r\n"),
    ],
)
def test_canonical_forms(body: bytes, simple: bytes, relaxed: bytes) -> None:
    assert (simple_body(body), relaxed_body(body)) == (simple, relaxed)


@pytest.mark.parametrize(
    "body", [b" " * 2_000_000, b"\r\n" * 1_000_000, b" \t" * 1_000_000 + b"\r\n", b"a \r\n" * 500_000], ids=range(4)
)
def test_no_body_costs_more_than_its_length(body: bytes) -> None:
    started = time.perf_counter()
    relaxed_body(body)
    simple_body(body)
    assert time.perf_counter() - started < 0.5


def test_hash_of_a_part_tells_the_whole_length() -> None:
    hashed = body_hasher(b"abc \r\n")
    assert hashed(b"simple", 2) == (hashlib.sha256(b"ab").digest(), 6)
    assert hashed(b"simple", None) == (hashlib.sha256(b"abc \r\n").digest(), 6)
    assert hashed(b"relaxed", None) == (hashlib.sha256(b"abc\r\n").digest(), 5)


def test_dkimpys_tables_hold_ours() -> None:
    assert {b"simple": LinearSimple, b"relaxed": LinearRelaxed} == dkim.canonicalization.ALGORITHMS
    assert dkim.RSASSA_PKCS1_v1_5_verify is rsa_verifies


def untouched() -> object:
    """dkimpy's crypto module, loaded a second time: what it did before our table entry."""
    spec = importlib.util.find_spec("dkim.crypto")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_rsa_agrees_with_dkimpys(bits: int, algorithm: str) -> None:
    key = rsa_key(bits)
    numbers = key.public_key().public_numbers()
    public = {"modulus": numbers.n, "publicExponent": numbers.e}
    text = b"signed"
    signature = key.sign(text, padding.PKCS1v15(), hashes.SHA1() if algorithm == "sha1" else hashes.SHA256())
    theirs = untouched().RSASSA_PKCS1_v1_5_verify
    for octets, right in [
        (signature, True),
        (signature[:-1] + bytes([signature[-1] ^ 1]), False),
        (b"x" * (bits // 8), False),
    ]:
        digest = hashlib.new(algorithm, text)
        assert rsa_verifies(digest, octets, public) is right
        assert theirs(digest, octets, public) is right


@pytest.mark.parametrize("signature", [b"", b"short", b"\xff" * 256, b"\x00" * 257])
def test_signature_of_wrong_size_or_value_is_wrong(signature: bytes) -> None:
    numbers = rsa_key().public_key().public_numbers()
    public = {"modulus": numbers.n, "publicExponent": numbers.e}
    assert not rsa_verifies(hashlib.sha256(b"x"), signature, public)


def test_numbers_that_are_no_key_are_wrong() -> None:
    assert not rsa_verifies(hashlib.sha256(b"x"), b"x", {"modulus": 4, "publicExponent": 2})
