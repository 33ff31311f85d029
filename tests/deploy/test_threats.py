"""deploy/THREATS.md names, for each threat, tests that exist."""

from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]


def named_tests(row: str) -> list[str]:
    """Paths in the last cell; one without a folder stands in the folder of the one before it."""
    found: list[str] = []
    for word in row.rstrip("|").rpartition("|")[2].split("`")[1::2]:
        found.append(word if "/" in word else str(PurePosixPath(found[-1]).parent / word))
    return found


def test_each_threat_names_tests_that_exist():
    lines = (ROOT / "deploy" / "THREATS.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    assert len(rows) > 10
    for row in rows:
        assert named_tests(row), row
        assert [name for name in named_tests(row) if not any(ROOT.glob(name))] == [], row
