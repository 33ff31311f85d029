"""One JSON object a line on standard error: an event word and a closed set of keys, for journald and for eyes at 3 a.m.

Never in it: subject, body, addresses of third parties, attachment names, passwords.
"""

import logging
import os
import sys
import traceback
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "address", "arrival", "assurance", "before", "case", "category", "code", "contact", "count", "decision", "delay", "digest", "direction",
        "disposition", "error", "file", "hop", "inbound", "judge", "listen", "message", "mode", "monitoring", "outbound", "peer", "pid", "purpose",
        "reason", "remedy", "row", "rule", "seconds", "size", "step", "tls", "tries", "what",
    }
)  # fmt: skip
"""Keys a log line may have: a word that is not here is a mistake in the program, and is left out."""


def set_up(*, level: int = logging.INFO) -> None:
    """Send our events to standard error as JSON and pin the libraries' own loggers at WARNING: they would log content."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format='{"event": "library", "what": "%(name)s"}', force=True
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_allowed,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def note(event: str, **keys: object) -> None:
    """Write one event of ordinary life."""
    structlog.get_logger().info(event, **keys)


def alarm(event: str, **keys: object) -> None:
    """Write one event that a human should see."""
    structlog.get_logger().error(event, **keys)


def fault(error: BaseException) -> str:
    """Kind and place of a fault of ours: its own text may quote a message."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _only_allowed(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: value for key, value in event.items() if key in ALLOWED or key in ("event", "level", "timestamp")}
