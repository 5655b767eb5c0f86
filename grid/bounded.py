"""A grid between two prices: where its levels lie, and which ranges have none (rules 3 and 9)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal

from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.ladder import GridSide

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
