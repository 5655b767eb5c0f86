"""Scenario 12 against the whole system: lots too small to be sold alone are sold together (rule 19)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.virtual.settings import ACCOUNT, GridPlan
from actors.virtual.world import GATEWAY, World
from exchanges.desk.events import Asked
from exchanges.sim.catalogue import ENTRIES, exchange_info_entry
from exchanges.sim.instrument import SimInstrument
from grid.intent import PlaceIntent
from grid.order import Purpose, Side, TimeInForce
from grid.policy import GridPolicy
from grid.slot import SlotKey
from tests.simulation.worlds import SYMBOL, purpose_of, quote, resting, settings_of, settle, trade

QUEUE = 1_000_000
"""What stands before us at a price: a print fills us by what it exceeds that."""


def coarse_instrument(quantity_min: str = "0.008") -> SimInstrument:
    """Return ETHUSDT with a smallest order of several steps, so that a part-filled entry leaves dust."""
    raw = exchange_info_entry(next(entry for entry in ENTRIES if entry.base == "ETH"))
    for row in raw["filters"]:
        if row["filterType"] in ("LOT_SIZE", "MARKET_LOT_SIZE"):
            row["minQty"] = quantity_min
    return SimInstrument.from_exchange_info(raw)


def coarse_world() -> World:
    plan = GridPlan(
        venue=coarse_instrument(),
        policy=GridPolicy(
            symbol=SYMBOL,
            amount=Decimal(30),
            buy_window=3,
            sell_window=None,
            max_lots=50,
            maker_fee=Decimal("0.0002"),
            min_rest_ms=500,
        ),
        interval=200,
        anchor=300_000,
    )
    world = World(settings_of(plan))
    quote(world, 3000_00)
    world.start()
    settle(world)
    return world


def fill_in_part(world: World, price: int, steps: int) -> None:
    """Fill so much of the bid at a price, then let the price leave upward, so that the rest is cut (rule 13)."""
    quote(world, price)
    settle(world, 1_000)
    trade(world, price, Side.SELL, QUEUE + steps)
    settle(world, 1_000)
    quote(world, price + 1_50)
    settle(world, 1_500)


def lots(world: World) -> dict[int, int]:
    return {key.level: lot.quantity for key, lot in world.book.symbol(SYMBOL).lots()}


def dust_orders(world: World) -> list[tuple[str, int, str]]:
    """Return (price, steps, status) of the symbol-level exits, oldest first."""
    instrument = world.settings.grids[0].venue
    return [
        (str(instrument.price(order.price)), order.quantity, order.status.value)
        for order in world.venue.engine.read.every_order(ACCOUNT)
        if purpose_of(order.client_id) is Purpose.DUST
    ]


def dusty() -> World:
    """Two levels with dust of 3 and 6 steps: neither can be sold alone, both together can."""
    world = coarse_world()
    fill_in_part(world, 2998_00, 3)
    fill_in_part(world, 2996_00, 6)
    assert lots(world) == {-1: 3, -2: 6}
    return world


def position(world: World) -> int:
    return world.venue.engine.read.position(ACCOUNT, SYMBOL).quantity


def test_dust_under_its_highest_target_waits() -> None:
    world = dusty()

    quote(world, 2999_99)
    settle(world)

    assert dust_orders(world) == []


def test_at_its_highest_target_all_dust_is_sold_by_one_order() -> None:
    world = dusty()

    quote(world, 3000_00)
    settle(world, 2_000)
    assert dust_orders(world) == [("3000.01", 9, "NEW")]
    trade(world, 3000_50, Side.BUY)
    quote(world, 3000_50)
    settle(world)

    assert dust_orders(world) == [("3000.01", 9, "FILLED")]
    assert lots(world).keys() & {-1, -2} == set()
    assert position(world) == sum(lots(world).values())
    ledger = world.book.symbol(SYMBOL).ledger
    assert (
        ledger.realised == 9 * Decimal("0.001") * Decimal("3000.01") - Decimal("0.003") * 2998 - Decimal("0.006") * 2996
    )
    assert ledger.round_trips == 2


def test_dust_that_is_too_small_together_waits() -> None:
    world = coarse_world()
    fill_in_part(world, 2998_00, 3)

    quote(world, 3003_00)
    settle(world, 10_000)

    assert dust_orders(world) == []
    assert lots(world) == {-1: 3}


def test_a_lot_that_can_be_sold_alone_keeps_its_own_exit_beside_the_dust() -> None:
    world = dusty()
    trade(world, 2993_00, Side.SELL)  # 2994 is bought whole; nothing of the dust is topped up on the way
    quote(world, 2993_50)
    settle(world)
    whole = {level: steps for level, steps in lots(world).items() if steps >= 8}
    assert whole

    quote(world, 3000_00)
    settle(world, 3_000)

    sold = {order.client_id: order for order in world.venue.engine.read.open_orders(ACCOUNT) if order.side is Side.SELL}
    exits = [order for client_id, order in sold.items() if purpose_of(client_id) is Purpose.EXIT]
    assert len(exits) == len(whole)
    assert sum(order.left for order in sold.values()) <= position(world)


def test_the_dust_order_comes_off_the_dust_and_never_off_a_whole_lot() -> None:
    world = dusty()
    quote(world, 3000_00)
    settle(world, 2_000)

    trade(world, 3000_01, Side.BUY, QUEUE + 4)
    settle(world, 1_000)

    assert dust_orders(world)[0][2] == "PARTIALLY_FILLED"
    assert lots(world) == {-2: 5}  # the highest target first: 3 of level -1, then 1 of level -2


def test_a_slot_whose_dust_is_being_sold_buys_nothing() -> None:
    world = dusty()
    quote(world, 3000_00)
    settle(world, 2_000)
    assert len(dust_orders(world)) == 1

    quote(world, 2999_60)  # less than half an interval under the order: it stays
    settle(world, 5_000)

    assert dust_orders(world) == [("3000.01", 9, "NEW")]
    at_levels = {price for price, _ in resting(world, Side.BUY)}
    assert Decimal("2998.00") not in at_levels


def test_an_entry_for_dust_that_is_being_sold_is_refused() -> None:
    world = dusty()
    quote(world, 3000_00)
    settle(world, 2_000)
    key = SlotKey(symbol=SYMBOL, generation=0, level=-1)
    assert world.gateway is not None
    intent = PlaceIntent(
        key=key,
        basis_version=world.book.symbol(SYMBOL).slot(key).version,
        purpose=Purpose.ENTRY,
        price=2998_00,
        quantity=8,
        target=3000_00,
        time_in_force=TimeInForce.POST_ONLY,
        reference=None,
        halt_epoch=world.book.halt_epoch,
    )

    world.gateway.on_event(Asked(intent=intent))

    assert world.book.symbol(SYMBOL).slot(key).order is None


def test_a_dust_order_that_its_lots_no_longer_cover_goes() -> None:
    world = dusty()
    quote(world, 3000_00)
    settle(world, 2_000)

    # two steps of ours go to somebody on the other side
    world.venue.publish(world.venue.engine.foreign.auto_deleverage(ACCOUNT, SYMBOL, 2, world.agenda.wall_ms))
    settle(world, 10_000)

    assert sum(lots(world).values()) == position(world) == 7
    assert dust_orders(world) == [("3000.01", 9, "EXPIRED")]  # the venue was quicker than we
    assert resting(world, Side.SELL) == []


def test_a_dust_order_far_over_its_targets_is_taken_back() -> None:
    world = dusty()
    quote(world, 3004_00)
    settle(world, 2_000)
    assert dust_orders(world) == [("3004.01", 9, "NEW")]

    quote(world, 3002_00)
    settle(world, 6_000)

    assert dust_orders(world) == [("3004.01", 9, "CANCELED"), ("3002.01", 9, "NEW")]


@pytest.mark.parametrize("after_ms", [0, 10, 100, 700, 1_500])
def test_a_gateway_that_dies_around_the_dust_order_sells_it_once(after_ms: int) -> None:
    world = dusty()
    quote(world, 3000_00)
    settle(world, after_ms)

    world.kill(GATEWAY)
    settle(world, 20_000)
    assert len([row for row in dust_orders(world) if row[2] == "NEW"]) == 1
    trade(world, 3001_00, Side.BUY)
    quote(world, 3001_00)
    settle(world, 10_000)

    assert lots(world).keys() & {-1, -2} == set()
    assert position(world) == sum(lots(world).values())
    assert world.book.symbol(SYMBOL).foreign == 0
