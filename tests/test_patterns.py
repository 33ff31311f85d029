"""Regular expressions of the program are those that every supported Python reads alike."""

import re
from pathlib import Path

GATEWAY = Path(__file__).parents[1] / "gateway"
REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+?]\+")
NEVER_HALF_WAY = {"html.py"}
"""Files whose repeated groups cannot fail after they have begun: there the fault does not show."""


def test_no_group_is_repeated_possessively():
    """Python 3.11.2, of Debian 12, stays where a possessive group failed half way (gh-101955): `a.@b` became an address."""
    found = [
        f"{path.relative_to(GATEWAY)}:{number}"
        for path in sorted(GATEWAY.rglob("*.py"))
        if path.name not in NEVER_HALF_WAY
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if REPEATED_GROUP.search(line)
    ]
    assert found == []
