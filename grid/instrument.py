"""One symbol's rules at its venue, and the only place where prices and quantities change their unit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grid.errors import GridmeshError


class OffGrid(GridmeshError):
    """A price or quantity is no whole number of ticks or steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Rules of one linear perpetual, as its venue states them.

    `tick` and `step` are in quote and base currency. Every other price is in ticks and every other quantity in steps.
    A quantity of base currency is always meant: adapters of venues that count contracts convert before they build one.
    """

    symbol: str
    base: str
    quote: str
    tick: Decimal
    step: Decimal
    price_min: int
    price_max: int
    quantity_min: int
    quantity_max: int
    notional_min: Decimal
    """Smallest notional of an order that opens, in quote currency; closing ones may be exempt (`closing_exempt`)."""
    closing_exempt: bool = True
    """Reduce-only orders need not reach `notional_min` (Binance); they still need `quantity_min`."""
    percent_up: Decimal = Decimal("1.05")
    """A buy above mark times this is refused (PERCENT_PRICE, one-sided)."""
    percent_down: Decimal = Decimal("0.95")
    """A sell below mark times this is refused."""
    orders_max: int = 200
    """Open orders allowed on the symbol, foreign ones counted."""
    trading: bool = True

    def price(self, ticks: int) -> Decimal:
        """Return the price of so many ticks in quote currency."""
        return self.tick * ticks

    def quantity(self, steps: int) -> Decimal:
        """Return the quantity of so many steps in base currency."""
        return self.step * steps

    def notional(self, ticks: int, steps: int) -> Decimal:
        """Return price times quantity in quote currency, exactly."""
        return self.tick * ticks * (self.step * steps)

    def ticks(self, price: Decimal) -> int:
        """Return the price as whole ticks; raises `OffGrid` where it lies between two."""
        return _whole(price, self.tick, "price", self.symbol)

    def steps(self, quantity: Decimal) -> int:
        """Return the quantity as whole steps; raises `OffGrid` where it lies between two."""
        return _whole(quantity, self.step, "quantity", self.symbol)

    def ticks_floor(self, price: Decimal) -> int:
        """Return the largest whole number of ticks not above the price."""
        return _floor(price, self.tick)

    def ticks_ceil(self, price: Decimal) -> int:
        """Return the smallest whole number of ticks not below the price."""
        return -_floor(-price, self.tick)


def _floor(value: Decimal, unit: Decimal) -> int:
    count, rest = divmod(value, unit)
    # Decimal division cuts towards zero, so below zero the floor is one further down.
    return int(count) - (1 if rest < 0 else 0)


def _whole(value: Decimal, unit: Decimal, what: str, symbol: str) -> int:
    count, rest = divmod(value, unit)
    if rest:
        raise OffGrid(f"{symbol}: {what} {value} is no whole number of {unit}")
    return int(count)
