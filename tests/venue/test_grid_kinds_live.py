"""Each kind of grid trades over real sockets, and book and venue agree at its end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from grid.order import Purpose
from tests.live_control import still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_a_ladder_of_either_side_and_spacing_makes_its_round_trips(tmp_path: Path, side: str, spacing: str) -> None:
    keys = {"interval": 2} if spacing == "arithmetic" else {"interval": None, "ratio": "1.0007"}
    sign = 1 if side == "long" else -1
    with (
        still_venue() as venue,
        deployed(live_settings(tmp_path, venue, {"side": side, "spacing": spacing, **keys}), venue) as live,
    ):
        live.until(lambda: len(live.entries()) == 3, "three entries rest")
        prices = sorted((Decimal(price) for price in live.entries()), key=lambda price: -sign * price)
        if spacing == "geometric":
            exact = [3000 * Decimal("1.0007") ** (-sign * power) for power in (1, 2, 3)]
            assert all(abs(price - wanted) < Decimal("0.01") for price, wanted in zip(prices, exact, strict=True))
        else:
            assert prices == [3000 - sign * 2 * step for step in (1, 2, 3)]

        venue.walk("ETHUSDT", str(3000 - sign * Decimal("4.5")))
        live.until(lambda: live.exits() == [-1, -2], "both lots are offered")
        live.until(lambda: Decimal(live.symbol()["position"]) * sign > 0, "the position is on the grid's side")
        venue.walk("ETHUSDT", str(3000 + sign * Decimal("1.5")))
        live.until(lambda: live.symbol()["round_trips"] == 2, "both lots are sold")
        live.settle()
        reckoning = live.reckon()

    assert reckoning.document()["fills"] == 4


@pytest.mark.parametrize("side", ["long", "short"])
def test_the_window_follows_to_its_limits_waits_there_and_goes_on(tmp_path: Path, side: str) -> None:
    sign = 1 if side == "long" else -1

    def price(offset: str) -> str:
        return f"{(3000 + sign * Decimal(offset)).normalize():f}"

    low, high = sorted((Decimal(price("-5")), Decimal(price("5"))))
    limit = {"low": str(low), "high": str(high)}
    with (
        still_venue() as venue,
        deployed(live_settings(tmp_path, venue, {"side": side, "trail_limit": limit}), venue) as live,
    ):

        def rests(*offsets: str) -> bool:
            return sorted(live.entries()) == sorted(price(one) for one in offsets)

        live.until(lambda: rests("-2", "-4"), "what lies within the lower limit rests")
        venue.walk("ETHUSDT", price("20"))
        live.until(lambda: rests("2", "0", "-2", "-4"), "the window stands still at the upper limit")
        venue.walk("ETHUSDT", price("-20"))
        live.until(lambda: len(live.exits()) == 4, "all that rested there, and below, was bought")
        live.stays(lambda: live.entries() == [], "nothing is bought beyond the lower limit", 0.5)
        assert live.symbol()["lots"] == 4
        venue.walk("ETHUSDT", price("3.5"))
        live.until(lambda: rests("0", "-2"), "it goes on where the price is back")
        live.settle()
        live.reckon()


def test_a_trigger_price_is_waited_for_over_a_kill_and_stays_reached_after_another(tmp_path: Path) -> None:
    with (
        still_venue() as venue,
        deployed(live_settings(tmp_path, venue, {"trigger_price": 2995}), venue) as live,
    ):
        live.until(lambda: live.holds() == ["trigger"], "it waits for its price and for nothing else")
        live.walk("2996")
        live.stays(lambda: not live.venue.own_orders(), "no order was ever sent", 0.5)
        assert live.symbol()["trigger"]["way"] == "fall"
        answers = live.crew.ask_all(live.roster.layouts["ETHUSDT"].names(), "explain")
        told = {one.level: (one.reason.value, one.detail) for found in answers.values() for one in found}
        assert [told[level] for level in (-3, -4, -5)] == [("hold", "trigger")] * 3

        live.kill_gateway()
        live.restart_gateway()
        live.until(lambda: live.holds() == ["trigger"], "the next life waits too")
        venue.walk("ETHUSDT", "2994.5")
        live.until(lambda: live.entries() == ["2994", "2992", "2990"], "it begins where the price has come to")
        live.until(lambda: live.symbol()["trigger"]["is_fired"], "that is shown")

        live.kill_gateway()
        venue.walk("ETHUSDT", "2997")
        live.restart_gateway()
        live.until(lambda: live.entries() == ["2996", "2994", "2992"], "what was reached stays reached")
        live.settle()
        live.reckon()


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_grid_begins_with_the_lots_over_the_price_each_bought_once_over_a_kill(tmp_path: Path, side: str) -> None:
    keys = {
        "side": side,
        "interval": None,
        "anchor": None,
        "range": {"low": 2990, "high": 3010, "grids": 10},
        "max_lots": 10,
        "open_position": {"slippage": "0.1%"},
    }
    levels = [6, 7, 8, 9] if side == "long" else [5, 6, 7, 8, 9]  # 3000.00 lies under the ask
    with still_venue() as venue:
        venue.fault("reply_latency", scope={"endpoint": "order.place"}, delay=150)
        venue.fault("reply_lost", scope={"endpoint": "order.place"}, count=2)
        with deployed(live_settings(tmp_path, venue, keys), venue) as live:
            live.until(lambda: _opened(live), "the first of them is under way")
            live.kill_gateway()
            live.restart_gateway()
            venue.heal()
            live.until(lambda: live.exits() == levels[::-1], "each of them has its exit")
            live.settle()
            orders = [row for row, identity in live.venue.own_orders() if identity.purpose is Purpose.OPEN]
            filled = [row for row in orders if Decimal(row["executedQty"])]
            assert len(filled) == len(levels)
            worst = 3000 * (Decimal("1.001") if side == "long" else Decimal("0.999"))
            sign = 1 if side == "long" else -1
            assert all(sign * Decimal(row["price"]) <= sign * worst for row in orders)
            lots = live.levels()
            price = Decimal("3000.01") if side == "long" else Decimal(3000)
            assert all(
                Decimal(lots[level]["lot"]["cost"]) == price * Decimal(lots[level]["lot"]["quantity"])
                for level in levels
            )
            live.until(lambda: live.symbol()["opening"]["levels"] == [], "nothing of it is left to buy")

            venue.walk("ETHUSDT", "3004.5" if side == "long" else "2997.5")
            live.until(lambda: live.exits() == levels[:0:-1], "the nearest is sold at its target")
            live.kill_gateway()
            live.restart_gateway()
            live.settle()
            assert len([1 for row, one in live.venue.own_orders() if one.purpose is Purpose.OPEN]) == len(orders)
            reckoning = live.reckon()

    assert reckoning.open_own_orders == 0


def _opened(live: LiveDeployment) -> bool:
    return any(identity.purpose is Purpose.OPEN for _, identity in live.venue.own_orders())


@pytest.mark.parametrize("spacing", ["arithmetic", pytest.param("geometric", marks=pytest.mark.long)])
def test_a_neutral_grid_turns_around_over_a_kill_and_never_shows_orders_of_both_sides(
    tmp_path: Path, spacing: str
) -> None:
    keys = {
        "side": "neutral",
        "spacing": spacing,
        "interval": None,
        "anchor": 3000,
        "range": {"low": 2990, "high": 3010, "grids": 10},
        "max_lots": 5,
    }
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, keys), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "the long side begins")
        assert all(Decimal(price) < 3000 for price in live.entries())
        live.until(lambda: live.symbol()["turning"]["why"] == "the price has not come there", "the other side waits")
        venue.walk("ETHUSDT", "2997.5")
        live.until(lambda: live.exits() == [-1], "a lot is bought under the start price")
        live.until(lambda: live.symbol()["turning"]["why"] == "1 lot is held", "that is why it would not turn")

        venue.walk("ETHUSDT", "3003")
        live.until(lambda: live.holds() == ["turn"] or live.symbol().get("side") == "short", "it is sold, and it turns")
        live.kill_gateway()
        live.restart_gateway()
        live.until(
            lambda: live.symbol().get("side") == "short" and not live.holds(), "the next life brings it to its end"
        )
        live.until(lambda: len(live.entries()) == 3, "the short side works")
        assert all(Decimal(price) > 3003 for price in live.entries())
        live.until(lambda: live.symbol()["round_trips"] == 1, "the lot was sold once")

        venue.walk("ETHUSDT", "3004.5")
        live.until(lambda: Decimal(live.symbol()["position"]) < 0, "it sells over the start price")
        venue.walk("ETHUSDT", "2997.5")
        live.until(lambda: live.symbol()["side"] == "long" and not live.holds(), "it has bought back and turned again")
        live.until(lambda: len(live.entries()) == 3, "the long side works again")
        live.settle()
        orders = [(row, identity) for row, identity in live.venue.own_orders() if identity.purpose is Purpose.ENTRY]
        assert all((row["side"] == "BUY") == (Decimal(row["price"]) < 3000) for row, _ in orders)
        reckoning = live.reckon()

    assert reckoning.document()["fills"] == 4
