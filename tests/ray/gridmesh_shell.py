"""The real command line in processes of its own, with a home of its own, against a simulated venue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil
import yaml

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from tests.live_control import VenueControl
from tests.processes import end_all, left_of

ROOT = Path(__file__).resolve().parents[2]
START_S = 240.0
END_S = 240.0
COMMAND_S = 300.0
PATIENCE_S = 120.0
QUICK_VERBS = ("status", "explain", "halt", "resume")
"""They give up after 15 s unless told otherwise: a machine that stands still is no matter of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One command's end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Return the last line of the output that is a JSON object."""
        found: dict[str, Any] = orjson.loads(self.out.strip().splitlines()[-1])
        return found


def patiently(arguments: Sequence[object]) -> tuple[object, ...]:
    """Return the command as one that waits for as long as a slow machine takes, unless the test says for how long."""
    is_quick = arguments[0] in QUICK_VERBS and "--timeout" not in arguments
    return (*arguments, "--timeout", PATIENCE_S) if is_quick else tuple(arguments)


class Shell:
    """Commands with one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GRIDMESH", "RAY_", "PYTHON"))}
        self.environment = {
            **inherited,
            "GRIDMESH_HOME": str(home),
            "TRIAL_KEY": DEMO_KEY,
            "TRIAL_SECRET": DEMO_SECRET,
            "COLUMNS": "200",
        }

    def write_config(
        self, venue: VenueControl, symbols: list[Mapping[str, Any]], **sections: Mapping[str, Any]
    ) -> Path:
        """Write a configuration for a venue and return its path."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = {
            "deployment": "trial",
            "venue": {
                "rest_url": venue.rest_url,
                "ws_url": venue.ws_url,
                "api_key_env": "TRIAL_KEY",
                "api_secret_env": "TRIAL_SECRET",
            },
            "symbols": [dict(symbol) for symbol in symbols],
            **{name: dict(keys) for name, keys in sections.items()},
        }
        path = self.home / "trial.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    def run(self, *arguments: object, timeout_s: float = COMMAND_S) -> Ended:
        """Run one command to its end."""
        ended = subprocess.run(
            self._command(patiently(arguments)),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    @contextmanager
    def running(self, config: Path) -> Iterator[Launched]:
        """`gridmesh run` in the background; ended by its own pid if it still runs. Nothing of it may be left."""
        with (self.home / "run.out").open("wb") as out, (self.home / "run.err").open("wb") as err:
            process = subprocess.Popen(
                self._command(("run", config, "--json")),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            launched = Launched(self, process)
            try:
                yield launched
            finally:
                launched.end()

    @staticmethod
    def _command(arguments: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "actors.cli", *(str(argument) for argument in arguments)]


class Launched:
    """A deployment that runs behind the command line."""

    def __init__(self, shell: Shell, process: subprocess.Popen[bytes]) -> None:
        self._shell = shell
        self._process = process
        self._children: dict[int, psutil.Process] = {}

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = START_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.note_children()
            assert self._process.poll() is None, f"it ended with {self._process.returncode}\n{self.words()}"
            assert time.monotonic() < deadline, f"it is not so that {what}\n{self.words()}"
            time.sleep(0.1)
        self.note_children()

    def words(self) -> str:
        """Return what it has said so far."""
        return "\n".join((self._shell.home / name).read_text()[-3000:] for name in ("run.out", "run.err"))

    def last_word(self) -> dict[str, Any]:
        """Return the last line of its standard output."""
        found: dict[str, Any] = orjson.loads((self._shell.home / "run.out").read_text().strip().splitlines()[-1])
        return found

    def signal(self, number: signal.Signals) -> None:
        self.note_children()
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self._process.wait(END_S)

    def note_children(self) -> None:
        """Remember who belongs to it: workers of Ray may lose their parent before they end."""
        try:
            for child in psutil.Process(self._process.pid).children(recursive=True):
                self._children.setdefault(child.pid, child)
        except psutil.NoSuchProcess:
            return

    def left_running(self) -> list[str]:
        """Return what is still there of it, after a moment for the last to go."""
        return left_of(self._children.values(), 120)

    def end(self) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        end_all(self._children.values())
