"""What calls spend of a venue's limits."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("orders", "cancels", "weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request spends: new orders and cancels of the account, weight of the address.

    A venue without a window of a kind does not limit it.
    """

    orders: int = 0
    weight: int = 0
    cancels: int = 0

    def of(self, kind: str) -> int:
        """Return the amount of a kind of window."""
        match kind:
            case "orders":
                return self.orders
            case "cancels":
                return self.cancels
        return self.weight

    def plus(self, other: Cost) -> Cost:
        """Return what both spend."""
        return Cost(
            orders=self.orders + other.orders,
            weight=self.weight + other.weight,
            cancels=self.cancels + other.cancels,
        )

    def shares_with(self, other: Cost) -> bool:
        """Whether both spend of one kind."""
        return any(self.of(kind) > 0 and other.of(kind) > 0 for kind in KINDS)


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
    terms: Cost
    """Fee rates and maintenance tiers of one symbol."""
    countdown: Cost
