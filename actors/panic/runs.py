"""What `panic` does about runs on this machine: ends the one of its configuration, names others on the same account."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

import psutil

from actors import run_file
from actors.clock import monotonic_s
from actors.errors import NotRunning
from actors.run_file import RunFile

END_PATIENCE_S = 15.0
POLL_S = 0.05


def living(deployment: str, environ: Mapping[str, str] = os.environ) -> RunFile | None:
    """Return the run file of a deployment whose process lives, or which runs on a cluster that answers."""
    try:
        run = run_file.read(deployment, environ)
        if not run.needs_launcher:
            run_file.check_alive(run)
        return run if not run.needs_launcher or run_file.is_process_alive(run) else None
    except NotRunning:
        return None


def others(deployment: str, account: str, environ: Mapping[str, str] = os.environ) -> list[RunFile]:
    """Return the other living runs that trade on the same account, as far as their run files tell."""
    names = [name for name in run_file.names(environ) if name != deployment]
    living_runs = [run for name in names if account and (run := living(name, environ)) is not None]
    return [run for run in living_runs if account in run.account.split()]


def end(run: RunFile) -> str:
    """Kill the run's process and its children; return why it could not be done, nothing where it was.

    Only a process that began when the run file says is the run's: a pid alone is used again by the system.
    """
    if not run.needs_launcher:
        return "it runs on a cluster, which is not ended from here"
    try:
        process = psutil.Process(run.pid)
        if not run_file.is_process_alive(run):
            return ""
        if process.pid == os.getpid() or process.pid in {parent.pid for parent in psutil.Process().parents()}:
            return "this command runs inside it"
        # The family first: once the launcher is dead, nobody knows any more whose they were.
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return ""
    refused = [one for one in family if not _kill(one)]
    deadline_s = monotonic_s() + END_PATIENCE_S
    while any(_lives(one) for one in family if one not in refused) and monotonic_s() < deadline_s:
        time.sleep(POLL_S)
    if left := [one.pid for one in family if _lives(one)]:
        return f"process {', '.join(str(pid) for pid in left)} could not be ended"
    run_file.remove(run)
    return ""


def _lives(process: psutil.Process) -> bool:
    """Whether it can still act; one whose parent has not noticed its end cannot."""
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
    return True
