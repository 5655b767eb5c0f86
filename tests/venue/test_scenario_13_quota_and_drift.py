"""Scenario 13, live: a drift of 100 levels up and 50 down under an order cap, and a fall of 30 % into `max_lots`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from grid.client_id import ClientId
from grid.order import Purpose
from grid.reasons import Reason
from tests.live_control import Row, VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.test_scenario_04_gap_in_the_private_stream import expire_the_listen_key

CAP, WINDOW, MAX_LOTS = 50, 40, 60
MOST = 12
LADDER = {"buy_window": WINDOW, "sell_window": None, "max_lots": MAX_LOTS, "interval": 2, "entry_slack": 1}
LIMITS = {
    "account": {"max_notional": 20000, "daily_loss": 20000, "max_orders": CAP},
    "runtime": {"slots_per_actor": 16, "look_ahead": 1, "reconcile_s": 2},
}
LEAP = 10
"""Units of USDT from one settled price to the next: five levels."""


def most_at_once(orders: Iterable[tuple[Row, ClientId]]) -> int:
    """Return the most orders of ours that lived at one moment, by the venue's own times."""
    changes = []
    for row, _ in orders:
        changes.append((row["time"], 1))
        if row["status"] not in ("NEW", "PARTIALLY_FILLED"):
            changes.append((row["updateTime"], -1))
    # In one millisecond an end counts before a beginning: which came first cannot be told any more.
    living = most = 0
    for _, change in sorted(changes):
        living += change
        most = max(most, living)
    return most


def bids(live: LiveDeployment) -> int:
    return len(live.entries())


def drift(live: LiveDeployment, venue: VenueControl, start: int, end: int) -> None:
    for price in range(start, end, LEAP if end > start else -LEAP):
        venue.walk("ETHUSDT", f"{price}.50")
        live.until(lambda p=price: live.symbol()["price"] == f"{p}.50", f"the price is seen at {price}")  # type: ignore[misc]
        live.settle()


@pytest.mark.long
def test_a_long_drift_keeps_the_cap_serves_exits_first_and_does_not_churn(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, LADDER, **LIMITS), venue) as live:
        live.until(lambda: len(live.entries()) == WINDOW, "the window is full")
        drift(live, venue, 3009, 3210)
        assert len(live.entries()) in (WINDOW, WINDOW + 1)
        climbed = len(venue.own_orders())
        drift(live, venue, 3190, 3100)
        live.settle()

        lots = sorted(level for level, row in live.levels().items() if row["lot"])
        exits = sorted(live.exits())
        assert len(lots) >= 45
        assert exits == lots[: len(exits)], "the nearest lots are offered first"
        assert len(exits) == len(lots), "exits come before entries under the cap"
        assert len(live.entries()) <= CAP - len(exits)

        orders = venue.own_orders()
        assert most_at_once(orders) <= CAP
        document = live.reckon().document()
        fills = venue.account()["fills"]
        assert all(row["maker"] for row in fills), "no order of ours took"
        cancelled = [identity for row, identity in orders if row["status"] == "CANCELED"]
        print(
            f"churn: {document['orders_cancelled']} of {document['orders_placed']} orders cancelled, {len(fills)} fills"
        )
        # One order for each level that the window met on its way up, and nothing more for a level that it passed.
        assert climbed <= 100 + WINDOW + 20
        assert max(Counter((one.level, one.purpose) for one in cancelled).values(), default=0) <= 2


def test_an_exit_that_is_first_placed_three_levels_above_its_target_never_takes(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: live.entries() == ["2998", "2996", "2994"], "it quotes")
        expire_the_listen_key(venue)
        venue.walk("ETHUSDT", "2997.50")
        venue.walk("ETHUSDT", "3006.00")
        venue.heal()
        live.until(lambda: live.exits() == [-1], "the lot is offered")
        live.settle()

        [(exit_row, _)] = [pair for pair in venue.own_orders(is_open=True) if pair[1].purpose is Purpose.EXIT]
        assert exit_row["price"] in ("3000.00", "3006.01"), "at its target, or a tick over the price that is known"
        assert Decimal(exit_row["price"]) > 3006, "its target has passed: there it would have taken"
        venue.walk("ETHUSDT", "3007.00")
        live.until(lambda: live.exits() == [], "it is sold")
        live.settle()
        assert all(row["maker"] for row in venue.account()["fills"])
        live.reckon()


def test_a_fall_of_thirty_percent_ends_at_max_lots(tmp_path: Path) -> None:
    limits = {"account": {"max_notional": 20000, "daily_loss": 20000}, "runtime": LIMITS["runtime"]}
    ladder = {"buy_window": 6, "max_lots": MOST, "interval": 2}
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, ladder, **limits), venue) as live:
        live.until(lambda: len(live.entries()) == 6, "it quotes")
        for price in ("2989.50", "2975.50", "2900.50", "2700.50", "2400.50", "2110.50", "2100.50"):
            live.walk(price)
            live.until(lambda: bids(live) in (6, MOST - live.symbol()["lots"]), "it bids for as much as it may hold")
        assert live.symbol()["lots"] == MOST
        assert live.entries() == []
        live.until(lambda: each_names_max_lots(live), "each level names the limit and its next try")
        live.reckon()


def each_names_max_lots(live: LiveDeployment) -> bool:
    answers = live.crew.ask_all(live.roster.layouts["ETHUSDT"].names(), "explain")
    told = {one.level: one for found in answers.values() for one in found or ()}
    # 2100 is level -450: the first that may rest, and the next five.
    wanted = [told.get(level) for level in range(-450, -456, -1)]
    return all(one is not None and one.reason is Reason.MAX_LOTS and one.next_try_ms is not None for one in wanted)
