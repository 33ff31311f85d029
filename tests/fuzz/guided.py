"""`python -m tests.fuzz.guided TARGET [libFuzzer options] CORPUS`: one search by atheris in a process of its own."""

import sys

import atheris

PATIENCE = 4.0
"""Code that reports its coverage is that much slower."""

with atheris.instrument_imports(include=["gateway"]):
    from .targets import TARGETS


def main() -> None:
    """Search until the time is over or a claim is broken; never returns."""
    name, *options = sys.argv[1:]
    target = TARGETS[name]

    def one_input(content: bytes) -> None:
        target.check(content, patience=PATIENCE)

    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
