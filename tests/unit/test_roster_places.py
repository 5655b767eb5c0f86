"""Where actors may live on a cluster: by custom resources, the account's together, each symbol's together."""

from __future__ import annotations

from typing import Any

import pytest

from actors.deployment.roster import Roster, place_of
from actors.settings.account import Settings

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


@pytest.mark.parametrize("place", ["", "a b", "1st", "x" * 64, "ünter"])
def test_what_no_resource_can_be_called_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="account_place"):
        places(account_place=place)
