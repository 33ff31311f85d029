"""`python -m tests.fuzz`: a coverage-guided search on every target in turn; exit status 1 when an input broke a claim.

What is found is kept in crashers/TARGET and from then on tried by the tests; the growing corpus lies in .fuzz/.
"""

import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import click

from .targets import HERE, TARGETS

CORPUS = HERE.parents[1] / ".fuzz"
SLOW_SECONDS = 20
"""An input on which a target hangs so long is a crasher."""
MEMORY_MB = 2048


@click.command()
@click.option("--seconds", default=600, show_default=True, help="For all targets together.")
@click.option(
    "--target", "names", multiple=True, type=click.Choice(list(TARGETS)), help="Only this one; may be repeated."
)
def main(seconds: int, names: tuple[str, ...]) -> None:
    """Search for inputs that break a claim."""
    chosen = names or tuple(TARGETS)
    shares = sum(TARGETS[name].share for name in chosen)
    broken = [name for name in chosen if _search(name, max(1, seconds * TARGETS[name].share // shares))]
    if broken:
        click.echo(f"claims were broken: {', '.join(broken)}; the inputs are in {HERE / 'crashers'}")
    sys.exit(1 if broken else 0)


def _search(name: str, seconds: int) -> bool:
    """Whether the search found an input that breaks a claim of the target."""
    corpus = _corpus(name)
    with tempfile.TemporaryDirectory() as found:
        options = {
            "max_total_time": seconds,
            "max_len": TARGETS[name].max_bytes,
            "timeout": SLOW_SECONDS,
            "rss_limit_mb": MEMORY_MB,
            "artifact_prefix": f"{found}/",
            "print_final_stats": 1,
            "verbosity": 0,
        }
        arguments = [f"-{key}={value}" for key, value in options.items()]
        click.echo(f"{name}: {seconds} s, {len(list(corpus.iterdir()))} inputs to begin with")
        command = [sys.executable, "-m", f"{__package__}.guided", name, *arguments, str(corpus)]
        run = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
        inputs = [path for path in Path(found).iterdir() if path.is_file()]
        for path in inputs:
            _keep(name, path)
    executed = [line.split()[-1] for line in run.stderr.splitlines() if "number_of_executed_units" in line]
    click.echo(f"{name}: {executed[0] if executed else 'no'} inputs tried, {len(inputs)} broke a claim")
    if run.returncode:
        # atheris writes the traceback to stdout; stderr is libFuzzer's own story
        click.echo(run.stdout[-5000:] or run.stderr[-5000:], err=True)
    return run.returncode != 0


def _corpus(name: str) -> Path:
    """The folder of inputs to begin with: the seeds, and what earlier searches found worth keeping."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    for content in TARGETS[name].seeds():
        (folder / sha256(content).hexdigest()[:40]).write_bytes(content)
    return folder


def _keep(name: str, path: Path) -> None:
    folder = HERE / "crashers" / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder / path.name)


if __name__ == "__main__":
    main()
