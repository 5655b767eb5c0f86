"""What must hold of grids that are bounded, wait for a price, or follow a ratio."""

from __future__ import annotations

from collections.abc import Iterator

from actors.virtual.world import World
from tests.simulation.oracle import level_at
from tests.simulation.truth import Truth


def lots_keep_their_targets(world: World, truth: Truth) -> Iterator[str]:
    """Rule 14: the target of a lot is the next level of the ladder that it was bought on, whatever came after."""
    if world.gateway is None:
        return
    for book in world.book.symbols.values():
        for key, lot in book.lots():
            ladder = book.generations[key.generation]
            target = ladder.side.sign * level_at(ladder, key.level + 1)
            if lot.target != target:
                yield f"{key} has the target {lot.target}, it was bought for {target}"


def no_entry_leaves_before_the_trigger(world: World, truth: Truth) -> Iterator[str]:
    """A grid that waits for a price opens nothing before the venue's mark has come there."""
    waiting = {grid.symbol for grid in world.settings.grids if grid.trigger is not None} - truth.begun
    for request in truth.sent:
        if not request.closing and request.symbol in waiting:
            yield f"entry {request.client_id} left before the mark came to the price that its grid waits for"


def waits_for_its_price(world: World, truth: Truth, symbol: str) -> bool:
    """Whether the grid has not begun, and the mark stands where it need not begin."""
    plan = next(grid for grid in world.settings.grids if grid.symbol == symbol)
    kept = world.book.symbol(symbol).trigger
    return (kept is None or not kept.is_fired) and not truth.is_beyond_trigger(plan)
