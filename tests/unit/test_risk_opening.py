"""What a grid begins with, as the checks before a start count it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.ladder import GridSide
from grid.opening import OpeningRule, levels_to_open
from risk.liquidation import full_ladder, held_now, liquidation_price
from risk.plan import Severity, SymbolPlan
from risk.prestart_levels import check_levels
from tests.unit.risk_plans import eth


def opening(side: GridSide, *, interval: int = 200, slippage: str = "0.001") -> tuple[SymbolPlan, SymbolPlan]:
    """Return a plan of ten levels below and five above, without and with a position at the beginning."""
    plain = eth(side=side, interval=interval, max_lots=15)
    plain = replace(plain, policy=replace(plain.policy, lowest_level=-10, highest_level=5))
    rule = OpeningRule(levels=None, slippage=Decimal(slippage))
    mark = plain.instrument.price(plain.reference)
    levels = levels_to_open(rule, plain.ladder, plain.policy, plain.instrument, plain.sign * plain.reference, 0)
    limit = rule.limit(mark, plain.instrument, plain.sign)
    return plain, replace(plain, opening=levels, opening_limit=limit)


@pytest.mark.parametrize("side", list(GridSide))
def test_its_lots_count_at_the_worst_price_and_leave_so_many_fewer_below(side: GridSide) -> None:
    plain, full = opening(side)

    assert full.opening == (1, 2, 3, 4, 5)
    assert full.lots_held == 5
    assert len(full.levels_to_buy(15)) == len(plain.levels_to_buy(15)) == 10
    assert len(full.levels_to_buy(12)) == 7
    quantity, cost = full.opened
    assert held_now(full).quantity == quantity
    paid = cost / quantity
    assert plain.sign * (paid / 3000 - 1) <= Decimal("0.001")
    assert full_ladder(full, 15).quantity == full_ladder(plain, 15).quantity + quantity
    assert full_ladder(full, 15).cost == full_ladder(plain, 15).cost + cost
    wallet = Decimal(1_000)
    nearer, farther = liquidation_price(full, 15, wallet), liquidation_price(plain, 15, wallet)
    if nearer is not None and farther is not None:
        assert plain.sign * nearer > plain.sign * farther


@pytest.mark.parametrize("side", list(GridSide))
def test_a_first_lot_that_does_not_earn_the_taker_fee_is_named(side: GridSide) -> None:
    def warned(plan: SymbolPlan) -> list[str]:
        found = check_levels(plan)
        return [one.rule for one in found if "open_position" in one.key and one.severity is Severity.WARN]

    assert warned(opening(side)[0]) == []
    assert warned(opening(side, interval=400)[1]) == []
    [rule] = warned(opening(side, interval=60)[1])
    assert "loses" in rule
    assert "taker fee" in rule
