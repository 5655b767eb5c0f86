"""A neutral grid: two ladders with one anchor, the start price, of which one works at a time.

The long one has its levels and targets at or under the start price, the short one at or over it. Each is a generation
of its own; which of them is the present one is a fact of the book (`SideTurned`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from grid.bounded import PriceRange
from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.ladder import GridSide, Ladder, Spacing
from grid.policy import GridPolicy
from grid.records import GenerationStarted
from grid.symbol_book import SymbolBook


class GridKind(Enum):
    """Which way a grid opens: one of both, or the one that the price is on."""

    LONG = "long"
    SHORT = "short"
    NEUTRAL = "neutral"

    @property
    def sides(self) -> tuple[GridSide, ...]:
        """Return the sides that it has."""
        return tuple(GridSide) if self is GridKind.NEUTRAL else (GridSide(self.value),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladders:
    """The two ladders of a neutral grid; `present` is the side that works. `is_new`: the journal has them not yet."""

    long: GenerationStarted
    short: GenerationStarted
    present: GridSide
    is_new: bool

    @property
    def both(self) -> tuple[GenerationStarted, GenerationStarted]:
        """Return them in the order in which they are journalled: the newest is the one that works first."""
        first, second = sorted((self.long, self.short), key=lambda one: one.generation)
        return first, second

    def of(self, side: GridSide) -> GenerationStarted:
        """Return the ladder of a side."""
        return self.long if side is GridSide.LONG else self.short


def half_of(policy: GridPolicy, bounds: PriceRange, ladder: Ladder, instrument: Instrument) -> GridPolicy:
    """Return the rules of one side: its levels lie between the start price and its end of the range, targets too.

    Refuses a start price at which a side has no level at all.
    """
    sign, end = ladder.side.sign, bounds.low if ladder.side is GridSide.LONG else bounds.high
    # A geometric level is rounded away from the start price: the last one may miss the end by a tick.
    least = sign * instrument.ticks(end) - (1 if ladder.spacing is Spacing.GEOMETRIC else 0)
    lowest = ladder.floor(least)
    lowest += 0 if ladder.at(lowest) == least else 1
    if lowest > -1:
        start = instrument.price(ladder.anchor)
        rule = f"the start price has to lie at least one step from either end of the range; {end} is too near"
        raise ConfigError(f"symbols[{policy.symbol}].anchor", start, rule)
    return replace(policy, lowest_level=lowest, highest_level=-1)


def turning_price(ladder: Ladder, highest: int) -> int:
    """Return the oriented price at which the grid leaves this side: half a step beyond the start price."""
    return ladder.at(highest + 1) + -(-ladder.gap(highest) // 2)


def due_ladders(book: SymbolBook | None, wanted: GenerationStarted, price: int) -> Ladders:
    """Return the ladders by these levels (of `wanted`, number and side count for nothing): the journal's, or new ones.

    New ones begin with the side of the lots that are held, else with that on which the price (in ticks) is.
    """
    sides = {side: replace(wanted, side=side) for side in GridSide}
    newest = _newest(book)
    known = {one.side: one for one in newest}
    if book is not None and len(known) == 2 and all(_is_same(known[side], sides[side]) for side in GridSide):
        return Ladders(
            long=known[GridSide.LONG], short=known[GridSide.SHORT], present=book.generation.side, is_new=False
        )
    held = book.held_sign if book is not None and book.generations and book.lot_steps() else 0
    is_long = held > 0 if held else price <= wanted.anchor
    present = GridSide.LONG if is_long else GridSide.SHORT
    number = newest[-1].generation + 1 if newest else 0
    numbered = {side: replace(one, generation=number + (1 if side is present else 0)) for side, one in sides.items()}
    return Ladders(long=numbered[GridSide.LONG], short=numbered[GridSide.SHORT], present=present, is_new=True)


def start_price(book: SymbolBook | None) -> int | None:
    """Return the start price of the neutral grid that the journal knows, in ticks; None where its grid is another."""
    newest = _newest(book)
    is_pair = len({one.side for one in newest}) == 2 and len({one.anchor for one in newest}) == 1
    return newest[0].anchor if is_pair else None


def _newest(book: SymbolBook | None) -> list[GenerationStarted]:
    """Return the two newest generations, oldest first; fewer where there are no two."""
    if book is None:
        return []
    return [book.generations[number] for number in sorted(book.generations)[-2:]]


def _is_same(known: GenerationStarted, wanted: GenerationStarted) -> bool:
    return replace(known, generation=wanted.generation) == wanted
