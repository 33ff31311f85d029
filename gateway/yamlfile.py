"""Reads one YAML 1.2 file of an administrator into plain values, and remembers where each of them stands.

Constructs nothing but text, numbers, booleans, lists and mappings; never follows an anchor, alias or tag, never guesses.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

from gateway.errors import Complaint, ConfigError

MAX_FILE_BYTES = 1_048_576
MAX_DEPTH = 12
"""Levels of lists and mappings; the deepest the format needs is six."""

Path = tuple[str | int, ...]
Positions = Mapping[Path, tuple[int, int]]
T = TypeVar("T")

_CORE = "tag:yaml.org,2002:"
_IMPLICIT = frozenset({"str", "timestamp", "merge", "value", "null", "bool", "int", "float"})
_TEXT = frozenset({"str", "timestamp", "merge", "value"})
"""Tags a plain scalar may resolve to that are nothing but words here."""

_RESOLVER = VersionedResolver(version=(1, 2), loader=None, loadumper=None)
_UNUSUAL = re.compile(
    r"(?:^|[\s\[\]{},?])[&*!]"  # anchors, aliases, tags
    r"|[:-][ ]+[|>][-+0-9]*[ ]*(?:#.*)?$"  # block scalars
    r"|(?:-[ ]+){3}"  # lists in lists on one line: libyaml follows them until the stack is full
    r"|^(?:---|\.\.\.|%)|(?:^|[\s\[\]{},])\?\s|\t"  # documents, directives, keys of several words
    r"|[^\n\r\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]",
    re.MULTILINE,
)
"""Anchors, tags, block scalars, markers: what two readers might take differently. Such a file is read by the slow one alone."""
MAX_FLOW = 5000
"""More brackets than any rule file has: deep nesting is refused by the reader that says so."""
_DECIMAL = re.compile(r"[-+]?[0-9]{1,12}(\.[0-9]{1,6})?")
_DIRECTIVE = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*%")

_REMEDIES = {
    "extra_forbidden": "remove it or correct its spelling",
    "unexpected_keyword_argument": "remove it or correct its spelling",
    "missing": "add it",
    "missing_argument": "add it",
    "missing_keyword_only_argument": "add it",
    "string_type": "put it in quotes",
    "enum": "use one of the words named",
}
_REMEDY = "look at the shipped file for what may stand here"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """One file as plain values; `positions` gives line and column, 1-based, of every value by its path of keys."""

    name: str
    values: object
    positions: Positions

    def complaint(self, path: Path, what: str, remedy: str = "") -> Complaint:
        """A complaint about the value at that path, placed at the nearest thing that exists."""
        known = path
        while known and known not in self.positions:
            known = known[:-1]
        line, column = self.positions.get(known, (0, 0))
        return Complaint(self.name, line, column, ".".join(map(str, path)), what, remedy)


class _Refused(Exception):
    """A node the format does not allow; caught in this module."""

    def __init__(self, node: Node, what: str, remedy: str) -> None:
        super().__init__(what)
        self.node, self.what, self.remedy = node, what, remedy


def read_yaml(name: str, content: bytes) -> YamlFile | Complaint:
    """The file's values with their positions, or the first thing that keeps it from being read; never raises."""
    text = _decoded(name, content)
    if isinstance(text, Complaint):
        return text
    positions: dict[Path, tuple[int, int]] = {}
    try:
        root = _composed(text)
        values = None if root is None else _values(root, (), positions)
    except (_Refused, YAMLError, ValueError, RecursionError) as error:
        return _unreadable(name, error)
    return YamlFile(name, values, positions)


def _composed(text: str) -> Node | None:
    """The tree of a file: libyaml reads what is plain, six times as fast; the rest, and what is wrong, is read by YAML 1.2."""
    if not _UNUSUAL.search(text) and text.count("[") + text.count("{") < MAX_FLOW:
        with contextlib.suppress(YAMLError, ValueError):
            return cast("Node | None", YAML(typ="safe", pure=False).compose(text))
    return cast("Node | None", YAML(typ="safe", pure=True).compose(text))


def _decoded(name: str, content: bytes) -> str | Complaint:
    if len(content) > MAX_FILE_BYTES:
        return Complaint(name, 0, 0, "", f"has {len(content)} bytes", f"keep it below {MAX_FILE_BYTES}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Complaint(name, content.count(b"\n", 0, error.start) + 1, 1, "", "is not UTF-8", "save it as UTF-8")
    if _DIRECTIVE.match(text):
        return Complaint(name, 1, 1, "", "directives are not allowed", "remove the line that starts with %")
    return text


def _unreadable(name: str, error: Exception) -> Complaint:
    if isinstance(error, _Refused):
        mark = error.node.start_mark
        return Complaint(name, mark.line + 1, mark.column + 1, "", error.what, error.remedy)
    if isinstance(error, MarkedYAMLError):
        return _syntax(name, error)
    if isinstance(error, RecursionError):
        return Complaint(name, 0, 0, "", "is nested too deeply", f"use at most {MAX_DEPTH} levels")
    return Complaint(name, 0, 0, "", f"is not YAML: {str(error).splitlines()[0]}", "write plain YAML 1.2")


def _syntax(name: str, error: MarkedYAMLError) -> Complaint:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Complaint(name, line, column, "", error.problem or "is not YAML", "write plain YAML 1.2")


def _values(node: Node, path: Path, positions: dict[Path, tuple[int, int]]) -> object:
    """Plain value of a node. Anchors are refused where they are defined, so no alias is ever reached."""
    positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if getattr(node, "anchor", None) is not None:
        raise _Refused(node, f"anchor &{node.anchor} is not allowed", "write the value out")
    if len(path) > MAX_DEPTH:
        raise _Refused(node, "is nested too deeply", f"use at most {MAX_DEPTH} levels")
    if isinstance(node, MappingNode) and str(node.tag) == _CORE + "map":
        return _mapping(node, path, positions)
    if isinstance(node, SequenceNode) and str(node.tag) == _CORE + "seq":
        return [_values(one, (*path, index), positions) for index, one in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _scalar(node)
    raise _Refused(node, f"tag {node.tag} is not allowed", "remove the tag")


def _mapping(node: MappingNode, path: Path, positions: dict[Path, tuple[int, int]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode) or getattr(key_node, "anchor", None) is not None:
            raise _Refused(key_node, "a key must be a plain word", "write the key out")
        key = str(key_node.value)
        if key in found:
            raise _Refused(key_node, f"key {key} stands here twice", "keep one of them")
        found[key] = _values(value_node, (*path, key), positions)
        positions[*path, key] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
    return found


def _scalar(node: ScalarNode) -> object:
    value = str(node.value)
    kind = str(node.tag).removeprefix(_CORE)
    if not node.style and kind in _IMPLICIT:
        # libyaml knows YAML 1.1, where `no` is a boolean; a plain word means what version 1.2 says
        kind = str(_RESOLVER.resolve(ScalarNode, value, (True, False))).removeprefix(_CORE)
    if kind in _TEXT:
        return value
    if kind == "null":
        return None
    if kind == "bool":
        return value.lower() == "true"
    if kind in ("int", "float"):
        return _number(node, value)
    raise _Refused(node, f"tag {node.tag} is not allowed", "remove the tag")


def _number(node: ScalarNode, value: str) -> int | float:
    """Decimal numbers only: what looks like another notation is a slip as often as a wish."""
    if not _DECIMAL.fullmatch(value):
        raise _Refused(node, f"{value[:40]} is not a decimal number", "write digits, or quote it as text")
    return float(value) if "." in value else int(value)


def typed(name: str, content: bytes, schema: type[T]) -> tuple[T, YamlFile]:
    """The file's values as `schema`, and the file for complaints about them; raises ConfigError with every complaint."""
    file = read_yaml(name, content)
    if isinstance(file, Complaint):
        raise ConfigError(file)
    value, complaints = checked(file, schema)
    if value is None:
        raise ConfigError(*complaints)
    return value, file


def checked(file: YamlFile, schema: type[T]) -> tuple[T | None, tuple[Complaint, ...]]:
    """The file's values as `schema`, or every place where they differ from it."""
    try:
        return TypeAdapter(schema).validate_python(file.values), ()
    except ValidationError as error:
        return None, tuple(
            file.complaint(
                tuple(one["loc"]), _what(one["type"], one["msg"], one["input"]), _REMEDIES.get(one["type"], _REMEDY)
            )
            for one in error.errors(include_url=False)
        )


def _what(kind: str, message: str, value: object) -> str:
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return "unknown key"
    if kind.startswith("missing"):
        return "is missing"
    if kind in ("dataclass_type", "model_type", "dict_type"):
        return "must be a mapping of keys"
    words = message.removeprefix("Value error, ")
    if isinstance(value, (dict, list)):
        return words
    return f"{words}, found {str(value)[:60]!r}"
