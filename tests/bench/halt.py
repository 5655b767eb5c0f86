"""Start and halt of a deployment of the demo's shape: command to first order; candle to no entry."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from actors.actor_names import gateway_name
from tests.bench.figures import Figures, table
from tests.bench.processes import DEPLOYMENT, Running, Venue, deployment, until_resting, venue_of
from tests.bench.snapshots import snapshots

COINS = 2
ROUNDS = 3
CALM_S = 3.0
PATIENCE_S = 30.0
CALM_VOLUME = 1_000
NEAR = 1.001
DEMO: dict[str, Any] = {
    "ladder": {"entry_slack": 1, "min_rest_s": 1},
    "runtime": {"look_ahead": 1, "dashboard": True, "reconcile_s": 3},
    "risk": {
        "enabled": True,
        "interval": "1s",
        "fall_window": 5,
        "stale_s": 4,
        "min_hold_s": 2,
        "required_positions": 1,
    },
}


def measure(figures: Figures) -> None:
    """Start once, halt a few times."""
    with venue_of(COINS) as venue, deployment(venue, COINS, **DEMO) as running:
        start_s = (venue.tell("first_order")["at_ns"] - running.begun_ns) / 1e9
        figures.put("start.command_to_first_order_s", start_s)
        figures.put("start.processes", len(running.family()))
        print(table("Start, the demo's shape", ("", "s"), [("command to first order", start_s)]), flush=True)
        last, gone, entries = [], [], 0
        with snapshots(running, DEPLOYMENT) as look:
            for _ in range(ROUNDS):
                found = _halt(venue, running, partial(look, gateway_name("binanceusdm")))
                entries += found[2]
                last.append(found[0])
                gone.append(found[1])
        figures.put("halt.candle_to_last_entry_ms.max", max(last))
        figures.put("halt.candle_to_entries_verified_gone_ms.max", max(gone))
        figures.put("halt.entries_after_candle", entries)
    rows = [
        ("anomalous candle to the last entry seen", min(last), max(last)),
        ("anomalous candle to entries verified gone", min(gone), max(gone)),
    ]
    print(table(f"Halt, {ROUNDS} times", ("ms", "least", "most"), rows), flush=True)


def _halt(venue: Venue, running: Running, gateway: Any) -> tuple[float, float, int]:
    """Return ms from the candle to the last entry and to the proof, and how many entries came after the candle."""
    venue.tell("begin_noise", symbols=venue.coins, per_s=20, volume=CALM_VOLUME)
    time.sleep(CALM_S)
    venue.tell("clear")
    prices = venue.tell("crash", symbols=venue.coins)
    candles = _until(lambda: _anomalous(venue, prices), "an anomalous candle of each coin is written")
    candle_ns, candle_ms = candles
    told = _until(lambda: _gone_ms(gateway(), candle_ms), "the entries are verified gone")
    venue.tell("end_noise")
    after = [at_ns for at_ns in venue.spans().entry_at if candle_ns < at_ns < candle_ns + (told - candle_ms) * 1e6]
    until_resting(venue, running, 3 * COINS)
    return (max(after, default=candle_ns) - candle_ns) / 1e6, told - candle_ms, len(after)


def _anomalous(venue: Venue, prices: dict[str, float]) -> tuple[int, float] | None:
    """Return when the last coin's first anomalous candle was written: monotonic ns, and wall clock in ms."""
    answer = venue.tell("candles")
    first: dict[str, int] = {}
    for at_ns, candle in answer["rows"]:
        if float(candle["c"]) <= prices[candle["s"]] * NEAR:
            first.setdefault(candle["s"], at_ns)
    if len(first) < COINS:
        return None
    return max(first.values()), max(first.values()) / 1e6 + answer["offset_ms"]


def _gone_ms(snapshot: dict[str, Any], since_ms: float) -> float | None:
    """Return when the gateway said that the account's entries are verified gone (wall clock in ms)."""
    said = [row["at_ms"] for row in snapshot.get("notices", []) if row["kind"] == "entries_gone"]
    return next((at_ms for at_ms in said if at_ms >= since_ms), None)


def _until(look: Any, what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{PATIENCE_S:.0f} s are over and it is not so that {what}")
        time.sleep(0.1)
    return found
