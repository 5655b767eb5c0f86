"""What a venue is like: the ways in which the five that we speak to differ from the plainest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

from actors.virtual.settings import GridPlan, WorldSettings
from exchanges.sim.instrument import MONEY_SCALE

CONTRACT_STEPS = (2, 3, 5)


def late_post_only(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Judge post-only orders after their answer, and at some venues closing orders too."""
    ways = replace(settings.ways, post_only_cancels=True, reduce_only_strict=rng.random() < 0.5)
    return replace(settings, ways=ways)


def trades_apart(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Tell what a fill cost by another channel."""
    return replace(settings, ways=replace(settings.ways, trades_apart_ms=rng.choice(((0, 60), (0, 900), (500, 2_500)))))


def short_memory(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Forget orders that are over; one with fills not before it would be taken for absent, as no venue does."""
    unfilled_ms = rng.choice((200, 1_000, 4_000))
    filled_ms = settings.desk.absent_after_ms + rng.choice((1_500, 4_000))
    return replace(settings, ways=replace(settings.ways, unfilled_kept_ms=unfilled_ms, filled_kept_ms=filled_ms))


def state_first(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Begin each connection with the open orders."""
    return replace(settings, ways=replace(settings.ways, is_state_first=True))


def contracts(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Count in contracts whose size is no power of ten."""
    return replace(settings, grids=tuple(_in_contracts(grid, rng) for grid in settings.grids))


def _in_contracts(grid: GridPlan, rng: Random) -> GridPlan:
    step: Decimal = grid.venue.step * rng.choice(CONTRACT_STEPS)
    unit = int(grid.venue.tick * step * MONEY_SCALE)
    return replace(grid, venue=replace(grid.venue, step=step, unit=unit))


def slow_stream(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Let every answer overtake the stream."""
    latency = replace(settings.latency, stream=rng.choice(((120, 400), (300, 1_200))))
    return replace(settings, latency=latency)
