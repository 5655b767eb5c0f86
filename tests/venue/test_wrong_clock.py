"""This machine's clock is minutes off: trades and ledger rows bear the venue's time, and are compared by that."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.live_control import still_venue
from tests.live_deployment import deployed, live_settings
from tests.venue.test_scenario_09_position_readings import close_by_hand, lots
from tests.venue.test_scenario_16_other_hands import go_deaf


@pytest.mark.parametrize("ahead_s", [300, -300], ids=["ahead", "behind"])
def test_trades_that_only_a_reading_tells_are_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: int
) -> None:
    def wrong_ms() -> int:
        return time.time_ns() // 1_000_000 + 1000 * ahead_s

    monkeypatch.setattr("actors.clock.now_ms", wrong_ms)
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.walk("2999.5", "2997.5")
        assert live.exits() == [-1]

        go_deaf(venue)
        live.until(lambda: "order_stream" in live.holds(), "the stream is down")
        close_by_hand(venue, "0.010", "2997.5")
        venue.heal()

        live.until(lambda: lots(live) == {-1: Decimal("0.010")}, "what somebody sold is taken off")
        live.until(lambda: live.holds() == [], "the book agrees")
        live.kill_gateway()
        live.restart_gateway()
        live.settle()
        assert live.counts().get("old_fill", 0) == 0
        live.reckon()
