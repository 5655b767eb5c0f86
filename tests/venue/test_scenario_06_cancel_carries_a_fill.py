"""Scenario 6: an order executes more than was seen before it is cancelled. Booked once, and the lot is offered."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.settings.account import Settings
from tests.live_control import PRIVATE, Row, VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

ONE_ENTRY = {"buy_window": 1, "interval": 2}
HELD_CANCEL: dict[str, Any] = {"scope": {"endpoint": "order.cancel"}, "until_healed": True}


def one_entry(folder: Path, venue: VenueControl) -> Settings:
    """Return settings of a ladder with one entry, and no periodic reading that would find a fill by the way."""
    return live_settings(folder, venue, ONE_ENTRY, runtime={"reconcile_s": 60})


def entry(venue: VenueControl, level: int) -> Row:
    """Return the last entry of a level."""
    return [row for row, one in venue.own_orders() if one.level == level and not one.purpose.closing][-1]


def see_lot_sold_whole(live: LiveDeployment, venue: VenueControl, quantity: str) -> None:
    """The lot of level -1 is what the venue executed; one exit of all of it is sold, and the profit is booked."""
    live.until(lambda: -1 in live.exits(), "the lot is offered")
    live.settle()
    assert Decimal(entry(venue, -1)["executedQty"]) == Decimal(quantity)
    assert Decimal(live.levels()[-1]["lot"]["quantity"]) == Decimal(quantity)
    [exit_row] = [row for row, one in venue.own_orders(is_open=True) if one.purpose.closing and one.level == -1]
    assert Decimal(exit_row["origQty"]) == Decimal(quantity)
    assert Decimal(exit_row["price"]) >= Decimal("3000.00"), "the target is the next level"

    venue.trade("ETHUSDT", "3010", "0.001", "BUY")
    live.until(lambda: live.symbol()["lots"] == 0, "everything is sold")


def test_the_cancelled_order_had_executed_more_than_was_seen(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(one_entry(tmp_path, venue), venue) as live:
        live.walk("2999.5")
        venue.fault("event_dropped", scope=PRIVATE)
        venue.fill_part("ETHUSDT", "2998", "0.007")
        live.until(lambda: venue.strikes("event_dropped"), "the part fill goes unseen")
        assert live.symbol()["entry_fills"] == 0
        venue.heal()

        venue.quote("ETHUSDT", "3006.5", "3006.51")  # the entry leaves the window and is cancelled
        live.until(lambda: entry(venue, -1)["status"] == "CANCELED", "it is cancelled")

        see_lot_sold_whole(live, venue, "0.007")
        live.reckon()


def test_a_fill_comes_between_the_cancel_and_its_answer(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(one_entry(tmp_path, venue), venue) as live:
        live.walk("2998.4")  # under half the interval
        venue.fill_part("ETHUSDT", "2998", "0.007")
        live.until(lambda: live.symbol()["entry_fills"] == 1, "the part fill is seen")
        venue.fault("request_latency", **HELD_CANCEL)

        venue.quote("ETHUSDT", "2999.5", "2999.51")  # past half the interval: cut
        live.until(lambda: live.levels()[-1]["phase"] == "cancelling", "it is being cut")
        venue.fill_part("ETHUSDT", "2998", "0.005")
        venue.heal()
        live.until(lambda: entry(venue, -1)["status"] == "CANCELED", "it is cancelled")

        see_lot_sold_whole(live, venue, "0.012")
        live.reckon()


def test_the_fill_wins_the_race_against_the_cancel(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(one_entry(tmp_path, venue), venue) as live:
        live.walk("2999.5")
        venue.fault("request_latency", **HELD_CANCEL)

        venue.quote("ETHUSDT", "3006.5", "3006.51")
        live.until(lambda: live.levels().get(-1, {}).get("phase") == "cancelling", "it is being cancelled")
        venue.trade("ETHUSDT", "2997", "0.001", "SELL")
        venue.heal()
        live.until(lambda: entry(venue, -1)["status"] == "FILLED", "it has filled")

        see_lot_sold_whole(live, venue, "0.020")
        live.reckon()


def test_a_part_filled_buy_is_cut_and_sold_at_its_target(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(one_entry(tmp_path, venue), venue) as live:
        live.walk("2998.4")  # under half the interval
        venue.fill_part("ETHUSDT", "2998", "0.007")
        live.until(lambda: live.symbol()["entry_fills"] == 1, "the part fill is seen")
        live.stays(lambda: live.exits() == [], "nothing is offered while the entry lives", 0.5)

        venue.quote("ETHUSDT", "2999.5", "2999.51")
        live.until(lambda: live.exits() == [-1], "the rest is cut and the lot offered")
        live.settle()

        [row] = [row for row, one in venue.own_orders(is_open=True) if one.purpose.closing]
        assert (row["price"], Decimal(row["origQty"])) == ("3000.00", Decimal("0.007"))
        live.stays(lambda: "2998" not in live.entries(), "a level with a lot never buys", 1)
        live.reckon()
