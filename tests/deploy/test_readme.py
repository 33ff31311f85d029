"""README.md tells the truth about commands: each one that exists is named as built, none that is named as missing exists."""

import re
from pathlib import Path

import click

from gateway.cli.main import Verbs, cp247

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BUILT = README.partition("**Built:**")[2].partition("**Not built yet:**")[0]
MISSING = README.partition("**Not built yet:**")[2].partition("\n## ")[0]


def commands() -> set[str]:
    """`serve`, `keys add` ...: what can be typed after cp247."""
    assert isinstance(cp247, Verbs)
    context = click.Context(cp247)
    found = set()
    for verb in cp247.list_commands(context):
        command = cp247.get_command(context, verb)
        found |= {f"{verb} {one}" for one in command.commands} if isinstance(command, click.Group) else {verb}
    return found


def built() -> set[str]:
    """Commands in backquotes; `keys list|add` stands for two."""
    found = set()
    for verb, choices in re.findall(r"`([a-z]+)(?: ([a-z|-]+))?`", BUILT):
        found |= {f"{verb} {one}" for one in choices.split("|")} if choices else {verb}
    return found


def test_every_command_is_named_as_built_and_no_other():
    assert built() == commands()


def test_no_command_named_as_missing_exists():
    first_cells = " ".join(re.findall(r"(?m)^\| (.*?) \|", MISSING))
    named = set(re.findall(r"`([a-z]+(?: [a-z-]+)?)`", first_cells))
    verbs = {command.partition(" ")[0] for command in commands()}
    assert {"process", "backup"} <= named
    assert named & (commands() | verbs) == set()
