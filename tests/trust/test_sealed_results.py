"""What is believed of a sealed Authentication-Results field: one plain statement about DMARC, or nothing."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.trust.sealed_results import dmarc_passed

AUTHOR = "police.gov.b.example"
PASS = f"dmarc=pass header.from={AUTHOR}"


@pytest.mark.parametrize(
    "said",
    [
        f"i=1; relay.example; {PASS}",
        f"i=1; relay.example 1; spf=pass smtp.mailfrom=x@y.example; {PASS}; dkim=fail",
        f"i=2; relay.example; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from={AUTHOR}",
        f"i=1; relay.example; dmarc=pass action=none header.from={AUTHOR.upper()};",
        f'i=1; relay.example; dkim=fail reason="dmarc=fail; header.from=x" ; {PASS}',
        f"i=1;relay.example;DMARC=Pass header.From={AUTHOR}",
    ],
)
def test_one_pass_is_read(said: str) -> None:
    assert dmarc_passed(said.encode()) == AUTHOR


@pytest.mark.parametrize(
    "said",
    [
        "",
        "i=1",
        "i=1; relay.example; none",
        f"i=1; relay.example; dmarc=fail header.from={AUTHOR}",
        f"i=1; relay.example; dmarc=passed header.from={AUTHOR}",
        f"i=1; relay.example; dmarc/1=pass header.from={AUTHOR}",
        f"i=1; relay.example; {PASS}; dmarc=fail header.from={AUTHOR}",
        f"i=1; relay.example; {PASS}; {PASS}",
        f"i=1; relay.example; dmarc=pass header.from={AUTHOR} header.from=other.example",
        "i=1; relay.example; dmarc=pass",
        'i=1; relay.example; dmarc=pass header.from="police.gov.b.example; x"',
        f"i=1; relay.example; dmarc=pass (header.from={AUTHOR})",
        f"i=1; relay.example; (dmarc=pass) header.from={AUTHOR}",
        f'i=1; relay.example; spf=pass smtp.mailfrom="x; {PASS}"',
        f"i=1; relay.example; spf=pass smtp.mailfrom=(x; {PASS})",
        f'i=1; relay.example; spf=pass smtp.mailfrom=x"; {PASS}',
        f"i=1; relay.example; spf=pass smtp.mailfrom=x); {PASS}",
        f"i=1; {PASS}",
        "i=1; relay.example; dmarc=pass header.from=example",
        f"i=1; relay.example; dmarc=pass header.from={AUTHOR}'x",
    ],
)
def test_anything_else_says_nothing(said: str) -> None:
    assert dmarc_passed(said.encode()) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
@example(b"i=1; a; " + b"(" * 200_000)
@example(b"i=1; a; " + b'\\"' * 100_000)
def test_any_octets_are_read_in_bounded_time(octets: bytes) -> None:
    assert dmarc_passed(octets) is None


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('();" \\=ap'), max_size=40))
def test_an_injected_value_never_turns_a_failure_into_a_pass(injected: str) -> None:
    said = f"i=1; relay.example; spf=pass smtp.mailfrom={injected}; dmarc=fail header.from={AUTHOR}"
    assert dmarc_passed(said.encode()) is None
