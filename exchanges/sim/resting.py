"""Resting orders of one symbol: by price, then by arrival."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from exchanges.sim.order_state import Order
from grid.order import Side

NO_BID = 0
NO_ASK = 1 << 62


class RestingSide:
    """All accounts' resting orders of one side. `best` is the best price; `NO_BID` or `NO_ASK` where there is none."""

    __slots__ = ("_levels", "_prices", "best", "is_bid", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.is_bid = side is Side.BUY
        self.best = NO_BID if self.is_bid else NO_ASK
        self._levels: dict[int, list[Order]] = {}
        self._prices: list[int] = []

    def add(self, order: Order) -> None:
        """Put an order at the end of its level's queue."""
        level = self._levels.get(order.price)
        if level is None:
            self._levels[order.price] = [order]
            insort(self._prices, order.price)
            self._refresh_best()
        else:
            level.append(order)

    def remove(self, order: Order) -> None:
        """Take an order out; it must be in."""
        level = self._levels[order.price]
        level.remove(order)
        if not level:
            del self._levels[order.price]
            del self._prices[bisect_left(self._prices, order.price)]
            self._refresh_best()

    def at(self, price: int) -> list[Order]:
        """Return the orders at a price, first come first."""
        return self._levels.get(price, [])

    def quantity_at(self, price: int) -> int:
        """Return the open steps at a price."""
        return sum(order.left for order in self._levels.get(price, ()))

    def prices(self) -> Iterator[int]:
        """Yield the prices, best first."""
        return iter(reversed(self._prices)) if self.is_bid else iter(self._prices)

    def better_than(self, price: int) -> list[Order]:
        """Return every order priced strictly better than `price`, best first, first come first."""
        found: list[Order] = []
        for own in self.prices():
            if own <= price if self.is_bid else own >= price:
                break
            found.extend(self._levels[own])
        return found

    def _refresh_best(self) -> None:
        if self._prices:
            self.best = self._prices[-1] if self.is_bid else self._prices[0]
        else:
            self.best = NO_BID if self.is_bid else NO_ASK
