"""What the wheel carries stands where pyproject.toml says, and no key is among it."""

import tomllib
from pathlib import Path

from gateway.cli.share import share

ROOT = Path(__file__).parents[1]
SHIPPED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "force-include"
]


def test_everything_the_wheel_shall_carry_is_there():
    assert [path for path in SHIPPED if not (ROOT / path).exists()] == []


def test_init_finds_what_it_copies():
    assert (share("rules") / "phrases" / "en.yaml").is_file()
    assert (share("keys") / "contact.yaml.template").is_file()
    assert share("gateway.yaml").is_file()


def test_no_key_is_shipped():
    carried = [path for top in SHIPPED for path in [ROOT / top, *(ROOT / top).rglob("*")] if path.is_file()]
    assert [path for path in carried if path.suffix in (".asc", ".pem", ".gpg", ".key")] == []
