"""Every transcript of tests/dialogues/channel against one running gateway: each row of the table, word for word."""

from pathlib import Path

import pytest
from channel_stage import Player, Stage, read_row

FOLDER = Path(__file__).parent.parent / "dialogues" / "channel"
ROWS = [read_row(path) for path in sorted(FOLDER.glob("*.txt"))]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("channel"), ROWS).running() as found:
        yield found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path.stem)
def test_the_gateway_says_what_the_row_says(stage, row):
    Player(stage, row).play()


def test_every_row_of_the_table_has_a_transcript():
    told = {int(row.path.stem.partition("-")[0]) for row in ROWS}
    assert told == set(range(1, 40))


def test_a_line_that_is_no_step_is_an_error_of_the_transcript(tmp_path):
    (tmp_path / "x.txt").write_text("S: 220 ...\nwhat is this\n")
    with pytest.raises(ValueError, match=r"x\.txt:2"):
        read_row(tmp_path / "x.txt")
