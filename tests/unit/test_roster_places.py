"""Where actors may live on a cluster: by custom resources, the account's together, each symbol's together."""

from __future__ import annotations

from typing import Any

import pytest

from actors.actor_names import SlotLayout, packed
from actors.deployment.roster import Roster, place_of
from actors.settings.account import Settings
from actors.settings.runtime import RuntimeSettings
from actors.settings.symbol import SymbolSettings

PLACED: dict[str, Any] = {
    "deployment": "placed",
    "venue": {
        "api_key_env": "KEY",
        "api_secret_env": "SECRET",
        "rest_url": "http://127.0.0.1:1",
        "ws_url": "ws://127.0.0.1:1",
    },
    "symbols": [
        {"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 3, "max_lots": 5, "place": "east"},
        {"symbol": "BTCUSDT", "interval": 25, "amount": 130, "buy_window": 2, "max_lots": 5},
    ],
    "account": {"max_notional": 2000, "daily_loss": 50},
}


def places(**runtime: Any) -> dict[str, set[str | None]]:
    """Return the places of each group of actors."""
    settings = Settings.model_validate({**PLACED, "runtime": runtime})
    roster = Roster.of(settings)
    groups = {
        "ETHUSDT": (*roster.layouts["ETHUSDT"].names(), roster.feeds["ETHUSDT"]),
        "BTCUSDT": (*roster.layouts["BTCUSDT"].names(), roster.feeds["BTCUSDT"]),
        "account": (roster.gateway, roster.risk, roster.reconciler, roster.coordinator),
    }
    return {group: {place_of(name, settings, roster) for name in names} for group, names in groups.items()}


def test_feed_and_slots_of_a_symbol_share_its_place_and_the_account_has_its_own() -> None:
    found = places(account_place="vault")

    assert found == {"ETHUSDT": {"east"}, "BTCUSDT": {None}, "account": {"vault"}}


def test_a_feed_of_several_symbols_lives_at_the_first_one_s_place() -> None:
    found = places(symbols_per_actor=2)

    assert found == {"ETHUSDT": {"east"}, "BTCUSDT": {None, "east"}, "account": {None}}


def roster(*symbols: str, place: str | None = None, **runtime: Any) -> Roster:
    """Return the roster of ladders of five levels each; the last symbol lives at the place."""
    ladders = [{**PLACED["symbols"][1], "symbol": symbol, "buy_window": 3, "entry_slack": 1} for symbol in symbols]
    ladders[-1]["place"] = place
    document = {**PLACED, "symbols": ladders, "runtime": {"look_ahead": 1, **runtime}}
    return Roster.of(Settings.model_validate(document))


def slots_of(found: Roster) -> dict[str, tuple[str, ...]]:
    return {symbol: layout.names() for symbol, layout in found.layouts.items()}


def test_ladders_of_one_feed_share_a_slot_actor_as_far_as_they_fit() -> None:
    found = roster("A1", "B1", "C1", "D1", symbols_per_actor=3, slots_per_actor=10)

    pair = ("slot/A1+1",)
    assert slots_of(found) == {"A1": pair, "B1": pair, "C1": ("slot/C1/00",), "D1": ("slot/D1/00",)}
    assert found.slots == ("slot/A1+1", "slot/C1/00", "slot/D1/00")
    assert [layout.symbol for layout in found.layouts_of("slot/A1+1")] == ["A1", "B1"]
    assert {found.layouts["B1"].name_of(level) for level in range(-7, 7)} == {"slot/A1+1"}
    assert found.layouts["B1"].remainders(0) == frozenset(range(5))


def test_a_pack_is_named_with_its_account_where_a_deployment_has_several() -> None:
    layouts = [SlotLayout(symbol=name, modulus=5, slots_per_actor=10, account="beta") for name in ("A1", "B1")]

    assert [layout.name(0) for layout in packed(layouts)] == ["slot/beta/A1+1"] * 2


@pytest.mark.parametrize("runtime", [{}, {"slots_per_actor": 100}, {"symbols_per_actor": 3}, {"slots_per_actor": 4}])
def test_without_both_kinds_of_packing_each_symbol_has_slot_actors_of_its_own(runtime: dict[str, Any]) -> None:
    found = slots_of(roster("A1", "B1", "C1", **runtime))

    assert all(name.startswith(f"slot/{symbol}/") for symbol, names in found.items() for name in names)
    assert len(found["A1"]) == -(-5 // runtime.get("slots_per_actor", 1))


def test_a_symbol_with_a_place_of_its_own_shares_no_slot_actor_with_those_elsewhere() -> None:
    found = roster("A1", "B1", "C1", place="east", symbols_per_actor=3, slots_per_actor=100)

    assert slots_of(found) == {"A1": ("slot/A1+1",), "B1": ("slot/A1+1",), "C1": ("slot/C1/00",)}
    assert len(set(found.feeds.values())) == 1


def test_a_symbol_that_joins_leaves_the_packs_as_they_are() -> None:
    packed = roster("A1", "B1", symbols_per_actor=2, slots_per_actor=100)
    runtime = RuntimeSettings(symbols_per_actor=2, slots_per_actor=100)

    left = packed.without("A1")
    back = left.joined(SymbolSettings.model_validate({**PLACED["symbols"][1], "symbol": "A1"}), runtime)

    assert left.serving("B1") == ("feed/A1+1", "slot/A1+1"), "it keeps its name"
    assert back.serving("A1") == ("feed/A1", "slot/A1/00")
    assert back.layouts_of("slot/A1+1") == (packed.layouts["B1"],)


@pytest.mark.parametrize("place", ["", "a b", "1st", "x" * 64, "ünter"])
def test_what_no_resource_can_be_called_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="account_place"):
        places(account_place=place)
