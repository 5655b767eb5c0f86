"""Scenario 16: liquidation, deleveraging, manual orders, changed settings and contracts. Noticed, named, handled."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.test_scenario_09_position_readings import LOT, five_lots, lots, resting


def reason(live: LiveDeployment, cause: str) -> str:
    return next((hold["reason"] for hold in live.gateway()["holds"] if hold["cause"] == cause), "")


def lift_venue_rule(live: LiveDeployment, symbol: str = "ETHUSDT") -> None:
    live.coordinator.resume()
    live.stays(lambda: "venue_rule" in live.holds(), "a plain resume lifts only the operator's own hold", 0.5)
    assert live.coordinator.clear_venue_rule(symbol)


def see_held_until_lifted(live: LiveDeployment, symbol: str = "ETHUSDT") -> None:
    live.until(lambda: live.entries() == [], "the entries are withdrawn")
    live.stays(lambda: live.entries() == [] and "venue_rule" in live.holds(), "nothing lifts it by itself", 3)
    lift_venue_rule(live, symbol)
    live.until(lambda: live.entries(), "it quotes again")
    live.settle()


def test_after_a_liquidation_only_people_let_it_buy_again(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        venue.verb("liquidate", symbol="ETHUSDT")
        live.until(lambda: "liquidation" in reason(live, "venue_rule"), "the liquidation is named")
        live.until(lambda: lots(live) == {} and resting(venue) == {}, "the lots are gone, and their exits")
        see_held_until_lifted(live)
        # The liquidation fee is the venue's own entry: it stands in the ledger, beside the grid's money.
        live.reckon(allow=("equity",))


def test_a_hold_after_a_liquidation_outlives_the_gateway(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        venue.verb("liquidate", symbol="ETHUSDT")
        live.until(lambda: "venue_rule" in live.holds(), "it is held")
        live.kill_gateway()
        live.restart_gateway()
        live.stays(lambda: "venue_rule" in live.holds() and live.entries() == [], "it stays held", 2)


def test_deleveraging_takes_lots_from_the_top_and_holds(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        venue.verb("deleverage", symbol="ETHUSDT", quantity="0.030")
        live.until(lambda: "auto-deleveraging" in reason(live, "venue_rule"), "it is named")
        left = {-2: Decimal("0.010"), -3: LOT, -4: LOT, -5: LOT}
        live.until(lambda: lots(live) == left and resting(venue) == left, "the highest targets went first")
        see_held_until_lifted(live)
        live.reckon()


def test_a_leverage_changed_by_hand_is_named_and_holds(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: live.entries(), "it quotes")
        venue.verb("settings", symbol="ETHUSDT", leverage=7)
        live.until(lambda: "leverage of ETHUSDT is 7" in reason(live, "venue_rule"), "the change is named")
        see_held_until_lifted(live)
        live.reckon()


def test_a_leverage_changed_on_a_symbol_of_somebody_else_is_none_of_ours(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: live.entries(), "it quotes")
        venue.verb("settings", symbol="BTCUSDT", leverage=7)
        live.stays(lambda: live.holds() == [] and live.entries(), "nothing is held", 2)
        live.reckon()


def test_a_position_mode_changed_by_hand_is_named_and_holds(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        live.coordinator.halt("to change the mode")
        live.until(lambda: live.entries() == [], "nothing rests, so that the mode can be changed")
        venue.verb("settings", hedge_mode=True)
        live.coordinator.resume()
        live.until(lambda: reason(live, "venue_rule"), "it is held")
        live.stays(lambda: "venue_rule" in live.holds() and not live.entries(), "it stays held", 2)


def test_a_manual_order_is_foreign_and_never_touched(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        manual = venue.manual_order("ETHUSDT", "BUY", "0.500", "2900")
        venue.manual_order("ETHUSDT", "BUY", "0.300")
        live.until(lambda: Decimal(live.symbol()["foreign"]) == Decimal("0.3"), "what somebody bought is named")
        assert sum(lots(live).values()) == 5 * LOT
        live.walk("2987.5", "3001.5")
        live.until(lambda: lots(live) == {}, "our lots are sold, and only those")

        live.stop()
        [row] = [row for row in venue.account()["orders"] if row["orderId"] == manual["orderId"]]
        assert row["status"] == "NEW"
        assert venue.account()["positions"]["ETHUSDT"]["quantity"] in ("0.300", "0.3")


def test_a_delisted_contract_is_held_and_named(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        venue.verb("delist", symbol="ETHUSDT")
        live.until(lambda: "settlement" in reason(live, "venue_rule"), "it is named")
        live.until(lambda: lots(live) == {}, "the lots are settled at the venue's price")
        sent = live.gateway()["counts"]["orders_sent"]
        live.stays(lambda: live.gateway()["counts"]["orders_sent"] <= sent + 3, "it does not run against the wall", 3)
        live.reckon()


def go_deaf(venue: VenueControl) -> None:
    """Take the order stream down; it stays down until the venue is healed."""
    venue.fault(**venue.ways.no_session)
    venue.verb("listen_key/expire")


def test_a_liquidation_that_no_stream_told_is_named_and_holds(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        go_deaf(venue)
        live.until(lambda: "order_stream" in live.holds(), "the stream is down")
        venue.verb("liquidate", symbol="ETHUSDT")
        venue.heal()

        live.until(lambda: "liquidation" in reason(live, "venue_rule"), "the liquidation is named")
        live.until(lambda: lots(live) == {} and resting(venue) == {}, "the lots are gone, and their exits")
        live.until(lambda: live.holds() == ["venue_rule"], "the stream is back")
        see_held_until_lifted(live)
        live.reckon(allow=("equity",))


def test_deleveraging_while_nobody_ran_is_named_by_the_next_start(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        live.kill_gateway()
        venue.verb("deleverage", symbol="ETHUSDT", quantity="0.030")
        live.restart_gateway()

        live.until(lambda: "auto-deleveraging" in reason(live, "venue_rule"), "it is named")
        left = {-2: Decimal("0.010"), -3: LOT, -4: LOT, -5: LOT}
        live.until(lambda: lots(live) == left and resting(venue) == left, "the highest targets went first")
        live.reckon()
