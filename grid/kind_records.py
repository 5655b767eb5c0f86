"""Journal records of grids that do not begin at once: what they wait for."""

from __future__ import annotations

from dataclasses import dataclass
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
