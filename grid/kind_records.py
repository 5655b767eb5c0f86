"""Journal records of the kinds of grids: what one waits for, begins with, and which of its two sides works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSet:
    """The mark price at which the symbol's grid begins, and whether it has come there. `rises`: it came from below."""

    symbol: str
    price: Decimal
    rises: bool
    is_fired: bool
    at_ms: int

    def is_crossed_by(self, mark: Decimal) -> bool:
        """Whether the mark is at the price, or beyond it."""
        return mark >= self.price if self.rises else mark <= self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTurned:
    """A neutral grid works on its other ladder from here on: that of this generation is the present one."""

    symbol: str
    generation: int
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningSet:
    """The position that a new grid begins with. `levels` are those still to be bought, nearest first.

    Written once before it is planned (at the creation of the grid), once when it is, and where levels fall away
    unbought; what is bought falls away with its fill. `limit`: the worst price, in plain ticks.
    """

    symbol: str
    generation: int
    is_planned: bool
    levels: tuple[int, ...]
    limit: int
    at_ms: int
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to buy."""
        return self.is_planned and not self.levels

    def without(self, *levels: int) -> OpeningSet:
        """Return what is left once these are bought, or fall away."""
        return replace(self, levels=tuple(level for level in self.levels if level not in levels))
