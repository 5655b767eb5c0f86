"""The simulated venue as a child process: it answers, and it never outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from actors.trials.sim_process import SimNotStarted, SimProcess

PARENT = """
import sys, time
from pathlib import Path
from actors.trials.sim_process import SimProcess
venue = SimProcess(["--duration", "600"], Path(sys.argv[1]))
print(venue._process.pid, flush=True)
time.sleep(600)
"""


def test_a_venue_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(SimNotStarted, match="no-such-option"):
        SimProcess(["--no-such-option"], tmp_path / "venue.log")


def test_a_venue_ends_with_the_process_that_started_it_however_that_ends(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "venue.log")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 180
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
