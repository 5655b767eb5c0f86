"""Symbols added to and removed from a running deployment, whoever dies in the middle, while the others trade on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.settings.account import Settings, configuration_hash
from actors.settings.deployment import DeploymentSettings
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

BTC: dict[str, Any] = {"symbol": "BTCUSDT", "interval": 40, "anchor": None, "amount": 130, "buy_window": 2}


@pytest.fixture
def venue() -> Iterator[VenueControl]:
    with still_venue() as made:
        yield made


@contextmanager
def one(tmp_path: Path, venue: VenueControl, **sections: Any) -> Iterator[tuple[LiveDeployment, Settings]]:
    """A deployment that trades ETHUSDT, and the settings with BTCUSDT besides."""
    with deployed(live_settings(tmp_path, venue, {}, **sections), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        yield live, live_settings(tmp_path, venue, {}, BTC, **sections)


@contextmanager
def two(tmp_path: Path, venue: VenueControl, **sections: Any) -> Iterator[LiveDeployment]:
    with deployed(live_settings(tmp_path, venue, {}, BTC, **sections), venue) as live:
        live.until(lambda: len(live.entries()) == 3 and len(live.entries("BTCUSDT")) == 2, "it quotes both")
        yield live


def row(live: LiveDeployment, symbol: str = "BTCUSDT") -> str:
    rows = {one["symbol"]: one["state"] for one in live.gateway().get("roster", [])}
    return str(rows.get(symbol, ""))


def change(live: LiveDeployment) -> dict[str, Any]:
    return live.gateway().get("change") or {}


def test_an_added_symbol_trades_and_nobody_else_is_disturbed(tmp_path: Path, venue: VenueControl) -> None:
    with one(tmp_path, venue) as (live, wider):
        before = live.crew.incarnations(live.roster.everyone)
        resting = {order["clientOrderId"] for order, _ in venue.own_orders("ETHUSDT", is_open=True)}

        assert live.coordinator.add(DeploymentSettings.of(wider), "BTCUSDT", "t") == ""
        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "it quotes the new one")

        assert change(live) == {"token": "t", "symbol": "BTCUSDT", "state": "taken", "reasons": []}
        assert live.crew.incarnations(live.roster.everyone) == before
        assert {order["clientOrderId"] for order, _ in venue.own_orders("ETHUSDT", is_open=True)} == resting
        assert live.coordinator.snapshot()["configuration_hash"] == configuration_hash(wider)
        live.settings = wider
        live.walk("2997")
        assert len(live.exits()) >= 1
        live.reckon()


def test_what_the_checks_refuse_changes_nothing(tmp_path: Path, venue: VenueControl) -> None:
    with one(tmp_path, venue) as (live, _):
        bad = live_settings(tmp_path, venue, {}, {**BTC, "interval": "20.05", "amount": 10})

        assert live.coordinator.add(DeploymentSettings.of(bad), "BTCUSDT", "t") == ""
        live.until(lambda: change(live).get("state") == "refused", "it is refused")

        assert "BTCUSDT" in change(live)["reasons"][0]
        assert row(live) == ""
        assert venue.own_orders("BTCUSDT") == []
        assert list(live.coordinator.snapshot()["layouts"]) == ["ETHUSDT"]
        live.reckon()


def test_margin_for_all_symbols_together_is_judged(tmp_path: Path, venue: VenueControl) -> None:
    with one(tmp_path, venue) as (live, _):
        greedy = live_settings(tmp_path, venue, {}, {**BTC, "amount": 4000, "max_lots": 200, "leverage": 1})

        assert live.coordinator.add(DeploymentSettings.of(greedy), "BTCUSDT", "t") == ""
        live.until(lambda: change(live).get("state") == "refused", "it is refused")

        assert row(live) == ""
        live.reckon()


def test_a_configuration_that_changes_more_is_refused(tmp_path: Path, venue: VenueControl) -> None:
    with one(tmp_path, venue) as (live, _):
        other = live_settings(tmp_path, venue, {"max_lots": 19}, BTC)

        assert "in more than BTCUSDT" in live.coordinator.add(DeploymentSettings.of(other), "BTCUSDT", "t")
        assert "is traded already" in live.coordinator.add(DeploymentSettings.of(other), "ETHUSDT", "t")
        live.reckon()


@pytest.mark.parametrize("who", ["gateway", "coordinator", "both"])
def test_who_dies_after_the_word_is_written_goes_on_with_it(who: str, tmp_path: Path, venue: VenueControl) -> None:
    with one(tmp_path, venue) as (live, wider):
        assert live.coordinator.add(DeploymentSettings.of(wider), "BTCUSDT", "t") == ""
        live.until(lambda: row(live), "it is in the journal")

        if who != "coordinator":
            live.kill_gateway()
        if who == "gateway":
            live.restart_gateway()
        else:
            live.restart_coordinator()

        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "it quotes the new one")
        live.until(lambda: len(live.entries()) == 3, "and the old one")
        wanted = configuration_hash(wider)
        live.until(lambda: live.coordinator.snapshot()["configuration_hash"] == wanted, "the coordinator knows")
        live.settings = wider
        live.reckon()


def test_a_gateway_that_dies_before_the_word_is_written_has_forgotten_it(tmp_path: Path, venue: VenueControl) -> None:
    with one(tmp_path, venue) as (live, wider):
        venue.fault("request_latency", scope={"endpoint": "exchange_info"}, until_healed=True)
        venue.fault("request_latency", scope={"endpoint": "exchangeInfo"}, until_healed=True)
        assert live.coordinator.add(DeploymentSettings.of(wider), "BTCUSDT", "t") == ""
        live.until(lambda: change(live).get("state") == "checking", "it is being checked")

        live.kill_gateway()
        venue.heal()
        live.restart_gateway()

        assert row(live) == ""
        assert change(live) == {}
        assert live.coordinator.add(DeploymentSettings.of(wider), "BTCUSDT", "t") == "", "it may be said again"
        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "it quotes the new one")
        live.settings = wider
        live.reckon()


def test_a_removed_symbol_keeps_its_lots_and_the_others_trade_on(tmp_path: Path, venue: VenueControl) -> None:
    with two(tmp_path, venue) as live:
        live.walk("2997")
        lots = live.symbol()["lots"]
        assert lots
        ids = {order["clientOrderId"] for order, _ in venue.own_orders("BTCUSDT", is_open=True)}

        assert live.coordinator.remove("ETHUSDT", "keep") == ""
        live.until(lambda: "ETHUSDT" not in live.coordinator.snapshot()["layouts"], "its actors have gone")

        assert venue.own_orders("ETHUSDT", is_open=True) == []
        assert live.symbol()["lots"] == lots
        own = ("slot/ETH", "feed/ETH")
        live.until(lambda: not any(name.startswith(own) for name in list(live.crew._lives)), "they are dismissed")
        assert {order["clientOrderId"] for order, _ in venue.own_orders("BTCUSDT", is_open=True)} == ids
        orders = len(venue.own_orders("ETHUSDT"))
        live.walk("59970", "59930", name="BTCUSDT", spread="0.1")
        assert len(venue.own_orders("ETHUSDT")) == orders
        assert [hold["symbol"] for hold in live.gateway()["holds"]] == ["ETHUSDT"]
        live.reckon()


def test_a_flattened_symbol_has_no_lot_left(tmp_path: Path, venue: VenueControl) -> None:
    with two(tmp_path, venue) as live:
        live.walk("2997")
        assert live.symbol()["lots"]

        assert live.coordinator.remove("ETHUSDT", "flatten") == ""
        live.until(lambda: row(live, "ETHUSDT") == "left", "it has left")

        assert live.symbol()["lots"] == 0
        assert Decimal(live.symbol()["position"]) == 0
        assert len(live.entries("BTCUSDT")) == 2
        live.reckon()


@pytest.mark.long
def test_a_neutral_grid_is_added_turns_around_and_is_removed_with_its_lots(tmp_path: Path, venue: VenueControl) -> None:
    bounds = {"low": 59600, "high": 60400, "grids": 20}
    neutral = {**BTC, "side": "neutral", "interval": None, "anchor": 60000, "range": bounds, "max_lots": 5}
    with deployed(live_settings(tmp_path, venue, {}), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        live.settings = live_settings(tmp_path, venue, {}, neutral)
        assert live.coordinator.add(DeploymentSettings.of(live.settings), "BTCUSDT", "t") == ""
        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "it quotes the new one")
        assert all(Decimal(price) < 60000 for price in live.entries("BTCUSDT"))

        venue.walk("BTCUSDT", "60030", spread="0.1")
        live.until(lambda: live.symbol("BTCUSDT")["side"] == "short", "it turns around")
        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "it quotes over the start price")
        venue.walk("BTCUSDT", "60050", spread="0.1")
        live.until(lambda: live.exits("BTCUSDT") == [-1], "it has sold")

        assert live.coordinator.remove("BTCUSDT", "flatten") == ""
        live.until(lambda: row(live) == "left", "it has left")
        assert Decimal(live.symbol("BTCUSDT")["position"]) == 0
        live.reckon()


def test_exits_that_stay_are_filled_and_booked_though_the_symbol_has_left(tmp_path: Path, venue: VenueControl) -> None:
    with two(tmp_path, venue) as live:
        live.walk("2997")
        exits = len(live.exits())
        assert live.coordinator.remove("ETHUSDT", "leave_exits") == ""
        live.until(lambda: row(live, "ETHUSDT") == "left", "it has left")
        assert len(live.exits()) == exits

        venue.walk("ETHUSDT", "3010")

        live.until(lambda: live.symbol()["lots"] == 0, "the lots are sold")
        assert live.entries() == []
        live.reckon()


@pytest.mark.parametrize("who", ["gateway", "coordinator"])
def test_a_removal_survives_whoever_dies_in_the_middle(who: str, tmp_path: Path, venue: VenueControl) -> None:
    with two(tmp_path, venue) as live:
        venue.fault("request_latency", scope={"endpoint": "order.cancel"}, until_healed=True)
        assert live.coordinator.remove("ETHUSDT", "keep") == ""
        live.until(lambda: row(live, "ETHUSDT") == "leaving", "it is in the journal")

        if who == "gateway":
            live.kill_gateway()
            venue.heal()
            live.restart_gateway()
        else:
            live.restart_coordinator()
            venue.heal()

        live.until(lambda: "ETHUSDT" not in live.coordinator.snapshot()["layouts"], "its actors have gone")
        assert venue.own_orders("ETHUSDT", is_open=True) == []
        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "the other trades on")
        live.reckon()


def test_packed_actors_serve_those_who_stay(tmp_path: Path, venue: VenueControl) -> None:
    packed = {"symbols_per_actor": 2, "slots_per_actor": 1000}
    packs = ("feed/ETHUSDT+1", "slot/ETHUSDT+1")
    with two(tmp_path, venue, runtime=packed) as live:
        assert live.coordinator.remove("ETHUSDT", "keep") == ""
        live.until(lambda: "ETHUSDT" not in live.coordinator.snapshot()["layouts"], "it has gone")
        live.until(lambda: serve(live, packs, "BTCUSDT"), "the packs are smaller")

        kill_and_enlist(live, packs)
        live.until(lambda: serve(live, packs, "BTCUSDT"), "the next ones are told what has gone")
        live.walk("59970", "59930", name="BTCUSDT", spread="0.1")

        assert live.symbol("BTCUSDT")["lots"]
        assert live.coordinator.add(DeploymentSettings.of(live.settings), "ETHUSDT", "t") == "", "and it may come back"
        live.until(lambda: len(live.entries()) == 3, "it quotes again")
        section = live.coordinator.snapshot()
        assert (section["feeds"]["ETHUSDT"], section["layouts"]["ETHUSDT"]) == ("feed/ETHUSDT", ("slot/ETHUSDT/00",))

        kill_and_enlist(live, packs)
        live.until(lambda: serve(live, packs, "BTCUSDT"), "what trades with actors of its own is not the packs'")
        live.restart_coordinator()
        live.until(lambda: live.coordinator.snapshot()["layouts"] == section["layouts"], "the coordinator knows it too")
        live.until(lambda: live.coordinator.snapshot()["feeds"] == section["feeds"], "also of its feed")
        live.walk("2997")
        assert len(live.exits()) >= 1
        live.reckon()


def test_a_killed_pack_asks_for_the_book_s_word_of_each_symbol(tmp_path: Path, venue: VenueControl) -> None:
    packed = {"symbols_per_actor": 2, "slots_per_actor": 1000}
    slots = "slot/ETHUSDT+1"
    with two(tmp_path, venue, runtime=packed) as live:
        live.walk("2997")
        live.walk("59970", "59930", name="BTCUSDT", spread="0.1")
        known = {symbol: held_levels(live, symbol) for symbol in ("ETHUSDT", "BTCUSDT")}
        assert all(known.values())

        kill_and_enlist(live, (slots,))

        live.until(lambda: serve(live, (slots,), "ETHUSDT", "BTCUSDT"), "it serves both")
        for symbol, levels in known.items():
            live.until(lambda s=symbol, n=levels: held_levels(live, s) == n, "it knows the lots again")  # type: ignore[misc]
        live.walk("3003")
        live.walk("60010", name="BTCUSDT", spread="0.1")
        live.until(lambda: not live.exits() and not live.exits("BTCUSDT"), "all lots are sold")
        live.until(lambda: len(live.entries()) >= 3 and len(live.entries("BTCUSDT")) >= 2, "it quotes both")
        live.reckon()


def serve(live: LiveDeployment, packs: tuple[str, ...], *symbols: str) -> bool:
    """Whether each of these actors serves these symbols, and waits for nothing."""
    seen = [live.crew.ask(pack, "snapshot") or {} for pack in packs]
    is_ready = all(not one.get("waits_for") for one in seen)
    return is_ready and all(list(one.get("symbols", ())) == list(symbols) for one in seen)


def kill_and_enlist(live: LiveDeployment, names: tuple[str, ...]) -> None:
    for name in names:
        live.crew.kill(name)
        live.until(lambda name=name: live.crew.incarnations([name])[name] is None, "it is dead")  # type: ignore[misc]
        live.crew.enlist(name)


def held_levels(live: LiveDeployment, symbol: str) -> set[int]:
    """Return the levels of which the slot actor knows a lot."""
    explained = live.crew.ask("slot/ETHUSDT+1", "explain", symbol) or []
    return {one.level for one in explained if one.lot is not None}


def test_a_later_start_follows_the_configuration_and_is_refused_where_that_forgets(
    tmp_path: Path, venue: VenueControl
) -> None:
    with two(tmp_path, venue) as live:
        live.walk("2997")
        assert live.coordinator.remove("ETHUSDT", "keep") == ""
        live.until(lambda: row(live, "ETHUSDT") == "left", "it has left")
        live.reckon()
    both = live_settings(tmp_path, venue, {}, BTC)
    with deployed(both, venue, waits=False) as live:
        live.until(lambda: live.state() == "refused", "the old configuration is refused")
        assert "was removed from this deployment" in live.coordinator.snapshot()["refusals"][0]
    with deployed(live_settings(tmp_path, venue, BTC), venue) as live:
        live.until(lambda: len(live.entries("BTCUSDT")) == 2, "the new one trades")
        assert live.symbol()["lots"], "what is left of the other is in the book"
        assert live.coordinator.add(DeploymentSettings.of(both), "ETHUSDT", "t") == ""
        live.until(lambda: len(live.entries()) + len(live.exits()) > 3, "it goes on with its lots")
        live.settings = both
        live.reckon()


def test_a_configuration_without_a_symbol_that_holds_lots_is_refused(tmp_path: Path, venue: VenueControl) -> None:
    with two(tmp_path, venue) as live:
        live.walk("2997")
        live.reckon()
    with deployed(live_settings(tmp_path, venue, BTC), venue, waits=False) as live:
        live.until(lambda: live.state() == "refused", "it is refused")
        assert "the journal has lots or orders of it" in live.coordinator.snapshot()["refusals"][0]
