"""A simulated venue as a process of its own, for the demo and for drills."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from actors.clock import monotonic_s
from grid.errors import GridmeshError

CONTROL_S = 60.0
STOP_PATIENCE_S = 10.0


class SimNotStarted(GridmeshError):
    """The simulated venue ended before it was ready."""


class SimProcess:
    """Starts the venue on a free loopback port and ends it by its own pid."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._log = log.open("wb")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "exchanges.sim.server", "--ends-with-input", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise SimNotStarted(f"the simulated venue did not start; its last words: {log.read_text()[-2000:]}")
        self._ready: dict[str, Any] = orjson.loads(line)
        self._ready_s = monotonic_s()

    @property
    def rest_url(self) -> str:
        """Return the REST address."""
        return str(self._ready["rest_url"])

    @property
    def ws_url(self) -> str:
        """Return the WebSocket address."""
        return str(self._ready["ws_url"])

    @property
    def keys(self) -> tuple[str, str]:
        """Return key and secret of the simulated account; they are worth nothing elsewhere."""
        return str(self._ready["api_key"]), str(self._ready["api_secret"])

    @property
    def passphrase(self) -> str:
        """Return what belongs to the keys where a venue asks for it."""
        return str(self._ready["api_passphrase"])

    @property
    def played_s(self) -> float:
        """Return how long the tape has been played."""
        return monotonic_s() - self._ready_s

    @property
    def symbols(self) -> list[str]:
        """Return the symbols whose market it plays."""
        return list(self._ready["symbols"])

    def skip_to(self, tape_s: float) -> None:
        """Have the tape go on at so many seconds after its beginning, if it is not there yet."""
        ahead_ms = round((tape_s - (monotonic_s() - self._ready_s)) * 1000)
        if ahead_ms > 0:
            self._control("/tape", {"action": "seek", "ahead_ms": ahead_ms})

    def truth(self) -> dict[str, Any]:
        """Return everything that the venue knows: every order ever, fills, wallets."""
        return self._control("/state", None)

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def fault(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Put faults in force, written as in a fault file; their times begin now."""
        self._control("/faults", [dict(rule) for rule in rules])

    def heal(self) -> None:
        """Take every fault away."""
        self._control("/faults", None, method="DELETE")

    def _control(self, path: str, form: Any, *, method: str | None = None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self._ready['control_url']}{path}", method=method)
        request.add_header("X-Sim-Token", str(self._ready["control_token"]))
        body = orjson.dumps(form) if form is not None else None
        with urllib.request.urlopen(request, data=body, timeout=CONTROL_S) as reply:
            found: dict[str, Any] = orjson.loads(reply.read())
        return found

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._log.close()
