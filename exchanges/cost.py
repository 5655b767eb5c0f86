"""What calls spend of a venue's limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request spends: new orders of the account, weight of the address."""

    orders: int = 0
    weight: int = 0

    def of(self, kind: str) -> int:
        """Return the amount of a kind of window (`orders` or `weight`)."""
        return self.orders if kind == "orders" else self.weight

    def shares_with(self, other: Cost) -> bool:
        """Whether both spend of one kind."""
        return (self.orders > 0 and other.orders > 0) or (self.weight > 0 and other.weight > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCosts:
    """A venue's price list: what each call of the port spends, a paged one with its first page.

    What the adapter sends beyond that it pays for itself, at the port's `toll`.
    """

    place: Cost
    cancel: Cost
    order: Cost
    open_orders: Cost
    positions: Cost
    fills: Cost
    account: Cost
    income: Cost
    rules: Cost
    quote: Cost
    countdown: Cost
