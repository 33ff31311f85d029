"""Replies: complete lines with an enhanced code, and none that tells what happened inside."""

import re

import pytest

from gateway.transport.replies import Reply, fit


@pytest.mark.parametrize("reply", Reply)
def test_every_reply_is_one_line_with_an_enhanced_code(reply: Reply) -> None:
    if reply is Reply.START_DATA:
        return
    match = re.fullmatch(r"([245])\d\d ([245])\.\d\.\d [\x20-\x7e]+", reply)
    assert match is not None
    assert match[1] == match[2]
    assert fit(reply) == reply


# The table of the design: what is refused before 250, and how.
@pytest.mark.parametrize(
    ("reply", "start"),
    [
        (Reply.NOT_ALLOWED, "550 5.7.1"),
        (Reply.NOT_OURS, "550 5.1.1"),
        (Reply.TLS_REQUIRED, "530 5.7.0"),
        (Reply.BARE_LINE_END, "550 5.6.0"),
        (Reply.LONG_LINE, "554 5.6.0"),
        (Reply.HEADER_TOO_LARGE, "552 5.3.4"),
        (Reply.TOO_LARGE, "552 5.3.4"),
        (Reply.TOO_MANY_HOPS, "554 5.4.6"),
        (Reply.TOO_MANY_RECIPIENTS, "452 4.5.3"),
        (Reply.FAULT, "451 4.3.0"),
    ],
)
def test_refusals_before_250_have_the_codes_of_the_design(reply: Reply, start: str) -> None:
    assert reply.startswith(start + " ")


@pytest.mark.parametrize(
    "reply", ["", "250", "250 ", "999 x", "354 x", "250 a\r\n250 b", "250-a", "250 caf\u00e9", "550 " + "x" * 507]
)
def test_reply_unfit_for_the_wire_becomes_451(reply: str) -> None:
    assert fit(reply) == Reply.FAULT


def test_longest_reply_fits() -> None:
    assert fit("550 " + "x" * 506) != Reply.FAULT
