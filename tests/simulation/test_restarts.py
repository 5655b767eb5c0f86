"""Started again with another ladder, or while the symbol is closed: nothing idles for ever on what was true before."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.virtual.world import World
from grid.errors import GridmeshError
from grid.order import Side
from tests.simulation.worlds import GATEWAY, SYMBOL, example_world, move, resting, settle


def with_interval(world: World, interval: int, anchor: int) -> None:
    plan = replace(world.settings.grids[0], interval=interval, anchor=anchor)
    world.restart_all(replace(world.settings, grids=(plan,)))


def test_lots_of_an_older_ladder_keep_their_targets_and_their_levels_are_not_bought_again() -> None:
    world = example_world()
    move(world, 2995_50)  # 2998 and 2996 are bought

    with_interval(world, 300, 3000_00)
    move(world, 2999_50, settle_ms=20_000)

    targets = sorted(lot.target for _, lot in world.book.symbol(SYMBOL).lots())
    assert targets == [3000_00]  # 2996 went at 2998 on the way
    assert [price for price, _ in resting(world, Side.SELL)] == [Decimal(3000)]
    assert [price for price, _ in resting(world, Side.BUY)] == [Decimal(2994), Decimal(2991)]  # 2998 lies over 2997


def test_a_level_that_an_older_lot_kept_from_buying_buys_once_that_lot_is_sold() -> None:
    world = example_world()
    move(world, 2995_50)
    with_interval(world, 300, 3000_00)
    move(world, 2999_50, settle_ms=20_000)

    move(world, 3000_20, settle_ms=20_000)

    assert list(world.book.symbol(SYMBOL).lots()) == []
    assert Decimal(2997) in [price for price, _ in resting(world, Side.BUY)]


def test_entries_of_an_older_ladder_go() -> None:
    world = example_world()

    with_interval(world, 250, 3000_00)
    settle(world, 20_000)

    assert [price for price, _ in resting(world, Side.BUY)] == [Decimal("2997.5"), Decimal(2995), Decimal("2992.5")]


def test_a_gateway_started_while_the_symbol_is_closed_learns_that_it_opened() -> None:
    world = example_world()
    engine = world.venue.engine
    instrument = engine.read.instrument(SYMBOL)
    engine.foreign.change_instrument(instrument.with_status("PENDING_TRADING"), world.agenda.wall_ms)
    world.kill(GATEWAY)
    settle(world, 10_000)
    engine.foreign.change_instrument(instrument, world.agenda.wall_ms)

    move(world, 2995_50, settle_ms=40_000)

    assert len(resting(world, Side.BUY)) == 3


def test_an_owner_whose_number_did_not_rise_takes_over_nothing() -> None:
    world = example_world()
    assert world.gateway is not None
    desk, before = world.gateway.desk, len(world.journal)

    with pytest.raises(GridmeshError, match="owner epoch"):
        desk.begin(world.book.owner_epoch, [], world.agenda.instant())

    assert len(world.journal) == before


def test_an_id_that_the_book_knows_is_never_given_out_again() -> None:
    world = example_world()
    assert world.gateway is not None
    core = world.gateway.desk._core
    used = set(world.book.orders)
    core._sequence = 0  # as after a start whose number did not rise

    given = [
        core.next_client_id(SYMBOL, order.key.generation, order.key.level, order.purpose)
        for order in list(world.book.orders.values())
        if order.key is not None
    ]

    assert len(set(given)) == len(given) > 0
    assert not set(given) & used
