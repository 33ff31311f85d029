"""Reads one YAML 1.2 file of an administrator into a typed value, and says where it is wrong: file, line, column, key, remedy.

Never guesses: duplicate keys, aliases, other encodings and unknown keys are errors.
"""

from collections.abc import Iterator
from io import StringIO
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from gateway.errors import Complaint, ConfigError

MAX_FILE_BYTES = 1 << 20

T = TypeVar("T")


def read_yaml(content: bytes, *, file: str, into: type[T]) -> T:
    """The file's value as an instance of `into`; raises ConfigError with every complaint at once."""
    document = parse_yaml(content, file=file)
    try:
        return TypeAdapter(into).validate_python(_plain(document))
    except ValidationError as error:
        raise ConfigError(*(_complaint(one, document, file) for one in error.errors())) from None


def parse_yaml(content: bytes, *, file: str) -> CommentedMap:
    """The file's mapping with positions kept; raises ConfigError."""
    text = _decoded(content, file)
    _refuse_aliases(text, file)
    try:
        document = YAML(typ="rt").load(StringIO(text))
    except YAMLError as error:
        raise ConfigError(_syntax(error, file)) from None
    if not isinstance(document, CommentedMap):
        raise ConfigError(Complaint(file, 1, 1, "", "must be a mapping of keys", "begin with `key: value` lines"))
    return document


def complain(document: CommentedMap, path: tuple[str | int, ...], what: str, remedy: str, *, file: str) -> Complaint:
    """A complaint of the caller's about the value at that path, with its position."""
    line, column = position(document, path)
    return Complaint(file, line, column, ".".join(str(step) for step in path), what, remedy)


def position(document: CommentedMap | CommentedSeq, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Line and column, 1-based, of the deepest step of the path that stands in the file."""
    node: Any = document
    found = (1, 1)
    for step in path:
        if isinstance(node, CommentedMap) and step in node:
            line, column = (
                node.lc.value(step) if not isinstance(node[step], CommentedMap | CommentedSeq) else node.lc.key(step)
            )
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, column = node.lc.item(step)
        else:
            break
        found, node = (line + 1, column + 1), node[step]
    return found


def _decoded(content: bytes, file: str) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(Complaint(file, 0, 0, "", f"is {len(content)} bytes, more than {MAX_FILE_BYTES}", "split it"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(Complaint(file, line, 1, "", "is not UTF-8", "save it as UTF-8")) from None
    if "\x00" in text:
        raise ConfigError(
            Complaint(file, text[: text.index("\x00")].count("\n") + 1, 1, "", "contains a NUL", "remove it")
        )
    return text


def _refuse_aliases(text: str, file: str) -> None:
    """Refuse aliases before anything is built from them: nested ones grow without bound."""
    try:
        for event in YAML(typ="rt").parse(StringIO(text)):
            if isinstance(event, AliasEvent):
                mark = event.start_mark
                raise ConfigError(
                    Complaint(file, mark.line + 1, mark.column + 1, "", "uses an alias (*name)", "write the value out")
                )
    except YAMLError as error:
        raise ConfigError(_syntax(error, file)) from None


def _syntax(error: YAMLError, file: str) -> Complaint:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    what = (getattr(error, "problem", None) or "is not YAML").split("\n")[0]
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    return Complaint(file, line, column, "", what, "mend the YAML syntax at this place")


def _plain(node: Any) -> Any:
    """Plain containers for the validator; positions stay with the original."""
    if isinstance(node, CommentedMap):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    return node


def _complaint(error: ErrorDetails, document: CommentedMap, file: str) -> Complaint:
    path = tuple(_steps(error["loc"], document))
    line, column = position(document, path)
    what, remedy = _words(error)
    return Complaint(file, line, column, ".".join(str(step) for step in path), what, remedy)


def _steps(loc: tuple[int | str, ...], document: CommentedMap) -> Iterator[int | str]:
    """The steps that are keys of the file: a validator also names alternatives and classes it tried."""
    node: Any = document
    for step in loc:
        inside = (isinstance(node, CommentedMap) and step in node) or (
            isinstance(node, CommentedSeq) and isinstance(step, int)
        )
        if not inside and step != loc[-1]:
            continue
        yield step
        node = node[step] if inside else None


def _words(error: ErrorDetails) -> tuple[str, str]:
    match error["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "unknown key", "remove it, or look up its right name"
        case "missing" | "missing_keyword_only_argument" | "missing_argument":
            return "is missing", "add it"
        case kind:
            found = "" if error["input"] is None else f", found {str(error['input'])[:80]!r}"
            remedy = "see the commented default" if kind != "enum" else "choose one of these words"
            return f"{error['msg'][0].lower()}{error['msg'][1:]}{found}", remedy
