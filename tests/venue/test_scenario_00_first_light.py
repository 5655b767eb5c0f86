"""The ladder trades over real sockets with nothing wrong: what every scenario starts from."""

from __future__ import annotations

from pathlib import Path

from tests.live_control import still_venue
from tests.live_deployment import deployed, live_settings


def test_the_ladder_trades_and_the_books_agree(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: live.entries() == ["2998", "2996", "2994"], "three entries rest")

        venue.walk("ETHUSDT", "2995.5")
        live.until(lambda: live.exits() == [-1, -2], "both lots are offered")
        venue.walk("ETHUSDT", "3001.5")
        live.until(lambda: live.symbol()["round_trips"] == 2, "both lots are sold")
        live.settle()

        live.coordinator.halt("a test")
        live.until(lambda: live.entries() == [], "no entry rests under a halt")
        reckoning = live.reckon()

    assert reckoning.document()["fills"] == 4
    assert reckoning.open_own_orders == 0
