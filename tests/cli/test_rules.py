"""`cp247 rules check` and `cp247 rules test`: what they print and how they end."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rule_pack import FOLDER, pack

from gateway.cli.context import Context
from gateway.cli.rules import rules
from gateway.errors import ConfigError

MAIL = "From: a@b.example\nTo: 247cp@institution.gov.a.example\nSubject: {subject}\n\n{words}\n"


@pytest.fixture
def tree(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "rules")
    return tmp_path / "rules"


def write(tree, name, *, subject="hello", words="hello"):
    path = tree / "examples" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MAIL.format(subject=subject, words=words), encoding="utf-8")


def run(*words):
    return CliRunner().invoke(rules, list(map(str, words)), obj=Context())


def cp247(*words, cwd):
    command = [sys.executable, "-m", "gateway.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def exercise_all(tree):
    """Examples that hit every rule of the pack, each in its category."""
    write(tree, "emergency/en.eml", subject="Emergency disclosure request", words="A child is kidnapped. Urgent.")
    every = "Webinar on offence, volatile, MLA request will follow. No MLA request will follow. infraction"
    write(tree, "other/en.eml", subject="Webinar", words=every)
    write(
        tree,
        "preservation/en.eml",
        subject="Extension of previous request: demande de gel de données",
        words="Data preservation request: preserve the records. Subscriber information is assigned to a user.",
    )


def test_check_names_rules_languages_and_digest(tree):
    done = run("check", tree)
    assert done.exit_code == 0
    assert done.output == f"15 rules in en, fr; digest {pack().digest}\n"


def test_check_as_json(tree):
    assert json.loads(run("check", tree, "--json").output) == {
        "digest": pack().digest,
        "rules": 15,
        "languages": ["en", "fr"],
    }


def test_check_stops_with_every_complaint(tree):
    (tree / "scoring.yaml").write_text("places: [", encoding="utf-8")
    (tree / "items.yaml").unlink()
    done = run("check", tree)
    assert isinstance(done.exception, ConfigError)
    assert [one.file for one in done.exception.complaints] == ["scoring.yaml", "items.yaml"]


def test_broken_rules_end_with_2_and_file_line_column(tree, tmp_path):
    phrases = tree / "phrases" / "en.yaml"
    phrases.write_text(phrases.read_text(encoding="utf-8").replace("weight: 5", "wieght: 5", 1), encoding="utf-8")
    done = cp247("rules", "check", tree, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: phrases/en.yaml:12:5: rules.0.wieght: ")
    assert "Traceback" not in done.stderr


def test_folder_that_is_none_ends_with_2(tmp_path):
    done = cp247("rules", "check", tmp_path / "nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not a folder" in done.stderr


def test_without_folder_the_configuration_says_where(tmp_path):
    done = cp247("rules", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert "gateway.yaml" in done.stderr


def test_test_passes_when_every_rule_is_exercised(tree):
    exercise_all(tree)
    done = run("test", tree)
    assert done.output == "3 examples, 0 differ, 0 rules without an example\n"
    assert done.exit_code == 0


def test_test_shows_the_difference_and_ends_with_1(tree):
    exercise_all(tree)
    write(tree, "other/wrong.eml", subject="Data preservation request")
    done = run("test", tree)
    assert done.exit_code == 1
    assert "preservation" in done.output
    assert "4 examples, 1 differ, 0 rules without an example" in done.output


def test_test_names_rules_without_an_example(tree):
    write(tree, "other/one.eml")
    done = run("test", tree)
    assert done.exit_code == 1
    assert "no example hits emergency.en.danger" in done.output


def test_test_without_examples_is_no_success(tree):
    done = run("test", tree)
    assert done.exit_code == 1
    assert "there are no examples" in done.output


def test_test_as_json(tree):
    exercise_all(tree)
    write(tree, "other/wrong.eml", subject="Data preservation request")
    done = run("test", tree, "--json")
    found = json.loads(done.output)
    assert done.exit_code == 1
    assert found["good"] is False
    assert found["ruleset"] == pack().digest
    assert found["examples"] == 4
    assert found["idle"] == []
    (difference,) = found["differences"]
    assert difference["path"] == "examples/other/wrong.eml"
    assert (difference["what"], difference["expected"], difference["found"]) == ("category", "other", "preservation")


def test_an_example_cannot_write_to_the_terminal(tree):
    write(tree, "preservation/x.eml", subject="hello")
    hostile = Path(tree / "examples" / "other" / "x.eml")
    hostile.parent.mkdir()
    hostile.write_bytes(b"From: a@b.example\nX-Expect: \x1b[31m[red]a=1\n\nwords\n")
    done = run("test", tree)
    assert "\x1b" not in done.output
    assert "[red]a" in "".join(done.output.split())


def test_check_changes_nothing(tree):
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    run("check", tree)
    run("test", tree)
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before
