"""Prices that bound a grid: a range that is divided into levels, or limits that the window follows up to (rule 4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal

from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.ladder import GridSide, Ladder

_CONTEXT = Context(prec=50)
_RATIO_UNIT = Decimal("1e-15")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRange:
    """`count` steps from `low` to `high`, in quote currency. Level 0 lies at the end that is bought last."""

    symbol: str
    low: Decimal
    high: Decimal
    count: int

    def anchor(self, side: GridSide, instrument: Instrument) -> int:
        """Return the price of level 0 in ticks: the low end of a long grid, the high end of a short one."""
        low, high = self._ticks(instrument)
        return low if side is GridSide.LONG else high

    def interval(self, instrument: Instrument) -> int:
        """Return the step of an arithmetic grid in ticks; refuses one that is not whole, naming what works."""
        low, high = self._ticks(instrument)
        step, rest = divmod(high - low, self.count)
        if step >= 2 and not rest:
            return step
        shorter, longer = max(2, step), max(2, step) + 1
        ends = [str(instrument.price(low + ticks * self.count)) for ticks in (shorter, longer)]
        raise ConfigError(
            f"symbols[{self.symbol}].range",
            f"{self.low} to {self.high} in {self.count}",
            f"a step must be a whole number of ticks of {instrument.tick}, at least two; "
            f"a high of {' or '.join(ends)} works",
        )

    def ratio(self) -> Decimal:
        """Return the ratio of a geometric grid, so that its last target is the range's other end, to the tick."""
        exponent = _CONTEXT.divide(Decimal(1), Decimal(self.count))
        exact = _CONTEXT.power(_CONTEXT.divide(self.high, self.low), exponent)
        # Rounded up, so that flooring the last level to the tick does not fall one short of the end.
        return exact.quantize(_RATIO_UNIT, rounding=ROUND_UP)

    def _ticks(self, instrument: Instrument) -> tuple[int, int]:
        found = []
        for name, price in (("low", self.low), ("high", self.high)):
            ticks = instrument.ticks_floor(price)
            if instrument.price(ticks) != price or ticks < 1:
                nearest = f"{instrument.price(max(1, ticks))} and {instrument.price(max(1, ticks) + 1)}"
                rule = f"must be a whole number of ticks of {instrument.tick}; the two nearest are {nearest}"
                raise ConfigError(f"symbols[{self.symbol}].range.{name}", price, rule)
            found.append(ticks)
        return found[0], found[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailLimit:
    """Prices in quote currency beyond which the window follows no more. None: on that side it follows for ever."""

    symbol: str
    low: Decimal | None
    high: Decimal | None

    def levels(self, ladder: Ladder, instrument: Instrument) -> tuple[int | None, int | None]:
        """Return the lowest and the highest level that lies within, with its target; refuses where there is none."""
        low = None if self.low is None else instrument.ticks_ceil(self.low)
        high = None if self.high is None else instrument.ticks_floor(self.high)
        least, most = (low, high) if ladder.side is GridSide.LONG else (_minus(high), _minus(low))
        lowest = None if least is None else _level_from(ladder, least)
        highest = None if most is None else ladder.floor(most) - 1
        if lowest is not None and highest is not None and highest < lowest:
            raise ConfigError(
                f"symbols[{self.symbol}].trail_limit",
                f"{self.low} to {self.high}",
                "no level lies between them together with its target; they have to be at least two steps apart",
            )
        return lowest, highest


def _level_from(ladder: Ladder, oriented: int) -> int:
    """Return the lowest level at or over the oriented price."""
    floor = ladder.floor(oriented)
    return floor if ladder.at(floor) == oriented else floor + 1


def _minus(ticks: int | None) -> int | None:
    return None if ticks is None else -ticks
