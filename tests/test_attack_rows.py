"""Every row of the attack lists has a golden case, and the table in tests/cases/README.md says which."""

import re

import pytest
from golden import CASES, case_folders

ROWS = [
    *(f"M{row}" for row in range(1, 14)),
    *(f"A{row}" for row in range(1, 22)),
    *(f"P{row}" for row in range(1, 24)),
]
TABLE = dict(
    re.findall(r"^\| ([MAP]\d+) \| [^|]+ \| ([^|]*) \|$", (CASES / "README.md").read_text("utf-8"), re.MULTILINE)
)


def naming(row: str) -> list[str]:
    """Cases whose why.md names the row."""
    named = re.compile(rf"\b{row}\b")
    return [one.name for one in case_folders() if named.search((one / "why.md").read_text("utf-8"))]


def test_the_table_has_every_row_and_no_other() -> None:
    assert list(TABLE) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_the_cases_that_name_it(row: str) -> None:
    listed = re.findall(r"`([^`]+)`", TABLE[row])
    assert listed == naming(row)
    assert listed
