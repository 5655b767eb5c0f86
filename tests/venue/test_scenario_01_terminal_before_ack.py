"""Scenario 1: the stream tells an order's end before the placement is answered; ten orders are in flight."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

LADDER = {"buy_window": 10}
LEVELS = list(range(-1, -11, -1))
ENTRIES = [str(3000 + 2 * level) for level in LEVELS]


def cancel_all(venue: VenueControl) -> None:
    for row, _ in venue.own_orders("ETHUSDT", is_open=True):
        venue.cancel_by_hand("ETHUSDT", row["clientOrderId"])


def expire_all(venue: VenueControl) -> None:
    """Sell against our own bids by hand: the venue's rule against trading with oneself expires the makers."""
    venue.quote("ETHUSDT", "2975", "3000.01")
    venue.manual_order("ETHUSDT", "SELL", "0.5", "2979", time_in_force="IOC")
    venue.quote("ETHUSDT", "3000", "3000.01")


def ladder_of_ten(folder: Path, venue: VenueControl) -> AbstractContextManager[LiveDeployment]:
    """Begin a deployment whose first ten placements are not answered before the venue is healed, and that no periodic
    reading helps.
    """
    venue.fault("reply_latency", scope={"endpoint": "order.place"}, count=10, until_healed=True)
    return deployed(live_settings(folder, venue, LADDER, runtime={"reconcile_s": 60}), venue, waits=False)


def ten_in_flight(venue: VenueControl, live: LiveDeployment) -> set[str]:
    """Return the ids of ten orders that the venue has and has not answered."""
    live.until(lambda: len(venue.strikes("reply_latency")) == 10, "ten placements wait for their answer")
    return {row["clientOrderId"] for row, _ in venue.own_orders("ETHUSDT")}


def in_book(live: LiveDeployment) -> list[str]:
    """Return the ids of the orders that live in the book."""
    return [row["order"]["client_id"] for row in live.levels().values() if row["order"]]


@pytest.mark.parametrize(("status", "end"), [("CANCELED", cancel_all), ("EXPIRED_IN_MATCH", expire_all)])
def test_an_order_that_ended_before_its_answer_frees_its_slot(tmp_path: Path, status: str, end: object) -> None:
    assert callable(end)
    with still_venue() as venue, ladder_of_ten(tmp_path, venue) as live:
        ids = ten_in_flight(venue, live)
        end(venue)
        rows = {row["clientOrderId"]: row for row, _ in venue.own_orders("ETHUSDT")}
        live.until(lambda: not ids & set(in_book(live)), "the book has heard that they ended")
        venue.heal()

        # one more may rest below, kept by the slack of one level
        live.until(lambda: live.entries()[:10] == ENTRIES, "every slot has an order again")
        live.settle()
        live.stays(lambda: live.entries()[:10] == ENTRIES, "late answers change nothing", 0.5)
        live.reckon()

    assert len(ids) == 10
    assert {rows[one]["status"] for one in ids} == {status}


def test_an_order_that_filled_before_its_answer_is_sold(tmp_path: Path) -> None:
    with still_venue() as venue, ladder_of_ten(tmp_path, venue) as live:
        ids = ten_in_flight(venue, live)
        venue.walk("ETHUSDT", "2979.5")
        rows = {row["clientOrderId"]: row for row, _ in venue.own_orders("ETHUSDT")}
        live.until(lambda: live.symbol()["entry_fills"] == 10, "the book has heard of the fills")
        venue.heal()

        live.until(lambda: live.exits() == LEVELS, "every lot is offered")
        live.settle()
        assert live.symbol()["entry_fills"] == 10
        live.reckon()

    assert {rows[one]["status"] for one in ids} == {"FILLED"}
