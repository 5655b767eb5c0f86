"""ccxt's contracts become base currency exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import BadReply, Refusal, VenueRefused
from exchanges.generic.contracts import DECIMAL_PLACES, TICK_SIZE, Contracts, contracts

MARKET: dict[str, Any] = {
    "symbol": "ETH/USDT:USDT",
    "base": "ETH",
    "quote": "USDT",
    "settle": "USDT",
    "swap": True,
    "linear": True,
    "active": True,
    "contractSize": "0.01",
    "precision": {"price": "0.05", "amount": "0.1"},
    "limits": {
        "amount": {"min": "0.3", "max": "1000"},
        "price": {"min": None, "max": "99999.97"},
        "cost": {"min": "5"},
    },
}


def one(mode: int = TICK_SIZE, **changes: Any) -> Any:
    (found,) = contracts({"it": {**MARKET, **changes}}, mode).values()
    return found


def test_a_step_is_the_smallest_amount_in_base_currency() -> None:
    found = one()
    rules = found.instrument

    assert (rules.symbol, rules.tick, rules.step) == ("ETHUSDT", Decimal("0.05"), Decimal("0.001"))
    assert (rules.quantity_min, rules.quantity_max, rules.price_max) == (3, 10_000, 1_999_999)
    assert rules.notional_min == 5
    assert found.contracts(7) == Decimal("0.7")
    assert found.steps("-0.7", "a position") == -7


def test_places_are_read_where_ccxt_counts_them() -> None:
    found = one(DECIMAL_PLACES, precision={"price": "2", "amount": "0"})

    assert (found.instrument.tick, found.lot) == (Decimal("0.01"), Decimal(1))


@pytest.mark.parametrize(
    "changes", [{"linear": False}, {"swap": False}, {"settle": "BTC"}, {"contractSize": None}, {"precision": {}}]
)
def test_what_is_no_linear_swap_with_its_sizes_is_left_out(changes: dict[str, Any]) -> None:
    assert contracts({"it": {**MARKET, **changes}}, TICK_SIZE) == {}


@pytest.mark.parametrize("told", ["0.75", 0.05, "1e30", "many", None, True])
def test_what_is_no_whole_number_of_lots_is_a_wrong_message(told: object) -> None:
    with pytest.raises(BadReply):
        one().steps(told, "an order")


def test_units_keep_their_meaning_while_we_run() -> None:
    known = Contracts().renewed(contracts({"it": MARKET}, TICK_SIZE))
    finer = {**MARKET, "precision": {"price": "0.01", "amount": "0.1"}}
    later = known.renewed(contracts({"it": finer}, TICK_SIZE))

    assert later.of_symbol("ETHUSDT").instrument.tick == Decimal("0.05")
    assert not later.of_symbol("ETHUSDT").instrument.trading
    assert "restart" in later.changes["ETHUSDT"]
    with pytest.raises(VenueRefused) as caught:
        later.of_symbol("NOPEUSDT")
    assert caught.value.refusal is Refusal.SYMBOL_CLOSED
