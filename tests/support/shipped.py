"""The configuration snippets of deploy/, as an administrator copies them, with the places of one test filled in."""

import re
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"


def shipped(name: str, places: Mapping[str, object] | None = None) -> str:
    """Text of deploy/NAME; every place to fill in must occur in it, so that no change of a snippet goes untested."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    if not places:
        return text
    for written in places:
        assert written in text, f"deploy/{name} does not mention {written!r}"
    # in one pass: a port filled in may begin like a place still to be filled
    return re.sub("|".join(map(re.escape, places)), lambda match: str(places[match[0]]), text)


def options(text: str) -> dict[str, str]:
    """Parameters of a main.cf."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def settings(text: str) -> dict[str, object]:
    """Lines of a gateway.yaml as section.key -> value."""
    document = YAML(typ="safe").load(text)
    return {f"{section}.{key}": value for section, keys in document.items() for key, value in keys.items()}
