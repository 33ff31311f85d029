"""Who sits at the keyboard: the operating system says it, behind sudo too, and nobody else."""

import os
import pwd
import subprocess
import sys

import pytest

ASK = """\
import os, sys
from gateway.cli.person import acting_person
if len(sys.argv) > 1:
    os.setuid(int(sys.argv[1]))
print(acting_person())
"""
ROOT = os.getuid() == 0
ME = pwd.getpwuid(os.getuid()).pw_name


def asked(*, user: int | None = None, **environment: str) -> str:
    """What it says in a process of that user, with these variables."""
    command = [sys.executable, "-c", ASK, *([] if user is None else [str(user)])]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}, timeout=60
    )
    return said.stdout.strip()


def test_it_is_the_login_of_the_process() -> None:
    assert asked(USER="somebody", LOGNAME="else", SUDO_USER="third") == ME


@pytest.mark.skipif(not ROOT, reason="needs to be root, as sudo is")
def test_behind_sudo_it_is_who_typed_sudo() -> None:
    nobody = pwd.getpwnam("nobody")
    assert asked(SUDO_UID=str(nobody.pw_uid)) == "nobody"
    assert asked(SUDO_UID="4242") == "uid-4242"


@pytest.mark.skipif(not ROOT, reason="needs to be root to become somebody else")
def test_who_is_not_root_cannot_say_that_he_came_through_sudo() -> None:
    nobody = pwd.getpwnam("nobody")
    assert asked(user=nobody.pw_uid, SUDO_UID="0") == "nobody"


@pytest.mark.parametrize("written", ["", "root", "-1", "0x0", "\u0661"])
def test_what_is_no_number_is_nobodys_word(written: str) -> None:
    assert asked(SUDO_UID=written) == ME
