"""`python -m tests.bench.replay`: a draft tried on stored mail, promoted and taken by a running gateway, and what a shadow costs."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import click
from ports import wait_until
from running import CP247, ENVIRONMENT, Running
from stored_mail import EVERY, store

RULE = r"""
  - id: preservation.en.impound
    category: preservation
    regex: ['\b(impound|seal)(ed|ing)?\b']
    near: {phrases: [disk, drive, server, machine, account], within: 60}
    weight: 5
    marks: [keeping]
    why: Article 29(1)
"""


READING_SECONDS = 10


@click.command()
@click.option("--mails", default=2000, show_default=True, help="Stored mails.")
def main(mails: int) -> None:
    """Measure the road of a phrase at the size of the shipped pack; needs root, who speaks for two logins."""
    if os.getuid() != 0:
        raise click.UsageError("only root can speak for two logins")
    with tempfile.TemporaryDirectory(prefix="re.") as name:
        gateway = Running(Path(name) / "g", **{"dns.nameservers": ["127.0.0.1:9"], "dns.timeout": 0.2})
        asked = store(gateway.config, mails)
        draft = gateway.folder / "draft"
        shutil.copytree(gateway.folder / "rules", draft)
        phrases = draft / "phrases" / "en.yaml"
        text = phrases.read_text(encoding="utf-8")
        text = text if "\nrules:\n" in text else f"{text.rstrip()}\n\nrules:\n"
        phrases.write_text(text.replace("\nrules:\n", f"\nrules:{RULE}", 1), encoding="utf-8")
        with gateway:
            _measure(gateway, draft, asked)


def _measure(gateway: Running, draft: Path, asked: int) -> None:
    took, replayed = _timed(gateway, "replay", "--draft", str(draft), "--limit", "1000000", "--json")
    report = json.loads(replayed)
    click.echo(
        f"replay: {report['judged']} mails in {took:.1f} s; {report['changed']} would change, every {EVERY}th of them asks "
        f"in the new words: {'exactly those' if report['changed'] == asked else f'NO, {asked} expected'}"
    )
    _timed(gateway, "promote", str(draft), "--reason", "bench")
    # a second person reads before promoting; meanwhile the gateway makes itself ready
    time.sleep(READING_SECONDS)
    for verb in (("promote", str(draft)), ("rollback",)):
        before = _digest(gateway)
        _timed(gateway, *verb, "--reason", "bench", by="2")
        at = json.loads(_timed(gateway, "list", "--limit", "1", "--json")[1])["at"]
        wait_until(lambda before=before: _digest(gateway) != before, seconds=60)
        taken = gateway.events("rules-taken")[-1]["timestamp"]
        click.echo(f"{verb[0]}: activated {at[11:23]}, judging by it {taken[11:23]} UTC")


def _timed(gateway: Running, *words: str, by: str = "1") -> tuple[float, str]:
    command = [*CP247, "rules", *words, "--config", str(gateway.config)]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**ENVIRONMENT, "SUDO_UID": by})
    return time.monotonic() - start, done.stdout


def _digest(gateway: Running) -> str:
    lines = gateway.get("/metrics").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("cp247_ruleset_info{"))


if __name__ == "__main__":
    main()
