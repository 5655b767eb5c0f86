"""The exchange-side stop in virtual worlds: whatever dies or is silent around its trigger, each lot goes once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY, World
from exchanges.sim.algo_orders import AlgoView
from grid.order import Side
from grid.stop import StopPhase
from risk.stop_rule import StopRule
from tests.simulation.money_worlds import go_to, holds, mark, money_world, notices, position, trade_by_hand, unexplained
from tests.simulation.worlds import SYMBOL, resting, settle

RULE = StopRule(distance=Decimal("0.02"))
HELD = ("stop_loss", SYMBOL)
BEYOND = 2_929_00
TIMES_MS = [0, 3, 8, 15, 60, 250, 900, 2_000]


def covered(rule: StopRule = RULE) -> World:
    """A world with two lots and a stop at 2930.20."""
    world = money_world(stop=rule, max_lots=5)
    go_to(world, 2997_50)
    go_to(world, 2995_50)
    assert [stop.phase for stop in [world.book.symbol(SYMBOL).stop] if stop is not None] == [StopPhase.LIVE]
    assert [str(one.trigger_price) for one in waiting(world)] == ["2930.20"]
    return world


def waiting(world: World) -> list[AlgoView]:
    return list(world.venue.engine.read.open_algos(ACCOUNT))


def see_it_through(world: World) -> None:
    settle(world, 60_000)
    book = world.book.symbol(SYMBOL)
    assert (list(book.lots()), book.foreign, position(world)) == ([], 0, 0)
    assert book.stop is None
    assert waiting(world) == []
    assert holds(world) == [HELD]
    assert resting(world, Side.SELL) == resting(world, Side.BUY) == []
    assert notices(world, "foreign_fill") == []
    assert unexplained(world) == 0


def test_its_trigger_takes_every_lot_and_equity_ties() -> None:
    world = covered()
    mark(world, BEYOND)
    see_it_through(world)


@pytest.mark.parametrize("after_ms", TIMES_MS)
def test_a_gateway_that_dies_around_the_trigger_books_each_lot_once(after_ms: int) -> None:
    world = covered()
    mark(world, BEYOND)
    settle(world, after_ms)
    world.kill(GATEWAY)
    see_it_through(world)


@pytest.mark.parametrize("after_ms", TIMES_MS)
def test_a_gateway_that_dies_around_the_first_lot_ends_with_one_stop(after_ms: int) -> None:
    world = money_world(stop=RULE, max_lots=5)
    go_to(world, 2997_50, settle_ms=after_ms)
    world.kill(GATEWAY)
    settle(world, 30_000)

    assert len(waiting(world)) == 1
    mark(world, BEYOND)
    see_it_through(world)


@pytest.mark.parametrize("after_ms", TIMES_MS)
def test_a_stream_that_falls_silent_around_the_trigger_costs_nothing(after_ms: int) -> None:
    world = covered()
    settle(world, after_ms)
    world.stream.mute()
    mark(world, BEYOND)
    see_it_through(world)


def test_what_others_hold_is_closed_by_consent_alone() -> None:
    world = covered()
    trade_by_hand(world, Side.BUY, "0.5")
    settle(world, 30_000)
    assert waiting(world) == []
    mark(world, BEYOND)
    settle(world, 10_000)
    assert position(world) == 520

    world = covered(StopRule(distance=Decimal("0.02"), closes_foreign=True))
    trade_by_hand(world, Side.BUY, "0.5")
    settle(world, 30_000)
    mark(world, BEYOND)
    settle(world, 30_000)
    book = world.book.symbol(SYMBOL)
    assert (list(book.lots()), book.foreign, position(world)) == ([], 0, 0)
