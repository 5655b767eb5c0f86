"""`gridmesh run` as a process of its own against a simulated venue in another: what may be killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml

from actors.settings.account import Settings, load_settings
from actors.trials.demo_reckoning import reckon
from actors.trials.journal_order import journalled
from actors.trials.sim_process import SimProcess
from grid.records import Record
from tests.live_control import VenueControl
from tests.ray.gridmesh_shell import COMMAND_S, patiently

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = "crash"
PATIENCE_S = 180.0
LOOK_S = 0.25
NEVER_STOPPED = ("is still open", "the stop was not verified")
"""What a reckoning says of a deployment that simply runs."""
FAMILY_S = 120.0
RAYS_OWN = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Agents of Ray that notice the end of their node late; they hold nothing of ours."""


class RealRun:
    """One deployment's home, venue and configuration, over as many lives as a test wants."""

    flags: tuple[str, ...] = ()
    """What `gridmesh run` is told besides."""

    def __init__(self, home: Path, *, seed: int = 5, **over: Mapping[str, Any]) -> None:
        self.home = home
        self.metrics_port = 0
        self.venue_process = self._venue("--seed", str(seed))
        self._port = int(self.venue_process.rest_url.rpartition(":")[2])
        self.config = home / "crash.yaml"
        self.config.write_text(yaml.safe_dump(self._document(over)))
        self.process: subprocess.Popen[bytes] | None = None
        self._probe: subprocess.Popen[str] | None = None
        self._family: list[psutil.Process] = []

    @property
    def venue(self) -> VenueControl:
        ready = self.venue_process._ready
        return VenueControl(ready["rest_url"], ready["ws_url"], ready["control_token"])

    @property
    def settings(self) -> Settings:
        return load_settings(self.config, self._environment())

    def start(self, **environment: str) -> None:
        """Start `gridmesh run`; returns at once."""
        log = (self.home / "run.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "actors.cli", "run", str(self.config), "--json", *self.flags],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=self._environment() | environment,
        )
        log.close()

    def until_running(self) -> None:
        self.until(lambda: self.log().rfind('"state":"running"') > self.log().rfind('"state":"starting"'), "it runs")
        self.family()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self) -> str:
        return (self.home / "run.log").read_text()

    def command(self, *words: str, timeout_s: float = COMMAND_S) -> tuple[int, Any]:
        """Run a verb with --json; returns exit code and what it printed."""
        ended = subprocess.run(
            [sys.executable, "-m", "actors.cli", *map(str, patiently(words)), "--json"],
            capture_output=True,
            cwd=ROOT,
            env=self._environment(),
            timeout=timeout_s,
            check=False,
        )
        return ended.returncode, json.loads(ended.stdout.splitlines()[-1]) if ended.stdout else ended.stderr.decode()

    def ask(self, question: str, name: str) -> Any:
        """Ask an actor for its process or its snapshot; None where it does not answer."""
        if self._probe is None:
            self._probe = self._start_probe()
            assert self._probe.stdout is not None
            if self._probe.stdout.readline() != "ready\n":
                self._end_probe()  # nothing to connect to yet
                return None
        assert self._probe.stdin is not None
        assert self._probe.stdout is not None
        try:
            self._probe.stdin.write(json.dumps([question, name]) + "\n")
            self._probe.stdin.flush()
        except BrokenPipeError:
            self._end_probe()
            return None
        line = self._probe.stdout.readline()
        if not line:
            self._end_probe()  # it has lost its Ray
        return json.loads(line or "null")

    def picture(self, name: str) -> dict[str, Any]:
        """Return an actor's snapshot, empty while it does not answer."""
        found: dict[str, Any] = self.ask("snapshot", name) or {}
        return found

    def kill(self, name: str) -> int:
        """SIGKILL an actor's process; returns the pid that it had."""
        self.until(lambda: self.ask("process", name) is not None, f"{name} answers")
        pid = self.ask("process", name)
        assert isinstance(pid, int), f"{name} does not answer"
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_driver(self) -> None:
        """SIGKILL `gridmesh run`; returns once it and everything that it had started are gone."""
        assert self.process is not None
        self._end_probe()
        self.family()
        self.process.kill()
        self.process.wait()
        left = self.left_of_the_family(FAMILY_S, but=RAYS_OWN)
        assert not left, f"they outlived their driver: {left}"

    def family(self) -> list[psutil.Process]:
        """Return every process that this run has started so far, as long as it lives to be asked."""
        self._family = list({*self._family, *psutil.Process(self.pid).children(recursive=True)})
        return self._family

    def relatives(self, name: str) -> list[psutil.Process]:
        """Return the living of them whose program has this name."""
        living = {one.pid: one for one in self.family()}
        named = psutil.process_iter(["name"])
        return [living[one.pid] for one in named if one.pid in living and one.info["name"] == name]

    def left_of_the_family(self, within_s: float, but: tuple[str, ...] = ()) -> list[str]:
        """Return the names of those who still live, once that is nobody or so much time is over."""
        deadline = time.monotonic() + within_s
        while left := [name for one in self._family if (name := _name(one)) and not (but and name.startswith(but))]:
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_S)
        return left

    def wait(self, timeout_s: float = 240.0) -> int:
        """Wait for `gridmesh run` to end; returns its exit code."""
        assert self.process is not None
        self._end_probe()
        return self.process.wait(timeout_s)

    def kill_venue(self) -> None:
        self.venue_process._process.kill()
        self.venue_process.stop()

    def restart_venue(self) -> None:
        """Start a venue on the same port that knows nothing of the former one's orders and positions."""
        self.venue_process = self._venue("--seed", "6", "--port", str(self._port))

    def breaches(self, gateway: str) -> list[str]:
        """Return what the demo's reckoning finds wrong just now, apart from the deployment being alive."""
        final = {**self.picture(gateway), "verified": True}
        truth = self.venue.truth()
        return breaches(final, truth, self.settings, self.records())

    def records(self) -> list[Record]:
        """Return what the journal has so far."""
        return journalled(self.settings, self._environment())

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"waiting until {what}, the run ended: {self.log()[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{timeout_s} s are over and it is not so that {what}: {self.log()[-3000:]}")
            time.sleep(LOOK_S)

    def end(self) -> None:
        """End whatever is left, by the pids that were started here."""
        self._end_probe()
        if self.process is not None and self.process.poll() is None:
            self.kill_driver()
        self.venue_process.stop()

    def _start_probe(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.ray.actor_probe", DEPLOYMENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=self._environment(),
        )

    def _end_probe(self) -> None:
        if self._probe is not None:
            self._probe.kill()
            self._probe.communicate()
            self._probe = None

    def _venue(self, *words: str) -> SimProcess:
        return SimProcess(["--duration", "3600", "--lead", "1800", "--keep-playing", *words], self.home / "venue.log")

    def _environment(self) -> dict[str, str]:
        key, secret = self.venue_process.keys
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("RAY_")}
        return {**kept, "GRIDMESH_HOME": str(self.home), "GRIDMESH_DEMO_KEY": key, "GRIDMESH_DEMO_SECRET": secret}

    def _document(self, over: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        ladder = {"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 2, "sell_window": 6, "entry_slack": 0}
        document: dict[str, Any] = {
            "deployment": DEPLOYMENT,
            "venue": {
                "rest_url": self.venue_process.rest_url,
                "ws_url": self.venue_process.ws_url,
                "api_key_env": "GRIDMESH_DEMO_KEY",
                "api_secret_env": "GRIDMESH_DEMO_SECRET",
            },
            "symbols": [{**ladder, "max_lots": 30, "leverage": 5, "min_rest_s": "0.3", **over.get("symbol", {})}],
            "account": {"max_notional": 5000, "daily_loss": 1000},
            "gateway": {"recv_window_ms": 1000},
            "risk": {"watch": ["ETHUSDT", "BTCUSDT"], "interval": "1s", "fall_window": 5, "required_positions": 10},
            "runtime": {"look_ahead": 0, "reconcile_s": 3, "price_age_s": 3, "dashboard": False},
            # named, since the test reads it too, and has another home
            "journal": {"path": str(self.home / f"{DEPLOYMENT}.sqlite")},
        }
        for section, keys in over.items():
            if section == "symbol":
                continue  # its keys stand in the list above
            # a journal by its URL is no file
            document[section] = {**keys} if section == "journal" else {**document.get(section, {}), **keys}
        return document


def breaches(
    final: Mapping[str, Any], truth: Mapping[str, Any], settings: Settings, records: Iterable[Record]
) -> list[str]:
    """Return what the demo's reckoning finds wrong with a gateway's picture, apart from the deployment being alive."""
    found = reckon({"state": "stopped", "final": final}, truth, settings, 0, records=records).violations
    return [text for text in found if not any(words in text for words in NEVER_STOPPED)]


def _name(process: psutil.Process) -> str:
    """Return what a living process calls itself, empty for a dead one."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline()[:1])
    except psutil.NoSuchProcess:
        return ""
