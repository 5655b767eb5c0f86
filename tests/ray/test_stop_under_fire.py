"""Scenario 10 through the command line and Ray: SIGTERM with sixty live orders while the market runs."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

from actors.settings.account import load_settings
from tests.live_control import VenueControl, still_venue
from tests.live_reckoning import meant_since_the_stop
from tests.ray.gridmesh_shell import Shell

ETH: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 30,
    "max_lots": 60,
    "leverage": 5,
    "min_rest_s": "0.5",
}
BTC = {**ETH, "symbol": "BTCUSDT", "interval": 25, "anchor": 60000, "amount": 130}
LIMITS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 20000, "daily_loss": 5000, "max_orders": 80},
    "risk": {"enabled": False, "required_positions": 10},
    "runtime": {"slots_per_actor": 32, "reconcile_s": 2, "dashboard": False},
}


def test_sigterm_leaves_no_order_of_ours_and_nothing_running(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with still_venue() as venue:
        venue.manual_order("XRPUSDT", "BUY", "100", "0.45")
        config = shell.write_config(venue, [ETH, BTC], journal={"path": str(tmp_path / "journal.sqlite")}, **LIMITS)
        with shell.running(config) as launched:
            launched.until(lambda: len(venue.own_orders(is_open=True)) >= 60, "sixty entries rest")
            assert (shell.home / "trial.json").exists()
            venue.walk("ETHUSDT", "2993.5")
            venue.walk("BTCUSDT", "59910", spread="0.1")
            launched.until(lambda: exits(venue) >= 6, "the lots are offered")
            ours = [row["clientOrderId"] for row, _ in venue.own_orders(is_open=True)]
            cancels = {"endpoint": "order.cancel"}
            venue.fault("service_unavailable", scope={**cancels, "client_id": ours[0]}, count=2)
            venue.fault("request_latency", scope=cancels, delay=300)

            launched.signal(signal.SIGTERM)
            code = keep_trading_until(venue, launched.wait)

            assert code == 0, launched.words()
            assert launched.left_running() == []
        orders, account = venue.own_orders(), venue.account()

    final = launched.last_word()["final"]
    assert meant_since_the_stop(load_settings(config, shell.environment)) == set()
    assert [row for row, _ in orders if row["status"] in ("NEW", "PARTIALLY_FILLED")] == []
    assert [row["status"] for row in account["orders"] if row["symbol"] == "XRPUSDT"] == ["NEW"]
    assert not (shell.home / "trial.json").exists()
    assert launched.last_word()["done"] is True
    for symbol in ("ETHUSDT", "BTCUSDT"):
        assert final["symbols"][symbol]["position"] == account["positions"][symbol]["quantity"]


def exits(venue: VenueControl) -> int:
    return sum(1 for _, one in venue.own_orders(is_open=True) if one.purpose.closing)


def keep_trading_until(venue: VenueControl, end: Any) -> int:
    """Let the market run up and down over several levels until something has ended; return its answer."""
    ended = threading.Event()

    def run() -> None:
        turn = 0
        while not ended.wait(0.02):
            turn += 1
            venue.walk("ETHUSDT", ("2989.5", "2995.4")[turn % 2])
            venue.walk("BTCUSDT", ("59860", "59940")[turn % 2], spread="0.1")

    market = threading.Thread(target=run, name="fast market")
    market.start()
    try:
        code: int = end()
        return code
    finally:
        ended.set()
        market.join()
