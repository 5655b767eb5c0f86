"""Money on its way to the metrics: exact, complete, and nothing shown that is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.gateway.gauging_money import show_account, show_money
from actors.mail.outbox import NoGauges
from actors.settings.account import Settings

SETTINGS = Settings.model_validate(
    {
        "deployment": "money",
        "venue": {
            "api_key_env": "KEY",
            "api_secret_env": "SECRET",
            "rest_url": "http://127.0.0.1:1",
            "ws_url": "ws://127.0.0.1:1",
        },
        "symbols": [{"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 3, "max_lots": 5}],
        "account": {"max_notional": 2000, "daily_loss": 50},
    }
)
SEEN: dict[str, Any] = {
    "position": "-0.040",
    "mark": "3000.50",
    "lots": 2,
    "foreign": "0.001",
    "lot_cost": "120.10",
    "grid_profit": "0.3",
    "funding": "-0.01",
    "fees": {"USDT": "0.05", "BNB": "0.0001"},
    "unrealised": "-1.25",
    "total_profit": "-0.96",
    "levels": [],
}
ACCOUNT = {
    "wallet": "1000",
    "available": "800.5",
    "equity": "998.75",
    "equity_peak": "1010",
    "day_opening": "1001.00",
    "unexplained": "0.2",
}


class Shown(NoGauges):
    """Keeps what is set, by name and tags."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], float | Decimal] = {}

    def set(self, name: str, value: float | Decimal, **tags: str) -> None:
        self.values[(name.removeprefix("gridmesh_"), *tags.values())] = value


@pytest.fixture
def shown() -> Shown:
    return Shown()


def order(purpose: str, price: str, quantity: str, filled: str) -> dict[str, Any]:
    return {"order": {"purpose": purpose, "price": price, "quantity": quantity, "filled": filled}}


def test_a_symbol_s_money_is_shown_exactly(shown: Shown) -> None:
    show_money(shown, "ETHUSDT", SEEN)

    assert shown.values[("exposure_quote", "ETHUSDT")] == Decimal("-120.02")
    assert shown.values[("fees", "ETHUSDT", "BNB")] == Decimal("0.0001")
    assert shown.values[("total_profit_quote", "ETHUSDT")] == Decimal("-0.96")
    assert not [name for name, value in shown.values.items() if isinstance(value, float)]


def test_without_a_mark_nothing_is_shown_that_hangs_on_it(shown: Shown) -> None:
    show_money(shown, "ETHUSDT", {**SEEN, "mark": None, "unrealised": None, "total_profit": None})

    names = {key[0] for key in shown.values}
    assert not names & {"mark_quote", "exposure_quote", "unrealised_quote", "total_profit_quote"}
    assert {"lots", "position_coins", "grid_profit_quote"} <= names


def test_what_is_committed_is_the_lots_and_what_live_entries_may_still_buy(shown: Shown) -> None:
    levels = [order("entry", "2990", "0.02", "0.005"), order("exit", "3002", "0.02", "0"), {"order": None}]
    show_account(shown, SETTINGS, {"symbols": {"ETHUSDT": {**SEEN, "levels": levels}}, "account": ACCOUNT})

    assert shown.values[("committed_quote",)] == Decimal("120.10") + Decimal("2990") * Decimal("0.015")
    assert shown.values[("day_profit_quote",)] == Decimal("-2.25")
    assert shown.values[("lots_max", "ETHUSDT")] == 5


def test_before_the_first_reading_only_the_limits_are_known(shown: Shown) -> None:
    show_account(shown, SETTINGS, {"symbols": {}, "account": {}})

    assert {key[0] for key in shown.values} == {
        "committed_quote",
        "notional_max_quote",
        "daily_loss_max_quote",
        "lots_max",
    }
