"""What a slot actor is told while it is dead or starting: however its words meet in the lane, it ends up knowing."""

from __future__ import annotations

import pytest

from actors.virtual.world import World
from exchanges.desk.events import HoldAsked
from grid.holds import HoldCause
from grid.order import Side
from tests.simulation.worlds import SYMBOL, example_world, resting, settle

AROUND_MS = range(-100, 1_300, 50)
"""When the hold ends, after the dead slots come back: their first words wait for up to a second in their lanes."""


def hold(world: World, *, is_put: bool) -> None:
    assert world.gateway is not None
    world.gateway.on_event(HoldAsked(cause=HoldCause.OPERATOR, symbol=SYMBOL, is_put=is_put, reason="a test"))


@pytest.mark.parametrize("after_ms", AROUND_MS)
@pytest.mark.parametrize("words", [1, 3])
def test_a_hold_that_ends_while_slots_start_keeps_no_level_idle(after_ms: int, words: int) -> None:
    """The market is quiet and nothing follows: what was overtaken or lost has to be made good by itself."""
    world = example_world()
    before = resting(world, Side.BUY)
    for name in [name for name in world.names if name.startswith("slot/")]:
        world.kill(name)
    pause_ms = (world.settings.restart_ms + after_ms) // words
    for number in range(words):
        hold(world, is_put=number % 2 == 0)
        settle(world, pause_ms)

    hold(world, is_put=False)
    settle(world, 30_000)

    told = {name: slot.snapshot()["symbols"][SYMBOL]["holds"] for name, slot in world.slots.items()}
    assert told == dict.fromkeys(world.slots, ())
    assert [price for price, _ in resting(world, Side.BUY)] == [price for price, _ in before]
