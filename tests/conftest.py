"""Makes tests/support importable, and deals the tests out to the workers of pytest-xdist."""

import sys
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

sys.path.insert(0, str(Path(__file__).parent / "support"))

LONGEST_FIRST = ("tests/live/", "tests/service/", "tests/cli/", "tests/bench/")
"""Rooms whose modules take long, mostly waiting for servers: none of them may be left alone at the end."""
ONE_INSTITUTION = ("test_at_send.py", "test_behind_postfix.py", "test_exceptions_at_send.py")
"""Modules of tests/live that share Postfix, Dovecot and gateway: whoever has them started has all three."""


class ByModule(LoadScopeScheduling):
    """Each module goes whole to one worker, in the order of the collection; those of one institution go together."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return "one institution" if module.endswith(ONE_INSTITUTION) else module


def _place(item: pytest.Item) -> int:
    return next((place for place, room in enumerate(LONGEST_FIRST) if item.nodeid.startswith(room)), len(LONGEST_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByModule:
    config.option.loadscopereorder = False
    return ByModule(config, log)
