"""A Ray that runs before the deployment does: started by `ray start --head`, on loopback, ended by its process ids."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.ports import free_ports
from tests.processes import end_all
from tests.ray.gridmesh_shell import ROOT

START_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRay:
    """A running head node."""

    address: str
    token_path: Path
    folder: Path
    metrics_url: str
    process: psutil.Process


@contextmanager
def own_ray(environment: Mapping[str, str]) -> Iterator[OwnRay]:
    """Start a head node whose workers have this environment; at the end nothing of it is left."""
    # its sockets lie in there, and their paths may not be long
    folder = Path(tempfile.mkdtemp(prefix="gmray", dir="/tmp"))
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    port, client_port, metrics_port = free_ports(3)
    command = [str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", "--disable-usage-stats"]
    command += ["--node-ip-address=127.0.0.1", f"--port={port}", f"--ray-client-server-port={client_port}"]
    command += [f"--metrics-export-port={metrics_port}"]
    command += [f"--temp-dir={folder}", "--include-dashboard=false", "--num-cpus=2", "--object-store-memory=80000000"]
    own = {**environment, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONPATH": str(ROOT)}
    with (folder / "ray.out").open("wb") as out:
        started = subprocess.Popen(
            command, cwd=folder, env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            _until_up(started, port, folder)
            yield OwnRay(
                address=f"127.0.0.1:{port}",
                token_path=token,
                folder=folder,
                metrics_url=f"http://127.0.0.1:{metrics_port}/metrics",
                process=psutil.Process(started.pid),
            )
        finally:
            end_family(started)
            shutil.rmtree(folder, ignore_errors=True)


def _until_up(started: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_S
    while "Ray runtime started" not in (folder / "ray.out").read_text():
        assert started.poll() is None, (folder / "ray.out").read_text()
        assert time.monotonic() < deadline, (folder / "ray.out").read_text()
        time.sleep(0.2)


def end_family(started: subprocess.Popen[Any]) -> None:
    """End the node as a terminal's Ctrl-C would, then whoever of it is left, each by its own id."""
    family = _family(started.pid)
    started.send_signal(signal.SIGTERM)
    try:
        started.wait(20)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
    psutil.wait_procs(family, timeout=10)
    end_all(family)


def _family(pid: int) -> list[psutil.Process]:
    try:
        of_parent = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        of_parent = []
    session = [one for one in psutil.process_iter() if _session(one.pid) == pid]
    return list({*of_parent, *session} - {psutil.Process(os.getpid())})


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1
