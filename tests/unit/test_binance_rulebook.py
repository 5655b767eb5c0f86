"""What happens to prices in ticks when the venue changes its rules while we run."""

from __future__ import annotations

from decimal import Decimal

from exchanges.rulebook import merge
from tests.unit.binance_messages import instrument


def test_a_changed_tick_keeps_its_old_meaning_and_stops_the_symbol() -> None:
    old = {"ETHUSDT": instrument(tick="0.01")}
    merged = merge(old, {"ETHUSDT": instrument(tick="0.10")})

    assert merged.instruments["ETHUSDT"].price(299600) == Decimal("2996.00")
    assert not merged.instruments["ETHUSDT"].trading
    assert "restart" in merged.changes["ETHUSDT"]


def test_a_changed_step_keeps_its_old_meaning_and_stops_the_symbol() -> None:
    merged = merge({"ETHUSDT": instrument(step="1")}, {"ETHUSDT": instrument(step="0.01")})

    assert merged.instruments["ETHUSDT"].quantity(21) == Decimal(21)
    assert not merged.instruments["ETHUSDT"].trading


def test_a_delisted_symbol_can_still_be_read_but_does_not_trade() -> None:
    merged = merge({"ETHUSDT": instrument()}, {})

    assert not merged.instruments["ETHUSDT"].trading
    assert merged.changes == {"ETHUSDT": "ETHUSDT is no longer listed"}


def test_other_rules_are_taken_over_at_once_and_without_words() -> None:
    merged = merge(
        {"ETHUSDT": instrument()}, {"ETHUSDT": instrument(notional_min=Decimal(50)), "XUSDT": instrument("XUSDT")}
    )

    assert merged.instruments["ETHUSDT"].notional_min == Decimal(50)
    assert "XUSDT" in merged.instruments
    assert merged.changes == {}
