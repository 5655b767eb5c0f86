"""The exchange-side stop over live sockets: it covers the lots, follows, sells when we cannot, and leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

STOP: dict[str, Any] = {"exchange_stop": {"distance": "2%"}, "max_lots": 5}
PLACING = {"endpoint": "algo.place"}


def stops(venue: VenueControl, *statuses: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = venue.account()["algoOrders"]
    return [row for row in rows if not statuses or row["algoStatus"] in statuses]


def resting(venue: VenueControl) -> list[str]:
    return [row["triggerPrice"] for row in stops(venue, "NEW")]


def bought(live: LiveDeployment) -> None:
    """Let the first lot be bought and its exit rest."""
    live.until(lambda: len(live.entries()) == 3, "entries rest")
    live.venue.walk("ETHUSDT", "2997.5")
    live.until(lambda: live.exits() == [-1], "an exit rests")


def covered(live: LiveDeployment) -> None:
    bought(live)
    live.until(lambda: resting(live.venue), "a stop rests")
    live.until(lambda: live.symbol()["stop"]["phase"] == "live", "the book knows it")


def sold_by_stop(live: LiveDeployment) -> None:
    """The lots are off by fills, the hold stands, and nothing of the stop is left."""
    live.until(lambda: live.symbol()["lots"] == 0, "the lots are sold")
    live.until(lambda: "stop_loss" in live.holds(), "the stop-loss holds")
    live.until(lambda: live.symbol()["stop"]["phase"] is None, "the stop is through")
    assert live.symbol()["foreign"] == "0.000"
    assert live.venue.account()["positions"] == {}


def test_a_stop_rests_while_there_is_a_lot_and_goes_with_the_last(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "entries rest")
        assert stops(venue) == []

        covered(live)
        row = stops(venue)[0]
        # five lots from 2998 down end at 2990; two per cent beyond that
        assert [row[key] for key in ("triggerPrice", "side", "orderType", "closePosition", "workingType")] == [
            "2930.2",
            "SELL",
            "STOP_MARKET",
            True,
            "MARK_PRICE",
        ]
        venue.walk("ETHUSDT", "2995.5")
        live.until(lambda: len(live.exits()) == 2, "a second lot is bought")
        live.settle()
        assert len(stops(venue)) == 1  # it stands still in a fall

        venue.walk("ETHUSDT", "3001")
        live.until(lambda: live.symbol()["lots"] == 0, "all lots are sold")
        live.until(lambda: not resting(venue), "the stop is gone")
        live.reckon()


def test_its_trigger_sells_the_lots_at_true_cost_and_holds(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)

        venue.walk("ETHUSDT", "2929")

        sold_by_stop(live)
        live.stays(lambda: live.entries() == [], "nothing is bought back", 2)
        assert live.symbol()["exits"] == 0
        live.reckon()  # equity ties to the last decimal, and every fill is booked once


def test_one_by_the_last_price_holds_until_the_operator_releases_it(tmp_path: Path) -> None:
    by_last: dict[str, Any] = {**STOP, "exchange_stop": {"distance": "2%", "working_type": "last"}}
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, by_last), venue) as live:
        covered(live)
        assert stops(venue)[0]["workingType"] == "CONTRACT_PRICE"
        venue.quote("ETHUSDT", "2929", "2929.01")
        venue.trade("ETHUSDT", "2929", "0.001", "SELL")
        sold_by_stop(live)

        live.until(lambda: live.coordinator.clear_stop_loss("ETHUSDT"), "the operator releases it")

        live.until(lambda: "stop_loss" not in live.holds(), "it is lifted")
        live.until(lambda: len(live.entries()) == 3, "entries rest at the present price")
        live.reckon()


def test_a_trigger_while_the_stream_is_down_is_found_in_the_trades_and_is_ours(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)
        venue.fault(**venue.ways.no_session)
        assert venue.verb("sockets", action="cut", path=venue.ways.private_path)["sockets"] >= 1
        live.until(lambda: "order_stream" in live.holds(), "the stream is missed")
        live.until(lambda: live.entries() == [], "entries are withdrawn")

        venue.walk("ETHUSDT", "2929")
        venue.heal()

        sold_by_stop(live)
        assert live.notices("foreign_fill") == []
        live.reckon()


@pytest.mark.parametrize("kind", ["reply_lost", "request_lost"])
def test_a_lost_answer_ends_in_one_stop(tmp_path: Path, kind: str) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        venue.fault(kind, scope=PLACING, count=1, loss="close")
        covered(live)

        live.stays(lambda: len(resting(venue)) == 1, "it stays one", 1.5)
        assert len(stops(venue)) == 1
        live.reckon()


def test_one_that_somebody_cancels_comes_back_and_a_strangers_is_left_alone(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)
        venue.verb("stops", symbol="ETHUSDT", side="SELL", trigger="2000", quantity="0.01", client_id="me")
        first = next(row["clientAlgoId"] for row in stops(venue, "NEW") if row["closePosition"])

        venue.verb("stops/cancel", symbol="ETHUSDT", client_id=first)

        live.until(lambda: live.notices("stop_gone"), "it is named")
        live.until(lambda: "2930.2" in resting(venue), "it rests again")
        assert "stop_loss" not in live.holds()
        live.reckon()
        assert resting(venue) == ["2000"]


def test_a_killed_gateway_finds_its_stop_again_and_one_that_triggered_meanwhile(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)
        live.kill_gateway()
        live.restart_gateway()
        live.until(lambda: live.symbol()["stop"]["phase"] == "live", "it is known again")
        live.stays(lambda: len(stops(venue)) == 1, "no second one is placed", 1.5)

        live.kill_gateway()
        venue.walk("ETHUSDT", "2929")
        live.restart_gateway()

        sold_by_stop(live)
        assert live.notices("foreign_fill") == []
        live.reckon()


def test_a_short_grid_has_it_above_its_ladder(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, {**STOP, "side": "short"}), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "entries rest")
        venue.trade("ETHUSDT", "3002.5", "0.001", "BUY")
        venue.quote("ETHUSDT", "3002.49", "3002.5")
        live.until(lambda: resting(venue), "a stop rests")

        row = stops(venue)[0]
        assert (row["side"], row["triggerPrice"]) == ("BUY", "3070.2")  # 3002 to 3010, and two per cent
        venue.quote("ETHUSDT", "3070.5", "3070.51")

        sold_by_stop(live)
        live.reckon()


def test_a_position_of_other_hands_takes_it_off_without_consent(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)
        venue.manual_order("ETHUSDT", "BUY", "0.1")

        live.until(lambda: live.symbol()["foreign"] == "0.100", "it is noticed")
        live.until(lambda: not resting(venue), "the stop is taken off")
        live.until(lambda: "closes_foreign_position" in live.symbol()["stop"]["missing"], "it is said why")
        live.reckon(allow=("equity",))


def test_a_stop_keeps_none_and_leaving_exits_leaves_it(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)
        live.stop("leave_exits")
        assert resting(venue) == ["2930.2"]

    second = tmp_path / "second"
    second.mkdir()
    with still_venue() as venue, deployed(live_settings(second, venue, STOP), venue) as live:
        covered(live)
        assert live.stop("keep")["final"]["verified"]
        assert resting(venue) == []


def test_a_flatten_keeps_the_lots_covered_until_they_are_sold_and_leaves_nothing(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, STOP), venue) as live:
        covered(live)
        assert live.stop("flatten")["final"]["verified"]

        assert resting(venue) == []
        assert venue.account()["positions"] == {}
