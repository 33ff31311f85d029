"""Reads MIME fields of the form `word; name=value` (RFC 2045 section 5.1, RFC 2231); tolerant, linear, never raises."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.mail.decode import charset_text

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|\\.|[()]|[^"()\\]++|.', re.DOTALL)
_PARAMETER = re.compile(rb';[ \t]*+([^\s=;"]++)[ \t]*+=[ \t]*+("(?:[^"\\]|\\.)*"?|[^;]*+)', re.DOTALL)
_NAME = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)")
_CHARSET = re.compile(rb"([^']{0,80})'[^']{0,80}'")


@dataclass(frozen=True, slots=True)
class Parameterized:
    """A field value taken apart; `repeated` names parameters that were given more than once."""

    word: str
    parameters: tuple[tuple[str, str], ...] = ()
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Written:
    """One parameter as written: `name`, `name*` or `name*0*` (RFC 2231 sections 3 and 4)."""

    name: str
    section: int | None
    extended: bool
    value: bytes


def read_parameters(value: bytes) -> Parameterized:
    """The word before the first semicolon and the parameters by name, both lower-case; of repeated ones the first."""
    bare = _without_comments(value)
    word = bare.partition(b";")[0].strip(b" \t").lower().decode("latin-1")
    if b";" not in bare:
        return Parameterized(word)
    written = [_written(*found) for found in _PARAMETER.findall(bare)]
    by_name: dict[str, list[_Written]] = {}
    for one in written:
        by_name.setdefault(one.name, []).append(one)
    parameters = tuple((name, _joined(ones)) for name, ones in by_name.items())
    repeated = frozenset(name for name, ones in by_name.items() if sum(not one.section for one in ones) > 1)
    return Parameterized(word, parameters, repeated)


def _written(name: bytes, value: bytes) -> _Written:
    text = name.decode("latin-1").lower()
    match = _NAME.fullmatch(text)
    if match is None:
        return _Written(text, None, False, _unquoted(value))
    extended = bool(match[3])
    section = int(match[2]) if match[2] else (0 if extended else None)
    return _Written(match[1], section, extended, _unquoted(value))


def _joined(ones: list[_Written]) -> str:
    """The value of one parameter: its sections in order, or else the plain form (RFC 2231 section 3)."""
    sections: dict[int, _Written] = {}
    for one in ones:
        if one.section is not None:
            sections.setdefault(one.section, one)
    if 0 not in sections:
        return charset_text(ones[0].value, "utf-8")[0]
    charset = _CHARSET.match(sections[0].value) if sections[0].extended else None
    data = bytearray()
    for number, one in sorted(sections.items()):
        if number and number - 1 not in sections:
            break
        value = one.value[charset.end() :] if charset and not number else one.value
        data += unquote_to_bytes(value) if one.extended else value
    return charset_text(bytes(data), charset[1].decode("latin-1") if charset else "utf-8")[0]


def _unquoted(value: bytes) -> bytes:
    stripped = value.strip(b" \t")
    if not stripped.startswith(b'"'):
        return stripped
    closed = len(stripped) > 1 and stripped.endswith(b'"')
    return re.sub(rb"\\(.)", rb"\1", stripped[1 : -1 if closed else None])


def _without_comments(value: bytes) -> bytes:
    """The value without comments, which may nest (RFC 5322 section 3.2.2)."""
    if b"(" not in value:
        return value
    kept = bytearray()
    depth = 0
    for token in _TOKEN.finditer(value):
        if token[0] == b"(":
            depth += 1
        elif token[0] == b")" and depth:
            depth -= 1
        elif not depth:
            kept += token[0]
    return bytes(kept)
