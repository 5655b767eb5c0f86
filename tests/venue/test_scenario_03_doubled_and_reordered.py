"""Scenario 3: the venue's events come twice and out of order. The end is that of the clean run."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.live_control import PRIVATE, VenueControl, still_venue
from tests.live_deployment import deployed, live_settings

WITHIN_MS = 1_000
PATH = ("2999.5", "2997.5", "2995.5", "2998.5", "2996.5", "2995.5", "3000.5", "3004.5")
SHUFFLE = {"shape": "uniform", "low_ms": 0, "high_ms": WITHIN_MS}


def test_the_end_is_that_of_the_clean_run(tmp_path: Path) -> None:
    clean = end_of_run(tmp_path / "clean", spoilt=False)
    spoilt = end_of_run(tmp_path / "spoilt", spoilt=True)

    assert clean["round_trips"] >= 3
    assert spoilt == clean


def end_of_run(folder: Path, *, spoilt: bool) -> dict[str, Any]:
    folder.mkdir()
    with still_venue() as venue:
        if spoilt:
            spoil(venue)
        # an echo may be late by the shuffle; that is no deaf stream
        with deployed(live_settings(folder, venue, gateway={"echo_timeout_s": 60}), venue) as live:
            live.walk(*PATH)
            time.sleep(2.5 * WITHIN_MS / 1000 if spoilt else 0)  # the last of the doubles is in
            live.settle()
            picture, entries, exits = live.symbol(), live.entries(), live.exits()
            lots = {level: row["lot"] for level, row in live.levels().items()}
            live.reckon()
        if spoilt:
            assert len(venue.strikes("event_doubled")) > 10
            assert len(venue.strikes("event_reordered")) > 10
    for lot in lots.values():
        if lot is not None:
            del lot["opened_ms"]
    kept = ("position", "lots", "lot_cost", "grid_profit", "fees", "round_trips", "entry_fills", "exit_fills")
    found = {"entries": entries, "exits": exits, "lots": lots, **{key: picture[key] for key in kept}}
    return {key: _in_numbers(value) for key, value in found.items()}


def _in_numbers(value: Any) -> Any:
    """Return the same with its numbers as such: a sum may keep zeros of its parts, in the order that they came."""
    if isinstance(value, dict):
        return {key: _in_numbers(inner) for key, inner in value.items()}
    return Decimal(value) if isinstance(value, str) else value


def spoil(venue: VenueControl) -> None:
    venue.fault("event_doubled", scope=PRIVATE, probability=0.7, delay=SHUFFLE)
    venue.fault("event_reordered", scope=PRIVATE, probability=0.7, delay=SHUFFLE)
