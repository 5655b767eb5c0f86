"""What each further symbol costs: 1 to 100 of them, packed, twenty levels and twenty price changes a second each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from actors.actor_names import feed_names, gateway_name
from tests.bench.figures import Figures, percentile, table
from tests.bench.processes import DEPLOYMENT, Running, Venue, deployment, venue_of
from tests.bench.snapshots import Snapshots, snapshots

SYMBOLS = (1, 5, 20, 100)
CHANGES_PER_S = 20
CROSSING_EACH = 200
"""A level of each symbol is crossed every ten seconds; all other changes cross nothing."""
LEVELS = 20
PACKED: dict[str, int] = {"slots_per_actor": 1000, "symbols_per_actor": 20}
MEASURED_S = 12.0
SAMPLES = 6
START_S = 400.0
SETTLE_S = 3.0
ROLES = {"OrderGateway": "gateway", "PriceFeed": "feeds", "GridSlot": "slots"}
COLUMNS = {
    "actors": "actors",
    "first_order_s": "first order s",
    "memory_mb": "MB",
    "cpu_percent.gateway": "gateway %",
    "cpu_percent.feeds": "feeds %",
    "cpu_percent.slots": "slots %",
    "cpu_percent.ray": "Ray %",
    "cpu_percent.venue": "venue %",
    "queue_max": "queue max",
    "queue_last": "last",
    "tick_to_order_ms.p50": "p50 ms",
    "tick_to_order_ms.p99": "p99 ms",
    "unanswered": "unanswered",
}


def measure(figures: Figures) -> None:
    """Measure each number of symbols; print the rows as they come."""
    rows = []
    for coins in SYMBOLS:
        found = _measure(coins)
        for name, value in found.items():
            figures.put(f"growth.symbols_{coins}.{name}", value)
        rows.append((str(coins), *(found.get(name) for name in COLUMNS)))
        print(f"growth: {coins} symbols measured", flush=True)
    title = f"Growth, packed: {LEVELS} levels and {CHANGES_PER_S} changes/s a symbol, CPU in % of a core"
    print(table(title, ("symbols", *COLUMNS.values()), rows), flush=True)
    first, last = SYMBOLS[0], SYMBOLS[-1]
    for name in ("memory_mb", "cpu_percent.gateway", "cpu_percent.feeds", "cpu_percent.slots"):
        ends = [figures.get(f"growth.symbols_{coins}.{name}") or 0.0 for coins in (first, last)]
        figures.put(f"growth.each_further_symbol.{name}", (ends[1] - ends[0]) / (last - first))


def _measure(coins: int) -> dict[str, float]:
    ladder = {"buy_window": LEVELS}
    over: dict[str, Any] = {"runtime": PACKED, "ladder": ladder}
    with venue_of(coins) as venue, deployment(venue, coins, entries=LEVELS * coins, start_s=START_S, **over) as running:
        first_s = (venue.tell("first_order")["at_ns"] - running.begun_ns) / 1e9
        time.sleep(SETTLE_S)
        with snapshots(running, DEPLOYMENT) as look, _noise(venue):
            before, begun = _cpu_s(running, venue), time.monotonic()
            depths = [_queued(look, venue.coins[:coins]) for _ in _paced(MEASURED_S / SAMPLES, SAMPLES)]
            after, passed_s = _cpu_s(running, venue), time.monotonic() - begun
        time.sleep(SETTLE_S)
        spans = venue.spans()
        ticks = sorted(span / 1e6 for span in spans.tick_to_order) or [0.0]
        return {
            "actors": float(sum(1 for one in running.family() if _role(one) in (*ROLES.values(), "other actors"))),
            "first_order_s": first_s,
            "memory_mb": sum(_memory(one) for one in running.family()) / 2**20,
            **{f"cpu_percent.{role}": 100 * (after[role] - before[role]) / passed_s for role in sorted(after)},
            "queue_max": float(max(depths)),
            "queue_last": float(depths[-1]),
            "tick_to_order_ms.p50": percentile(ticks, 0.5),
            "tick_to_order_ms.p99": percentile(ticks, 0.99),
            "crossings": float(len(spans.tick_to_order)),
            "unanswered": float(spans.unanswered.get("tick", 0)),
        }


@contextmanager
def _noise(venue: Venue) -> Iterator[None]:
    venue.tell("clear")
    venue.tell("begin_noise", symbols=venue.coins, per_s=CHANGES_PER_S, crossing_each=CROSSING_EACH)
    try:
        time.sleep(1)
        yield
    finally:
        venue.tell("end_noise")


def _paced(spacing_s: float, count: int) -> Iterator[None]:
    for _ in range(count):
        time.sleep(spacing_s)
        yield


def _queued(look: Snapshots, symbols: list[str]) -> int:
    """Return what waits: calls handed to the loops of gateway and feeds, and work in the limiter's lanes."""
    gateway = look(gateway_name("binanceusdm"))
    feeds = {*feed_names(symbols, PACKED["symbols_per_actor"]).values()}
    inner = sum(look(feed).get("inner_queue", 0) for feed in feeds)
    return int(gateway.get("depth", 0) + sum(gateway.get("lanes", {}).values()) + inner)


def _cpu_s(running: Running, venue: Venue) -> dict[str, float]:
    """Return the processor time used so far, by who used it."""
    used: defaultdict[str, float] = defaultdict(float)
    for one in running.family():
        try:
            used[_role(one)] += sum(one.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    used["venue"] = sum(psutil.Process(venue.ready["pid"]).cpu_times()[:2])
    return used


def _role(process: psutil.Process) -> str:
    try:
        words = " ".join(process.cmdline()[:1])
    except psutil.NoSuchProcess:
        return "ray"
    if not words.startswith("ray::") or "IDLE" in words:
        return "ray"
    return next((role for kind, role in ROLES.items() if kind in words), "other actors")


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
