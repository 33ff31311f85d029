"""Fixtures of the mail room."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


@pytest.fixture
def cpu_seconds() -> Callable[..., AbstractContextManager[None]]:
    """A block that must not take more time of this process: what a quadratic reader would need is minutes."""

    @contextmanager
    def measured(*, at_most: float) -> Iterator[None]:
        start = time.process_time()
        yield
        assert time.process_time() - start < at_most

    return measured


@pytest.fixture
def mail() -> Callable[[str], bytes]:
    """Reads tests/mail/data/<name>.eml."""
    return lambda name: (DATA / f"{name}.eml").read_bytes()
