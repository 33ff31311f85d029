"""Frames between the service and its judges."""

import socket
import struct
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.service.wire import receive, send

LONG = st.builds(bytes, st.integers(65_530, 65_545))
"""About as long as what travels beside the text."""


@pytest.fixture
def link():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3000), st.lists(st.binary(max_size=3000) | LONG, max_size=100))
def test_a_frame_arrives_as_it_was_sent(text, blobs):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=send, args=(ours, text, blobs))
        sender.start()
        assert receive(theirs) == (text, tuple(blobs))
        sender.join()


def test_megabytes_travel_beside_the_text(link):
    blob = b"x" * (20 << 20)
    send(link[0], b"t", (blob,))
    assert receive(link[1])[1] == (blob,)


def test_a_closed_link_is_the_end(link):
    link[0].close()
    with pytest.raises(EOFError):
        receive(link[1])


def test_a_text_that_claims_to_be_huge_is_the_end(link):
    link[0].sendall(struct.pack("!IH", 1 << 31, 0))
    with pytest.raises(EOFError):
        receive(link[1])


def test_byte_strings_that_claim_more_than_there_is_are_the_end(link):
    link[0].sendall(struct.pack("!IHII", 10, 2, 1, 2) + b"ab")
    with pytest.raises(EOFError):
        receive(link[1])
    link[0].sendall(struct.pack("!IH", 7, 2) + b"1234567")
    with pytest.raises(EOFError):
        receive(link[1])


def test_a_drip_does_not_outlast_the_deadline(link):
    def drip():
        for _ in range(20):
            try:
                link[0].sendall(b"\0")
            except OSError:
                return
            time.sleep(0.1)

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        receive(link[1], deadline=began + 0.3)
    assert time.monotonic() - began < 1
    link[1].close()
    dripping.join()
