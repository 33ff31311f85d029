"""The body that waits for commit."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.body import CHUNK_BYTES, MEMORY_BYTES, SpooledBody


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 400_000), max_size=8))
def test_body_gives_back_what_was_written_as_often_as_asked(sizes: list[int]) -> None:
    body = SpooledBody()
    blocks = [bytes([at + 65]) * size for at, size in enumerate(sizes)]
    for block in blocks:
        body.write(block)
    whole = b"".join(blocks)
    for _ in range(2):
        chunks = list(body.chunks())
        assert b"".join(chunks) == whole
        assert all(0 < len(chunk) <= CHUNK_BYTES for chunk in chunks)
    assert (body.size, body.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    body.close()


def test_small_body_needs_no_file(tmp_path: Path) -> None:
    body = SpooledBody(str(tmp_path / "does-not-exist"))
    body.write(b"x" * MEMORY_BYTES)
    assert body.size == MEMORY_BYTES
    body.close()


def test_large_body_has_no_name_anybody_could_open(tmp_path: Path) -> None:
    body = SpooledBody(str(tmp_path))
    body.write(b"x" * (MEMORY_BYTES + 1))
    assert list(tmp_path.iterdir()) == []
    assert sum(map(len, body.chunks())) == MEMORY_BYTES + 1
    body.close()
    assert list(body.chunks()) == []


def test_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    body = SpooledBody(str(tmp_path / "does-not-exist"))
    with pytest.raises(OSError, match="No such file"):
        body.write(b"x" * (MEMORY_BYTES + 1))
    body.close()


def test_closing_gives_the_file_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    body = SpooledBody(tempfile.gettempdir())
    body.write(b"x" * (MEMORY_BYTES + 1))
    assert len(os.listdir("/proc/self/fd")) == before + 1
    body.close()
    body.close()
    assert len(os.listdir("/proc/self/fd")) == before
