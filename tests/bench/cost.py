"""What a symbol costs by the packing of its levels: memory, actors and processor time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psutil

from tests.bench.figures import Figures, table
from tests.bench.processes import Running, deployment, venue_of

CHANGES_PER_S = 20
CROSSING_EACH = 10
MEASURED_S = 8.0
PACKED_COINS = 2
WINDOW = 8
"""Levels at once in the comparison of packings."""
ALL = 1000


def by_packing(figures: Figures) -> None:
    """Measure two symbols with one, eight and all levels in an actor."""
    rows = []
    for label, slots in (("1", 1), ("8", 8), ("all", ALL)):
        runtime = {"slots_per_actor": slots, "look_ahead": 2}
        found = _measure(PACKED_COINS, CHANGES_PER_S, runtime, {"buy_window": WINDOW})
        for name, value in found.items():
            figures.put(f"cost.slots_per_actor_{label}.{name}", value)
        rows.append((label, *found.values()))
    columns = ("slots_per_actor", "actors", "MB/symbol", "CPU %/symbol", "CPU % idle", "first order s")
    print(
        table(f"{PACKED_COINS} symbols of {WINDOW + 2} levels, {CHANGES_PER_S} changes/s each", columns, rows),
        flush=True,
    )


def _measure(coins: int, per_s: float, runtime: Mapping[str, Any], ladder: Mapping[str, Any]) -> dict[str, float]:
    with venue_of(coins) as venue, deployment(venue, coins, runtime=runtime, ladder=ladder) as running:
        first_s = (venue.tell("first_order")["at_ns"] - running.begun_ns) / 1e9
        time.sleep(2)
        idle = _load(running, MEASURED_S / 2)
        venue.tell("clear")
        venue.tell("begin_noise", symbols=venue.coins, per_s=per_s, crossing_each=CROSSING_EACH)
        time.sleep(1)
        busy = _load(running, MEASURED_S)
        venue.tell("end_noise")
        actors = [one for one in running.family() if _is_actor(one)]
        return {
            "actors": len(actors),
            "mb_per_symbol": sum(one.memory_full_info().uss for one in actors) / 2**20 / coins,
            "cpu_percent_per_symbol": (busy - idle) / coins,
            "cpu_percent_idle": idle,
            "first_order_s": first_s,
        }


def _load(running: Running, seconds: float) -> float:
    """Return how many percent of a core the deployment takes."""
    begun_s, begun = running.cpu_s(), time.monotonic()
    time.sleep(seconds)
    return 100 * (running.cpu_s() - begun_s) / (time.monotonic() - begun)


def _is_actor(process: psutil.Process) -> bool:
    try:
        return " ".join(process.cmdline()[:1]).startswith("ray::") and "IDLE" not in process.cmdline()[0]
    except (psutil.NoSuchProcess, IndexError):
        return False
