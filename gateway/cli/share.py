"""Where the files we ship stand: inside the wheel as gateway/share, or at the top of a source tree."""

from pathlib import Path


def share(name: str) -> Path:
    """Path of a shipped file or folder: `rules`, `keys`, `gateway.yaml`."""
    package = Path(__file__).parent.parent
    inside = package / "share" / name
    if inside.exists():
        return inside
    tree = package.parent
    return tree / "deploy" / name if name.endswith(".yaml") else tree / name
