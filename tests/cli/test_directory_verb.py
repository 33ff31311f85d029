"""`cp247 directory`: what the network keeps elsewhere comes in as it is, changes nothing silently, and goes out again."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.context import Context
from gateway.cli.directory import directory
from gateway.errors import ConfigError

HEADER = "contact,name,country,addresses,domains,phone,verified_how\n"
POLICE = 'bx-police,"Police, Borduria",BX,247cp@police.gov.b.example verified,police.gov.b.example,\'+000 1 234 567,call-back\n'
JUSTICE = ",Ministry of Justice,SY,247cp@justice.gov.s.example; desk@justice.gov.s.example joint,,,\n"
OLD = """\
# seen by the auditors
name: Police, Borduria
country: BX
addresses:
  - {address: 247cp@police.gov.b.example, verified: true}
domains: [police.gov.b.example]
phone: "+000 9 999 999"   # out of date
languages: [fr]
verified_how: call-back
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "keys").mkdir()
    (tmp_path / "gateway.yaml").write_text(
        "hostname: gw.institution.gov.example\n"
        "contact_point: {name: Contact Point, country: XX, mailbox: 247cp@institution.gov.example}\n"
        "dkim: {domain: institution.gov.example}\n"
        f"openpgp: {{home: gnupg, signing_key: {'A' * 40}}}\n"
    )
    return Context(str(tmp_path / "gateway.yaml"))


@pytest.fixture
def keys(tmp_path: Path, context: Context) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def old(keys: Path) -> Path:
    (keys / "bx-police").mkdir()
    (keys / "bx-police" / "contact.yaml").write_text(OLD)
    return keys / "bx-police" / "contact.yaml"


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(directory, arguments, obj=context)


def imported(context: Context, text: str, *options: str, name: str = "network.csv") -> Result:
    file = Path(str(context.config)).parent / name
    file.write_bytes(text.encode())
    return run(context, "import", str(file), *options)


def states(result: Result) -> dict[str, str]:
    return {one["contact"]: one["state"] for one in map(json.loads, result.output.splitlines()) if "state" in one}


def refusal(result: Result) -> str:
    assert isinstance(result.exception, ConfigError), result.output
    return str(result.exception)


def snapshot(keys: Path) -> dict[str, bytes]:
    return {str(one.relative_to(keys)): one.read_bytes() for one in keys.rglob("*") if one.is_file()}


def test_new_contacts_get_folders(context: Context, keys: Path) -> None:
    done = imported(context, HEADER + POLICE + JUSTICE)
    assert done.exit_code == 0, done.output
    assert set(snapshot(keys)) == {"bx-police/contact.yaml", "sy-justice/contact.yaml"}
    exported = json.loads(run(context, "export", "--format", "json").output)
    assert [(one["contact"], one["phone"]) for one in exported] == [("bx-police", "+000 1 234 567"), ("sy-justice", "")]
    assert exported[1]["addresses"] == [
        {"address": "247cp@justice.gov.s.example", "verified": False, "joint": False},
        {"address": "desk@justice.gov.s.example", "verified": False, "joint": True},
    ]


def test_a_second_import_finds_everything_unchanged(context: Context, keys: Path) -> None:
    imported(context, HEADER + POLICE + JUSTICE)
    before = snapshot(keys)
    again = imported(context, HEADER + POLICE + JUSTICE, "--json")
    assert (again.exit_code, states(again)) == (0, {"bx-police": "unchanged", "sy-justice": "unchanged"})
    assert snapshot(keys) == before


def test_a_change_is_shown_and_waits_for_yes(context: Context, keys: Path, old: Path) -> None:
    before = snapshot(keys)
    asked = imported(context, HEADER + POLICE + JUSTICE)
    assert asked.exit_code == 1
    assert "phone: +000 9 999 999 -> +000 1 234 567" in asked.output
    assert "say --yes" in asked.output
    assert snapshot(keys) == before


def test_yes_changes_only_what_differs(context: Context, keys: Path, old: Path) -> None:
    assert imported(context, HEADER + POLICE, "--yes").exit_code == 0
    written = old.read_text()
    assert "+000 1 234 567" in written
    # what the file has no column for, and what the administrator noted, stays
    assert "# seen by the auditors" in written
    assert "languages: [fr]" in written


def test_a_dry_run_writes_nothing(context: Context, keys: Path, old: Path) -> None:
    before = snapshot(keys)
    tried = imported(context, HEADER + POLICE + JUSTICE, "--dry-run", "--yes", "--json")
    assert (tried.exit_code, states(tried)) == (0, {"bx-police": "changed", "sy-justice": "new"})
    assert snapshot(keys) == before


def test_a_missing_contact_is_told_and_stays(context: Context, keys: Path, old: Path) -> None:
    done = imported(context, HEADER + JUSTICE, "--json")
    assert (done.exit_code, states(done)) == (0, {"sy-justice": "new", "bx-police": "missing"})
    assert old.read_text() == OLD


def test_a_contact_is_known_by_its_address(context: Context, keys: Path, old: Path) -> None:
    renamed = POLICE.replace("bx-police", "", 1)
    assert states(imported(context, HEADER + renamed, "--dry-run", "--json")) == {"bx-police": "changed"}


def test_keys_are_never_touched_and_told_when_they_are_not_pinned(context: Context, keys: Path, old: Path) -> None:
    fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"
    (keys / "bx-police" / f"{fingerprint}.asc").write_bytes(b"not even a key")
    text = f"contact,addresses,phone,fingerprints\nbx-police,247cp@police.gov.b.example verified,,{fingerprint}; {'F' * 40}\n"
    done = imported(context, text, "--yes")
    assert f"{'F' * 40} is not pinned: cp247 keys add" in done.output
    assert f"{fingerprint} is not pinned" not in done.output
    assert (keys / "bx-police" / f"{fingerprint}.asc").read_bytes() == b"not even a key"


def test_a_broken_contact_is_mended_only_with_yes(context: Context, keys: Path, old: Path) -> None:
    old.write_text("name: [\n")
    assert imported(context, HEADER + POLICE).exit_code == 1
    assert imported(context, HEADER + POLICE, "--yes").exit_code == 0
    assert "247cp@police.gov.b.example" in run(context, "export").output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + POLICE.replace(",BX,", ",Borduria,"), "network.csv:2:3: country: 'Borduria' is no country code; write two"),
        (HEADER + JUSTICE + POLICE.replace("247cp@", "247cp"), "network.csv:3:4: addresses.0.address"),
        (HEADER + POLICE + POLICE, "network.csv:3:1: contact: is bx-police, and so is row 2"),
        (HEADER + POLICE + POLICE.replace("bx-police", "bx-other", 1), "has 247cp@police.gov.b.example, and so has"),
        (HEADER + POLICE.replace("bx-police", "../x", 1), "is no name of a contact"),
        (HEADER + POLICE.replace("Police,", "Police\x1b[2J,"), "network.csv:2:2: name: "),
        (HEADER + 'a,"open', "network.csv:2"),
        (HEADER + POLICE.rstrip() + ",more\n", "has 8 cells for 7 columns"),
        ("contact,name,name,nonsense\n", "network.csv:1:4: nonsense: is no column"),
        ("contact,name\n", "network.csv:1:3: addresses: is missing"),
        ("", "its first row names the columns"),
        ("addresses,country\n,BX\n", "network.csv:2:1: addresses: is missing or cannot be read"),
        ('addresses,country\n"""x@y.example",BX\n', "network.csv:2:1: addresses: has an open quotation mark"),
        ("contact,addresses,fingerprints\nbx,x@y.example,ABCD\n", "network.csv:2:3: fingerprints: 'ABCD' is no fingerprint"),
        ("contact,addresses,name,country,valid_until\nbx,x@y.example,N,BX,soon\n", "network.csv:2:5: valid_until"),
    ],
)  # fmt: skip
def test_an_error_names_file_row_column_and_remedy_and_nothing_is_written(context, keys, text: str, words: str) -> None:
    said = refusal(imported(context, text, "--yes"))
    assert words in said
    assert all("; " in line for line in said.splitlines())
    assert snapshot(keys) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "network.json:1:2: "),
        ("{}", "is no array"),
        ("[1]", "entry 1 is no object"),
        ('[{"contact": "bx", "addresses": [{"address": "x@y.example"}], "name": 5, "country": "BX"}]', "entry 1, name"),
        ('[{"contact": "bx", "addresses": [], "name": "N", "country": "BX", "secret": 1}]', "entry 1, secret"),
        (
            '[{"contact": "bx", "addresses": [{"address": "x@y.example"}], "name": "\\ud800", "country": "BX"}]',
            "entry 1",
        ),
        ('[{"contact": "bx", "fingerprints": 7}]', "entry 1, fingerprints"),
        ("[" * 100_000, "network.json"),
        ('[{"contact": "bx", "addresses": ' + "[" * 500 + "]" * 500 + "}]", "entry 1"),
    ],
)
def test_json_is_refused_by_entry_and_key(context: Context, keys: Path, text: str, words: str) -> None:
    assert words in refusal(imported(context, text, name="network.json"))
    assert snapshot(keys) == {}


def test_other_files_are_refused(context: Context) -> None:
    assert "is neither .csv nor .json" in refusal(imported(context, HEADER, name="network.xlsx"))
    assert "is not UTF-8" in refusal(run(context, "import", latin(context)))


def latin(context: Context) -> str:
    file = Path(str(context.config)).parent / "latin.csv"
    file.write_bytes(HEADER.encode() + "bx,Cité,BX,x@y.example,,,\n".encode("latin-1"))
    return str(file)


def test_a_spreadsheet_that_separates_by_semicolons_is_read(context: Context, keys: Path) -> None:
    text = '\ufeffcontact;name;country;addresses\r\nbx;Police;BX;"a@b.example verified; c@b.example"\r\n'
    assert imported(context, text).exit_code == 0
    (found,) = json.loads(run(context, "export", "--format", "json").output)
    assert [(one["address"], one["verified"]) for one in found["addresses"]] == [
        ("a@b.example", True),
        ("c@b.example", False),
    ]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_is_exported_is_imported_as_unchanged(context: Context, keys: Path, old: Path, kind: str) -> None:
    imported(context, HEADER + JUSTICE)
    exported = run(context, "export", "--format", kind).output
    again = imported(context, exported, "--json", name=f"again.{kind}")
    assert set(states(again).values()) == {"unchanged"}


def test_export_complains_of_a_broken_folder_and_gives_the_others(context: Context, keys: Path, old: Path) -> None:
    (keys / "sy-justice").mkdir()
    (keys / "sy-justice" / "contact.yaml").write_text("name: [\n")
    done = run(context, "export")
    assert "sy-justice/contact.yaml" in refusal(done)
    assert "247cp@police.gov.b.example verified" in done.output


def test_a_control_sequence_in_a_file_does_not_reach_the_terminal(context: Context, keys: Path, old: Path) -> None:
    shown = imported(context, HEADER + POLICE.replace("Police, Borduria", "[red]Police[/]"), "--dry-run")
    assert "[red]Police[/]" in shown.output
