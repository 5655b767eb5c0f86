"""The specification's worked example, with its variants a) to e), played against the whole system."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY, World
from exchanges.desk.events import HoldAsked
from exchanges.sim.orders import OrderStatus, TimeInForce
from grid.holds import HoldCause
from grid.ledger import Ledger
from grid.order import Side
from grid.slot import SlotKey
from tests.simulation.worlds import SYMBOL, example_plan, example_world, move, quote, resting, settle, trade


def buys(world: World) -> list[tuple[str, str]]:
    return [(str(price), str(quantity)) for price, quantity in resting(world, Side.BUY)]


def sells(world: World) -> list[tuple[str, str]]:
    return [(str(price), str(quantity)) for price, quantity in resting(world, Side.SELL)]


def ledger(world: World) -> Ledger:
    return world.book.symbol(SYMBOL).ledger


def fills(world: World) -> list[tuple[str, str, str, str]]:
    """Return (side, price, quantity, fee) of every fill at the venue."""
    instrument = world.settings.grids[0].venue
    return [
        (
            fill.side.value,
            str(instrument.price(fill.price)),
            str(instrument.quantity(fill.quantity)),
            f"{fill.commission.normalize():f}",
        )
        for fill in world.venue.engine.read.user_trades(ACCOUNT, SYMBOL)
    ]


def position(world: World) -> int:
    return world.venue.engine.read.position(ACCOUNT, SYMBOL).quantity


def lots(world: World) -> dict[int, tuple[int, str, int]]:
    """Return (steps, cost, target) of each lot by level."""
    return {
        key.level: (lot.quantity, f"{lot.cost.normalize():f}", lot.target)
        for key, lot in world.book.symbol(SYMBOL).lots()
    }


def rows(*prices: int, quantity: str = "0.010") -> list[tuple[str, str]]:
    return [(f"{price}.00", quantity) for price in prices]


def ask(world: World, *, is_put: bool) -> None:
    assert world.gateway is not None
    world.gateway.on_event(HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=is_put, reason="test"))


def tie(world: World) -> None:
    """Check that book and venue hold the same position and paid the same."""
    book = world.book.symbol(SYMBOL)
    assert book.expected_position() == position(world)
    paid = sum((f.commission for f in world.venue.engine.read.user_trades(ACCOUNT, SYMBOL)), Decimal(0))
    assert ledger(world).fees_in("USDT") == paid


def test_at_3000_three_buys_rest_and_level_zero_has_none() -> None:
    world = example_world()

    assert buys(world) == rows(2998, 2996, 2994)
    assert sells(world) == []
    orders = world.venue.engine.read.open_orders(ACCOUNT)
    assert {order.time_in_force for order in orders} == {TimeInForce.GTX}
    assert not any(order.reduce_only for order in orders)


def test_a_fall_to_2995_50_fills_two_buys_and_arms_their_exits() -> None:
    world = example_world()

    move(world, 2995_50)

    assert fills(world) == [("BUY", "2998.00", "0.010", "0.005996"), ("BUY", "2996.00", "0.010", "0.005992")]
    assert buys(world) == rows(2994, 2992, 2990)
    assert sells(world) == rows(3000, 2998)
    assert lots(world) == {-1: (10, "29.98", 3000_00), -2: (10, "29.96", 2998_00)}
    assert position(world) == 20
    exits = [order for order in world.venue.engine.read.open_orders(ACCOUNT) if order.side is Side.SELL]
    assert all(order.reduce_only and order.time_in_force is TimeInForce.GTX for order in exits)


def test_the_exit_at_2998_earns_0_008012_net() -> None:
    world = example_world()

    for price in (2995_50, 2999_00):
        move(world, price)

    assert fills(world)[2:] == [("SELL", "2998.00", "0.010", "0.005996")]
    assert buys(world) == rows(2996, 2994, 2992)
    assert sells(world) == rows(3000)
    assert ledger(world).realised == Decimal("0.020")
    assert dict(ledger(world).realised_fees)["USDT"] == Decimal("0.011988")
    assert ledger(world).net_realised("USDT") == Decimal("0.008012")
    assert position(world) == 10


def test_the_rise_to_3004_20_ends_flat_with_0_016016_net() -> None:
    world = example_world()

    for price in (2995_50, 2999_00, 3004_20):
        move(world, price)

    assert fills(world)[3:] == [("SELL", "3000.00", "0.010", "0.006")]
    assert buys(world) == [("3004.00", "0.009"), ("3002.00", "0.009"), ("3000.00", "0.010")]
    assert sells(world) == []
    assert position(world) == 0
    assert lots(world) == {}
    assert ledger(world).realised == Decimal("0.040")
    assert ledger(world).net_realised("USDT") == Decimal("0.016016")
    cancelled = [o for o in world.venue.engine.read.every_order(ACCOUNT) if o.status is OrderStatus.CANCELED]
    assert sorted(o.price for o in cancelled) == [2990_00, 2992_00, 2994_00, 2996_00]
    tie(world)


def walk(world: World, targets: Sequence[int], *, each_ms: int) -> None:
    price = 3000_00
    for target in targets:
        while price != target:
            price += 1 if target > price else -1
            move(world, price, settle_ms=each_ms)


def test_a_tick_by_tick_the_same_path_leaves_2998_as_slack() -> None:
    world = example_world()

    walk(world, [2995_50, 2999_00, 3004_20], each_ms=100)
    settle(world)

    assert [fill[:3] for fill in fills(world)] == [
        ("BUY", "2998.00", "0.010"),
        ("BUY", "2996.00", "0.010"),
        ("SELL", "2998.00", "0.010"),
        ("SELL", "3000.00", "0.010"),
    ]
    assert buys(world) == [("3004.00", "0.009"), ("3002.00", "0.009"), ("3000.00", "0.010"), ("2998.00", "0.010")]
    assert sells(world) == []
    assert ledger(world).net_realised("USDT") == Decimal("0.016016")
    tie(world)


def test_b_a_hold_takes_entries_off_and_leaves_exits() -> None:
    world = example_world()
    move(world, 2995_50)

    ask(world, is_put=True)
    settle(world)
    assert buys(world) == []
    assert sells(world) == rows(3000, 2998)
    assert world.gateway is not None
    assert "" in world.gateway.desk.entries_gone

    move(world, 2999_00)
    assert fills(world)[2:] == [("SELL", "2998.00", "0.010", "0.005996")]
    assert buys(world) == []
    assert sells(world) == rows(3000)

    ask(world, is_put=False)
    settle(world)
    assert buys(world) == rows(2996, 2994)
    tie(world)


def test_c_killed_between_fills_and_exits_it_sells_what_it_holds_and_buys_nothing_twice() -> None:
    world = example_world()
    trade(world, 2995_50, Side.SELL)
    quote(world, 2995_50)
    world.kill(GATEWAY)
    assert sells(world) == []
    assert position(world) == 20
    quote(world, 3003_00)

    settle(world, 20_000)
    assert sells(world) == [("3003.01", "0.010"), ("3003.01", "0.010")]
    assert buys(world) == [("3002.00", "0.009"), ("3000.00", "0.010")]
    assert lots(world) == {-1: (10, "29.98", 3000_00), -2: (10, "29.96", 2998_00)}

    move(world, 3001_50)
    assert fills(world)[2:] == [("BUY", "3002.00", "0.009", "0.0054036")]
    assert sells(world) == [("3004.00", "0.009"), ("3001.51", "0.010"), ("3001.51", "0.010")]
    tie(world)


def test_d_above_3000_each_lot_is_a_tenth_smaller() -> None:
    world = example_world()

    move(world, 3003_00)

    assert buys(world)[0] == ("3002.00", "0.009")
    assert 3002 * Decimal("0.009") == Decimal("27.018")


def test_d_one_taker_exit_eats_the_whole_interval() -> None:
    taker = world_taker_fee() * 3000 * Decimal("0.010") + Decimal("0.0002") * 2998 * Decimal("0.010")

    assert round(taker, 4) == Decimal("0.0210")
    assert taker > Decimal("0.0200")


def world_taker_fee() -> Decimal:
    return example_plan().venue.taker_fee


def test_e_a_part_filled_entry_is_cut_and_the_lot_is_what_the_end_says() -> None:
    world = example_world()
    trade(world, 2996_01, Side.SELL)  # takes B2998 on its way
    quote(world, 2996_00)
    settle(world, 1_000)
    queue = 1_000_000
    trade(world, 2996_00, Side.SELL, queue + 4)
    settle(world, 1_000)
    assert world.book.symbol(SYMBOL).slot(level(-2)).lot is not None

    quote(world, 2997_00)
    settle(world, 6)  # the cancel is on its way
    trade(world, 2996_00, Side.SELL, 2)
    settle(world)

    assert [f[:3] for f in fills(world)] == [
        ("BUY", "2998.00", "0.010"),
        ("BUY", "2996.00", "0.004"),
        ("BUY", "2996.00", "0.002"),
    ]
    assert sells(world) == [("3000.00", "0.010"), ("2998.00", "0.006")]
    assert 2996_00 not in [order.price for order in world.venue.engine.read.open_orders(ACCOUNT)]
    assert lots(world)[-2] == (6, "17.976", 2998_00)
    tie(world)


def level(index: int) -> SlotKey:
    return SlotKey(symbol=SYMBOL, generation=0, level=index)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_run_twice_gives_the_same_orders_and_the_same_journal(seed: int) -> None:
    first, second = example_world(), example_world()

    for world in (first, second):
        for price in (2995_50 + seed, 2999_00, 3004_20):
            move(world, price)

    assert first.journal == second.journal
    assert fills(first) == fills(second)
