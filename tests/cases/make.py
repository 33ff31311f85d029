"""Writes message.eml of the cases named, or of all: `python tests/cases/make.py [NAME...]`.

Expectations are never written here: what a case must give is decided by hand, in its expected.json.
"""

import sys
from collections.abc import Callable
from pathlib import Path

CASES = Path(__file__).parent
sys.path[:0] = [str(CASES.parent.parent), str(CASES.parent / "support"), str(CASES / "recipes")]

import ambiguous  # noqa: E402 the path above is what makes these importable
import authentication  # noqa: E402
import automatic  # noqa: E402
import channel  # noqa: E402
import dispositions  # noqa: E402
import forms  # noqa: E402
import headers  # noqa: E402
import history  # noqa: E402
import intruder  # noqa: E402
import mime  # noqa: E402
import openpgp  # noqa: E402
import packets  # noqa: E402
import reading  # noqa: E402
import rearranged  # noqa: E402
import words  # noqa: E402

TOPICS = (
    dispositions, headers, history, intruder, mime, ambiguous, authentication, openpgp, packets, rearranged, automatic, channel, words, forms,
    reading,
)  # fmt: skip
MESSAGES: dict[str, Callable[[], bytes]] = {name: make for topic in TOPICS for name, make in topic.MESSAGES.items()}


def main() -> None:
    """Write the messages asked for; a name without a recipe is an error before anything is written."""
    names = sys.argv[1:] or list(MESSAGES)
    if unknown := [one for one in names if one not in MESSAGES]:
        sys.exit(f"no recipe for {', '.join(unknown)}: add it to one of the modules in recipes/")
    for name in names:
        folder = CASES / name
        folder.mkdir(exist_ok=True)
        (folder / "message.eml").write_bytes(MESSAGES[name]())


if __name__ == "__main__":
    main()
