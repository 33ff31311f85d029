"""Runs one reader of foreign bytes in a child of its own, with limits on time, memory and answer.

Never lets the reader's fault become ours: whatever happens in the child, the caller gets its answer or None.
"""

import contextlib
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import NoReturn

MAX_MEMORY_BYTES = 1 << 30
"""Beside what the parent already holds."""

_CHUNK = 1 << 16


def confined(work: Callable[[], bytes], *, seconds: float, max_bytes: int) -> bytes | None:
    """The answer of `work`, or None when it failed, took longer than `seconds`, or answers more than `max_bytes`."""
    if seconds <= 0:
        return None
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        # the child touches nothing but `work`, so threads that others hold do not matter to it
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(ours)
        _answer(work, theirs, seconds=seconds)
    os.close(theirs)
    try:
        return _received(ours, until=time.monotonic() + seconds, max_bytes=max_bytes)
    finally:
        os.close(ours)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        # where the kernel reaps for us there is nobody to wait for
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _answer(work: Callable[[], bytes], link: int, *, seconds: float) -> NoReturn:
    """Child side: b"+" and the answer, or nothing at all."""
    try:
        _limit(seconds)
        answer = b"+" + work()
        while answer:
            answer = answer[os.write(link, answer[:_CHUNK]) :]
    finally:
        # also past SystemExit: nothing of the parent's may run twice
        os._exit(0)


def _limit(seconds: float) -> None:
    whole = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm", "rb") as pages:
        held = int(pages.read().split()[0]) * resource.getpagesize()
    _, hardest = resource.getrlimit(resource.RLIMIT_AS)
    most = held + MAX_MEMORY_BYTES
    most = most if hardest == resource.RLIM_INFINITY else min(most, hardest)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _received(link: int, *, until: float, max_bytes: int) -> bytes | None:
    answer = b""
    while len(answer) <= max_bytes:
        left = until - time.monotonic()
        if left <= 0 or not select.select([link], [], [], left)[0]:
            return None
        chunk = os.read(link, _CHUNK)
        if not chunk:
            return answer[1:] if answer[:1] == b"+" else None
        answer += chunk
    return None
