"""The main job on recorded markets, played by the venue's own process: fills happen, and the books agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.live_tapes import SPEED, cut_minutes, playing_process

LIMITS: dict[str, Any] = {
    "account": {"max_notional": 20000, "daily_loss": 10000},
    "runtime": {"slots_per_actor": 8, "look_ahead": 1, "reconcile_s": 2},
}
ETH = {"anchor": None, "interval": "1.5", "buy_window": 6, "max_lots": 40}
BTC = {"symbol": "BTCUSDT", "anchor": None, "interval": 30, "amount": 150, "buy_window": 6, "max_lots": 40}


def fills(live: LiveDeployment, kind: str) -> int:
    return sum(live.symbol(name).get(kind, 0) for name in ("ETHUSDT", "BTCUSDT"))


@pytest.mark.long
def test_ticks_of_two_symbols(shared_data: Path, tmp_path: Path) -> None:
    kinds = ("trades", "bookticker")
    tapes = [
        shared_data / "ticks" / f"binance_usdm_{symbol}_{kind}_20240718_20240719.parquet"
        for symbol in ("ETHUSDT", "BTCUSDT")
        for kind in kinds
    ]
    with (
        playing_process(tapes, tmp_path, speed=8, warm_up_s=120) as venue,
        deployed(live_settings(tmp_path, venue, ETH, BTC, **LIMITS), venue) as live,
    ):
        live.until(lambda: fills(live, "entry_fills") >= 5, "it buys")
        live.until(lambda: fills(live, "exit_fills") >= 1, "it sells again")
        result = live.reckon().document()

    assert result["fills"] >= 6
    assert result["position_matches"] is True


def test_minutes_of_a_sharp_fall(shared_data: Path, tmp_path: Path) -> None:
    """2025-06-21: ETHUSDT falls by 7 % within the hour."""
    folder = shared_data / "klines" / "binance_usdm_2025-05_06"
    tapes = [
        cut_minutes(folder / f"{symbol}-1m.parquet", tmp_path / "tape", "2025-06-21T21:00", "2025-06-21T21:50")
        for symbol in ("ETHUSDT", "BTCUSDT")
    ]
    wide = [{**ETH, "interval": 5, "buy_window": 10}, {**BTC, "interval": 60, "buy_window": 10}]
    with (
        playing_process(tapes, tmp_path, speed=SPEED, warm_up_s=15 * 60) as venue,
        deployed(live_settings(tmp_path, venue, *wide, **LIMITS), venue) as live,
    ):
        live.until(lambda: live.symbol("ETHUSDT").get("entry_fills", 0) >= 8, "it buys down")
        live.until(lambda: live.symbol("ETHUSDT").get("exit_fills", 0) >= 1, "it sells again")
        result = live.reckon().document()

    assert result["fills"] >= 9
    assert result["position_matches"] is True
