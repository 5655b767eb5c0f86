"""Scenario 12, live: partial fills leave lots under the venue's minimum on eight slots; they are sold as one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from grid.order import Purpose
from tests.live_control import VenueControl
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.test_scenario_11_awkward_numbers import listing

SLOTS = range(-1, -9, -1)
COARSE = {"LOT_SIZE": {"minQty": "0.018"}, "MARKET_LOT_SIZE": {"minQty": "0.018"}}
"""An entry of 0.020 is an order; what a fill of a part leaves of it, and the part itself, are none."""


def lots(live: LiveDeployment) -> dict[int, Decimal]:
    return {level: Decimal(row["lot"]["quantity"]) for level, row in live.levels().items() if row["lot"]}


def part_fill(live: LiveDeployment, venue: VenueControl, level: int) -> None:
    """Fill a little of the level's entry, then let the price leave upward, so that the rest is cut (rule 13)."""
    price = 3000 + 2 * level
    venue.quote("ETHUSDT", f"{price}.30", f"{price}.31")
    live.until(lambda: f"{price}" in live.entries(), f"an entry rests at {price}")
    live.settle()
    part = venue.ways.part
    venue.fill_part("ETHUSDT", f"{price}", f"{part}")
    venue.quote("ETHUSDT", f"{price + 1}.50", f"{price + 1}.51")
    live.until(lambda: lots(live).get(level) == part, f"{price} holds dust")
    live.until(lambda: live.levels()[level]["order"] is None, "the rest of its entry is cut")
    live.settle()


def dust_orders(venue: VenueControl) -> list[tuple[str, Decimal, str]]:
    return [
        (row["price"], Decimal(row["origQty"]), row["status"])
        for row, identity in venue.own_orders()
        if identity.purpose is Purpose.DUST
    ]


def test_dust_on_eight_slots_is_sold_by_one_order_and_every_slot_lives_on(tmp_path: Path) -> None:
    with listing("ETHUSDT", COARSE, "3000", "3000.01") as venue:
        settings = live_settings(tmp_path, venue, {"buy_window": 3})
        with deployed(settings, venue) as live:
            for level in SLOTS:
                part_fill(live, venue, level)
            assert lots(live) == dict.fromkeys(SLOTS, venue.ways.part)
            whole = len(SLOTS) * venue.ways.part
            assert live.exits() == [], "none of it can be sold alone"

            venue.quote("ETHUSDT", "2999.90", "2999.91")
            live.stays(lambda: dust_orders(venue) == [], "under its highest target it waits", 1.5)
            venue.quote("ETHUSDT", "3000.10", "3000.11")
            live.until(
                lambda: dust_orders(venue) == [("3000.11", whole, "NEW")],
                "all of it is offered by one order",
            )
            venue.walk("ETHUSDT", "3001.50")
            live.until(lambda: lots(live) == {}, "it is sold")
            assert dust_orders(venue) == [("3000.11", whole, "FILLED")]

            live.walk(*(f"{2999 + 2 * level}.50" for level in SLOTS))
            assert set(SLOTS) <= set(lots(live)), "no slot is dead: each buys again"
            live.reckon()
