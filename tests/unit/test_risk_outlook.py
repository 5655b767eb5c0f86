"""What a ladder becomes fill by fill, against the checks' own figures and against money counted by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.decision import pays
from grid.ladder import GridSide
from risk.liquidation import liquidation_price, maintenance
from risk.outlook import break_even_ticks, fills_to_come, first_step, worst_position
from tests.unit.risk_plans import eth

WALLET = Decimal(100)


@pytest.mark.parametrize("side", list(GridSide))
def test_each_fill_is_liquidated_where_wallet_and_loss_leave_just_the_maintenance(side: GridSide) -> None:
    plan = eth(side=side, max_lots=20)

    fills = fills_to_come(plan, WALLET)

    assert len(fills) == 20
    for fill in fills:
        assert fill.liquidation is not None
        loss = (fill.cost - fill.position * fill.liquidation) * plan.sign
        left = WALLET - loss - maintenance(plan.tiers, fill.position * fill.liquidation)
        assert abs(left) < Decimal("1e-15")


def test_the_last_fill_is_what_the_checks_judge() -> None:
    plan = eth(max_lots=12)

    last, worst = fills_to_come(plan, WALLET)[-1], worst_position(plan, WALLET)

    assert last.liquidation == worst.liquidation == liquidation_price(plan, 12, WALLET)
    assert (last.position, last.cost, last.loss) == (worst.position, worst.cost, worst.loss)


def test_what_is_held_counts_from_the_first_row_on() -> None:
    held = replace(eth(max_lots=12), position=200, entry_price=Decimal(3010))  # two lots of 0.1

    fills = fills_to_come(held, WALLET)

    assert len(fills) == 10
    assert fills[0].position == Decimal("0.3")
    assert fills[0].cost == Decimal("0.2") * 3010 + Decimal("0.1") * 2998


def test_a_level_that_the_amount_cannot_buy_is_no_fill() -> None:
    plan = eth(amount="19", max_lots=5)

    assert fills_to_come(plan, WALLET) == []


@given(
    level=st.integers(min_value=-400, max_value=400),
    fee=st.decimals(min_value=0, max_value="0.005", places=5),
    side=st.sampled_from(GridSide),
)
def test_the_smallest_step_that_earns_earns_and_one_tick_less_does_not(
    level: int, fee: Decimal, side: GridSide
) -> None:
    plan = eth(side=side)
    price = plan.ladder.price(level)

    ticks = break_even_ticks(price, fee, plan.sign)

    def earns(step: int) -> bool:
        return pays(replace(plan.ladder, anchor=price, interval=step, _known={}), 0, fee)

    assert earns(ticks)
    assert ticks == 2 or not earns(ticks - 1)


def test_a_step_says_whether_it_pays() -> None:
    assert first_step(eth(interval=200)).pays
    narrow = first_step(eth(interval=100))
    assert not narrow.pays
    assert narrow.profit < 0
    assert narrow.break_even == Decimal("1.20")
