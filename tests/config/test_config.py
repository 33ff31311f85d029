"""gateway.yaml: every default as shipped, every error with file, line, column, key and remedy."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import load_settings, read_tree
from gateway.errors import ConfigError
from gateway.model.settings import Settings
from gateway.yamlfile import read_yaml, typed

SHIPPED = Path(__file__).parents[2] / "deploy" / "gateway.yaml"

SMALLEST = """\
hostname: gw.institution.gov.example
contact_point:
  name: Contact Point
  country: SY
  mailbox: 247cp@institution.gov.example
openpgp: {signing_key: "0123456789ABCDEF0123456789ABCDEF01234567"}
dkim: {domain: institution.gov.example}
"""


def write(folder, text):
    file = folder / "gateway.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def complaints(folder, text):
    with pytest.raises(ConfigError) as caught:
        load_settings(write(folder, text))
    return [str(one).replace(str(folder) + "/", "") for one in caught.value.complaints]


def test_the_smallest_file_gives_every_default(tmp_path):
    found = load_settings(write(tmp_path, SMALLEST))
    assert found.inbound.listen == ("127.0.0.1:10023",)
    assert found.outbound.mode == "enforce"
    assert found.contact_point.preservation_days == 90
    assert found.receipts.unknown == "never"


def test_the_shipped_file_can_be_used_as_it_is():
    assert load_settings(str(SHIPPED)).contact_point.mailbox == "247cp@institution.gov.example"


def uncommented(text):
    """The shipped file with each commented default switched on."""
    lines = []
    for line in text.splitlines():
        match = re.match(r"^(\s*)# (\s*)([a-z_]+:.*)$", line)
        lines.append(match[1] + match[2] + match[3] if match else ("" if line.lstrip().startswith("#") else line))
    return "\n".join(lines) + "\n"


def test_the_shipped_file_shows_every_option_with_the_default_of_the_code(tmp_path):
    shown = load_settings(write(tmp_path, uncommented(SHIPPED.read_text(encoding="utf-8"))))
    hidden = load_settings(write(tmp_path, SHIPPED.read_text(encoding="utf-8")))
    assert shown == hidden


def options(kind, path=()):
    for one in dataclasses.fields(kind):
        inner = one.type
        if dataclasses.is_dataclass(inner):
            yield from options(inner, (*path, one.name))
        else:
            yield one.name


def test_no_option_is_missing_from_the_shipped_file():
    text = SHIPPED.read_text(encoding="utf-8")
    assert [name for name in options(Settings) if f"{name}:" not in text] == []


def test_relative_paths_are_relative_to_the_file(tmp_path):
    found = load_settings(write(tmp_path, SMALLEST))
    assert found.state == str(tmp_path / "state")
    assert found.database == f"sqlite:{tmp_path}/state/gateway.db"
    assert found.mailbox.deliver_to == f"maildir:{tmp_path}/state/mailbox"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("country: SY", "country: Syldavia"),
            "gateway.yaml:4:3: contact_point.country: cannot use 'Syldavia'; write two capital letters (ISO 3166)",
        ),
        (
            ("country: SY", "contry: SY"),
            "gateway.yaml:4:3: contact_point.contry: unknown key; remove it or correct its spelling",
        ),
        (
            ("hostname: gw", "hostname: GW"),
            "gateway.yaml:1:1: hostname: cannot use 'GW.institution.gov.example'; write a host name in lower case, such as gw.institution.gov.example",
        ),
        (
            ("0123456789ABCDEF0123", "x"),
            "gateway.yaml:6:11: openpgp.signing_key: cannot use 'x456789ABCDEF01234567'; write the 40 hexadecimal digits of the primary key's fingerprint, upper case",
        ),
    ],
)
def test_an_error_names_file_line_column_key_and_remedy(tmp_path, change, expected):
    assert expected in complaints(tmp_path, SMALLEST.replace(*change))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('inbound: {listen: ["10023"]}', "inbound.listen"),
        ("inbound: {protocol: uucp}", "inbound.protocol"),
        ("inbound: {max_message_bytes: 12}", "inbound.max_message_bytes"),
        ("inbound: {trusted_peers: [everybody]}", "inbound.trusted_peers"),
        ("inbound: {tls: {required: true}}", "inbound.tls.required"),
        ("inbound: {tls: {certificate: a.pem}}", "inbound.tls"),
        ('outbound: {relay: "uucp:somewhere"}', "outbound.relay"),
        ("outbound: {mode: maybe}", "outbound.mode"),
        ('mailbox: {deliver_to: "lmtp://localhost"}', "mailbox.deliver_to"),
        ('database: "mysql://x"', "database"),
        ('dns: {nameservers: ["ns.example"]}', "dns.nameservers"),
        ("dns: {timeout: 0}", "dns.timeout"),
        ("arc: {trusted_sealers: [relay]}", "arc.trusted_sealers"),
        ("judges: 0", "judges"),
        ("officers: [me]", "officers"),
        ('monitoring: {listen: "somewhere"}', "monitoring.listen"),
        ("receipts: {unknown: sometimes}", "receipts.unknown"),
        ("surprise: 1", "surprise"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path, line, key):
    assert any(
        one.startswith("gateway.yaml:8:") and f" {key}: " in one for one in complaints(tmp_path, SMALLEST + line + "\n")
    )


def test_all_errors_come_at_once(tmp_path):
    assert len(complaints(tmp_path, SMALLEST + "judges: none\nreceipts: {unknown: sometimes}\nsurprise: 1\n")) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "stands here twice"),
        ("a: &x [1]\nb: *x\n", "anchor &x is not allowed"),
        ("a: [1\n", "write plain YAML 1.2"),
        ("- 1\n", "must be a mapping"),
        ("", "must be a mapping"),
        ("a: b: c\n", "write plain YAML 1.2"),
    ],
)
def test_yaml_that_is_not_plain_is_refused(tmp_path, text, words):
    assert words in complaints(tmp_path, text)[0]


def test_bytes_that_are_not_utf8_are_refused_with_their_line():
    assert str(read_yaml("x.yaml", b"a: 1\nb: \xff\n")) == "x.yaml:2:1: is not UTF-8; save it as UTF-8"


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="not found; name one with --config, or run `cp247 init DIR`"):
        load_settings(str(tmp_path / "none.yaml"))


def test_a_folder_is_read_as_bytes_sorted_without_hidden_files(tmp_path):
    for name, content in (("b/x", b"2"), ("a", b"1"), (".hidden", b"3"), (".git/config", b"4")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    assert read_tree(str(tmp_path)) == (("a", b"1"), ("b/x", b"2"))


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="is not a folder; create it"):
        read_tree(str(tmp_path / "none"))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet="ab:{}[]&*!\"'#-\n ,%@`|>?", max_size=120).map(str.encode)))
def test_no_bytes_bring_anything_but_settings_or_a_complaint(content):
    try:
        typed("x.yaml", content, Settings)
    except ConfigError as error:
        assert all(one.what for one in error.complaints)


@pytest.mark.parametrize("name", ['""', '"two\\nlines"', '"bell\\a"'])
def test_a_name_that_is_no_line_of_words_is_refused(tmp_path, name):
    found = complaints(tmp_path, SMALLEST.replace("name: Contact Point", f"name: {name}"))
    assert len(found) == 1
    assert found[0].startswith("gateway.yaml:3:3: contact_point.name: cannot use ")
