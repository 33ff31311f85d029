"""Rule files that were written badly or to do harm: refused with file and line by `cp247 rules check`, or harmless."""

import time

import pytest
from click.testing import CliRunner
from rule_pack import FOLDER, pack_files, with_rules

from gateway.cli.context import Context
from gateway.cli.rules import rules
from gateway.errors import ConfigError
from gateway.model.message import Text
from gateway.triage.hits import folded, rule_hits

PHRASES = pack_files()["phrases/en.yaml"]
SCORING = pack_files()["scoring.yaml"]
ITEMS = pack_files()["items.yaml"]


def cut(content: bytes, tenth: int) -> bytes:
    """A file whose writer was stopped, in the middle of a line."""
    at = len(content) * tenth // 10
    return content[: at if content[at - 1 : at] not in b"\n,]}" else at - 3]


BROKEN = [
    *((f"half-written {tenth}/10", "phrases/en.yaml", cut(PHRASES, tenth)) for tenth in (1, 3, 5, 7, 9)),
    ("half-written scoring", "scoring.yaml", cut(SCORING, 5)),
    ("half-written items", "items.yaml", cut(ITEMS, 5)),
    ("empty", "phrases/en.yaml", b""),
    ("blanks only", "scoring.yaml", b"\n\n  \n"),
    ("a comment only", "items.yaml", b"# nothing\n"),
    ("NUL at the end", "phrases/en.yaml", PHRASES + b"\0"),
    ("NUL in a word", "scoring.yaml", SCORING.replace(b"template", b"tem\0plate", 1)),
    ("a file of zeros", "phrases/en.yaml", bytes(4096)),
    ("UTF-16, little end", "phrases/en.yaml", PHRASES.decode().encode("utf-16")),
    ("UTF-16, big end, no mark", "scoring.yaml", SCORING.decode().encode("utf-16-be")),
    ("UTF-32", "items.yaml", ITEMS.decode().encode("utf-32")),
    ("Latin-1", "phrases/en.yaml", PHRASES + "# é\n".encode("latin-1")),
    ("EBCDIC", "scoring.yaml", SCORING.decode().encode("cp500")),
    ("a picture", "phrases/en.yaml", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    ("an archive", "items.yaml", b"PK\x03\x04" + bytes(range(256))),
    ("JSON with a comma too many", "scoring.yaml", b'{"places": {"template": 10,,}}'),
    ("XML", "scoring.yaml", b"<?xml version='1.0'?><places/>"),
    ("tabs for indentation", "scoring.yaml", b"places:\n\ttemplate: 10\n"),
    ("a tag that runs Python", "scoring.yaml", b"places: !!python/object/apply:os.system ['true']\n"),
    ("a tag that opens a file", "scoring.yaml", b"places: !!python/object/new:open ['x', 'w']\n"),
    ("a tag that imports", "items.yaml", b"items: !!python/module:os ''\n"),
    ("a tag of Ruby", "items.yaml", b"items: !ruby/object:Gem::Installer {}\n"),
    ("a tag of Java", "items.yaml", b"items: !!javax.script.ScriptEngineManager []\n"),
    ("a tag of the file's own", "scoring.yaml", b"%TAG ! tag:x,2026:\n---\nplaces: !p {}\n"),
    ("billion laughs", "phrases/en.yaml", b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
    ("an alias to itself", "scoring.yaml", b"places: &p {template: *p}\n"),
    ("merge of an anchor", "scoring.yaml", b"a: &a {x: 1}\nplaces: {<<: *a}\n"),
    ("a key twice", "scoring.yaml", SCORING + b"\ndoubtful: 0.5\ndoubtful: 0.9\n"),
    ("a key twice, once quoted", "scoring.yaml", b"'places': {}\nplaces: {}\n"),
    ("nested a thousand times", "phrases/en.yaml", b"rules: " + b"[" * 1000 + b"]" * 1000),
    ("a scalar of a megabyte", "phrases/en.yaml", b"language: " + b"x" * (1 << 20)),
    ("merged with conflict marks", "phrases/en.yaml", b"<<<<<<< ours\n" + PHRASES + b"=======\n>>>>>>> theirs\n"),
    ("two documents", "scoring.yaml", SCORING + b"\n---\n" + SCORING),
    ("NO for a word", "phrases/en.yaml", PHRASES.replace(b"language: en", b"language: NO", 1)),
    ("12:30 for a number", "scoring.yaml", b"doubtful: 12:30:45\n" + SCORING),
    ("bad RE2", "phrases/en.yaml", PHRASES + b"\n  - {id: x.y, category: preservation, regex: ['(a'], why: test}\n"),
    ("look-behind", "phrases/en.yaml", PHRASES + b"\n  - {id: x.y, category: preservation, regex: ['(?<=a)b'], why: test}\n"),
    ("back reference", "phrases/en.yaml", PHRASES + b"\n  - {id: x.y, category: preservation, regex: ['(a)\\1'], why: test}\n"),
    ("an action", "phrases/en.yaml", PHRASES + b"\n  - {id: x.y, category: preservation, phrases: [x], action: discard, why: test}\n"),
]  # fmt: skip


def test_there_are_as_many_as_the_list_of_attacks_asks():
    assert len(BROKEN) >= 42


@pytest.mark.parametrize(("path", "content"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_check_refuses_it_and_names_the_file(tmp_path, path, content):
    for name, octets in pack_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(octets)
    (tmp_path / path).write_bytes(content)
    done = CliRunner().invoke(rules, ["check", str(tmp_path)], obj=Context())
    assert isinstance(done.exception, ConfigError), done.output
    first = done.exception.complaints[0]
    assert first.file == path
    assert first.what
    assert FOLDER.joinpath(path).read_bytes() == pack_files()[path]


CATASTROPHIC = [
    r"(a+)+$",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"(a*)*b",
    r"(a+)*b",
    r"([a-z]+)*x",
    r"(.*)*x",
    r"(.+)+x",
    r"(\w+\s?)*x",
    r"(\w|\w\w)*x",
    r"^(([a-z])+.)+[a-z]([a-z])+$",
    r"(x+x+)+y",
    r"(.*?,){11}p",
    r"(.*,){15}p",
    r"(\d+)*-(\d+)*-(\d+)*z",
    r"a*a*a*a*a*a*b",
    r"(([a-z]+)+)+q",
    r"(a?){20}a{20}",
    r"\s+$",
    r".*.*=.*",
    r"(\s*\w+\s*,?)*!",
    r"^([a-z0-9._-])+@(([a-z0-9-])+\.)+([a-z0-9]{2,4})+$",
    r"^(\w+([-+.']\w+)*)+@\w+$",
    r"(https?://)?([\da-z.-]+)*\.([a-z.]{2,6})([/\w .-]*)*/?$",
    r"^(\(?\d{3}\)?[ -]?)*\d{4}x$",
    r"<(\w+)(\s+\w+(\s*=\s*\w+)?)*\s*/?>!",
    r"(?:(?:a|b|ab)+)+c",
    r"(\pL*)*1",
    r"(\pL+ ?)+\d\d\d$",
    r"((a{0,20}){0,20}){0,20}b",
    r"(a|b|c|d|e|[a-e])+z",
    r"\b(\w+ )+\w+\?$",
]
FLOODS = ("a" * 40_000 + "!", "a, 1-" * 8_000 + "!", "word and " * 4_500 + "?!")


def test_there_are_thirty_patterns():
    assert len(set(CATASTROPHIC)) >= 30


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_catastrophic_pattern_is_refused_or_linear(pattern):
    try:
        ruleset = with_rules(
            f"{{id: x.y, category: preservation, regex: ['{pattern.replace(chr(39), chr(39) * 2)}'], why: test}}"
        )
    except ConfigError as error:
        assert error.complaints[0].file == "phrases/en.yaml"
        assert error.complaints[0].line > 0
        return
    start = time.process_time()
    for flood in FLOODS:
        rule_hits(folded(Text(body=flood)), ruleset=ruleset, show=True)
    # a backtracking engine takes longer than the age of the universe for some of these
    assert time.process_time() - start < 5
