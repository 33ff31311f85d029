"""Structured values as JSON text, and text made fit for both databases. Never touches message content."""

from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

_BASE64 = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
MAX_KEY_OCTETS = 998


def storable(text: str) -> str:
    """The text without what a database refuses: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def key_of(text: str) -> str:
    """A Message-ID or other key as it is stored and looked up; no line of mail is longer (RFC 5322 section 2.1.1)."""
    return storable(text)[:MAX_KEY_OCTETS]


def codec(kind: Any) -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    """Writer and reader of one kind of value; what the writer cannot encode it writes as U+FFFD and never raises."""
    # A tuple around it, because pydantic takes no configuration for a bare dataclass; its brackets are not stored.
    adapter: TypeAdapter[tuple[Any]] = TypeAdapter(tuple[kind], config=_BASE64)

    def write(value: Any) -> str:
        try:
            return adapter.dump_json((value,))[1:-1].decode()
        except PydanticSerializationError:
            return adapter.dump_json(adapter.validate_python(_cleaned(adapter.dump_python((value,)))))[1:-1].decode()

    def read(text: str) -> Any:
        return adapter.validate_json(f"[{text}]")[0]

    return write, read


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_cleaned(one) for one in value)
    return value
