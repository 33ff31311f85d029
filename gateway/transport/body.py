"""The bytes of one message while they wait for commit: in memory up to 1 MiB, beyond that in an unlinked file.

It never names a file another process could see, and never changes a byte.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

MEMORY_BYTES = 1024 * 1024
CHUNK_BYTES = 256 * 1024


class SpooledBody:
    """A `gateway.model.message.Body` that is written once, read any number of times and then closed."""

    def __init__(self, directory: str | None = None) -> None:
        """Wait in `directory` (None = the system's place for temporary files) when it grows."""
        self._directory = directory
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def size(self) -> int:
        """Octets written so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the octets written so far."""
        return self._digest.hexdigest()

    def write(self, block: bytes) -> None:
        """Append; OSError where the file cannot be made or the disk is full."""
        self._digest.update(block)
        self._size += len(block)
        if self._file is None and self._size <= MEMORY_BYTES:
            self._memory += block
            return
        if self._file is None:
            self._spill()
        assert self._file is not None
        self._file.write(block)

    def _spill(self) -> None:
        # Unbuffered: chunks() reads by descriptor, perhaps from another thread.
        self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 close() closes it
        self._file.write(self._memory)
        self._memory = bytearray()

    def chunks(self) -> Iterator[bytes]:
        """All octets in order, at most 256 KiB at a time; may be called again, from any thread."""
        for offset in range(0, self._size, CHUNK_BYTES):
            if self._file is None:
                yield bytes(self._memory[offset : offset + CHUNK_BYTES])
            else:
                yield os.pread(self._file.fileno(), CHUNK_BYTES, offset)

    def close(self) -> None:
        """Give memory and file back; the octets are gone."""
        self._memory = bytearray()
        self._size = 0
        if self._file is not None:
            self._file.close()
            self._file = None
