"""Levels: where they lie, and which one a price is at (rules 2 to 5).

Everything here is in *oriented* ticks: the price for a long grid, minus the price for a short one. In them a grid
always buys low and sells one level higher, so a short grid needs no second implementation: bid and ask, buy and sell,
floor and ceiling change places by the sign alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from decimal import ROUND_UP, Context, Decimal
from enum import Enum

from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.order import Side

_CONTEXT = Context(prec=50)


class GridSide(Enum):
    """Which way a grid opens."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """Return +1 for long and -1 for short: turns ticks into oriented ticks and back."""
        return 1 if self is GridSide.LONG else -1

    @property
    def entry_side(self) -> Side:
        """Return the side of an order that opens."""
        return Side.BUY if self is GridSide.LONG else Side.SELL


class Spacing(Enum):
    """How levels follow each other."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """One generation of levels of a symbol. `anchor` in ticks; `interval` in ticks or `ratio` above 1, by `spacing`."""

    symbol: str
    generation: int
    side: GridSide
    spacing: Spacing
    anchor: int
    interval: int = 0
    ratio: Decimal = Decimal(1)
    _known: dict[int, int] = field(default_factory=dict, repr=False, compare=False)

    def at(self, index: int) -> int:
        """Return L(index) in oriented ticks, always computed from the anchor."""
        if self.spacing is Spacing.ARITHMETIC:
            return self.side.sign * self.anchor + index * self.interval
        known = self._known.get(index)
        if known is None:
            known = self._known[index] = self._geometric(index)
        return known

    def gap(self, index: int) -> int:
        """Return d(index) = L(index + 1) - L(index), in ticks."""
        return self.interval if self.spacing is Spacing.ARITHMETIC else self.at(index + 1) - self.at(index)

    def guard(self, index: int) -> int:
        """Return how far the price must be above the level before an entry may rest there, in ticks."""
        return max(1, -(-self.gap(index) // 10))

    def price(self, index: int) -> int:
        """Return the level's price in plain ticks."""
        return self.side.sign * self.at(index)

    def floor(self, oriented: int) -> int:
        """Return f: the highest level at or under the oriented price."""
        if self.spacing is Spacing.ARITHMETIC:
            return (oriented - self.side.sign * self.anchor) // self.interval
        index = self._estimate(oriented)
        while self.at(index) > oriented:
            index -= 1
        while self.at(index + 1) <= oriented:
            index += 1
        return index

    def ceiling_for_entries(self, oriented: int) -> int:
        """Return c: the highest level that is at least its guard under the oriented price."""
        index = self.floor(oriented)
        return index if self.at(index) <= oriented - self.guard(index) else index - 1

    def _geometric(self, index: int) -> int:
        scaled = _CONTEXT.multiply(Decimal(self.anchor), _CONTEXT.power(self.ratio, self.side.sign * index))
        return math.floor(scaled) if self.side is GridSide.LONG else -math.ceil(scaled)

    def _estimate(self, oriented: int) -> int:
        # A float only chooses where the exact search starts.
        nearness = math.log(max(1, abs(oriented)) / self.anchor) / math.log(float(self.ratio))
        return self.side.sign * round(nearness)


def interval_ticks(symbol: str, interval: Decimal, instrument: Instrument) -> int:
    """Return the interval in ticks; refuses what is no whole number of at least two, naming the nearest that work."""
    below = int(interval // instrument.tick)
    if instrument.tick * below == interval and below >= 2:
        return below
    lower = max(2, below)
    named = " and ".join(f"{(instrument.tick * ticks).normalize():f}" for ticks in (lower, lower + 1))
    raise ConfigError(
        f"symbols[{symbol}].interval",
        interval,
        f"must be a whole number of ticks of {instrument.tick}, at least two; the two nearest that work are {named}",
    )


def check_geometric(ladder: Ladder, lowest: int, highest: int) -> None:
    """Refuse a ratio whose levels come closer than two ticks anywhere in reach (levels `lowest` to `highest`)."""
    if ladder.ratio <= 1:
        raise ConfigError(f"symbols[{ladder.symbol}].ratio", ladder.ratio, "must be above 1")
    narrowest = min(ladder.gap(index) for index in range(lowest, highest + 1))
    if narrowest < 2:
        works = _ratio_that_works(ladder, lowest, highest)
        advice = "no ratio works for so many levels" if works is None else f"{works:f} works"
        raise ConfigError(
            f"symbols[{ladder.symbol}].ratio",
            ladder.ratio,
            f"levels in reach must be at least two ticks apart, here {narrowest}; {advice}",
        )


def _ratio_that_works(ladder: Ladder, lowest: int, highest: int) -> Decimal | None:
    """Return a ratio near the refused one that keeps two ticks everywhere in reach, None where a search finds none.

    A larger ratio widens gaps but also sinks the lowest level, so every candidate is tried and none is promised unseen.
    """
    excess = ladder.ratio - 1
    for step in range(1, 61):
        ratio = 1 + (excess * (Decimal(5) / 4) ** step).quantize(Decimal("1e-8"), rounding=ROUND_UP)
        candidate = replace(ladder, ratio=ratio, _known={})
        if min(candidate.gap(index) for index in range(lowest, highest + 1)) >= 2:
            return ratio
    return None
