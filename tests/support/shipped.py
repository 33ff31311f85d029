"""The configuration snippets of deploy/, as an administrator copies them, with the places of one test filled in."""

from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"


def shipped(name: str, places: Mapping[str, object] | None = None) -> str:
    """Text of deploy/NAME; every place to fill in must occur in it, so that no change of a snippet goes untested."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for written, here in (places or {}).items():
        assert written in text, f"deploy/{name} does not mention {written!r}"
        text = text.replace(written, str(here))
    return text


def options(text: str) -> dict[str, str]:
    """Parameters of a main.cf."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def settings(text: str) -> dict[str, object]:
    """Lines of a gateway.yaml as section.key -> value."""
    document = YAML(typ="safe").load(text)
    return {f"{section}.{key}": value for section, keys in document.items() for key, value in keys.items()}
