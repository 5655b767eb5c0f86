"""The bench's processes: a venue, and against it a deployment or a bare loop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
import yaml

from tests.bench.market import ladder
from tests.bench.wire_times import Spans

ROOT = Path(__file__).resolve().parents[2]
START_S = 150.0
END_S = 60.0
DEPLOYMENT = "bench"


class Venue:
    """The bench's venue in its own process; commands are answered one by one."""

    def __init__(self, coins: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.venue", str(coins)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=_environment(),
        )
        self.ready = self._answer()
        self.coins: list[str] = self.ready["coins"]

    def tell(self, verb: str, **words: Any) -> dict[str, Any]:
        """Give a command and return the answer, which comes when it is carried out."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"verb": verb, **words}) + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def spans(self) -> Spans:
        """Return what was measured since the last `clear`."""
        return Spans(**self.tell("spans"))

    def end(self) -> None:
        """Close its input, which ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(END_S)
        self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the bench's venue ended with {self._process.wait(END_S)}")
        found: dict[str, Any] = orjson.loads(line)
        return found


@contextmanager
def venue_of(coins: int) -> Iterator[Venue]:
    """A venue of so many coins."""
    venue = Venue(coins)
    try:
        yield venue
    finally:
        venue.end()


class Running:
    """A process that trades, with everything that it started."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, begun_ns: int) -> None:
        self.home = home
        self.begun_ns = begun_ns
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def family(self) -> list[psutil.Process]:
        """Return the process and its descendants."""
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu_s(self) -> float:
        """Return the processor time that all of them have used so far."""
        return sum(_cpu_s(one) for one in self.family())

    def check(self) -> None:
        """Raise where it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended with {self._process.returncode}: {self.words()}")

    def words(self) -> str:
        """Return the end of what it said."""
        return (self.home / "said.log").read_text()[-3000:]

    def end(self) -> None:
        """End it as its user would, and whatever of it is left then."""
        family = self.family() if self._process.poll() is None else []
        if self._process.stdin is not None:
            self._process.stdin.close()
        else:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _, alive = psutil.wait_procs(family, timeout=10)
        for one in alive:
            one.kill()


def configuration(venue: Venue, coins: int, home: Path, **over: Mapping[str, Any]) -> Path:
    """Write a configuration for the first so many coins; sections may be overridden key by key."""
    document: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "venue": {
            "rest_url": venue.ready["rest_url"],
            "ws_url": venue.ready["ws_url"],
            "api_key_env": "BENCH_KEY",
            "api_secret_env": "BENCH_SECRET",
        },
        "symbols": [ladder(symbol, **over.get("ladder", {})) for symbol in venue.coins[:coins]],
        "account": {"max_notional": 4_000_000, "daily_loss": 1_000_000, "max_orders": 190},
        "gateway": {"orders_per_second": 300, "burst": 300, "mark_band": "0.5"},
        "risk": {"enabled": False, "required_positions": 1, "watch": venue.coins[:coins][:3]},
        "runtime": {"look_ahead": 0, "dashboard": False, "price_age_s": 60},
        "journal": {"path": str(home / "bench.sqlite")},
    }
    for section, keys in over.items():
        if section != "ladder":
            document.setdefault(section, {}).update(keys)
    path = home / "bench.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@contextmanager
def deployment(
    venue: Venue, coins: int, *, entries: int = 0, start_s: float = START_S, **over: Mapping[str, Any]
) -> Iterator[Running]:
    """`gridmesh run` with so many coins, once its orders rest at the venue: three a coin where not said otherwise."""
    with _home() as home:
        path = configuration(venue, coins, home, **over)
        running = _start(venue, home, ["-m", "actors.cli", "run", str(path), "--json"], has_input=False)
        try:
            until_resting(venue, running, entries or 3 * coins, start_s)
            yield running
        finally:
            running.end()


@contextmanager
def bare_loop(venue: Venue, coins: int) -> Iterator[Running]:
    """The bare loop with so many coins, once its orders rest at the venue."""
    with _home() as home:
        path = configuration(venue, coins, home)
        running = _start(venue, home, ["-m", "tests.bench.bare_loop", str(path)], has_input=True)
        try:
            until_resting(venue, running, 3 * coins)
            yield running
        finally:
            running.end()


def until_resting(venue: Venue, running: Running, entries: int, start_s: float = START_S) -> None:
    """Return once so many entries rest."""
    deadline = time.monotonic() + start_s
    while (resting := venue.tell("open_orders")["entries"]) < entries:
        running.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{resting} of {entries} entries rest after {start_s:.0f} s: {running.words()}")
        time.sleep(0.1)


def _start(venue: Venue, home: Path, arguments: list[str], *, has_input: bool) -> Running:
    environment = trading_environment(home, BENCH_KEY=venue.ready["key"], BENCH_SECRET=venue.ready["secret"])
    begun_ns = time.monotonic_ns()
    with (home / "said.log").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
    return Running(process, home, begun_ns)


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gmbench") as folder:
        yield Path(folder)


def trading_environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of processes of one deployment."""
    return {**_environment(), "GRIDMESH_HOME": str(home), **more}


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {k: v for k, v in kept.items() if not k.startswith(("RAY_", "GRIDMESH"))}


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
