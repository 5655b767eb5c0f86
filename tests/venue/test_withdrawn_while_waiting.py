"""Orders that end while they wait for a narrow limit leave it to those that live: Bybit's is ten a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live_control import still_venue
from tests.live_deployment import deployed, live_settings
from tests.venue.running_venue import SPOKEN

LADDER = {"buy_window": 30, "max_lots": 60}
LIMITS = {
    "account": {"max_notional": 20000, "daily_loss": 5000},
    "runtime": {"slots_per_actor": 16, "look_ahead": 1, "reconcile_s": 2},
}


@pytest.fixture(autouse=True)
def at_bybit() -> None:
    SPOKEN.set("bybit")


@pytest.mark.long
def test_a_ladder_that_is_withdrawn_while_it_waits_again_and_again_is_whole_in_the_end(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, LADDER, **LIMITS), venue) as live:
        for turn in range(3):
            # a machine that stood still meanwhile finds them all placed: then they are cancelled, and wait once more
            live.until(
                lambda: live.gateway()["lanes"]["entry"] >= 5 or len(live.entries()) == 30, "entries wait for the limit"
            )
            live.coordinator.halt(f"turn {turn}")
            live.until(lambda: "operator" in live.holds(), "it is held, and what waits is withdrawn")
            live.coordinator.resume()
            live.until(lambda: live.holds() == [], "it may go on")

        live.until(lambda: len(live.entries()) == 30, "all thirty rest")
        live.settle()
        live.reckon()
