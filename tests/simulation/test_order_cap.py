"""Scenario 13: far more wishes than places. Exits first, near before far, and no order chased in vain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.virtual.settings import ACCOUNT, GridPlan
from actors.virtual.world import World
from exchanges.sim.orders import OrderStatus
from grid.ladder import GridSide
from grid.order import Side
from tests.simulation.worlds import GATEWAY, SYMBOL, example_plan, move, quote, resting, settings_of, settle

CAP = 6


def capped_world(plan: GridPlan, cap: int) -> World:
    settings = settings_of(plan)
    world = World(replace(settings, desk=replace(settings.desk, orders_max=cap, notional_max=Decimal(20_000))))
    quote(world, 3000_00)
    world.start()
    settle(world)
    return world


def prices(world: World, side: Side) -> list[Decimal]:
    return [price for price, _ in resting(world, side)]


def cancelled(world: World) -> int:
    orders = world.venue.engine.read.every_order(ACCOUNT)
    return sum(1 for order in orders if order.status is OrderStatus.CANCELED)


def placed(world: World) -> int:
    return len(world.venue.engine.read.every_order(ACCOUNT))


def test_what_rests_follows_a_climb_though_the_cap_is_far_under_the_window() -> None:
    world = capped_world(example_plan(buy_window=20, sell_window=None), CAP)

    for step in range(1, 9):
        move(world, 3000_00 + 200 * step, settle_ms=8_000)

    assert prices(world, Side.BUY) == [Decimal(3014 - 2 * level) for level in range(CAP)]


def test_in_a_fall_exits_take_the_places_of_entries_until_no_entry_is_left() -> None:
    world = capped_world(example_plan(buy_window=20, sell_window=None), CAP)

    for step in range(1, 11):
        move(world, 2998_00 - 200 * step, settle_ms=12_000)
        assert len(resting(world, Side.BUY)) + len(resting(world, Side.SELL)) <= CAP

    lots = sorted(lot.target for _, lot in world.book.symbol(SYMBOL).lots())
    assert len(lots) == CAP
    assert prices(world, Side.BUY) == []
    assert prices(world, Side.SELL) == [Decimal(target) / 100 for target in reversed(lots)]


def test_nothing_is_cancelled_any_more_once_the_price_stands_still() -> None:
    world = capped_world(example_plan(buy_window=20, sell_window=None), CAP)
    for bid in (3010_00, 2990_00, 2980_00, 2991_00):
        move(world, bid, settle_ms=10_000)
    settle(world, 60_000)
    before = cancelled(world), placed(world)

    settle(world, 300_000)

    assert (cancelled(world), placed(world)) == before


@pytest.mark.long
@pytest.mark.parametrize("side", GridSide)
def test_a_long_climb_and_a_fall_under_a_cap_of_fifty_do_not_churn(side: GridSide) -> None:
    plan = replace(
        example_plan(buy_window=60, sell_window=None, max_lots=100, slots_per_actor=16), modulus=64, side=side
    )
    world = capped_world(plan, 50)
    settle(world, 60_000)
    for step in range(1, 101):
        move(world, 3000_00 + plan.side.sign * 200 * step, settle_ms=6_000)
    settle(world, 60_000)
    climbed = cancelled(world)
    assert climbed <= 120  # one leaves for each level that came; who fills its place is not always the nearest at once
    assert len(resting(world, Side.BUY)) + len(resting(world, Side.SELL)) == 50

    for step in range(1, 51):
        move(world, 3000_00 + plan.side.sign * (20_000 - 200 * step), settle_ms=6_000)
    settle(world, 120_000)

    assert world.gateway is not None
    lots = sum(1 for _ in world.book.symbol(SYMBOL).lots())
    exits = resting(world, side.entry_side.other)
    assert lots >= 49
    assert len(exits) == min(50, lots)  # exits have every place before an entry has one
    churn = world.gateway.desk.churn(SYMBOL)
    assert churn.fills >= 49
    assert churn.cancelled == cancelled(world)
    assert cancelled(world) - climbed <= 60
    assert churn.ratio is not None
    assert churn.ratio < 3


def test_churn_is_counted_from_what_was_cancelled_placed_again_and_filled() -> None:
    world = capped_world(example_plan(), 200)
    assert world.gateway is not None
    move(world, 2995_50)
    assert world.gateway.desk.churn(SYMBOL).ratio == 0  # two buys filled, nothing was cancelled

    move(world, 3004_20, settle_ms=12_000)
    churn = world.gateway.desk.churn(SYMBOL)

    assert churn.cancelled == cancelled(world) > 0
    assert churn.fills == 4
    move(world, 2995_50, settle_ms=12_000)
    again = world.gateway.desk.churn(SYMBOL)
    assert again.replaced > churn.replaced
    assert again.ratio == Decimal(again.cancelled + again.replaced) / again.fills


def test_a_restart_counts_churn_anew_and_breaks_nothing() -> None:
    world = capped_world(example_plan(), 200)
    move(world, 2995_50)
    world.kill(GATEWAY)
    settle(world, 10_000)

    assert world.gateway is not None
    assert world.gateway.desk.churn(SYMBOL).ratio is None
