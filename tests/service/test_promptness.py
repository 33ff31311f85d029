"""The short time slice: asked for as the kernel understands it, and nothing else with it."""

import os
import subprocess
import sys

import pytest

from gateway.service import promptness

ASK = """
import os
from gateway.service.promptness import run_promptly
before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)
print(run_promptly(), before == (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)))
"""


@pytest.mark.skipif(
    os.uname().machine not in promptness._SCHED_SETATTR, reason="a machine whose system calls we do not know"
)
@pytest.mark.parametrize("nice", [0, 3])
def test_the_kernel_gives_it_and_nothing_else_changes(nice):
    done = subprocess.run(["nice", f"-n{nice}", sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
