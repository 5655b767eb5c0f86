"""What must hold of the stops that rest at the venue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from actors.virtual.settings import ACCOUNT
from actors.virtual.world import World
from exchanges.sim.algo_orders import AlgoView
from grid.holds import HoldCause
from tests.simulation.truth import Truth


def own_stops(world: World, truth: Truth) -> list[AlgoView]:
    """Return the stops of ours that wait at the venue."""
    algos = world.venue.engine.read.open_algos(ACCOUNT)
    return [algo for algo in algos if truth.identity(algo.client_id, algo.symbol) is not None]


def one_stop_a_symbol(world: World, truth: Truth) -> Iterator[str]:
    """No second stop rests beside the first, whatever was lost on the way."""
    for symbol, count in Counter(algo.symbol for algo in own_stops(world, truth)).items():
        if count > 1:
            yield f"{symbol}: {count} stops of ours rest at the venue"


def lots_are_covered(world: World, truth: Truth) -> Iterator[str]:
    """Where there are lots a stop rests beyond all of their levels, and where there are none it rests no more."""
    stops = {algo.symbol: algo for algo in own_stops(world, truth)}
    for grid in world.settings.grids:
        book = world.book.symbol(grid.symbol)
        sign = book.sign
        bought = [sign * book.generations[key.generation].ladder().price(key.level) for key, _ in book.lots()]
        algo = stops.get(grid.symbol)
        is_others = bool(book.foreign) and not (grid.stop is not None and grid.stop.closes_foreign)
        is_wanted = grid.stop is not None and bool(bought) and not is_others
        is_wanted = is_wanted and sign * truth.positions[grid.symbol] > 0
        if not is_wanted:
            if algo is not None:
                yield f"{grid.symbol}: a stop rests at {algo.trigger_price} and there is nothing for it to cover"
            continue
        if algo is None:
            if world.book.holds.find(HoldCause.STOP_LOSS, grid.symbol) is None:
                yield f"{grid.symbol}: {len(bought)} lots and no stop rests"
        elif sign * grid.instrument.ticks(algo.trigger_price) >= min(bought):
            yield f"{grid.symbol}: the stop rests at {algo.trigger_price}, before the lowest lot"
