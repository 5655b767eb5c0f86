"""Looks into a deployment's actors, from a process of its own: what is measured does not pay for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.processes import ROOT, Running, trading_environment

Snapshots = Callable[[str], dict[str, Any]]
"""An actor's last snapshot by its name; empty where it does not answer."""


@contextmanager
def snapshots(running: Running, deployment: str) -> Iterator[Snapshots]:
    """Yield a way to ask actors for their snapshots."""
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.ray.actor_probe", deployment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=trading_environment(running.home),
    )
    assert probe.stdin is not None
    assert probe.stdout is not None
    into, out = probe.stdin, probe.stdout
    out.readline()

    def snapshot(name: str) -> dict[str, Any]:
        into.write(json.dumps(["snapshot", name]) + "\n")
        into.flush()
        return json.loads(out.readline()) or {}

    try:
        yield snapshot
    finally:
        probe.communicate()
