"""Tick to order and fill to exit, in turns: a deployment, a bare loop, and two hops, all in the same minutes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from tests.bench.figures import Figures, table
from tests.bench.processes import DEPLOYMENT, ROOT, Running, Venue, bare_loop, deployment, trading_environment, venue_of

SETTLE_S = 0.4
SPANS = ("tick_to_order", "fill_to_exit", "exit_to_entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the market moves: events over all coins in turn, and how often each coin's price changes besides."""

    name: str
    spacing_ms: float
    events: int
    noise_per_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many coins, how often all is measured in turns, how much longer each turn is, and how the coins are packed.

    The first tick of each coin in a turn only says where it stands: more coins need longer turns.
    """

    coins: int
    rounds: int
    longer: int = 1
    runtime: Mapping[str, Any] = field(default_factory=dict)

    def words(self) -> str:
        """Return how it is packed."""
        return ", ".join(f"{key} {value}" for key, value in self.runtime.items()) or "an actor a level and a symbol"


IDLE = Pace(name="idle", spacing_ms=50, events=60)
BUSY = Pace(name="busy", spacing_ms=20, events=100, noise_per_s=20)
PACES = (IDLE, BUSY)
SHAPES = {
    1: Shape(coins=1, rounds=3),
    5: Shape(coins=5, rounds=1),
    20: Shape(coins=20, rounds=1, longer=2, runtime={"slots_per_actor": 100, "symbols_per_actor": 20}),
}


class Hops:
    """Two hops, measured inside a running deployment's Ray by a process of its own."""

    def __init__(self, running: Running) -> None:
        said_path = running.home / "hops.log"
        with said_path.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.hops", DEPLOYMENT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                cwd=ROOT,
                env=trading_environment(running.home),
            )
        assert self._process.stdout is not None
        if (line := self._process.stdout.readline()) != "ready\n":
            raise RuntimeError(f"the hops could not be made: {line}{said_path.read_text()[-2000:]}")

    def spans(self, count: int, spacing_ms: float) -> list[int]:
        """Return the nanoseconds of so many messages."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([count, spacing_ms]) + "\n")
        self._process.stdin.flush()
        found: list[int] = json.loads(self._process.stdout.readline())
        return found

    def end(self) -> None:
        self._process.communicate()


def measure(figures: Figures, *, coins: int) -> None:
    """Measure so many coins; the idle figures of one coin are the headline."""
    shape = SHAPES[coins]
    _put(figures, shape, _found(shape))
    if coins == 1:
        _headline(figures, shape)


def _found(shape: Shape) -> dict[str, list[int]]:
    with ExitStack() as stack:
        ours, bare = stack.enter_context(venue_of(shape.coins)), stack.enter_context(venue_of(shape.coins))
        running = stack.enter_context(deployment(ours, shape.coins, runtime=shape.runtime))
        stack.enter_context(bare_loop(bare, shape.coins))
        hops = Hops(running)
        stack.callback(hops.end)
        found: dict[str, list[int]] = {}
        for venue in (ours, bare):
            _play(venue, Pace(name="warm", spacing_ms=20, events=40))
            venue.tell("clear")
        for _ in range(shape.rounds):
            for pace in (replace(pace, events=pace.events * shape.longer) for pace in PACES):
                for side, venue in (("ours", ours), ("bare", bare)):
                    _keep(found, f"{pace.name}.{side}", venue, pace)
                found.setdefault(f"{pace.name}.hops", []).extend(hops.spans(pace.events, pace.spacing_ms))
    return found


def _keep(found: dict[str, list[int]], name: str, venue: Venue, pace: Pace) -> None:
    spans = _play(venue, pace)
    for kind in SPANS:
        found.setdefault(f"{name}.{kind}", []).extend(getattr(spans, kind))
    found.setdefault(f"{name}.unanswered", []).append(sum(spans.unanswered.values()))


def _play(venue: Venue, pace: Pace) -> Any:
    """Play ticks, then fills; return what came of both."""
    venue.tell("clear")
    if pace.noise_per_s:
        venue.tell("begin_noise", symbols=venue.coins, per_s=pace.noise_per_s)
    for verb in ("climb", "fills"):
        venue.tell(verb, symbols=venue.coins, events=pace.events, spacing_ms=pace.spacing_ms)
        time.sleep(SETTLE_S)
    venue.tell("end_noise")
    return venue.spans()


def _put(figures: Figures, shape: Shape, found: dict[str, list[int]]) -> None:
    rows = []
    for pace in PACES:
        at = f"latency.coins_{shape.coins}.{pace.name}"
        figures.put_spans_ms(f"{at}.two_hops_ms", found[f"{pace.name}.hops"])
        for side in ("ours", "bare"):
            for kind in SPANS:
                name = f"{at}.{side}.{kind}_ms"
                figures.put_spans_ms(name, found[f"{pace.name}.{side}.{kind}"])
                parts = (figures.get(f"{name}.{part}") for part in ("p50", "p99", "p99_9", "max", "count"))
                rows.append((f"{pace.name} {kind} {side}", *parts))
            figures.put(f"{at}.{side}.unanswered", sum(found[f"{pace.name}.{side}.unanswered"]))
        parts = (figures.get(f"{at}.two_hops_ms.{part}") for part in ("p50", "p99", "p99_9", "max", "count"))
        rows.append((f"{pace.name} two hops", *parts))
    columns = (f"{shape.coins} symbols, ms", "p50", "p99", "p99.9", "max", "count")
    print(table(f"Latency at the venue's side, {shape.words()}", columns, rows), flush=True)


def _headline(figures: Figures, shape: Shape) -> None:
    at = f"latency.coins_{shape.coins}.idle"
    ours = {kind: figures.get(f"{at}.ours.{kind}_ms.p50") or 0.0 for kind in SPANS}
    bare = {kind: figures.get(f"{at}.bare.{kind}_ms.p50") or 0.0 for kind in SPANS}
    hops = figures.get(f"{at}.two_hops_ms.p50") or 0.0
    for kind in ("fill_to_exit", "tick_to_order"):
        figures.put(f"ratio.{kind}_p50", ours[kind] / bare[kind])
        figures.put(f"{kind}_ms.p50", ours[kind])
        figures.put(f"{kind}_ms.p99", figures.get(f"{at}.ours.{kind}_ms.p99") or 0.0)
        busy = f"latency.coins_{shape.coins}.busy.ours.{kind}_ms"
        tail, middle = figures.get(f"{busy}.p99") or 0.0, figures.get(f"{busy}.p50") or 1.0
        figures.put(f"ratio.{kind}_busy_p99_to_own_p50", tail / middle)
    figures.put("two_hops_ms.p50", hops)
    figures.put("bare_loop_ms.p50", bare["tick_to_order"])
    figures.put("bare_loop_ms.fill_to_exit_p50", bare["fill_to_exit"])
    goal_ms = bare["tick_to_order"] + 1.2 * hops
    figures.put("goal.tick_to_order_ms", goal_ms)
    rows = (
        ("fill to exit", ours["fill_to_exit"], bare["fill_to_exit"], 1.5 * bare["fill_to_exit"]),
        ("tick to order", ours["tick_to_order"], bare["tick_to_order"], goal_ms),
        ("two hops", hops, None, None),
    )
    print(table("Beside the bare loop, 1 symbol, idle, p50 in ms", ("", "ours", "bare", "goal"), rows), flush=True)
