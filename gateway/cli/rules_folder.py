"""Reads a draft from a folder, and writes a rule set into the folder that the gateway reads."""

import contextlib
import fcntl
import os

import click

from gateway.config import read_tree
from gateway.errors import Complaint, ConfigError
from gateway.model.verdict import RuleFiles
from gateway.service.live_rules import locked
from gateway.triage.rule_tree import RuleTree, judging
from gateway.triage.ruleset import parse_tree

DRAFT = click.argument("draft", metavar="DIR", type=click.Path())
REASON = click.option("--reason", required=True, help="Why, in one line; kept with the version.")


def read_draft(folder: str) -> tuple[RuleFiles, RuleTree]:
    """Every file of the draft, examples too, and the rules checked; raises ConfigError with every complaint."""
    files = RuleFiles(read_tree(folder))
    return files, parse_tree(files)


def write_set(folder: str, files: RuleFiles) -> None:
    """Make the folder hold exactly the rules of that set; examples and README that the set does not have stay.

    A gateway that reads the folder meanwhile waits. Raises ConfigError where a file cannot be written.
    """
    try:
        with locked(folder, fcntl.LOCK_EX):
            wanted = dict(files.files)
            for path, _ in judging(RuleFiles(read_tree(folder))).files:
                if path not in wanted:
                    os.unlink(os.path.join(folder, path))
            for path, content in wanted.items():
                _write(os.path.join(folder, path), content)
    except OSError as error:
        raise ConfigError(
            Complaint(
                error.filename or folder, 0, 0, "", f"cannot be written: {error.strerror}",
                "the set judges all the same; make the folder writable and run `cp247 rules rollback` to its digest",
            )
        ) from None  # fmt: skip


def _write(path: str, content: bytes) -> None:
    with contextlib.suppress(OSError), open(path, "rb") as there:
        if there.read() == content:
            return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new")
    with open(beside, "wb") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    os.replace(beside, path)
