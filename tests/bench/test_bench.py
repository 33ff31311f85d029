"""The bench measures what it says: figures, processes, and twenty messages through the gateway alone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .figures import middle, percentile, ratio
from .letters import KIB
from .processes import Meter
from .report import FILTERS, OURS, POSTFIX, Asked, asked
from .rounds import CELLS, SLOW_CELL, Run, letters_of
from .sink import Taken

PARENT = """
import os, signal, sys, time
if sys.argv[1] == "1":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
child = os.fork()
if child == 0:
    while time.process_time() < 0.4:
        pass
    time.sleep(0.5)
    os._exit(0)
time.sleep(1.5)
if sys.argv[1] == "0":
    os.waitpid(child, 0)
print(flush=True)
sys.stdin.read()
"""
ROOT = Path(__file__).parent.parent.parent


def a_run(system: str, *, accept: float = 100.0, full: float = 50.0, p99: float = 10.0) -> Run:
    return Run(system, 4 * KIB, 10, 20, accept, full, p99 / 2, p99, 5.0, 20.0, 3.0, 100.0)


@pytest.mark.parametrize(
    ("samples", "share", "wanted"),
    [([], 0.5, 0.0), ([7.0], 0.99, 7.0), ([3, 1, 2], 0.5, 2), (range(1, 101), 0.99, 99), (range(1, 101), 1.0, 100)],
)
def test_percentile_is_the_nearest_rank(samples: list[float], share: float, wanted: float) -> None:
    assert percentile(samples, share) == wanted


def test_ratio_is_taken_within_each_round() -> None:
    assert ratio([10, 100, 30], [10, 50, 10]) == 2.0
    assert ratio([1], []) is None
    assert middle([]) == 0.0


def test_what_is_asked_is_compared_in_its_own_direction() -> None:
    assert Asked("rate", 0.8, True, 0.9).met
    assert Asked("memory", 32.0, False, 40.0, "KiB").met is False
    assert Asked("rate", 0.8, True, None).met is None


def test_ratios_are_to_the_peer_of_the_same_cell() -> None:
    runs = [a_run(OURS), a_run(POSTFIX, accept=200.0, p99=4.0), a_run(FILTERS, full=25.0)]
    found = {line.what: line.found for line in asked(runs, large_mib=1.0, idle_kib=None) if line.found is not None}
    assert found == {
        "accept rate / Postfix's, 4 KiB, 10 conn": 0.5,
        "full road / Postfix + OpenDKIM + rspamd, 4 KiB, 10 conn": 2.0,
        "p99 to 250 / Postfix's, 4 KiB, 10 conn": 2.5,
        "listener: extra memory for one message of 25 MiB": 1.0,
    }


def test_a_slow_system_is_known_by_one_cell() -> None:
    class Slow:
        slow = True

    assert [cell for cell in CELLS if letters_of(Slow(), cell, 100)] == [SLOW_CELL]


def test_a_field_at_the_sink_is_read_with_its_folds() -> None:
    taken = Taken(0.0, b"Received: x\r\nAuthentication-Results: a;\r\n dkim=pass\r\nSubject: y")
    assert taken.field("authentication-results") == "a;\r\n dkim=pass"
    assert taken.field("Message-ID") == ""


@pytest.mark.parametrize("ignored", [True, False])
def test_cpu_of_children_is_counted_whether_or_not_they_were_waited_for(*, ignored: bool) -> None:
    command = [sys.executable, "-c", PARENT, str(int(ignored))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        with Meter(lambda: {process.pid}) as meter:
            process.stdout.readline()
        process.stdin.close()
    assert 250 <= meter.cpu_ms <= 1500
    assert meter.peak_mib > 1


def test_twenty_messages_go_through_the_gateway_alone(tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    command = [sys.executable, "-m", "tests.bench", "--only", OURS, "--rounds", "1", "--messages", "4", "--json", file]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env={**os.environ}
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(file.read_text())
    assert sum(one["letters"] for one in found["runs"]) == 3 * 4 + 3 * 2
    assert all(one["accept_rate"] > 0 and one["full_rate"] > 0 and one["cpu_ms"] > 0 for one in found["runs"])
    assert {line["unit"]: line["met"] for line in found["asked"] if line["unit"]} == {"MiB": True, "KiB": True}


def test_each_stage_of_a_judgement_is_measured() -> None:
    command = [sys.executable, "-m", "tests.bench.judge", "--messages", "2"]
    run = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    figures = [float(one) for line in run.stdout.split("\n") for one in re.findall(r"(\d+\.\d\d) / \d", line)]
    assert len(figures) == 2 * 9
    assert min(figures) > 0
