"""`cp247 serve` over a file that is no database says so in one line, and ends with exit status 2."""

from pathlib import Path

from running import Running, cp247


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path):
    gateway = Running(tmp_path / "gateway")
    file = gateway.folder / "state" / "gateway.db"
    file.write_text("not a database\n" * 100)
    result = cp247("serve", config=gateway.config, check=False)
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "error: file is not a database; see `database` in gateway.yaml, or run `cp247 doctor`"
    ]
    assert file.read_text() == "not a database\n" * 100
