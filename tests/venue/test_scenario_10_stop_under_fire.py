"""Scenario 10: a stop while much is live and the market runs. Nothing new, nothing of ours is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grid.order import Purpose
from tests.live_control import Row, VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.live_reckoning import meant_since_the_stop

ETH: dict[str, Any] = {"buy_window": 30, "max_lots": 60}
BTC: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "interval": 25,
    "anchor": 60000,
    "amount": 130,
    "buy_window": 30,
    "max_lots": 60,
}
LIMITS = {
    "account": {"max_notional": 20000, "daily_loss": 5000, "max_orders": 80},
    "runtime": {"slots_per_actor": 16, "look_ahead": 1, "reconcile_s": 2},
}


@contextmanager
def under_fire(folder: Path, venue: VenueControl) -> Iterator[LiveDeployment]:
    """Two ladders with sixty entries and some lots, and a manual order on a third symbol."""
    venue.manual_order("XRPUSDT", "BUY", "100", "0.45")
    with deployed(live_settings(folder, venue, ETH, BTC, **LIMITS), venue) as live:
        live.until(lambda: len(live.entries("ETHUSDT")) >= 30 and len(live.entries("BTCUSDT")) >= 30, "sixty rest")
        venue.walk("ETHUSDT", "2993.5")
        venue.walk("BTCUSDT", "59910", spread="0.1")
        live.until(lambda: len(live.exits("ETHUSDT")) == 3 and len(live.exits("BTCUSDT")) == 3, "lots are offered")
        live.until(lambda: len(venue.own_orders(is_open=True)) >= 60, "sixty orders are live")
        yield live


@contextmanager
def fast_market(venue: VenueControl) -> Iterator[None]:
    """Ticks up and down across several levels, as fast as the venue takes them."""
    ended = threading.Event()

    def run() -> None:
        turn = 0
        while not ended.wait(0.01):
            turn += 1
            venue.walk("ETHUSDT", ("2989.5", "2995.4")[turn % 2])
            venue.walk("BTCUSDT", ("59860", "59940")[turn % 2], spread="0.1")

    thread = threading.Thread(target=run, name="fast market")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def manual(venue: VenueControl) -> list[Row]:
    return [row for row in venue.account()["orders"] if row["symbol"] == "XRPUSDT"]


def test_stop_and_keep(tmp_path: Path) -> None:
    with still_venue() as venue, under_fire(tmp_path, venue) as live:
        # in the middle of the ladder: too deep to be filled, too near to leave the window
        entries = [row for row, one in venue.own_orders("ETHUSDT", is_open=True) if one.purpose is Purpose.ENTRY]
        victim = sorted(entries, key=lambda row: Decimal(row["price"]))[len(entries) // 2]["clientOrderId"]
        venue.fault("service_unavailable", scope={"endpoint": "order.cancel", "client_id": victim}, count=2)
        under_way = venue.fault("request_latency", scope={"endpoint": "order.cancel"}, until_healed=True)

        with fast_market(venue):
            live.coordinator.stop("keep")
            live.until(lambda: live.gateway().get("closing") == "keep", "the stop has begun")
            venue.walk("ETHUSDT", "2981.5")  # deeper than before: what is being cancelled there fills
            venue.heal(under_way)
            last = live.stop("keep")
        assert any(Decimal(row["price"]) == 2982 for row in venue.account()["fills"])
        assert meant_since_the_stop(live.settings) == set()

        assert last["final"]["verified"] is True
        assert venue.own_orders(is_open=True) == []
        assert len(venue.strikes("service_unavailable")) == 2, "one cancel was to fail twice"
        assert [row["status"] for row in manual(venue)] == ["NEW"]
        live.reckon()


def test_a_stopped_deployment_starts_again_with_its_lots(tmp_path: Path) -> None:
    with still_venue() as venue:
        with under_fire(tmp_path, venue) as live:
            live.reckon()
            final = live.coordinator.snapshot()["final"]["symbols"]["ETHUSDT"]
        sent = len(venue.own_orders())

        with deployed(live_settings(tmp_path, venue, ETH, BTC, **LIMITS), venue) as again:
            again.until(lambda: len(again.exits("ETHUSDT")) == 3, "the kept lots are offered again")
            again.until(lambda: len(again.entries("ETHUSDT")) >= 30, "entries rest again")
            again.settle()
            bought = {one.level for _, one in venue.own_orders("ETHUSDT")[sent:] if one.purpose is Purpose.ENTRY}
            picture = again.symbol()
            assert picture["lot_cost"] == final["lot_cost"]
            assert not bought & set(again.exits("ETHUSDT"))
            again.reckon()


def test_stop_and_leave_the_exits(tmp_path: Path) -> None:
    with still_venue() as venue, under_fire(tmp_path, venue) as live:
        last = live.stop("leave_exits")
        assert meant_since_the_stop(live.settings) <= {Purpose.EXIT}
        resting = venue.own_orders(is_open=True)

        assert last["final"]["verified"] is True
        assert len(resting) == 6
        assert all(one.purpose is Purpose.EXIT for _, one in resting)
        assert [row["status"] for row in manual(venue)] == ["NEW"]


def test_stop_and_flatten(tmp_path: Path) -> None:
    with still_venue() as venue, under_fire(tmp_path, venue) as live:
        last = live.stop("flatten")
        assert meant_since_the_stop(live.settings) == {Purpose.FLATTEN}

        assert last["final"]["verified"] is True
        assert venue.account()["positions"] == {}
        assert [row["status"] for row in manual(venue)] == ["NEW"]
        slices = [row for row, one in venue.own_orders() if one.purpose is Purpose.FLATTEN]
        assert {row["timeInForce"] for row in slices} == {"IOC"}
        live.reckon()


@pytest.mark.parametrize("foreign", ["0.5", "-0.3"])
def test_flatten_sells_our_lots_and_never_the_position(tmp_path: Path, foreign: str) -> None:
    with still_venue() as venue, under_fire(tmp_path, venue) as live:
        side = "BUY" if Decimal(foreign) > 0 else "SELL"
        venue.quote("ETHUSDT", "2993.5", "2993.51")
        venue.manual_order("ETHUSDT", side, foreign.lstrip("-"))
        live.until(lambda: Decimal(live.symbol()["foreign"]) != 0, "the foreign trade is seen")

        live.stop("flatten")
        position = Decimal(venue.account()["positions"].get("ETHUSDT", {}).get("quantity", "0"))
        left = Decimal(live.coordinator.snapshot()["final"]["symbols"]["ETHUSDT"]["foreign"])

    assert position == left


def test_halt_takes_the_entries_and_leaves_the_exits(tmp_path: Path) -> None:
    with still_venue() as venue, under_fire(tmp_path, venue) as live:
        live.coordinator.halt("the operator looks at something")
        live.until(lambda: "" in live.gateway()["entries_gone"], "the entries are verified gone")

        assert live.entries("ETHUSDT") == live.entries("BTCUSDT") == []
        assert len(live.exits("ETHUSDT")) == len(live.exits("BTCUSDT")) == 3

        live.coordinator.resume()
        live.until(lambda: len(live.entries("ETHUSDT")) >= 30, "they come back")
        live.settle("ETHUSDT")
        live.reckon()
