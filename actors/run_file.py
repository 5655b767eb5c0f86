"""The run file: how other processes of the same user find a run, and how they see that it is dead."""

from __future__ import annotations

import os
import re
import secrets
import socket
import stat
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import orjson
import psutil

from actors.errors import NotFound, NotRunning
from actors.private_files import run_folder, write_private

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
PROBE_TIMEOUT_S = 1.0
TOKEN_BYTES = 32
PID_START_TOLERANCE_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """One run. `address` is host:port of its Ray; `needs_launcher` says that it dies with process `pid` (local Ray)."""

    deployment: str
    address: str
    namespace: str
    pid: int
    pid_started_ms: int
    started_ms: int
    token_path: str
    configuration_hash: str
    version: str
    dashboard_url: str = ""
    needs_launcher: bool = True
    account: str = ""
    """Which accounts it trades on, without telling a key, blanks between: see `credentials.account_mark`."""
    trading: str = ""
    """Where its orders go, as `settings.paper.Trading` says."""


def path_of(deployment: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where a deployment's run file lies."""
    return run_folder(environ) / f"{deployment}.json"


def process_started_ms(pid: int) -> int:
    """Return when a living process started, 0 where there is none: a pid alone is used again by the system."""
    try:
        process = psutil.Process(pid)
        return 0 if process.status() == psutil.STATUS_ZOMBIE else int(process.create_time() * 1000)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def write(run: RunFile, environ: Mapping[str, str] = os.environ) -> Path:
    """Write the run file for its owner alone, whole or not at all."""
    path = path_of(run.deployment, environ)
    write_private(path, orjson.dumps(asdict(run), option=orjson.OPT_INDENT_2) + b"\n")
    return path


def remove(run: RunFile, environ: Mapping[str, str] = os.environ) -> None:
    """Remove the run file if it is still this run's, whose configuration may have changed meanwhile."""
    path = path_of(run.deployment, environ)
    try:
        if replace(read(run.deployment, environ), configuration_hash=run.configuration_hash) == run:
            path.unlink(missing_ok=True)
    except NotRunning:
        return


def read(deployment: str, environ: Mapping[str, str] = os.environ) -> RunFile:
    """Return the run file; raises `NotRunning` where there is none that can be trusted."""
    if not NAME.fullmatch(deployment):
        raise NotRunning(f"{deployment!r} is no name of a deployment: those have small letters, digits and hyphens")
    path = path_of(deployment, environ)
    try:
        status = path.stat()
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotRunning(f"{deployment} is not running (no run file {path})") from None
    except OSError as error:
        raise NotRunning(f"run file {path} cannot be read: {error.strerror}") from None
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise NotRunning(
            f"run file {path} may be read or written by others; it is not trusted. Remove it, then start again"
        )
    try:
        return _parse(orjson.loads(content))
    except (ValueError, TypeError) as error:
        raise NotRunning(f"run file {path} is damaged ({error}); remove it, then start again") from None


def _parse(document: object) -> RunFile:
    if not isinstance(document, dict):
        raise TypeError("not an object")
    for field in fields(RunFile):
        kind = {"int": int, "bool": bool}.get(str(field.type), str)
        if field.name in document and type(document[field.name]) is not kind:
            raise TypeError(f"{field.name} is not {field.type}")
    return RunFile(**document)


def find(deployment: str | None, environ: Mapping[str, str] = os.environ) -> RunFile:
    """Return the run to talk to; without a name the only living one. Raises `NotRunning` or `NotFound`."""
    if deployment is not None:
        run = read(deployment, environ)
        check_alive(run)
        return run
    living: list[RunFile] = []
    dead: list[str] = []
    for name in names(environ):
        try:
            run = read(name, environ)
            check_alive(run)
            living.append(run)
        except NotRunning as error:
            dead.append(str(error))
            forget_dead(name, environ)
    if len(living) == 1:
        return living[0]
    if living:
        running = ", ".join(run.deployment for run in living)
        raise NotFound(f"several deployments are running ({running}); choose one with --deployment")
    raise NotRunning("; ".join(dead) or f"nothing is running (no run file in {run_folder(environ)})")


def forget_dead(deployment: str, environ: Mapping[str, str] = os.environ) -> None:
    """Remove the run file of a run whose process is surely gone: it was said once, and need not be said for ever."""
    try:
        run = read(deployment, environ)
    except NotRunning:
        return
    if run.needs_launcher and not is_process_alive(run):
        remove(run, environ)


def names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the deployments that have a run file, dead or alive."""
    return sorted(path.stem for path in run_folder(environ).glob("*.json"))


def check_alive(run: RunFile) -> None:
    """Raise `NotRunning` where the run's process or its port is gone; answers within a second or so."""
    if run.needs_launcher and not is_process_alive(run):
        raise NotRunning(
            f"{run.deployment} is not running: process {run.pid} has ended without removing its run file. "
            f"{_what_rests(run.trading)}"
        )
    if not answers(run.address):
        raise NotRunning(f"{run.deployment} is not running: nothing answers at {run.address}")


def _what_rests(trading: str) -> str:
    if trading == "paper":
        return "It was on paper: none of its orders is at a venue"
    flag = "--live " if trading == "live" else ""
    return (
        f"Its orders may still rest at the venue: start it again (gridmesh run {flag}CONFIG), or cancel them "
        "(gridmesh panic CONFIG)"
    )


def is_process_alive(run: RunFile) -> bool:
    """Whether the process that wrote the run file lives, and no later one of the same number."""
    started_ms = process_started_ms(run.pid)
    return bool(started_ms) and abs(started_ms - run.pid_started_ms) <= PID_START_TOLERANCE_MS


def answers(address: str, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
    """Whether something accepts a connection at host:port."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return False
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s):
            return True
    except (OSError, OverflowError, UnicodeError):
        return False  # the last: no name of a host


def make_token(deployment: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Write a new random token for the deployment's Ray and return its file."""
    path = run_folder(environ) / f"{deployment}.token"
    write_private(path, secrets.token_hex(TOKEN_BYTES).encode())
    return path


def ray_environment(token_path: str | Path) -> dict[str, str]:
    """Return what has to be in the environment before ray is imported; raises where it is too late for that."""
    assert "ray" not in sys.modules, "ray reads these when it is imported: set them first"
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token_path)}
